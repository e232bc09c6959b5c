"""What the shape of a table tells: which rows are its header, and whether it is one or only lays out a page."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from atoll.domain.block import CELL_SEPARATOR, BlockKind
from atoll.domain.text.periods import names_period
from parser.flow import BULLET

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from parser.flow import CellElement, Element

#: Paragraphs of such a length in one cell are a page's text, not a table's.
_LONG_PARAGRAPH = 80
_MANY_BLOCKS = 3
_LONGEST_NAME = 60
_MOST_HEADER_ROWS = 4
_LEAST_COLUMNS = 3
#: A value rather than the name of a column.
_VALUE = re.compile(
    r"[\s\u20ac$\u00a3\u00a5+\u2212\u2013~<>\u2264\u2265(.,-]*\d[\d\s.,:/%\u2019'()-]*(?:\W|\w{1,4}$|$)"
)


def header_rows(rows: Sequence[Sequence[CellElement]], *, emphasised: int = 0) -> int:
    """How many rows at the top of a table name its columns.

    ``emphasised`` is how many are set apart, in bold for example, from those below them. Rows of names stand over rows
    with values; two columns of words alone are labels with what they mean, and have no header unless it is set apart.
    Years and other periods name columns too, where what stands below them are none.
    """
    if len(rows) < 2:  # noqa: PLR2004 - a header is over something
        return 0
    columns = max((cell.column + cell.columns for row in rows for cell in row), default=0)
    count = 0
    while count < min(_MOST_HEADER_ROWS, len(rows) - 1) and (_are_names(rows[count]) or _has_periods(rows, count)):
        if _repeats_under_one(rows, count):
            break
        count += 1
        if not any(cell.columns > 1 or cell.rows > count for cell in rows[count - 1]):
            break
    if count == 0 or sum(bool(cell.text) for row in rows[:count] for cell in row) < 2:  # noqa: PLR2004
        return 0
    if emphasised:
        return max(count, min(emphasised, len(rows) - 1))
    has_values = any(_VALUE.match(cell.text) for row in rows[count:] for cell in row if cell.column > 0)
    spans = any(cell.columns > 1 for row in rows[:count] for cell in row)
    return count if has_values or spans or columns >= _LEAST_COLUMNS else 0


def _are_names(row: Sequence[CellElement]) -> bool:
    named = [cell.text for cell in row if cell.text]
    return all(map(is_name, named)) and len(named) >= 1


def _repeats_under_one(rows: Sequence[Sequence[CellElement]], at: int) -> bool:
    """Whether a row says the same of two columns that one name stands over: then it names neither."""
    for above in (cell for row in rows[:at] for cell in row if cell.columns > 1 and cell.text):
        under = [c.text for c in rows[at] if above.column <= c.column < above.column + above.columns and c.text]
        if len(set(under)) < len(under):
            return True
    return False


def _has_periods(rows: Sequence[Sequence[CellElement]], at: int) -> bool:
    """Whether a row has names and different periods, over columns that hold other values: "Item | 2023 | 2024"."""
    values = [cell for cell in rows[at] if cell.text and not is_name(cell.text)]
    periods = {cell.text.strip() for cell in values}
    if len(periods) < len(values) or not all(map(names_period, periods)) or len(rows[at]) == len(values):
        return False
    columns = {cell.column for cell in values}
    below = [cell.text for row in rows[at + 1 :] for cell in row if cell.column in columns and cell.text]
    return bool(below) and not any(map(names_period, below))


def is_name(text: str) -> bool:
    """Whether a text can name a column or a table: short, no value, and no label of what stands beside it."""
    return len(text) <= _LONGEST_NAME and not _VALUE.match(text) and not text.rstrip().endswith(":")


def is_layout(cells: Iterable[Sequence[Element]], *, widest_row: int) -> bool:
    """Whether a table only lays out a page: a heading, another table or a text of its own in a cell, or one column."""
    contents = list(cells)
    if any(element.kind is BlockKind.HEADING for content in contents for element in content):
        return True
    return widest_row <= 1 or any(is_text_of_its_own(content) for content in contents)


def is_text_of_its_own(content: Sequence[Element]) -> bool:
    """Whether what stands in a cell is more than a cell's text: a table, or several paragraphs."""
    if any(element.kind is BlockKind.TABLE for element in content):
        return True
    long = sum(len(element.text) >= _LONG_PARAGRAPH for element in content)
    return (len(content) >= _MANY_BLOCKS and long > 0) or long > 1


def cell_text(content: Iterable[Element]) -> str:
    """A cell's blocks as lines."""
    lines: list[str] = []
    for element in content:
        if element.kind is BlockKind.TABLE:
            lines.append(CELL_SEPARATOR.join(cell.text.replace("\n", " ") for cell in element.cells))
        else:
            marker = f"{element.marker} " if element.marker and element.marker != BULLET else ""
            lines.append(marker + element.text)
    return "\n".join(lines)
