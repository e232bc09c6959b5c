"""A file of questions with what a right answer of each looks like, one JSON object a line."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from atoll.errors import BadInput
from atoll.evaluate.compared import pattern

#: Sentences of a clean answer, unless a question says otherwise.
MAX_SENTENCES = 3
#: Questions of one file, and characters of it.
MAX_QUESTIONS = 10_000
MAX_BYTES = 1 << 25
_REQUIRED = frozenset({"id", "kind", "question", "answerable"})
_LISTS = ("expect_all", "expect_any", "forbid")
_KNOWN = _REQUIRED | {*_LISTS, "history", "documents", "pages", "max_sentences", "note"}


@dataclass(frozen=True, slots=True)
class Question:
    """A question and its expectations.

    ``expect_all`` must all occur in an answer, of ``expect_any`` one, of ``forbid`` none; they are regular expressions.
    ``documents`` are the names of the only documents that an answer may cite to be clean; ``pages`` where it stands, a
    document's name with a page or None for any.
    """

    id: str
    kind: str
    text: str
    answerable: bool
    expect_all: tuple[str, ...] = ()
    expect_any: tuple[str, ...] = ()
    forbid: tuple[str, ...] = ()
    documents: frozenset[str] = frozenset()
    pages: tuple[tuple[str, int | None], ...] = ()
    max_sentences: int = MAX_SENTENCES
    history: tuple[Mapping[str, str], ...] = ()

    def on_any_page(self) -> Question:
        """Return the question with the pages of its documents left open: typesetting may have moved them."""
        return replace(self, pages=tuple((name, None) for name, _ in self.pages))


def read_questions(path: Path) -> list[Question]:
    """Return the questions of a file.

    Raises:
        BadInput: the file cannot be read, is too large, or has mistakes; the message names the lines.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise BadInput(f"{path} is larger than {MAX_BYTES >> 20} MiB; split it")
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path} cannot be read: {error}") from error
    found: dict[str, Question] = {}
    mistakes = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            question = _question(json.loads(line))
        except (ValueError, TypeError, re.error) as error:
            mistakes.append(f"line {number}: {error}")
            continue
        if question.id in found:
            mistakes.append(f"line {number}: the id {question.id} is there twice")
        found[question.id] = question
    if mistakes:
        raise BadInput(f"{path} has mistakes: {'; '.join(mistakes[:20])}")
    if not 0 < len(found) <= MAX_QUESTIONS:
        raise BadInput(f"{path} has {len(found)} questions; between 1 and {MAX_QUESTIONS} can be asked")
    return list(found.values())


def _question(entry: Any) -> Question:
    if not isinstance(entry, dict):
        raise TypeError("it is no JSON object")
    missing, unknown = _REQUIRED - entry.keys(), entry.keys() - _KNOWN
    if missing or unknown:
        raise ValueError(f"fields missing: {sorted(missing)}, unknown: {sorted(unknown)}")
    lists = {name: tuple(map(str, entry.get(name) or ())) for name in _LISTS}
    for expression in (each for expressions in lists.values() for each in expressions):
        pattern(expression)
    if entry["answerable"] and not (lists["expect_all"] or lists["expect_any"]):
        raise ValueError(f"{entry['id']} is answerable and expects nothing")
    pages = tuple((str(name), None if page is None else int(page)) for name, page in entry.get("pages") or ())
    return Question(
        id=str(entry["id"]),
        kind=str(entry["kind"]),
        text=str(entry["question"]),
        answerable=bool(entry["answerable"]),
        **lists,
        documents=frozenset(map(str, entry.get("documents") or ())),
        pages=pages,
        max_sentences=int(entry.get("max_sentences", MAX_SENTENCES)),
        history=tuple(entry.get("history") or ()),
    )
