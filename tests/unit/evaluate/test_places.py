"""Whether places hold what an answer says, and a run as JUnit XML."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from atoll.evaluate.junit import as_junit
from atoll.evaluate.places import placed
from atoll.evaluate.questions import Question
from atoll.evaluate.report import Judged, tally
from atoll.evaluate.verdict import Verdict

QUESTION = Question("a", "fact", "How heavy is it?", answerable=True, expect_all=("12 kg",))
TEXT = "The pump stands in the pit. It weighs 12 kg. It was bought in 1998 and painted grey, twice, by the crew."
SPAN = (28, 44)
#: A page of three lines as wide as the passage.
LINES = {0: "The pump stands in the pit.", 10: "It weighs 12 kg.", 20: "It was bought in 1998 and painted grey."}


def cut(document: str, page: int, boxes: Sequence[Sequence[float]]) -> str:
    assert (document, page) == ("d1", 3)
    return " ".join(line for y, line in LINES.items() for _, y0, _, y1 in boxes if y0 <= y < y1)


def body(boxes: Sequence[Sequence[float]], *, table: Any = None, text: str = "It weighs 12 kg.") -> dict[str, Any]:
    passage = {"document_id": "d1", "page": 3, "text": TEXT, "boxes": [[0, 0, 100, 30]]}
    places = [{"n": 1, "page": 3, "boxes": boxes, "span": SPAN}] if boxes else []
    return {
        "sentences": [{"text": text, "citations": [1], "places": places, "table": table}],
        "citations": [{"n": 1, "evidence": passage}],
    }


@pytest.mark.parametrize(
    ("boxes", "expected"),
    [
        ([[0, 10, 100, 20]], True),
        ([[0, 0, 100, 10]], False),  # another line
        ([[0, 0, 100, 30]], False),  # the whole passage
        ([], False),
    ],
)
def test_the_sentences_own_box_holds_what_is_expected_and_little_else(
    boxes: list[list[float]], *, expected: bool
) -> None:
    assert placed(QUESTION, body(boxes), cut) is expected


def test_names_of_columns_stand_elsewhere() -> None:
    question = Question("a", "table", "?", answerable=True, expect_all=("weight: 12 kg",))
    table = {"header": ["", "Weight"], "row": ["It weighs", "12 kg"]}
    told = "It weighs, Weight: 12 kg"
    assert placed(question, body([[0, 10, 100, 20]], table=table, text=told), cut)
    assert not placed(question, body([[0, 20, 100, 30]], table=table, text=told), cut)


def test_a_run_is_counted_and_told_to_build_servers() -> None:
    good = Judged(QUESTION, Verdict(refused=False, right=True, page=True, usable=True, placed=False), "12 kg")
    bad = Judged(
        Question("b", "far", "Who\x00?", answerable=False), Verdict(refused=False, right=False), "Ada \x1b did <it>."
    )
    assert (tally([good, bad]).located, tally([good, bad]).placed) == (1, 0)
    root = ET.fromstring(as_junit([good, bad]))
    assert (root.get("tests"), root.get("failures")) == ("2", "1")
    assert [suite.get("name") for suite in root] == ["fact", "far"]
    (failure,) = root.iter("failure")
    assert failure.get("message") == "answered, though the documents do not say"
    assert failure.text == "Ada \N{REPLACEMENT CHARACTER} did <it>."
