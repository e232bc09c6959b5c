"""What belongs to a page and not to its text: running heads and feet, page numbers, numbers of lines, side texts."""

from __future__ import annotations

import re
from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING

from atoll.domain.block import BlockKind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from parser.formats.pdf.glyphs import Run
    from parser.formats.pdf.layout import Row

#: Part of a page at its top and bottom in which heads and feet stand, and how many lines they have.
_ZONE = 0.12
_MOST_LINES = 3
_LONGEST = 160
#: Heads and feet are on so many pages, and on this part of them.
_LEAST_PAGES = 3
_SHARE = 0.4
_SAME_POINTS = 6.0
_PAGE_NUMBER = re.compile(
    r"[-\u2013\u2014\s(\[]*(?:(?:page|seite|p\u00e1gina|pagina|sida|side|p|s)\.?\s*)?(?:\d{1,4}|[ivxlc]{1,7})"
    r"(?:\s*(?:of|von|/|av|de|di|sur)\s*\d{1,4})?[-\u2013\u2014\s)\]]*",
    re.IGNORECASE,
)
_DIGITS = re.compile(r"\d+")
#: Fewer numbers beside the lines may be anything.
_LEAST_NUMBERS = 3
_LONGEST_NUMBER = 4
_STEPS = frozenset({1, 2, 5, 10})
_LEAST_WORDS = 3


def without_line_numbers(runs: list[Run]) -> tuple[list[Run], list[Run]]:
    """The runs of a page, and apart from them the numbers beside its lines.

    They stand in a column of their own outside the text, count upwards in equal steps, and the lines beside them are
    prose: the numbers of a table's rows are part of the table.
    """
    numbers = [run for run in runs if run.text.isdecimal() and len(run.text) <= _LONGEST_NUMBER]
    others = [run for run in runs if not (run.text.isdecimal() and len(run.text) <= _LONGEST_NUMBER)]
    if len(numbers) < _LEAST_NUMBERS or not others:
        return runs, []
    left, right = min(run.box.x0 for run in others), max(run.box.x1 for run in others)
    for side in ([run for run in numbers if run.box.x1 <= left], [run for run in numbers if run.box.x0 >= right]):
        if _count_lines(side) and _are_prose(side, others):
            apart = {id(run) for run in side}
            return [run for run in runs if id(run) not in apart], side
    return runs, []


def without_side_texts(runs: list[Run]) -> tuple[list[Run], list[Run]]:
    """The runs of a page, and apart from them the texts that run up or down beside all others, each as one."""
    others = [run for run in runs if not run.is_upright]
    if len(others) == len(runs) or not others:
        return runs, []
    left, right = min(run.box.x0 for run in others), max(run.box.x1 for run in others)
    kept: list[Run] = []
    sides: list[Run] = []
    for run in runs:
        if not run.is_upright or left < (run.box.x0 + run.box.x1) / 2 < right:
            kept.append(run)
        elif sides and _follows_upright(sides[-1], run):
            last = sides[-1]
            last.text, last.words = f"{last.text} {run.text}", last.words + 1
            last.box, last.places = last.box.union(run.box), []
        else:
            sides.append(run)
    return kept, sides


def _follows_upright(before: Run, run: Run) -> bool:
    across = min(before.box.x1, run.box.x1) - max(before.box.x0, run.box.x0)
    gap = max(run.box.y0 - before.box.y1, before.box.y0 - run.box.y1)
    width = run.box.x1 - run.box.x0
    return across >= 0.5 * width and gap <= width


def _count_lines(side: list[Run]) -> bool:
    values = [int(run.text) for run in sorted(side, key=lambda run: run.box.y0)]
    steps = {after - before for before, after in pairwise(values)}
    return len(values) >= _LEAST_NUMBERS and len(steps) == 1 and steps <= _STEPS


def _are_prose(side: list[Run], others: list[Run]) -> bool:
    """Whether most numbers have one run of several words beside them."""
    prose = 0
    for number in side:
        middle = (number.box.y0 + number.box.y1) / 2
        beside = [run for run in others if run.box.y0 <= middle <= run.box.y1]
        prose += len(beside) == 1 and beside[0].words >= _LEAST_WORDS
    return 2 * prose > len(side)


class Furniture:
    """Tells the rows that are heads or feet of their pages, once all pages were seen.

    A head or foot stands at the same height with the same words, but for numbers, on several pages. A page number
    alone at the very top or bottom is one on any page.
    """

    def __init__(self) -> None:
        self._seen: Counter[tuple[str, bool, int]] = Counter()
        self._pages = 0

    def see(self, rows: Sequence[Row], height: float) -> None:
        """Take a page into account, given its rows and its height."""
        self._pages += bool(rows)
        for row, is_top in _zones(rows, height):
            self._seen[_key(row, is_top)] += 1

    def kinds(self, rows: Sequence[Row], height: float) -> Mapping[int, BlockKind]:
        """The rows of a page, by id, that belong to the page."""
        kinds = {id(row): BlockKind.MARGIN for row in rows if row.is_margin}
        for row, is_top in _zones(rows, height):
            count = max(self._seen[_key(row, is_top, shift)] for shift in (-1, 0, 1))
            repeats = count >= max(_LEAST_PAGES, _SHARE * self._pages) or (count == self._pages == 2)  # noqa: PLR2004
            if repeats or (_PAGE_NUMBER.fullmatch(row.text) and _is_outermost(row, rows, is_top=is_top)):
                kinds[id(row)] = BlockKind.PAGE_HEADER if is_top else BlockKind.PAGE_FOOTER
        return kinds


def _zones(rows: Sequence[Row], height: float) -> list[tuple[Row, bool]]:
    """The first and last lines of a page that stand in its margins and are short."""
    ordered = sorted((row for row in rows if not row.is_margin), key=lambda row: row.shown.y0)
    short = [row for row in ordered if len(row.text) <= _LONGEST and not row.table]
    top = [row for row in short if row.shown.y1 <= _ZONE * height][:_MOST_LINES]
    bottom = [row for row in short if row.shown.y0 >= (1 - _ZONE) * height][-_MOST_LINES:]
    return [*((row, True) for row in top), *((row, False) for row in bottom)]


def _key(row: Row, is_top: bool, shift: int = 0) -> tuple[str, bool, int]:
    return _DIGITS.sub("#", row.text.casefold()), is_top, round(row.shown.y0 / _SAME_POINTS) + shift


def _is_outermost(row: Row, rows: Sequence[Row], *, is_top: bool) -> bool:
    """Whether nothing stands beyond a row, and white between it and the text."""
    if is_top:
        gaps = [other.shown.y0 - row.shown.y1 for other in rows if other is not row]
    else:
        gaps = [row.shown.y0 - other.shown.y1 for other in rows if other is not row]
    return bool(gaps) and min(gaps) > 0.5 * row.height
