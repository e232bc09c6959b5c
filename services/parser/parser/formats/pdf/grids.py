"""Where the lines of a page enclose tables, and the runs of words that stand in each."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from atoll.domain.page import Box

if TYPE_CHECKING:
    from collections.abc import Iterator

    from parser.formats.pdf.glyphs import Run
    from parser.formats.pdf.rulings import Rulings, Segment

_SAME_POINTS = 4.0
_TOUCHING = 3.0
_LEAST_LINES = 3
#: Verticals that cross a band for it to be a row of cells whatever stands in it.
_LEAST_VERTICALS = 3
_CROSSED = 0.8


@dataclass(slots=True)
class Grid:
    """A table's place and the runs in it."""

    box: Box
    runs: list[Run]


def grids(runs: list[Run], rulings: Rulings) -> tuple[list[Run], list[Grid]]:
    """The runs that stand in no table, and the tables that lines enclose."""
    free, found = list(runs), list[Grid]()
    for left, right, places in _groups(_merged(rulings.horizontal)) if rulings.horizontal else ():
        for top, bottom in _tables(places, left, right, free, rulings):
            box = Box(left, top, right, bottom)
            inside = [run for run in free if _holds(box, run)]
            if _is_table(inside):
                free = [run for run in free if not _holds(box, run)]
                found.append(Grid(box, inside))
    return free, found


def lines_of(runs: list[Run]) -> list[list[Run]]:
    """Runs by the line they stand on, lines from top to bottom."""
    lines: list[list[Run]] = []
    for run in sorted(runs, key=lambda each: (each.box.y0 + each.box.y1) / 2):
        last = lines[-1][-1] if lines else None
        middle = (run.box.y0 + run.box.y1) / 2
        if last is not None and last.box.y0 <= middle <= last.box.y1:
            lines[-1].append(run)
        else:
            lines.append([run])
    return lines


def _merged(segments: list[Segment]) -> list[Segment]:
    """Pieces of one line as one."""
    merged: list[Segment] = []
    for each in sorted(segments, key=lambda one: (round(one.at), one.start)):
        last = merged[-1] if merged else None
        if last and abs(last.at - each.at) <= 2 and each.start <= last.end + _TOUCHING:  # noqa: PLR2004 - points
            merged[-1] = type(each)(last.at, last.start, max(last.end, each.end))
        else:
            merged.append(each)
    return merged


def _groups(lines: list[Segment]) -> Iterator[tuple[float, float, list[float]]]:
    """Lines of one extent that lie below each other."""
    groups: list[tuple[float, float, list[float]]] = []
    for line in sorted(lines, key=lambda each: each.at):
        group = next(
            (g for g in groups if abs(g[0] - line.start) <= _SAME_POINTS and abs(g[1] - line.end) <= _SAME_POINTS), None
        )
        if group is None:
            groups.append((line.start, line.end, [line.at]))
        elif line.at - group[2][-1] > 2:  # noqa: PLR2004 - a line drawn twice
            group[2].append(line.at)
    groups = [group for group in groups if len(group[2]) >= _LEAST_LINES]
    return iter(sorted(groups, key=lambda group: group[0] - group[1]))


def _tables(
    places: list[float], left: float, right: float, runs: list[Run], rulings: Rulings
) -> Iterator[tuple[float, float]]:
    """Stretches of neighbouring bands that hold cells."""
    start: float | None = None
    count = 0
    verticals = {
        (round(each.at), each.start, each.end)
        for each in rulings.vertical
        if left - _SAME_POINTS <= each.at <= right + _SAME_POINTS
    }
    within = [run for run in runs if _holds(Box(left, places[0], right, places[-1]), run)]
    for top, bottom in pairwise(places):
        inside = [run for run in within if top <= (run.box.y0 + run.box.y1) / 2 <= bottom]
        lines = lines_of(inside)
        several = sum(len(line) > 1 for line in lines)
        is_grid = bool(lines) and several * 2 >= len(lines)
        if is_grid or _crossing(verticals, top, bottom) >= _LEAST_VERTICALS:
            start = top if start is None else start
            count += 1
            end = bottom
        else:
            if start is not None and count > 1:
                yield start, end
            start, count = None, 0
    if start is not None and count > 1:
        yield start, end


def _crossing(verticals: set[tuple[int, float, float]], top: float, bottom: float) -> int:
    """How many lines run down through most of a band."""
    least = _CROSSED * (bottom - top)
    return len({at for at, first, last in verticals if min(last, bottom) - max(first, top) >= least})


def _holds(box: Box, run: Run) -> bool:
    x, y = (run.box.x0 + run.box.x1) / 2, (run.box.y0 + run.box.y1) / 2
    return box.x0 - _SAME_POINTS <= x <= box.x1 + _SAME_POINTS and box.y0 <= y <= box.y1


def _is_table(runs: list[Run]) -> bool:
    lines = lines_of(runs)
    return len(lines) > 1 and any(len(line) > 1 for line in lines)
