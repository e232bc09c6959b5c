"""Which units make the answer, by the kind of the question."""

from __future__ import annotations

import re
from collections.abc import Sequence

from atoll.query.answer import lists
from atoll.query.answer.chosen import Chosen
from atoll.query.answer.extremes import extreme_rows
from atoll.query.answer.judge import Judged, answers, enumerates, is_under_denial, named
from atoll.query.answer.sides import sides
from atoll.query.answer.units import Form, TableRow, Unit
from atoll.query.answer.weigh import Weighed
from atoll.query.question.concept import Part
from atoll.query.question.kinds import Wanted

#: Units of an answer that is no list.
_MOST = 3
#: Part of the best unit's score from which a second one is shown, too; of reasons there may be several.
_AS_GOOD, _REASON = 0.93, 0.75
#: What a neighbour must add to the share of the question that the best sentence meets.
_GAIN = 0.15
#: What a column counts more whose cell has the type of the answer.
_TYPED = 1.5
#: Part of what the best column counts from which another one is meant as well.
_ALIKE = 0.9
#: Sentences before and after the best one in which the name or the reason is looked for.
_BACK, _ON = 3, 2
#: Lists looked at, and the part of the best unit's coverage that a list needs that holds it or is called what is asked.
_GROUPS = 8
_INSIDE, _OUTSIDE = 0.7, 0.97
#: What counts for two units of one comparison that they stand in one section.
_TOGETHER = 0.1
_PRONOUN = re.compile(r"\b(?:he|she|his|her|they|their|er|sie|seine?|ihre?)\b", re.IGNORECASE)
_STARTS_WITH_PRONOUN = re.compile(
    r"^(?:and |but |then |here |on [^,]{3,30} )?(?:he|she|it|they|this|these|both|er|sie|es|dies\w*)\b"
    r"(?! (?:is|was|seems|appears) (?:not )?(?:said|thought|believed|hoped|expected|known|feared|likely|unlikely"
    r"|possible|impossible|true|clear|certain|necessary|important)\b)",
    re.IGNORECASE,
)
_NEWS = 2
_BECAUSE = re.compile(
    r"\b(?:because|since|due to|owing to|so that|caused|reason|weil|denn|damit|aufgrund|grund)\b", re.IGNORECASE
)


def compose(judged: Judged) -> list[Chosen]:
    """Return the units of the answer in the order in which they are shown; the first is the best."""
    if not judged.best:
        return []
    asked = judged.asked
    if asked.wants_documents:
        return _of_documents(judged)
    if asked.compares and asked.wanted is not Wanted.REASON and (pair := _compared(judged)):
        return pair
    return extreme_rows(judged) or _listed(judged) or _told(judged)


def _of_documents(judged: Judged) -> list[Chosen]:
    first = judged.best[0]
    found: dict[str, Chosen] = {}
    for each in judged.best:
        if each.coverage >= 0.9 * first.coverage and each.score >= 0.6 * first.score:
            found.setdefault(each.unit.evidence.document_id, Chosen(each, columns_of(each, judged)))
    return list(found.values())


def _compared(judged: Judged) -> list[Chosen] | None:
    """Return the best unit that says something of both things, or the best of each."""
    pair = sides(judged.asked)
    if pair is None:
        return None
    parted = [at for side in pair for at in side]
    for best in judged.best:
        if not all(_meets_any(best, side) for side in pair):
            continue
        columns = tuple(sorted({at for part in parted for at in _columns_of_part(best, part, judged)}))
        if best.unit.row is not None and not all(_has_column(best, side, judged) for side in pair):
            continue  # a row with both names is of one thing: "screen of the projector"
        if best.score >= _AS_GOOD * judged.best[0].score:
            return [Chosen(best, columns)]
        break
    found: list[Chosen] = []
    for own, other in (pair, pair[::-1]):
        weights = [0.0 if at in other else weight for at, weight in enumerate(judged.weigher.even)]
        able = [each for each in judged.best if all(each.met[at] > 0 for at in own)]
        able = [each for each in able if not _meets_any(each, other)] or able
        if not able:
            return None
        near = found[0].unit if found else None
        best = max(
            able, key=lambda each: _for_side(each, weights, judged) + (_TOGETHER if _together(each.unit, near) else 0.0)
        )
        if all(best is not chosen.weighed for chosen in found):
            found.append(Chosen(best, columns_of(best, judged)))
    return found


def _meets_any(each: Weighed, side: frozenset[int]) -> bool:
    return all(each.own[at] > 0 for at in side)


def _for_side(each: Weighed, weights: Sequence[float], judged: Judged) -> float:
    share = judged.weigher.share
    return 0.5 * share(each.met, weights) + 0.2 * share(each.own, weights) + 0.2 * each.nearness + 0.1 * each.fit


def _together(unit: Unit, other: Unit | None) -> bool:
    return other is not None and unit.evidence is other.evidence and unit.section == other.section


def _has_column(each: Weighed, side: frozenset[int], judged: Judged) -> bool:
    return any(_columns_of_part(each, part, judged) for part in side)


def _columns_of_part(each: Weighed, part: int, judged: Judged) -> list[int]:
    row = each.unit.row
    return [] if row is None else judged.weigher.columns_with(part, row.header)


def _listed(judged: Judged) -> list[Chosen] | None:
    """Return the list that is asked for, or the entry of the day."""
    asked, first = judged.asked, judged.best[0]
    dated = any(part.part is Part.DATE and not part.soft for part in asked.parts)
    leads = first.unit.text.endswith(":") and asked.wanted is Wanted.ANY
    denied = asked.negated and asked.wanted is Wanted.ANY and is_under_denial(first.unit)
    if not (asked.wants_list or dated or leads or denied):
        return None
    key = next((at for at, part in enumerate(asked.parts) if part.key), None)
    excluded = [at for at, part in enumerate(asked.parts) if part.excluded]
    tells = enumerates(first.unit.text) and first.unit.form is Form.SENTENCE and not first.unit.text.endswith(":")
    if tells and (key is None or first.own[key] > 0):
        return None
    for group in lists.groups(judged)[:_GROUPS]:
        members = lists.shown(group, negated=asked.negated)
        if len(members) < 2 or any(group.near[at] > 0 for at in excluded):  # noqa: PLR2004 - one thing is no list
            continue
        if any(max(group.frame[at], min(each.met[at] for each in members)) <= 0 for at in judged.weigher.hard):
            continue
        coverage = lists.filtered_coverage(group, members, judged)
        wanted = (
            _INSIDE if any(each is first for each in members) or (key is not None and group.near[key] > 0) else _OUTSIDE
        )
        if coverage >= wanted * first.coverage:
            most = lists.MAX_SHOWN if asked.wants_list or denied else lists.MAX_ENTRY
            return [Chosen(each, columns_of(each, judged)) for each in members[:most]]
    return None


def _told(judged: Judged) -> list[Chosen]:
    """Return the best unit, with what it needs from its neighbours, and a second one that is as good."""
    first = judged.best[0]
    if first.unit.form is Form.TITLE:
        return [Chosen(each, columns_of(each, judged)) for each in _under(judged, first)]
    found = _with_person(judged, first) if judged.asked.wanted is Wanted.PERSON else _with_antecedent(judged, first)
    if len(found) == 1:
        found = _completed(judged, first)
    second = next((each for each in judged.best[1:] if each not in found), None)
    if second is not None and len(found) < _MOST and _worth_adding(judged, first, second, found):
        found = [*found, second]
        if judged.asked.wanted is Wanted.REASON and len(found) < _MOST:
            found = [*found, *(each for each in _next(judged, second)[:1] if each not in found)]
    return [Chosen(each, columns_of(each, judged)) for each in found[:_MOST]]


def _worth_adding(judged: Judged, first: Weighed, second: Weighed, found: Sequence[Weighed]) -> bool:
    if second.unit.form is Form.TITLE or any(second.met[at] <= 0 < first.met[at] for at in range(len(first.met))):
        return False
    if judged.asked.wanted is Wanted.REASON:
        return second.score >= _REASON * first.score
    return (
        len(found) == 1
        and second.unit.row is None
        and first.unit.row is None
        and second.score >= _AS_GOOD * first.score
    )


def _under(judged: Judged, title: Weighed) -> list[Weighed]:
    """Return a heading with what follows it first."""
    after = title.unit.after
    follows = [each for each in judged.all if after is not None and each.unit is after]
    return [title, *follows] if follows and follows[0].unit.form is not Form.TITLE else [title]


def _of(judged: Judged, unit: Unit | None) -> list[Weighed]:
    return [each for each in judged.all if each.unit is unit] if unit is not None else []


def _around(first: Unit, back: int, on: int) -> list[Unit]:
    """Return the sentences of a section around one, the nearest first, those after before those before."""
    found: list[tuple[float, Unit]] = []
    for step, most in (("after", on), ("before", back)):
        unit: Unit | None = getattr(first, step)
        for distance in range(most):
            if unit is None or unit.section != first.section or unit.form is Form.TITLE:
                break
            found.append((distance + (0.5 if step == "before" else 0.0), unit))
            unit = getattr(unit, step)
    return [unit for _, unit in sorted(found, key=lambda pair: pair[0])]


def _with_person(judged: Judged, first: Weighed) -> list[Weighed]:
    """Return the best sentence with the one that has the name, where it has none itself.

    Where it says "he" or "she" the name was said before.
    """
    if first.unit.row is not None or named(judged.asked, first.unit.text):
        return _with_antecedent(judged, first)
    told = _PRONOUN.search(first.unit.text) is not None
    around = _around(first.unit, _BACK, 0 if told else _ON)
    most = max((named(judged.asked, unit.text) for unit in around), default=0)
    for unit in around:
        if most and named(judged.asked, unit.text) == most:
            return sorted([first, *_of(judged, unit)], key=lambda each: each.unit.start)
    return [first]


def refers_back(text: str) -> bool:
    """Whether a sentence begins with a word that stands for something said before."""
    return _STARTS_WITH_PRONOUN.match(text) is not None


def _with_antecedent(judged: Judged, first: Weighed) -> list[Weighed]:
    """Put the sentence before whose name "he" or "it" stands for."""
    if first.unit.row is None and refers_back(first.unit.text):
        for unit in (unit for unit in _around(first.unit, _BACK, 0) if not refers_back(unit.text)):
            return [*_of(judged, unit), first]
    return [first]


def _completed(judged: Judged, first: Weighed) -> list[Weighed]:
    """Add a neighbour that has what the best sentence lacks: a word of the question, a date, an amount, a reason."""
    asked, unit = judged.asked, first.unit
    if unit.row is not None:
        return [first]
    if asked.wanted is Wanted.REASON:
        return (
            [first] if answers(asked, unit.text) and _BECAUSE.search(unit.text) else [first, *_next(judged, first)[:1]]
        )
    around = [each for other in _around(unit, 1, _ON) for each in _of(judged, other)]
    if asked.wanted not in (Wanted.ANY, Wanted.YES_NO, Wanted.PLACE) and not answers(asked, unit.text):
        fitting = [each for each in around if answers(asked, each.unit.text)]
        return sorted([first, *fitting[:1]], key=lambda each: each.unit.start)
    for each in around:
        together = judged.weigher.share([max(pair) for pair in zip(first.own, each.own, strict=True)])
        if together - first.own_coverage >= _GAIN:
            return sorted([first, each], key=lambda each: each.unit.start)
    return [first]


def _gives_reason(judged: Judged, text: str) -> bool:
    """Whether a sentence says why, in more words than those of the question."""
    because = _BECAUSE.search(text)
    return because is not None and judged.weigher.news(text[because.end() :]) >= _NEWS


def _next(judged: Judged, each: Weighed) -> list[Weighed]:
    return [found for unit in _around(each.unit, 0, 1) for found in _of(judged, unit)]


def columns_of(each: Weighed, judged: Judged) -> tuple[int, ...]:
    """Return the columns that a question asks for of a row, by the names of its columns; none: all of them."""
    row = each.unit.row
    if row is None or not any(row.header):
        return ()
    label_at = next((at for at, cell in enumerate(row.cells) if cell), 0)
    chosen = [at for at, name in enumerate(row.header) if name and at != label_at]
    told = False
    for own in (True, False):  # "and for adults?" asks for another column than the question before it
        weighed = {at: _column(judged, row, at, label_at, own=own) for at in chosen}
        most = max(weighed.values(), default=0.0)
        if most > 0:
            told, chosen = True, [at for at in chosen if weighed[at] >= _ALIKE * most]
    if not told:
        return ()
    if len(chosen) > max(2, len(row.cells) // 2):
        return ()
    return tuple(sorted({*chosen, *judged.weigher.cells_with(row, (label_at, *chosen))}))


def _column(judged: Judged, row: TableRow, at: int, label_at: int, *, own: bool) -> float:
    weight = judged.weigher.column(row.header[at], row.cells[label_at], own=own)
    typed = judged.asked.wanted not in (Wanted.ANY, Wanted.YES_NO) and answers(judged.asked, row.cells[at])
    return weight * (_TYPED if typed else 1.0)
