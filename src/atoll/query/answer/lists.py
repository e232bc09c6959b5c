"""Whole lists: the items, rows or sentences under the heading or lead that a question names."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from atoll.query.answer.judge import Judged, denies, is_under_denial
from atoll.query.answer.units import Form
from atoll.query.answer.weigh import INTRODUCED, Weighed

#: Units of a list that are shown at most; an answer says how many more there are.
MAX_SHOWN = 8
#: Sentences that are shown of an entry in a log or diary.
MAX_ENTRY = 3
#: Sentences under one heading that count as a list.
_LONGEST_SECTION = 12


@dataclass(frozen=True, slots=True)
class Group:
    """Units that stand together, and how far what they stand under (``near``; in all: ``frame``) meets each part."""

    members: Sequence[Weighed]
    near: Sequence[float]
    frame: Sequence[float]
    coverage: float


def groups(judged: Judged) -> list[Group]:
    """Return the lists, tables and sections of the evidence, the best for the question first."""
    series: defaultdict[tuple[object, ...], list[Weighed]] = defaultdict(list)
    for each in judged.all:
        unit = each.unit
        if unit.form is Form.TITLE:
            continue
        place = (unit.evidence.document_id, unit.headings, unit.lead, unit.row.caption if unit.row else "")
        if unit.form in (Form.ROW, Form.ITEM):
            series[(*place, unit.form)].append(each)
        series[(*place[:3], "section")].append(each)
    found = [_group(members, judged) for key, members in series.items() if _is_list(key, members)]
    return sorted(found, key=lambda group: -group.coverage)


def _is_list(key: Sequence[object], members: Sequence[Weighed]) -> bool:
    if len(members) < 2:  # noqa: PLR2004 - one thing is no list
        return False
    if key[-1] == "section":
        return (
            len(members) <= _LONGEST_SECTION
            and len({each.unit.form for each in members}) == 1
            and members[0].unit.form is Form.SENTENCE
        )
    return True


def _group(members: list[Weighed], judged: Judged) -> Group:
    unit = members[0].unit
    near = "\n".join((*unit.headings[-1:], unit.lead, unit.row.caption if unit.row else ""))
    far = "\n".join((*unit.titles, *unit.headings[:-1], unit.evidence.document))
    header = "\n".join(unit.row.header) if unit.row else ""
    close = judged.weigher.meets_each((near, 1.0), (header, 0.9))
    told = "\n".join(each.text for each in unit.introduction) if unit.form is not Form.SENTENCE else ""
    further = judged.weigher.meets_each((far, 0.8), (told, INTRODUCED))
    frame = [max(pair) for pair in zip(close, further, strict=True)]
    return Group(members, close, frame, judged.weigher.share(frame))


def shown(group: Group, *, negated: bool) -> list[Weighed]:
    """Return the members that are meant: where some meet a part that the list's heading does not, only those.

    ``negated`` says that it is asked what is not so: where some say "not" and the heading does not, only those.
    """
    chosen = list(group.members)
    if negated and not is_under_denial(chosen[0].unit):
        chosen = [each for each in chosen if denies(each.unit.text)] or chosen
    for at, met in enumerate(group.frame):
        if met >= 0.75:  # noqa: PLR2004 - said by the heading
            continue
        meeting = [each for each in chosen if each.own[at] >= 0.95]  # noqa: PLR2004 - not only akin
        if meeting and len(meeting) < len(chosen):
            chosen = meeting
    return chosen


def filtered_coverage(group: Group, members: Sequence[Weighed], judged: Judged) -> float:
    """Return the share of the question that a list's heading and every one of some members meet together."""
    together = [max(met, min(each.own[at] for each in members)) for at, met in enumerate(group.frame)]
    return judged.weigher.share(together)
