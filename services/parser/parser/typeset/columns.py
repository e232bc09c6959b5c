"""How wide the columns of a table are set."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parser.typeset.faces import Style

if TYPE_CHECKING:
    from parser.flow import Element
    from parser.typeset.fonts import Fonts

#: A cell's first words tell; measuring a page of text in one would not change the outcome.
_MEASURED_CHARACTERS = 200


def column_widths(rows: list[Element], fonts: Fonts, size: float, padding: float, total: float) -> list[float]:
    """Widths in points that add up to ``total``: what a column needs, but wide ones share what narrow ones leave."""
    count = max((cell.column + cell.columns for row in rows for cell in row.cells), default=1)
    least = 2 * padding + 1.0
    wanted = [least] * count
    spanning: list[tuple[int, int, float]] = []
    for row in rows:
        for cell in row.cells:
            style = Style.BOLD if row.is_header or cell.is_header else Style.TEXT
            lines = cell.text[:_MEASURED_CHARACTERS].split("\n")
            width = max(fonts.width(line, style) for line in lines) * size + least
            if cell.columns == 1:
                wanted[cell.column] = max(wanted[cell.column], width)
            else:
                spanning.append((cell.column, cell.columns, width))
    for first, columns, width in spanning:
        missing = width - sum(wanted[first : first + columns])
        for column in range(first, first + columns):
            wanted[column] += max(missing, 0.0) / columns
    return _shared(wanted, total)


def _shared(wanted: list[float], total: float) -> list[float]:
    widths, left, open_columns = [0.0] * len(wanted), total, set(range(len(wanted)))
    while open_columns:
        share = left / len(open_columns)
        narrow = {column for column in open_columns if wanted[column] <= share} or open_columns
        for column in narrow:
            widths[column] = min(wanted[column], share)
            left -= widths[column]
        open_columns -= narrow
    return [width + left / len(widths) for width in widths]
