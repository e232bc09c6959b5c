"""Whether an answer stands where its places say: cut out of the page, they hold what is expected, and little else."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from atoll.evaluate.compared import pattern, plain
from atoll.evaluate.questions import Question

#: The text that a page shows inside some boxes: document's id, page, boxes.
Cut = Callable[[str, int, Sequence[Sequence[float]]], str]

#: A passage with so many times the words of a sentence is told apart from it; the part of it that the places may cover.
_LONGER = 3
_LARGEST = 1 / 3
_HYPHENS = re.compile(r"[\u0002\u00ad\ufffe]\s*")
_WORD = re.compile(r"\w+")
#: Letters from which a word is found without its ends: pages break words anywhere.
_LONG = 4


def placed(question: Question, body: Mapping[str, Any], cut: Cut) -> bool:
    """Judge the places of an answer that is right: those of the sentences that have what is expected."""
    evidence = {each["n"]: each["evidence"] for each in body["citations"]}
    expected = [pattern(each) for each in (*question.expect_all, *question.expect_any)]
    telling = [each for each in body["sentences"] if any(one.search(plain(each["text"])) for one in expected)]
    chosen = telling or body["sentences"]
    return bool(chosen) and all(
        each["places"] and _holds(each, expected, evidence, cut) and _is_small(each, evidence) for each in chosen
    )


def _holds(
    sentence: Mapping[str, Any], expected: Sequence[re.Pattern[str]], evidence: Mapping[int, Any], cut: Cut
) -> bool:
    """Whether the places hold the expected words, but for those that are names of columns: they stand in the header."""
    matches = [match[0] for one in expected if (match := one.search(plain(sentence["text"])))]
    wanted = _words(" ".join(matches or [sentence["text"]]))
    if table := sentence["table"]:
        cells = _words(" ".join(table["row"]))
        wanted = [word for word in wanted if word in cells] or cells
    shown = plain(_HYPHENS.sub("", unicodedata.normalize("NFKC", _cut_out(sentence["places"], evidence, cut))))
    whole, joined = set(_words(shown)), "".join(shown.split())
    return all(word in whole or (len(word) >= _LONG and word in joined) for word in wanted)


def _words(text: str) -> list[str]:
    return _WORD.findall(plain(text))


def _cut_out(places: Sequence[Mapping[str, Any]], evidence: Mapping[int, Any], cut: Cut) -> str:
    return "\n".join(cut(evidence[each["n"]]["document_id"], each["page"], each["boxes"]) for each in places)


def _is_small(sentence: Mapping[str, Any], evidence: Mapping[int, Any]) -> bool:
    """Whether the places cover at most a third of each passage that has three or more times their words."""
    for n in {each["n"] for each in sentence["places"]}:
        passage = evidence[n]
        mine = [each for each in sentence["places"] if each["n"] == n]
        text = passage["text"] or ""
        words = sum(
            len(_words(text[slice(*each["span"])])) for each in {tuple(each["span"]): each for each in mine}.values()
        )
        if len(_words(text)) < _LONGER * words:
            continue
        boxes = [box for each in mine if each["page"] == passage["page"] for box in each["boxes"]]
        if boxes and _area(boxes) > _LARGEST * _area(passage["boxes"]):
            return False
    return True


def _area(boxes: Sequence[Sequence[float]]) -> float:
    return sum(max(0.0, x1 - x0) * max(0.0, y1 - y0) for x0, y0, x1, y1 in boxes)
