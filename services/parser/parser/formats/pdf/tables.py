"""Tables of a page: which lines are one row, which column each run of words stands in, by rulings or by white."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING

from parser.formats.pdf.lattice import Lattice, Place

if TYPE_CHECKING:
    from parser.formats.pdf.glyphs import Run
    from parser.formats.pdf.layout import Row
    from parser.formats.pdf.rulings import Rulings

_BIN_POINTS = 1.0
#: Part of the lines that may cross the white between two columns: merged cells and titles do.
_MOST_CROSSING = 0.2
_SLACK = 3.0
#: Between the lines of one cell there is less white than between rows, by this factor.
_WIDER = 1.18
#: Rulings part rows if no row takes more than this part of the lines.
_LARGEST_ROW = 0.6
#: Part of the gaps between lines that has to be wide for the narrow ones to be within cells.
_LEAST_SPACED = 0.25


@dataclass(slots=True)
class GridCell:
    """Runs of a cell, line by line, the column it begins in and how many columns and rows it spans."""

    column: int
    columns: int
    lines: list[list[Run]] = field(default_factory=list)
    rows: int = 1

    @property
    def text(self) -> str:
        """The cell's words."""
        return " ".join(run.text for line in self.lines for run in line)


def grid(rows: list[Row], rulings: Rulings | None) -> list[list[GridCell]]:
    """A table's rows as cells, given the lines of text that it is made of, from top to bottom."""
    if rulings is not None and (lattice := Lattice.around(rows, rulings)):
        return _drawn(rows, lattice)
    region = _region(rows)
    columns = _columns(rows, rulings, region)
    placed = [_placed(row, columns) for row in rows]
    starts = _row_starts(rows, placed, rulings, region)
    found: list[list[GridCell]] = []
    for number, cells in enumerate(placed):
        if number in starts or not found:
            found.append([GridCell(column, width, [runs]) for column, width, runs in cells])
        else:
            _continue(found[-1], cells)
    return found


def _drawn(rows: list[Row], lattice: Lattice) -> list[list[GridCell]]:
    """The cells that the lines of a table part; rows in which none begins with text are left out."""
    cells: dict[Place, GridCell] = {}
    for row in rows:
        on_line: dict[Place, list[Run]] = {}
        for run in row.runs:
            place = lattice.place((run.box.x0 + run.box.x1) / 2, (run.box.y0 + run.box.y1) / 2)
            on_line.setdefault(place, []).append(run)
        for place, runs in on_line.items():
            cells.setdefault(place, GridCell(place.column, place.columns)).lines.append(runs)
    kept = sorted({place.row for place in cells})
    for place, cell in cells.items():
        cell.rows = bisect_left(kept, place.row + place.rows) - bisect_left(kept, place.row)
    ordered = sorted(cells.items(), key=lambda item: (item[0].row, item[0].column))
    return [[cell for place, cell in ordered if place.row == row] for row in kept]


def _region(rows: list[Row]) -> tuple[float, float, float, float]:
    boxes = [run.box for row in rows for run in row.runs]
    return (
        min(box.x0 for box in boxes),
        max(box.x1 for box in boxes),
        min(box.y0 for box in boxes),
        max(box.y1 for box in boxes),
    )


def _columns(
    rows: list[Row], rulings: Rulings | None, region: tuple[float, float, float, float]
) -> list[tuple[float, float]]:
    """The extents of the columns from left to right."""
    white = _by_white(rows)
    drawn = rulings.columns_between(*region) if rulings else []
    inner = [at for at in drawn if region[0] + _SLACK < at < region[1] - _SLACK]
    if len(inner) + 1 < len(white) or not inner:
        return white
    edges = [min(region[0], drawn[0]), *inner, max(region[1], drawn[-1])]
    return list(pairwise(edges))


def _by_white(rows: list[Row]) -> list[tuple[float, float]]:
    """Columns by the white that next to no line crosses; lines of one run alone tell nothing."""
    left, right, _, _ = _region(rows)
    bins = int((right - left) / _BIN_POINTS) + 1
    covered = [0] * (bins + 1)
    telling = [row for row in rows if len(row.runs) > 1] or rows
    for row in telling:
        taken: set[int] = set()
        for run in row.runs:
            taken |= set(range(int((run.box.x0 - left) / _BIN_POINTS), int((run.box.x1 - left) / _BIN_POINTS) + 1))
        for index in taken:
            covered[index] += 1
    most = int(_MOST_CROSSING * len(telling))
    columns: list[tuple[float, float]] = []
    start: int | None = None
    for index in range(bins + 1):
        is_white = index == bins or covered[index] <= most
        if not is_white and start is None:
            start = index
        elif is_white and start is not None:
            columns.append((left + start * _BIN_POINTS, left + index * _BIN_POINTS))
            start = None
    return columns or [(left, right)]


def _placed(row: Row, columns: list[tuple[float, float]]) -> list[tuple[int, int, list[Run]]]:
    """A line's cells: the first column, how many it spans, and its runs from left to right."""
    cells: dict[int, tuple[int, list[Run]]] = {}
    for run in row.runs:
        spanned = [n for n, (left, right) in enumerate(columns) if _overlap(run, left, right) > 0]
        # A run that only touches a column does not stand in it.
        spanned = [n for n in spanned if len(spanned) == 1 or _overlap(run, *columns[n]) > _SLACK]
        first = spanned[0] if spanned else _nearest(run, columns)
        width, runs = cells.get(first, (1, []))
        cells[first] = (max(width, spanned[-1] - first + 1 if spanned else 1), [*runs, run])
    return [(column, width, runs) for column, (width, runs) in sorted(cells.items())]


def _overlap(run: Run, left: float, right: float) -> float:
    return min(run.box.x1, right) - max(run.box.x0, left)


def _nearest(run: Run, columns: list[tuple[float, float]]) -> int:
    middle = (run.box.x0 + run.box.x1) / 2
    return min(range(len(columns)), key=lambda n: abs(middle - sum(columns[n]) / 2))


def _row_starts(
    rows: list[Row],
    placed: list[list[tuple[int, int, list[Run]]]],
    rulings: Rulings | None,
    region: tuple[float, float, float, float],
) -> set[int]:
    """The lines with which a row begins; the others go on with cells of the row before."""
    left, right, top, bottom = region
    drawn = rulings.rows_between(left, right, top - _SLACK, bottom + _SLACK) if rulings else []
    bands = [bisect_right(drawn, (row.box.y0 + row.box.y1) / 2) for row in rows]
    largest = max(map(bands.count, set(bands)))
    if len(set(bands)) > 1 and largest <= max(1, _LARGEST_ROW * len(rows)):
        return {0, *(at + 1 for at, (above, below) in enumerate(pairwise(bands)) if below != above)}
    pitches = [below.box.y1 - above.box.y1 for above, below in pairwise(rows)]
    tight = min(pitches, default=0.0)
    wide = [pitch for pitch in pitches if pitch > _WIDER * tight]
    is_spaced = bool(wide) and tight < _WIDER * median(row.height for row in rows) * _WIDER
    starts = {0}
    for at, pitch in enumerate(pitches, start=1):
        if is_spaced and pitch <= _WIDER * tight and len(wide) >= _LEAST_SPACED * len(pitches):
            continue
        if not _goes_on(placed[at - 1], placed[at]):
            starts.add(at)
    return starts


def _goes_on(above: list[tuple[int, int, list[Run]]], line: list[tuple[int, int, list[Run]]]) -> bool:
    """Whether a line only goes on with texts of the row above: nothing in the first column, and in lower case."""
    columns = {column for column, _, _ in above}
    return (
        bool(line)
        and line[0][0] > 0
        and all(column in columns for column, _, _ in line)
        and all(runs[0].text[:1].islower() for _, _, runs in line)
    )


def _continue(row: list[GridCell], cells: list[tuple[int, int, list[Run]]]) -> None:
    for column, width, runs in cells:
        cell = next((each for each in row if each.column <= column < each.column + each.columns), None)
        if cell is None:
            row.append(GridCell(column, width, [runs]))
            row.sort(key=lambda each: each.column)
        else:
            cell.lines.append(runs)
