"""Reading order of a page: columns are found by the white between them, then runs are put in rows."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING

from atoll.domain.page import Box
from parser.formats.pdf.glyphs import Run
from parser.formats.pdf.grids import grids, lines_of
from parser.typeset.bidi import base_level, has_right_to_left

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from parser.formats.pdf.rulings import Rulings

_BIN_POINTS = 2.0
#: White between columns: at least so many line heights wide, crossed by at most this share of the runs.
_LEAST_GUTTER = 0.7
_MOST_CROSSING = 0.15
_LEAST_SIDE_RUNS = 4
_LEAST_SIDE_SHARE = 0.2
#: Text columns hold prose: lines of a few words that mostly fill them. Table columns do not.
_LEAST_WORDS = 3
_LEAST_FILL = 0.55
_COMMON_LINE_POINTS = 1.5
_TABLE_COMMON_LINES = 0.6
_DEEPEST = 4
_LEAST_OVERLAP = 0.5
_NEAR_ROWS = 3.0
_ALIGNED_POINTS = 4.0
#: Lines of one cell follow each other so closely, in line heights.
_CLOSE = 1.35
#: What stands before the items of a list.
_MARKER = re.compile(
    r"[\u2022\u2023\u25aa\u25ab\u25cf\u25cb\u25e6\u2043\uf0b7\u2013\u2014*-]|\(?(?:\d{1,3}|[A-Za-z]|[ivxIVX]{1,5})[.)]"
)


@dataclass(slots=True)
class Row:
    """One line of a column as it is read: a line of prose, or a table's row with its cells joined.

    ``box`` is in the direction of the text, ``shown`` on the page as it is shown; they differ on turned pages.
    ``runs`` are its runs of words in reading order; ``is_turned`` says that it does not run along the shown page.
    ``table`` numbers the table that it is a line of, 0 for none. ``cap_bottom`` is how far down the tall initial
    reaches that it begins with. ``is_margin`` marks the number of a line.
    """

    text: str
    box: Box
    shown: Box
    height: float
    runs: list[Run]
    font: str
    ends_open: bool
    table: int = 0
    page: int = 0
    cap_bottom: float = 0.0
    is_margin: bool = False

    @classmethod
    def of(cls, run: Run, *, is_margin: bool = False) -> Row:
        """A row of one run."""
        return cls(run.text, run.box, run.box, run.height, [run], run.font, run.ends_open, is_margin=is_margin)

    is_turned: bool = False

    @property
    def places(self) -> list[tuple[float, float]]:
        """Left and right edges of the blank-separated words, in reading order."""
        return [place for run in self.runs for place in run.places]


def columns(runs: list[Run], rulings: Rulings) -> Iterator[list[Row]]:
    """The page's columns in reading order, each as its rows from top to bottom."""
    free, tables = grids(runs, rulings)
    # A table that lines enclose is one thing in the order of the page, whatever white there is between its columns.
    stand_ins = [Run("", table.box, table.box.y1 - table.box.y0, 0, "") for table in tables]
    table_of = {id(stand_in): table for stand_in, table in zip(stand_ins, tables, strict=True)}
    number = 0
    for column in _columns([*free, *stand_ins], 0):
        rows: list[Row] = []
        for members in _grouped(column, table_of.keys()):
            table = table_of.get(id(members[0]))
            if table is None:
                rows.append(_row(members))
                continue
            number += 1
            for line in lines_of(table.runs):
                rows.append(_row(line))
                rows[-1].table = number
        _mark_tables(rows, number + 1)
        number = max([number, *(row.table for row in rows)])
        yield rows


def _columns(runs: list[Run], depth: int) -> Iterator[list[Run]]:
    gutter = _gutter(runs) if depth < _DEEPEST else None
    if gutter is None:
        if runs:
            yield runs
        return
    left = [run for run in runs if run.box.x1 <= gutter]
    right = [run for run in runs if run.box.x0 >= gutter]
    # What crosses the gutter (titles, wide figures' captions) parts the page into bands.
    crossing = sorted((run for run in runs if run.box.x0 < gutter < run.box.x1), key=lambda run: run.box.y0)
    top = float("-inf")
    across: list[Run] = []
    for run in [*crossing, None]:
        bottom = run.box.y0 if run else float("inf")
        bands = [[other for other in side if top <= other.box.y0 < bottom] for side in (left, right)]
        if any(bands):
            yield from filter(None, [across])
            across = []
            for band in bands:
                yield from _columns(band, depth + 1)
        if run:
            across.append(run)
        top = bottom
    yield from filter(None, [across])


def _gutter(runs: list[Run]) -> float | None:
    """Where a region is parted into two columns of prose, if it is."""
    if len(runs) < 2 * _LEAST_SIDE_RUNS:
        return None
    left, right = min(run.box.x0 for run in runs), max(run.box.x1 for run in runs)
    bins = int((right - left) / _BIN_POINTS) + 1
    changes = [0] * (bins + 1)
    for run in runs:
        changes[int((run.box.x0 - left) / _BIN_POINTS)] += 1
        changes[int((run.box.x1 - left) / _BIN_POINTS) + 1 if run.box.x1 < right else bins] -= 1
    white: list[tuple[int, int]] = []
    crossed = 0
    most = _MOST_CROSSING * len(runs)
    for index in range(bins):
        crossed += changes[index]
        if crossed <= most:
            if white and white[-1][1] == index:
                white[-1] = (white[-1][0], index + 1)
            else:
                white.append((index, index + 1))
    least = _LEAST_GUTTER * median(run.height for run in runs)
    for start, end in sorted(white, key=lambda interval: interval[0] - interval[1]):
        if (end - start) * _BIN_POINTS < least:
            break
        middle = left + (start + end) / 2 * _BIN_POINTS
        sides = [run for run in runs if run.box.x1 <= middle], [run for run in runs if run.box.x0 >= middle]
        if min(map(len, sides)) < max(_LEAST_SIDE_RUNS, _LEAST_SIDE_SHARE * len(runs)):
            continue
        prose = [_is_prose(side) for side in sides]
        # A table beside a column of prose keeps its own line spacing; cells of one table share their lines.
        if all(prose) or (any(prose) and _share_of_common_lines(*sides) < _TABLE_COMMON_LINES):
            return middle
    return None


def _is_prose(side: list[Run]) -> bool:
    width = max(run.box.x1 for run in side) - min(run.box.x0 for run in side)
    return (
        median(run.words for run in side) >= _LEAST_WORDS
        and median(run.box.x1 - run.box.x0 for run in side) >= _LEAST_FILL * width
    )


def _share_of_common_lines(left: list[Run], right: list[Run]) -> float:
    """How many runs of the shorter side stand on a line of the other."""
    fewer, more = sorted((left, right), key=len)
    middles = [(run.box.y0 + run.box.y1) / 2 for run in more]
    common = sum(
        any(abs((run.box.y0 + run.box.y1) / 2 - middle) <= _COMMON_LINE_POINTS for middle in middles) for run in fewer
    )
    return common / len(fewer)


def _grouped(runs: list[Run], alone: Collection[int]) -> list[list[Run]]:
    """Runs on the same line, lines from top to bottom; those whose ids are in ``alone`` by themselves."""
    groups: list[list[Run]] = []
    bounds: list[tuple[float, float]] = []
    for run in sorted(runs, key=lambda run: (run.box.y0 + run.box.y1) / 2):
        if groups:
            top, bottom = bounds[-1]
            overlap = min(bottom, run.box.y1) - max(top, run.box.y0)
            beside = all(run.box.x0 >= other.box.x1 - 1 or run.box.x1 <= other.box.x0 + 1 for other in groups[-1])
            is_alone = id(run) in alone or id(groups[-1][0]) in alone
            if beside and not is_alone and overlap >= _LEAST_OVERLAP * min(bottom - top, run.box.y1 - run.box.y0):
                groups[-1].append(run)
                bounds[-1] = (min(top, run.box.y0), max(bottom, run.box.y1))
                continue
        groups.append([run])
        bounds.append((run.box.y0, run.box.y1))
    return groups


def _row(members: list[Run]) -> Row:
    text = " ".join(run.text for run in members)
    is_right_to_left = has_right_to_left(text) and base_level(text) == 1
    members.sort(key=lambda run: -run.box.x1 if is_right_to_left else run.box.x0)
    box = members[0].box
    for run in members[1:]:
        box = box.union(run.box)
    return Row(
        " ".join(run.text for run in members),
        box,
        box,
        max(run.height for run in members),
        members,
        members[0].font if len({run.font for run in members}) == 1 else "",
        members[-1].ends_open,
        cap_bottom=max(run.cap_bottom for run in members),
    )


def _mark_tables(rows: list[Row], first: int) -> None:
    """Rows of several cells next to a row whose cells stand under theirs are a table's, numbered from ``first``.

    So are the lines between and below them that only go on with a cell.
    """
    number = first
    for above, below in pairwise(rows):
        if len(above.runs) < 2 or len(below.runs) < 2 or (above.table and above.table < first):  # noqa: PLR2004
            continue
        if _is_item(above) and _is_item(below):
            continue
        if _is_near(above, below) and not below.table and _aligned(above, below) >= 2:  # noqa: PLR2004
            if not above.table:
                number += 1
                above.table = number
            below.table = above.table
    for at in range(1, len(rows)):
        above, row = rows[at - 1], rows[at]
        if above.table < first or row.table:
            continue
        # The row before it, where what stands between only goes on with a cell of that.
        full = next((each for each in reversed(rows[:at]) if len(each.runs) > 1 or each.table != above.table), above)
        is_next = full.table == above.table and _is_near(above, row) and _aligned(full, row) >= 2  # noqa: PLR2004
        if _goes_on(above, row) or (is_next and not _is_item(row)):
            row.table = above.table
    for at in range(1, len(rows) - 1):
        # Tables that a single such line parts are one.
        above, row, below = rows[at - 1 : at + 2]
        if row.table >= first and below.table > row.table == above.table and _aligned(above, below):
            for other in rows[at + 1 :]:
                other.table = row.table if other.table == below.table else other.table


def _is_near(above: Row, below: Row) -> bool:
    return below.box.y0 - above.box.y1 <= _NEAR_ROWS * max(above.height, below.height)


def _is_item(row: Row) -> bool:
    """Whether a line is a bullet or number with white between it and its text."""
    return len(row.runs) == 2 and _MARKER.fullmatch(row.runs[0].text.strip()) is not None  # noqa: PLR2004


def _goes_on(above: Row, row: Row) -> bool:
    """Whether a line stands close below a table's row and only in columns of it."""
    if row.box.y1 - above.box.y1 > _CLOSE * max(row.height, above.height) or len(row.runs) > len(above.runs):
        return False
    return all(
        any(
            abs(run.box.x0 - cell.box.x0) <= _ALIGNED_POINTS and run.box.x1 <= _end_of(cell, above)
            for cell in above.runs
        )
        for run in row.runs
    )


def _end_of(cell: Run, row: Row) -> float:
    """Where the column of a cell ends at the latest: where the next one begins."""
    following = [other.box.x0 for other in row.runs if other.box.x0 > cell.box.x1]
    return min(following) if following else float("inf") if len(row.runs) > 1 else cell.box.x1


def _aligned(above: Row, below: Row) -> int:
    """How many cells of the two rows stand in the same column: by left edge, right edge or middle."""
    return sum(
        any(
            min(abs(a.x0 - b.x0), abs(a.x1 - b.x1), abs(a.x0 + a.x1 - b.x0 - b.x1) / 2) <= _ALIGNED_POINTS
            for b in (run.box for run in below.runs)
        )
        for a in (run.box for run in above.runs)
    )
