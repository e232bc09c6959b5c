"""A table whose every cell is drawn: which fields of its grid no line parts, so that they are one cell."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from parser.formats.pdf.rulings import covered

if TYPE_CHECKING:
    from collections.abc import Iterable

    from parser.formats.pdf.layout import Row
    from parser.formats.pdf.rulings import Rulings, Segment

_SAME_POINTS = 2.5
_SLACK = 3.0
#: Part of a field's side that is drawn where it has one.
_DRAWN = 0.7
#: Lines part rows if no row takes more than this part of the lines of text.
_LARGEST_ROW = 0.6
_MOST_FIELDS = 20_000


@dataclass(frozen=True, slots=True)
class Place:
    """Where a cell stands in a grid, and how many columns and rows it spans."""

    row: int
    column: int
    columns: int = 1
    rows: int = 1


class Lattice:
    """The fields between the lines of a table, and which of them are one cell."""

    def __init__(self, across: list[float], down: list[float], rulings: Rulings) -> None:
        self._across, self._down = across, down
        self._place: dict[tuple[int, int], Place] = {}
        self.is_regular = True
        self._join(rulings)

    @classmethod
    def around(cls, rows: list[Row], rulings: Rulings) -> Lattice | None:
        """The lattice that the lines of a table's text stand in; None where they stand in none, or none is merged."""
        boxes = [run.box for row in rows for run in row.runs]
        left, right = min(box.x0 for box in boxes), max(box.x1 for box in boxes)
        top, bottom = min(box.y0 for box in boxes), max(box.y1 for box in boxes)
        down = _edges(rulings.horizontal, (top, bottom), (left, right))
        across = _edges(rulings.vertical, (left, right), (top, bottom))
        fields = (len(down) - 1) * (len(across) - 1)
        if min(len(down), len(across)) < 3 or fields > _MOST_FIELDS:  # noqa: PLR2004 - two rows and two columns
            return None
        made = cls(across, down, rulings)
        bands = [bisect_right(down, (row.box.y0 + row.box.y1) / 2) for row in rows]
        largest = max(map(bands.count, set(bands)))
        fits = made.is_regular and largest <= max(1, _LARGEST_ROW * len(rows))
        return made if fits and made.is_merged and made._holds(rows) else None

    @property
    def is_merged(self) -> bool:
        """Whether a cell spans several fields."""
        return len(set(self._place.values())) < len(self._place)

    def place(self, x: float, y: float) -> Place:
        """The cell that holds a point."""
        column = min(max(bisect_right(self._across, x) - 1, 0), len(self._across) - 2)
        row = min(max(bisect_right(self._down, y) - 1, 0), len(self._down) - 2)
        return self._place[row, column]

    def _holds(self, rows: list[Row]) -> bool:
        """Whether each run of words stays within one cell."""
        for run in (run for row in rows for run in row.runs):
            place = self.place((run.box.x0 + run.box.x1) / 2, (run.box.y0 + run.box.y1) / 2)
            left, right = self._across[place.column], self._across[place.column + place.columns]
            if run.box.x0 < left - _SLACK or run.box.x1 > right + _SLACK:
                return False
        return True

    def _join(self, rulings: Rulings) -> None:
        upright, level = _by_place(rulings.vertical, self._across), _by_place(rulings.horizontal, self._down)
        columns, rows = len(self._across) - 1, len(self._down) - 1
        cell: dict[tuple[int, int], tuple[int, int]] = {}
        for row, (top, bottom) in enumerate(pairwise(self._down)):
            for column, (left, right) in enumerate(pairwise(self._across)):
                begins = (row, column)
                if row and not _is_drawn(level[row], left, right):
                    begins = cell[row - 1, column]
                if column and not _is_drawn(upright[column], top, bottom):
                    beside = cell[row, column - 1]
                    if begins == (row, column):
                        begins = beside
                    elif begins != beside:
                        self.is_regular = False
                cell[row, column] = begins
        fields: dict[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)
        for field, first in cell.items():
            fields[first].append(field)
        for (row, column), inside in fields.items():
            tall = max(at for at, _ in inside) - row + 1
            wide = max(at for _, at in inside) - column + 1
            self.is_regular &= tall * wide == len(inside) and (tall < rows or wide < columns)
            self._place |= dict.fromkeys(inside, Place(row, column, wide, tall))


def _edges(segments: list[Segment], extent: tuple[float, float], along: tuple[float, float]) -> list[float]:
    """Where lines run past a stretch of text: between its ends, and the next ones around it."""
    places: list[list[float]] = []
    near = (each for each in segments if min(each.end, along[1]) - max(each.start, along[0]) > _SLACK)
    for at in sorted(each.at for each in near):
        if places and at - places[-1][-1] <= _SAME_POINTS:
            places[-1].append(at)
        else:
            places.append([at])
    means = [sum(place) / len(place) for place in places]
    before = [at for at in means if at <= extent[0] + _SLACK]
    after = [at for at in means if at >= extent[1] - _SLACK]
    if not before or not after:
        return []
    return [at for at in means if before[-1] <= at <= after[0]]


def _by_place(segments: Iterable[Segment], places: list[float]) -> list[list[Segment]]:
    found: list[list[Segment]] = [[] for _ in places]
    for each in segments:
        near = min(range(len(places)), key=lambda n: abs(places[n] - each.at))
        if abs(places[near] - each.at) <= 2 * _SAME_POINTS:
            found[near].append(each)
    return found


def _is_drawn(segments: list[Segment], start: float, end: float) -> bool:
    return covered(segments, start, end) >= _DRAWN * (end - start)
