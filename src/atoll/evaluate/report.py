"""What a run of questions comes to: shares by kind, what fails, and what changed since an earlier run."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from atoll.errors import BadInput
from atoll.evaluate.questions import Question
from atoll.evaluate.verdict import Verdict

TOTAL = "total"


@dataclass(frozen=True, slots=True)
class Judged:
    """A question with its verdict and the answer as it was shown."""

    question: Question
    verdict: Verdict
    answer: str

    @property
    def good(self) -> bool:
        """Whether it went as it should: a usable answer, or a refusal where there is none."""
        return self.verdict.usable if self.question.answerable else self.verdict.right

    @property
    def why(self) -> str:
        """What is wrong with it, for people."""
        verdict = self.verdict
        if not self.question.answerable:
            return "answered, though the documents do not say"
        if verdict.refused:
            return "refused" + (", the page was shown" if verdict.nearest else "")
        return f"missing {', '.join(verdict.missing)}" if verdict.missing else "cites another page"


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts of one kind: all but ``false_answers`` are of the ``answerable`` questions.

    ``placed`` are those of the ``located`` right answers whose places were looked at and hold what is expected.
    """

    answerable: int
    usable: int
    clean: int
    right: int
    page: int
    recalled: int
    false_refusals: int
    nearest: int
    unanswerable: int
    false_answers: int
    located: int = 0
    placed: int = 0


def tally(items: Sequence[Judged]) -> Tally:
    """Count the verdicts of some questions."""
    yes = [each.verdict for each in items if each.question.answerable]
    no = [each.verdict for each in items if not each.question.answerable]
    return Tally(
        answerable=len(yes),
        usable=sum(each.usable for each in yes),
        clean=sum(each.clean for each in yes),
        right=sum(each.right for each in yes),
        page=sum(each.page for each in yes),
        recalled=sum(each.recalled for each in yes),
        false_refusals=sum(each.refused for each in yes),
        nearest=sum(each.nearest for each in yes),
        unanswerable=len(no),
        false_answers=sum(not each.right for each in no),
        located=sum(each.placed is not None for each in yes),
        placed=sum(each.placed is True for each in yes),
    )


def by_kind(items: Sequence[Judged]) -> dict[str, Tally]:
    """Return the counts of each kind, in the order of the questions, and of all."""
    kinds = dict.fromkeys(each.question.kind for each in items)
    found = {kind: tally([each for each in items if each.question.kind == kind]) for kind in kinds}
    return {**found, TOTAL: tally(items)}


def as_json(items: Sequence[Judged], settings: Mapping[str, str]) -> dict[str, Any]:
    """Return a run as it is saved: ``settings`` it was made with, counts by kind, and each question."""
    return {
        "settings": dict(settings),
        "kinds": {kind: asdict(counts) for kind, counts in by_kind(items).items()},
        "questions": [
            {"id": each.question.id, "kind": each.question.kind, "question": each.question.text, "good": each.good}
            | {"answerable": each.question.answerable, "answer": each.answer, **asdict(each.verdict)}
            for each in items
        ],
    }


@dataclass(frozen=True, slots=True)
class Change:
    """Questions that went well before and do not now, and the other way, by their ids."""

    lost: tuple[str, ...]
    gained: tuple[str, ...]


def since(items: Iterable[Judged], earlier: Path) -> Change:
    """Return what changed since the run that was saved in ``earlier``.

    Raises:
        BadInput: the file is no saved run.
    """
    try:
        rows = json.loads(earlier.read_text(encoding="utf-8"))["questions"]
        before = {str(row["id"]): bool(row["good"]) for row in rows}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadInput(f"{earlier} is no run that `atoll eval --save` wrote: {error}") from error
    known = [each for each in items if each.question.id in before]
    return Change(
        lost=tuple(each.question.id for each in known if before[each.question.id] and not each.good),
        gained=tuple(each.question.id for each in known if each.good and not before[each.question.id]),
    )
