"""Tables of a page: which column each run of words stands in, by the white that no row crosses."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from parser.formats.pdf.glyphs import Run
    from parser.formats.pdf.layout import Row

_BIN_POINTS = 1.0
#: Part of the rows that may cross the white between two columns: merged cells and titles do.
_MOST_CROSSING = 0.2


def columns_of(rows: list[Row]) -> list[tuple[float, float]]:
    """The extents (left, right) of the columns of a table's rows, from left to right."""
    left = min(run.box.x0 for row in rows for run in row.runs)
    right = max(run.box.x1 for row in rows for run in row.runs)
    bins = int((right - left) / _BIN_POINTS) + 1
    covered = [0] * (bins + 1)
    for row in rows:
        if len(row.runs) == 1 and len(rows) > 1:
            continue
        taken: set[int] = set()
        for run in row.runs:
            taken |= set(range(int((run.box.x0 - left) / _BIN_POINTS), int((run.box.x1 - left) / _BIN_POINTS) + 1))
        for index in taken:
            covered[index] += 1
    most = int(_MOST_CROSSING * len(rows))
    columns: list[tuple[float, float]] = []
    start: int | None = None
    for index in range(bins + 1):
        is_white = covered[index] <= most
        if not is_white and start is None:
            start = index
        elif is_white and start is not None:
            columns.append((left + start * _BIN_POINTS, left + index * _BIN_POINTS))
            start = None
    if start is not None:
        columns.append((left + start * _BIN_POINTS, right))
    return columns


def placed(rows: list[Row]) -> list[list[tuple[int, int, list[Run]]]]:
    """For each row its cells: the first column, how many it spans, and the runs in it from left to right."""
    columns = columns_of(rows) or [(0.0, float("inf"))]
    found: list[list[tuple[int, int, list[Run]]]] = []
    for row in rows:
        cells: dict[int, tuple[int, list[Run]]] = {}
        for run in row.runs:
            spanned = [n for n, (left, right) in enumerate(columns) if run.box.x0 < right and run.box.x1 > left]
            first = spanned[0] if spanned else _nearest(run, columns)
            width, runs = cells.get(first, (1, []))
            cells[first] = (max(width, len(spanned), 1), [*runs, run])
        found.append([(column, width, runs) for column, (width, runs) in sorted(cells.items())])
    return found


def _nearest(run: Run, columns: list[tuple[float, float]]) -> int:
    middle = (run.box.x0 + run.box.x1) / 2
    return min(range(len(columns)), key=lambda n: abs(middle - sum(columns[n]) / 2))
