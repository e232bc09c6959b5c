"""The sample corpus is what its sources say, and the questions asked of it have their answers where they claim."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import docx
import lxml.html
import pypdfium2
import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
SAMPLES = REPOSITORY / "samples"
DATA = REPOSITORY / "tests" / "data"
WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"


def read_lines(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (DATA / name).read_text(encoding="utf-8").splitlines()]


QUESTIONS = read_lines("sample_questions.jsonl")
IDENTIFIERS = read_lines("sample_identifiers.jsonl")
FOREIGN = (DATA / "foreign_questions.txt").read_text(encoding="utf-8").splitlines()


def flat(text: str) -> str:
    return " ".join(text.split())


@cache
def pages(name: str) -> tuple[str, ...]:
    """The text of each page with its white space flattened; a format without pages has one."""
    path = SAMPLES / name
    match path.suffix:
        case ".pdf":
            with pypdfium2.PdfDocument(path) as document:
                return tuple(flat(page.get_textpage().get_text_range()) for page in document)
        case ".docx":
            body = docx.Document(str(path)).element.body
            return (flat(" ".join(paragraph.text for paragraph in body.iter(f"{WORD}p"))),)
        case ".html":
            main = lxml.html.fromstring(path.read_bytes()).find(".//main")
            assert main is not None
            return (flat(" ".join(str(part) for part in main.itertext())),)
        case _:
            return (flat(path.read_text(encoding="utf-8")),)


@cache
def texts() -> dict[str, str]:
    return {path.name: " ".join(pages(path.name)) for path in sorted(SAMPLES.iterdir())}


def build(repository: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(repository / "scripts" / "build_samples.py"), *arguments],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_samples_are_what_the_sources_build() -> None:
    checked = build(REPOSITORY, "--check", PYTHONHASHSEED="1", TZ="Pacific/Auckland")

    assert (checked.returncode, checked.stderr) == (0, "")


def test_check_names_what_is_changed_missing_or_without_a_source(tmp_path: Path) -> None:
    for folder in ("scripts", "samples"):
        shutil.copytree(REPOSITORY / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    changed, missing, orphan = (
        tmp_path / "samples" / name for name in ("stores-catalogue.pdf", "fares-and-concessions.md", "note.txt")
    )
    changed.write_bytes(changed.read_bytes() + b"\n")
    missing.unlink()
    orphan.write_text("left over")

    checked = build(tmp_path, "--check")

    assert checked.returncode == 1
    assert [line.split()[0] for line in checked.stderr.splitlines()] == [
        "samples/fares-and-concessions.md",
        "samples/stores-catalogue.pdf",
        "samples/note.txt",
    ]
    orphan.unlink()
    assert build(tmp_path).returncode == 0
    assert changed.read_bytes() == (SAMPLES / changed.name).read_bytes()
    assert missing.read_bytes() == (SAMPLES / missing.name).read_bytes()


def test_the_corpus_has_its_formats_and_size() -> None:
    formats = Counter(Path(name).suffix for name in texts())
    words = {name: len(text.split()) for name, text in texts().items()}

    assert len(texts()) >= 14
    assert formats.keys() == {".pdf", ".docx", ".html", ".md", ".txt"}
    assert min(formats.values()) >= 2
    assert sum(len(pages(name)) >= 4 for name in texts() if name.endswith(".pdf")) >= 3
    assert all(300 <= count <= 2500 for count in words.values()), words
    assert 12_000 <= sum(words.values()) <= 16_000


def test_the_questions_cover_the_corpus() -> None:
    assert len(QUESTIONS) == len(IDENTIFIERS) == 30
    assert len({question["id"] for question in QUESTIONS}) == 30
    asked = {question["document"] for question in QUESTIONS}
    assert len(asked) >= 12
    assert {Path(name).suffix for name in asked} == {".pdf", ".docx", ".html", ".md", ".txt"}
    assert {question["kind"] for question in QUESTIONS} == {"fact", "table", "procedure", "who", "when"}
    assert len(set(FOREIGN)) == 50


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question["id"])
def test_the_answer_stands_on_the_named_page_and_in_no_other_document(question: dict[str, Any]) -> None:
    words = question["answer_words"]
    holding = [name for name, text in texts().items() if all(word in text for word in words)]

    assert 1 <= len(words) <= 3
    assert holding == [question["document"]]
    page = pages(question["document"])[question["page"] - 1]
    assert all(word in page for word in words)
    assert flat(question["question"]) not in page


@pytest.mark.parametrize("identifier", IDENTIFIERS, ids=lambda identifier: identifier["query"])
def test_the_identifier_occurs_in_one_document_only(identifier: dict[str, Any]) -> None:
    # a whole word: ALC-220 does not occur in a text that names only ALC-220B
    words = re.escape(identifier["query"].strip('"'))
    searched = re.compile(rf"(?<!\w){words}(?!\w)", re.IGNORECASE)

    assert [name for name, text in texts().items() if searched.search(text)] == [identifier["document"]]
    if identifier["page"] is not None:
        assert searched.search(pages(identifier["document"])[identifier["page"] - 1])
