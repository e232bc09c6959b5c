"""Whether what was chosen answers the question: do its names, its property, its numbers and its type meet in one place?

Each sign is between 0 and 1 and has one direction. Their weights were fitted on questions of which people said whether
the documents answer them (`scripts/calibrate_refusal.py`); none of them is a cosine: the one that comes from an
embedder is measured on that embedder's own scale.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

from atoll.query.answer.chosen import Chosen
from atoll.query.answer.compose import refers_back
from atoll.query.answer.fit import STRICT, fits, may_name
from atoll.query.answer.judge import Judged, of_other_dimension, shows_type
from atoll.query.answer.things import is_of_another, is_without_subject
from atoll.query.answer.weigh import Weighed
from atoll.query.question.concept import Part
from atoll.query.question.kinds import Wanted

#: Part of a question's words from which it counts as met, for saying what is missing.
_MET = 0.5
#: Share of a name's words, by rarity, below which it is another name.
_SAME_NAME = 0.6
_OTHER_NAME = 0.4
#: The same for a thing of which an answer has one word and lacks another, and for what a question is about.
_OTHER_THING, _NO_SUBJECT = 0.4, 0.4
#: What a part counts that another sentence of the answer meets: one of the same section, and one of another.
_SAME_SECTION, _NAME_OF_ANOTHER, _ELSEWHERE = 0.7, 0.4, 0.3
#: What a word counts that may be the name that is asked for.
_PERHAPS = 0.6


@dataclass(frozen=True, slots=True)
class Signs:
    """What speaks for an answer, and what against it.

    ``met``: weighted share of the question that the answer meets. ``numbers``: how far its dates, numbers and codes
    are, and its names of a table's columns. ``names``: how far the least met of its names is. ``meaning``: nearness of
    the best unit. ``typed``: the type of the answer is there. ``lacking``: rarity of the rarest word that is not met, 1
    for one that no passage holds. ``empty``: no word is met but names.
    """

    met: float
    numbers: float
    names: float
    meaning: float
    typed: float
    lacking: float
    empty: float


#: Fitted weights of the signs, and where the scale begins.
WEIGHTS: Mapping[str, float] = {
    "met": 4.9, "numbers": 3.8, "names": 3.3, "meaning": 1.2, "typed": 3.7, "lacking": -1.4, "empty": -3.8
}  # fmt: skip
BIAS = -12.6


def likelihood(signs: Signs) -> float:
    """Return how likely it is that the question is answered, 0 to 1."""
    total = BIAS + sum(WEIGHTS[each.name] * getattr(signs, each.name) for each in fields(signs))
    return 1 / (1 + math.exp(-total))


def signs_of(judged: Judged, chosen: Sequence[Chosen], rarity: Mapping[int, float]) -> Signs:
    """Return the signs of an answer; ``rarity`` is that of the question's parts."""
    weigher, parts = judged.weigher, judged.asked.parts
    met = together(judged, chosen)
    thing = _thing(judged, chosen, met, rarity)
    met = [min(pair) for pair in zip(met, _said_of(judged, chosen) or met, strict=True)] if thing < 1.0 else met
    words = [at for at, part in enumerate(parts) if part.part is Part.WORD and not (part.generic or part.excluded)]
    return Signs(
        met=weigher.share(met, weigher.weights),
        numbers=min((met[at] for at in (*weigher.hard, *_of_other_columns(judged, chosen[0]))), default=1.0),
        names=min((*(share for _, share in _names(judged, met)), thing)),
        meaning=chosen[0].weighed.nearness,
        typed=_typed(judged, chosen),
        lacking=max((rarity.get(at, 0.0) * (1 - met[at]) for at in words if at not in judged.asked.typed), default=0.0),
        empty=float(bool(words) and not weigher.hard and max(met[at] for at in words) < _MET),
    )


def _thing(judged: Judged, chosen: Sequence[Chosen], met: Sequence[float], rarity: Mapping[int, float]) -> float:
    """Return whether an answer is about the thing that is asked about, as far as words without a capital tell."""
    without = is_without_subject(judged, _said_of(judged, chosen) or met, rarity)
    there = _NO_SUBJECT if without else 1.0
    return min(there, _OTHER_THING) if is_of_another(judged, met, rarity) else there


def _said_of(judged: Judged, chosen: Sequence[Chosen]) -> list[float]:
    """Return how far the units that have an amount of the type asked for meet each part: it is theirs."""
    if judged.asked.wanted not in STRICT or judged.asked.compares or judged.asked.wants_list:
        return []
    typed = [each for each in chosen if shows_type(each.unit, judged.asked, judged.weigher.terms)]
    return [max(values) for values in zip(*(each.weighed.met for each in typed), strict=True)]


def _typed(judged: Judged, chosen: Sequence[Chosen]) -> float:
    """Return whether an answer has the type that is wanted; a word that may be a name counts by half."""
    wanted = judged.asked.wanted
    if wanted not in STRICT | {Wanted.PERSON}:
        return 1.0
    if chosen[0].unit.row is None and of_other_dimension(judged.asked, chosen[0].unit.text, judged.weigher.terms):
        return 0.0
    key = (
        next((at for at, part in enumerate(judged.asked.parts) if part.key), None) if wanted is Wanted.NUMBER else None
    )
    for each in chosen:  # a number says how many there are where it stands with what is counted
        if shows_type(each.unit, judged.asked, judged.weigher.terms) and (key is None or each.weighed.met[key] >= _MET):
            return 1.0
    return _PERHAPS if wanted is Wanted.PERSON and any(may_name(each.unit.text) for each in chosen) else 0.0


def missing(judged: Judged, chosen: Sequence[Chosen]) -> tuple[str, ...]:
    """Return the parts of the question, as they were asked, that the nearest units do not meet."""
    met = together(judged, chosen) if chosen else [0.0] * len(judged.asked.parts)
    parts = judged.asked.parts
    found = {start: text for (start, text), share in _names(judged, met) if share < _MET}
    for at, part in enumerate(parts):
        if part.part is Part.NAME or part.generic or part.excluded or part.start < 0:
            continue
        if met[at] < _MET:
            found[part.start] = part.text
    if not found:  # everything is there, but not in one place: what is asked for is what is not said
        found = {
            part.start: part.text for part in parts if part.part is Part.WORD and not part.generic and part.start >= 0
        }
    return tuple(text for _, text in sorted(found.items()))


def together(judged: Judged, chosen: Sequence[Chosen]) -> list[float]:
    """Return how far an answer meets each part of the question, as one place that names, property and numbers share."""
    first = chosen[0]
    met = list(_again(judged, first).met)
    everything = judged.asked.compares or judged.asked.wants_list
    for other in chosen[1:]:
        same = other.unit.evidence is first.unit.evidence and other.unit.section == first.unit.section
        names = 1.0 if refers_back(first.unit.text) or refers_back(other.unit.text) else _NAME_OF_ANOTHER
        for at, (part, value) in enumerate(zip(judged.asked.parts, _again(judged, other).own, strict=True)):
            factor = (names if part.part is Part.NAME else _SAME_SECTION) if same else _ELSEWHERE
            met[at] = max(met[at], value * (1.0 if everything else factor))
    return met


def _of_other_columns(judged: Judged, each: Chosen) -> list[int]:
    """Return the words of a question that name other columns of a row than those shown, with values of its type."""
    row, wanted = each.unit.row, judged.asked.wanted
    if row is None or not each.columns or wanted not in STRICT:
        return []
    others = [at for at, cell in enumerate(row.cells) if at not in each.columns and cell and fits(wanted, cell)]
    return judged.weigher.of_other_columns(row, each.columns, others)


def _again(judged: Judged, each: Chosen) -> Weighed:
    """Weigh a unit by what is shown of it: of a row only the columns that were chosen."""
    again = judged.weigher.weighed(each.unit, document=each.unit.evidence.document, columns=each.columns)
    judged.weigher.credit(again, judged.asked.typed, fits=shows_type(each.unit, judged.asked, judged.weigher.terms))
    for at in _of_other_columns(judged, each):
        again.met[at] = 0.0
    for at in each.compared:  # "the largest" stands nowhere: that it is has been found by comparing
        again.met[at] = again.own[at] = 1.0
    return again


def _names(judged: Judged, met: Sequence[float]) -> list[tuple[tuple[int, str], float]]:
    """Return each name of the question, with its place, and how far it is met; a name in part is another name."""
    weights = judged.weigher.weights
    groups: dict[int, list[int]] = {}
    for at, part in enumerate(judged.asked.parts):
        if part.part is Part.NAME and not (part.excluded or part.soft):
            groups.setdefault(-2 if part.rivals else part.group, []).append(at)
    found = []
    for places in groups.values():
        total = sum(weights[at] for at in places)
        share = sum(weights[at] * met[at] for at in places) / total if total else 1.0
        counts = max(judged.asked.parts[at].share for at in places)
        first, last = judged.asked.parts[places[0]], judged.asked.parts[places[-1]]
        text = judged.asked.text[first.start : last.end] if first.start >= 0 else first.text
        lacking = 1 - (share if share >= _SAME_NAME else _OTHER_NAME * share)
        found.append(((first.start, text), 1 - counts * lacking))
    return found
