"""How well a unit of evidence meets a question as a whole, by itself and with what it stands in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from atoll.query.answer.meet import Sight, begins_with, meets
from atoll.query.answer.units import TableRow, Unit
from atoll.query.question.concept import Concept, Part
from atoll.query.text.terms import Terms

#: What a part counts that is met by a unit's frame: headings, caption, the document's name; or by the line it is under.
FRAME, LEAD = 0.85, 0.6
#: What a word counts that says how much or how long, where an amount of that type is.
TYPED, NOT_TYPED = 0.7, 0.3
#: The same for the sentence before and those before it: names are carried on, what is said of them less so.
BEFORE, FURTHER = (0.7, 0.45), (0.4, 0.2)
#: The same for what is said before a table or list, of all of it.
INTRODUCED = 0.6
#: What parts count in comparison to a word of the same rarity.
_NAME, _HARD, _GENERIC, _KEY = 1.2, 1.4, 0.35, 1.4
#: From here on a part counts as met.
_MET = 0.35
#: Rarity of a word that was not looked up.
_UNKNOWN = 0.5
#: A line of more words than this is no heading.
_TITLE_WORDS = 10
#: Marks between the words and the date of a file's name: "minutes-2024-03-14", "2024-03-14_minutes".
_BESIDE_DIGITS = re.compile(r"(?<=[^\W\d_])[-_](?=\d)|(?<=\d)[-_](?=[^\W\d_])")
_ITEM_NUMBER = re.compile(r"\(?(\w{1,3})[.)]")


@dataclass(slots=True)
class Weighed:
    """A unit with how far it meets each part of a question (0 to 1), by itself and with its frame."""

    unit: Unit
    own: list[float]
    met: list[float]
    coverage: float = 0.0
    own_coverage: float = 0.0
    nearness: float = 0.0
    fit: float = 0.0
    score: float = 0.0


class Weigher:
    """Compares units with one question. ``rarity`` is that of each part in the knowledge base, 0 to 1."""

    def __init__(self, parts: Sequence[Concept], rarity: Sequence[float], terms: Terms) -> None:
        self.parts = parts
        self.weights = [_weight(part, rare) for part, rare in zip(parts, rarity, strict=True)]
        self.even = [_weight(part, 0.2 + 0.8 * rare**0.5) for part, rare in zip(parts, rarity, strict=True)]
        self.hard = [at for at, part in enumerate(parts) if part.is_hard and not part.excluded]
        self.rarest = max(
            (at for at, part in enumerate(parts) if not part.is_hard), key=lambda at: self.weights[at], default=None
        )
        self.terms = terms
        self._sights: dict[str, Sight] = {}

    def weighed(self, unit: Unit, *, document: str, columns: Sequence[int] = ()) -> Weighed:
        """Return how ``unit`` of a document of that name meets the question; of a row only some ``columns`` if told."""
        own = self._sight(_own_text(unit, columns))
        by_itself = [max(self._meets(part, own), self._is_labelled(part, unit)) for part in self.parts]
        met = list(by_itself)
        for factor, text in self._around(unit, document):
            if not text or all(value >= factor[0] for value in met):
                continue
            sight = self._sight(text)
            met = [
                value
                if value >= factor[part.part is not Part.NAME]
                else max(value, factor[part.part is not Part.NAME] * self._meets(part, sight))
                for part, value in zip(self.parts, met, strict=True)
            ]
        for at in self.hard:  # a date or number over an entry is the entry's own
            by_itself[at] = met[at]
        return Weighed(unit, by_itself, met, self.share(met), self.share(by_itself))

    def credit(self, each: Weighed, typed: Sequence[int], *, fits: bool) -> None:
        """Count the words at ``typed``, which only name the type of the answer, by whether the type is there."""
        if not typed:
            return
        for at in typed:  # a heading that has the word says nothing: of "what year", a year does
            each.own[at] = each.met[at] = max(TYPED, each.own[at]) if fits else NOT_TYPED * each.met[at]
        each.coverage, each.own_coverage = self.share(each.met), self.share(each.own)

    def lacks(self, each: Weighed) -> float:
        """Return how much of what nothing can stand in for a unit lacks: a date, a number, the rarest word. 0 to 1."""
        hard = sum(each.met[at] < _MET for at in self.hard) / len(self.hard) if self.hard else 0.0
        rarest = self.weights[self.rarest] * (1 - each.met[self.rarest]) if self.rarest is not None else 0.0
        return min(1.0, hard + 0.5 * rarest)

    def _around(self, unit: Unit, document: str) -> Iterator[tuple[tuple[float, float], str]]:
        """Yield what a unit stands in, and what it counts: its frame, the line it is under, the sentences before it."""
        yield (FRAME, FRAME), "\n".join(_frame(unit, document))
        if unit.lead and not _is_title(unit.lead):
            yield (LEAD, LEAD), unit.lead
        if unit.row is not None:
            yield (INTRODUCED, INTRODUCED), "\n".join(each.text for each in unit.introduction)
            return
        before = unit.before
        for factor in (BEFORE, FURTHER, FURTHER):
            if before is None or before.section != unit.section:
                return
            yield factor, before.text
            before = before.before

    def meets_each(self, *texts: tuple[str, float]) -> list[float]:
        """Return how far some texts meet each part, each text counting its factor."""
        sights = [(self._sight(text), factor) for text, factor in texts if text]
        return [
            max((factor * self._meets(part, sight) for sight, factor in sights), default=0.0) for part in self.parts
        ]

    def news(self, text: str) -> int:
        """Return how many content terms a text has that the question has not."""
        asked = frozenset[int]().union(*(part.terms | part.pieces for part in self.parts))
        return len(self.terms.of_question(text) - asked)

    def column(self, name: str, label: str, *, own: bool) -> float:
        """Return how much of a question the name of a column meets that the row's own name does not.

        ``own`` says to count only what the question says itself, not what it takes from its conversation.
        """
        column, row = self._sight(name), self._sight(label)
        return sum(
            weight * self._meets(part, column)
            for weight, part in zip(self.even, self.parts, strict=True)
            if (part.start >= 0 or not own) and self._meets(part, row) < self._meets(part, column)
        )

    def columns_with(self, part: int, names: Sequence[str]) -> list[int]:
        """Return the columns whose name meets a part of the question."""
        return [at for at, name in enumerate(names) if name and self._meets(self.parts[part], self._sight(name)) > 0]

    def of_other_columns(self, row: TableRow, shown: Sequence[int], others: Sequence[int]) -> list[int]:
        """Return the words of a question that name some other columns of a row than those shown, and nothing shown.

        That a caption has such a word ("Passengers and vehicles") says nothing of the cells of another column.
        """
        label = row.cells.index(row.label) if row.label else 0
        there = self.meets_each(*((text, 1.0) for at in {*shown, label} for text in (row.header[at], row.cells[at])))
        elsewhere = self.meets_each(*((row.header[at], 1.0) for at in others if at != label))
        return [
            at
            for at, part in enumerate(self.parts)
            if part.part is Part.WORD and there[at] <= 0 < elsewhere[at] and part.start >= 0
        ]

    def cells_with(self, row: TableRow, shown: Sequence[int]) -> list[int]:
        """Return the cells, besides those ``shown``, that a row needs to be known for the one that is asked for."""
        there = self.meets_each(*((text, 1.0) for at in shown for text in (row.cells[at], row.header[at])))
        found = []
        for at, cell in enumerate(row.cells):
            if cell and at not in shown:
                also = self.meets_each((cell, 1.0))
                if any(new > known for new, known in zip(also, there, strict=True)):
                    found.append(at)
                    there = [max(pair) for pair in zip(also, there, strict=True)]
        return found

    def share(self, met: Sequence[float], weights: Sequence[float] | None = None) -> float:
        """Return the weighted share of the question that is met, 0 to 1."""
        weights = self.even if weights is None else weights
        total = sum(weights)
        return sum(weight * value for weight, value in zip(weights, met, strict=True)) / total if total else 0.0

    def _sight(self, text: str) -> Sight:
        known = self._sights.get(text)
        if known is None:
            known = self._sights[text] = Sight(text, self.terms.of_passage(text))
        return known

    def _meets(self, part: Concept, sight: Sight) -> float:
        return meets(part, sight, self.terms)

    def _is_labelled(self, part: Concept, unit: Unit) -> float:
        """Whether a row or item is the one that is asked for: "fault 4" is row 4 under "Fault", "rule 2" item 2."""
        if part.part is not Part.LABELLED or not part.terms:
            return 0.0
        named = bool(part.terms & self._sight("\n".join(_frame(unit, ""))).terms)
        row = unit.row
        if row is None:
            mark = _ITEM_NUMBER.match(unit.text)
            return float(named and mark is not None and mark[1].casefold() == part.number)
        if named and any(begins_with(name, part.number) for name in (*row.header, row.label)):
            return 1.0
        return float(
            any(
                begins_with(cell, part.number) and part.terms & self.terms.of_passage(name)
                for name, cell in zip(row.header, row.cells, strict=True)
            )
        )


def _weight(part: Concept, rare: float) -> float:
    if part.excluded:
        return 0.0
    if part.is_hard:
        return _HARD * part.share
    if part.part is Part.NAME:
        return _NAME * rare * part.share
    if part.generic:  # that nothing holds a word which could be said of anything tells little
        return _GENERIC * min(rare, _UNKNOWN) * part.share
    return rare * part.share * (_KEY if part.key else 1.0)


def _own_text(unit: Unit, columns: Sequence[int] = ()) -> str:
    row = unit.row
    if row is None:
        return unit.text
    shown = columns or range(len(row.cells))
    label = row.cells.index(row.label) if row.label else 0
    return "\n".join((*row.cells, *filter(None, (row.header[at] for at in (label, *shown)))))


def _frame(unit: Unit, document: str) -> Iterable[str]:
    yield from unit.titles
    yield from unit.headings
    if unit.lead and unit.lead not in unit.headings and _is_title(unit.lead):
        yield unit.lead
    if unit.row is not None and unit.row.caption and unit.row.caption != unit.lead:
        yield unit.row.caption
    if document:
        yield _BESIDE_DIGITS.sub(" ", document)


def _is_title(lead: str) -> bool:
    return len(lead.split()) <= _TITLE_WORDS


def rarities(parts: Sequence[Concept], known: Mapping[int, float]) -> list[float]:
    """Return how rare each part is, 0 to 1; what was not looked up counts as neither rare nor common."""
    return [1.0 if part.is_hard else known.get(at, _UNKNOWN) for at, part in enumerate(parts)]
