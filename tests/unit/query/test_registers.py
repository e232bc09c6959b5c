"""Answers and refusals over papers of nine kinds (tests/data/registers): how many of each kind of question, not which."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from atoll.query.service import AnswerMode
from tests.unit.query.twins import Library

REGISTERS = Path(__file__).parents[2] / "data" / "registers"
WORDS_OF_A_PASSAGE = 120
HEADING = re.compile(r"(#+) (.*)")
RULE = re.compile(r"\|[-| ]+\|")
BULLET = re.compile(r"(?:[-*] |\d+\. )")


def lines_of(text: str) -> Iterator[str]:
    """Yield the lines of a text as a reader sees them: wrapped lines in one, rows of a table with their cells."""
    open_line = ""
    for line in (*text.splitlines(), ""):
        stands_alone = not line.strip() or line.startswith(("|", "#")) or BULLET.match(line) or " | " in line
        if stands_alone and open_line:
            yield open_line
            open_line = ""
        if RULE.fullmatch(line) or not line.strip():
            continue
        if line.startswith(("|", "#")) or " | " in line:
            yield line.strip("| ")
        else:
            open_line = f"{open_line} {line.strip()}".strip()


def passages_of(text: str) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield passages with the headings that they stand under; plain text is cut by its length."""
    headings: list[str] = []
    lines: list[str] = []
    for line in lines_of(text):
        heading = HEADING.fullmatch(line)
        full = not headings and sum(len(each.split()) for each in lines) > WORDS_OF_A_PASSAGE
        if lines and (full or (heading and lines[-1] not in headings)):
            yield tuple(headings), "\n".join(lines)
            lines = []
        if heading:
            headings = [*headings[: len(heading[1]) - 1], heading[2]]
            lines = [*lines, heading[2]]
        else:
            lines.append(line)
    if lines:
        yield tuple(headings), "\n".join(lines)


async def library_of(folder: Path) -> Library:
    library = Library()
    for path in sorted(folder.iterdir()):
        for at, (headings, text) in enumerate(passages_of(path.read_text(encoding="utf-8"))):
            await library.add(f"{path.name}#{at}", text, headings=headings)
    return library


def is_right(entry: dict[str, Any], text: str) -> bool:
    said = " ".join(text.casefold().split())
    every = all(re.search(each, said) for each in entry.get("expect_all", ()))
    return every and (not entry.get("expect_any") or any(re.search(each, said) for each in entry["expect_any"]))


@pytest.fixture(scope="module")
def questions() -> list[dict[str, Any]]:
    return [json.loads(line) for line in (REGISTERS / "questions.jsonl").read_text(encoding="utf-8").splitlines()]


async def test_what_the_papers_say_is_answered_and_what_they_do_not_say_is_refused(
    questions: list[dict[str, Any]],
) -> None:
    library = await library_of(REGISTERS / "documents")
    asked, good = Counter[str](), Counter[str]()
    refused = 0
    for entry in questions:
        outcome = await library.service.query(library.asking(entry["question"], AnswerMode.EXTRACT))
        is_refusal = outcome.answer.refusal is not None
        kinds = (entry["kind"], "answerable" if entry["answerable"] else "not answerable")
        asked.update(kinds)
        if (is_right(entry, outcome.answer.text) and not is_refusal) if entry["answerable"] else is_refusal:
            good.update(kinds)
        refused += is_refusal and entry["answerable"]
    share = {kind: good[kind] / count for kind, count in asked.items()}
    near = {kind: count for kind, count in asked.items() if kind.startswith("near-")}
    assert asked["answerable"] >= 60
    assert sum(near.values()) >= 60
    assert share["answerable"] >= 0.7, share
    assert refused <= 0.15 * asked["answerable"], share
    assert share["not answerable"] >= 0.85, share
    assert share["far"] == 1.0, share
    assert min(share[kind] for kind in near) >= 0.75, share


@pytest.mark.parametrize(
    ("question", "known"),
    [
        ("How many players does the rowing club have?", True),
        ("How many players does the tennis club have?", False),
        ("How many trophies does the rowing club have?", False),
        ("How high is the boat house?", True),
        ("How wide is the boat house?", False),
        ("What did the new crane cost?", False),
        ("What did the new bearing cost?", True),
        ("Who founded the rowing club?", True),
    ],
)
async def test_one_word_of_a_thing_and_another_property_are_no_meeting(question: str, known: bool) -> None:
    library = Library()
    await library.add("town.txt", "The rowing club has 64 players. It was founded by Ida Holm in 1921.")
    await library.add(
        "house.txt", "The boat house of the rowing club is 7 metres high. A locker holds 0.75 litres of oil."
    )
    await library.add("yard.txt", "A new bearing costs 312 euros. Until then boats are lifted by the crane at Hald.")
    for at in range(6):
        await library.add(f"other-{at}.txt", f"The market of district {at} sells cheese and flowers on Fridays.")
    outcome = await library.service.query(library.asking(question, AnswerMode.EXTRACT))
    assert (outcome.answer.refusal is None) is known, outcome.answer.text


@pytest.mark.parametrize(
    "question",
    [
        "How much wasted plating under the car deck was replaced?",
        "Who steers the launch as her coxswain?",
    ],
)
async def test_a_thing_that_is_asked_for_in_other_words_is_found(question: str) -> None:
    library = Library()
    await library.add(
        "refit.txt", "Under the car deck 42 square metres of corroded plating were replaced in the refit."
    )
    await library.add("crew.txt", "The coxswain of the launch is Edda Moor.")
    for at in range(6):
        await library.add(f"other-{at}.txt", f"The market of district {at} sells cheese and flowers on Fridays.")
    outcome = await library.service.query(library.asking(question, AnswerMode.EXTRACT))
    assert outcome.answer.refusal is None, outcome.answer.refusal
