"""Whether an answer of the API is what its question expects."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from atoll.evaluate.compared import pattern, plain, without_marks
from atoll.evaluate.questions import Question

#: Pieces of evidence that a reader of a refusal looks at.
NEAREST = 3
#: A model's own words that it does not know, which the API should have said formally.
_SAYS_NOTHING = re.compile(
    r"^[^.]{0,120}\b(?:not|n't|cannot|no|nicht|keine?)\b[^.]{0,60}"
    r"\b(?:answer|say|state[ds]?|mention(?:ed)?|contain|provide[ds]?|information|found|angegeben|genannt|erwähnt|enthalten)\b"
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one question.

    ``right``: the answer has what is expected; of a question that the documents do not answer, it is a refusal.
    ``page``: a citation points to where the answer stands, ``first``: the first one does. ``usable``: right and page.
    ``clean``: usable, with few enough sentences, none from another document. ``nearest``: refused, but the page is
    among the first passages shown. ``recalled``: the page is among the evidence. ``missing`` are the expectations that
    are not met. ``placed``: the places of the sentences hold what is expected and are no larger than they need to be;
    None where that was not looked at.
    """

    refused: bool
    right: bool
    page: bool = False
    first: bool = False
    usable: bool = False
    clean: bool = False
    nearest: bool = False
    recalled: bool = False
    missing: tuple[str, ...] = ()
    placed: bool | None = None


def judged(question: Question, body: Mapping[str, Any]) -> Verdict:
    """Judge the body of ``POST .../query``."""
    text = without_marks(body["answer"])
    in_words = body["answered_by"] == "generate" and _SAYS_NOTHING.search(text) is not None
    missing = _missing(question, text)
    refused = body["refusal"] is not None or body["answered_by"] == "none"
    refused = refused or (in_words and not (question.answerable and not missing))
    if not question.answerable:
        allowed = bool(question.expect_any) and not missing
        return Verdict(refused, right=refused or allowed, missing=missing if not refused else ())
    evidence = [(each["document"], each.get("page")) for each in body["evidence"]]
    shown = [_is_there(question, *each) for each in evidence]
    cited = {each["n"]: (each["evidence"]["document"], each["evidence"].get("page")) for each in body["citations"]}
    hits = [_is_there(question, *cited[n]) for n in sorted(cited)]
    right = not refused and not missing
    page = not refused and (any(hits) if question.pages else right)
    clean = len(body["sentences"]) <= question.max_sentences and not _foreign(question, body["sentences"], cited)
    return Verdict(
        refused=refused,
        right=right,
        page=page,
        first=not refused and (bool(hits) and hits[0] if question.pages else right),
        usable=right and page,
        clean=right and page and clean,
        nearest=refused and any(shown[:NEAREST]),
        recalled=any(shown) or not question.pages,
        missing=missing,
    )


def _missing(question: Question, text: str) -> tuple[str, ...]:
    """Return the expectations that a text does not meet, those that it must not have marked by "not"."""
    missing = [each for each in question.expect_all if not pattern(each).search(text)]
    if question.expect_any and not any(pattern(each).search(text) for each in question.expect_any):
        missing.append(" | ".join(question.expect_any))
    return (*missing, *(f"not {each}" for each in question.forbid if pattern(each).search(text)))


def _is_there(question: Question, document: str, page: int | None) -> bool:
    return any(plain(document) == plain(name) and wanted in (None, page) for name, wanted in question.pages)


def _foreign(
    question: Question, sentences: Sequence[Mapping[str, Any]], cited: Mapping[int, tuple[str, int | None]]
) -> bool:
    documents = {cited[n][0] for each in sentences for n in each["citations"] if n in cited}
    return bool(question.documents) and not documents <= question.documents
