"""Where documents contradict each other: sentences and rows of one wording that answer alike and say another thing.

Two sentences are rivals when they stand in different documents, meet the same parts of the question, and have the same
words but for a figure, a denial, or words of which one stands in the other's place. An answer shows both.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from atoll.domain.answer import Caution
from atoll.domain.evidence import Evidence
from atoll.query.answer.chosen import Chosen
from atoll.query.answer.judge import Judged, denies
from atoll.query.answer.units import CLOSERS, QUESTION_MARKS, Form, TableRow
from atoll.query.answer.weigh import Weighed
from atoll.query.rank.near_duplicates import wording
from atoll.query.text.terms import Terms

#: Rivals of an answer that are shown at most.
MOST = 2
#: Part of the longer sentence's words that two have in common, and words that a sentence needs to be compared.
_COMMON, _LEAST_WORDS = 0.7, 4
#: How much less a rival may meet a part of the question than the sentence whose rival it is.
_SLACK = 0.2
#: Words of a difference that are quoted.
_QUOTED = 8


@dataclass(frozen=True, slots=True)
class Rival:
    """A unit that says ``says`` where an answer says ``instead_of``; both are empty where much differs."""

    chosen: Chosen
    against: Chosen
    says: str
    instead_of: str


def rivals(judged: Judged, chosen: Sequence[Chosen]) -> list[Rival]:
    """Return what other documents say instead of an answer, at most `MOST`; nothing of lists and comparisons.

    A rival may be a part of the answer already.
    """
    asked = judged.asked
    if asked.wants_list or asked.wants_documents or asked.compares:
        return []
    for against in chosen:
        found: dict[str, Rival] = {}
        for other in _others(judged, against):
            document = other.unit.evidence.document_id
            if document not in found and (rival := _rival(other, against, judged.weigher.terms)) is not None:
                found[document] = rival
        if found:
            return list(found.values())[:MOST]
    return []


def differing(found: Sequence[Rival]) -> tuple[Caution, ...]:
    """Return what a reader is told of rivals: which documents differ, of what version and day each is, and in what."""
    if not found:
        return ()
    told = [found[0].against.unit.evidence, *(rival.chosen.unit.evidence for rival in found)]
    message = f"The documents do not agree: {', '.join(map(_named, told[:-1]))} and {_named(told[-1])}"
    first = found[0]
    if first.says:
        message += f" differ in “{first.instead_of}” and “{first.says}”"
    return (Caution("documents_differ", f"{message}. Each is shown."),)


def _named(evidence: Evidence) -> str:
    said = [f"version {evidence.version}"] if evidence.version is not None else []
    said += [f"added {evidence.created_at:%Y-%m-%d}"] if evidence.created_at is not None else []
    return f"{evidence.document} ({', '.join(said)})" if said else evidence.document


def _others(judged: Judged, against: Chosen) -> Iterator[Weighed]:
    """Yield the units of other documents that meet whatever of the question ``against`` meets, the best first."""
    unit = against.unit
    able = [
        each
        for each in judged.all
        if each.unit.form is unit.form is not Form.TITLE
        and not each.unit.text.rstrip(CLOSERS).endswith(QUESTION_MARKS)
        and each.unit.evidence.document_id != unit.evidence.document_id
    ]
    for each in sorted(able, key=lambda each: -each.score):
        if all(own >= other - _SLACK for own, other in zip(each.met, against.weighed.met, strict=True)):
            yield each


def _rival(other: Weighed, against: Chosen, terms: Terms) -> Rival | None:
    row, own = other.unit.row, against.unit.row
    if row is not None and own is not None:
        return _of_rows(other, row, against, own)
    difference = _difference(against.unit.text, other.unit.text, terms)
    return None if difference is None else Rival(Chosen(other), against, difference[1], difference[0])


def _of_rows(other: Weighed, row: TableRow, against: Chosen, own: TableRow) -> Rival | None:
    """Compare the cells that are shown: rows of one name, columns of one name, another value."""
    if not against.columns or wording(row.label) != wording(own.label) or row.header != own.header:
        return None
    label = own.cells.index(own.label)
    pairs = [(own.cells[at], row.cells[at]) for at in against.columns if at != label]
    for instead_of, says in pairs:
        if instead_of and says and wording(instead_of) != wording(says):
            return Rival(Chosen(other, against.columns), against, says, instead_of)
    return None


def _difference(first: str, second: str, terms: Terms) -> tuple[str, str] | None:
    """Return in what two texts of one wording contradict each other, or None; empty where that is long."""
    one, other = wording(first).split(" "), wording(second).split(" ")
    longest = max(len(one), len(other))
    if min(len(one), len(other)) < max(_LEAST_WORDS, _COMMON * longest):
        return None
    matcher = SequenceMatcher(None, one, other, autojunk=False)
    if sum(block.size for block in matcher.get_matching_blocks()) < _COMMON * longest:
        return None
    changes = [change for change in matcher.get_opcodes() if change[0] != "equal"]
    exchanged = any(
        kind == "replace" and terms.of_question(" ".join(one[a:b])) and terms.of_question(" ".join(other[c:d]))
        for kind, a, b, c, d in changes
    )
    if not exchanged and denies(first) == denies(second):
        return None
    (_, a, _, c, _), (_, _, b, _, d) = changes[0], changes[-1]
    if a == b or c == d:  # with a word beside what one of them lacks
        a, b, c, d = (a, b + 1, c, d + 1) if b < len(one) and d < len(other) else (a - 1, b, c - 1, d)
    return ("", "") if max(b - a, d - c) > _QUOTED else (" ".join(one[a:b]), " ".join(other[c:d]))
