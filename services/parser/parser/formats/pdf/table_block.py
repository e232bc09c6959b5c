"""From the lines of a table to a block with rows and cells; what goes on over the end of a page is one table."""

from __future__ import annotations

from dataclasses import replace
from functools import reduce
from typing import TYPE_CHECKING

from atoll.domain.block import Block, BlockKind, Cell, Line, Row
from atoll.domain.page import Box
from parser.collector import line
from parser.flow import CellElement
from parser.formats.pdf.tables import GridCell, grid
from parser.table_shape import header_rows
from parser.text import on_one_line

if TYPE_CHECKING:
    from parser.formats.pdf import layout
    from parser.formats.pdf.glyphs import Run
    from parser.formats.pdf.rulings import Rulings

_ALIGNED_POINTS = 4.0


def table_block(rows: list[layout.Row], rulings: Rulings | None) -> Block:
    """The block of a table, given its lines from top to bottom."""
    cells = grid(rows, rulings)
    shapes = [[CellElement(cell.text, cell.column, cell.columns, cell.rows) for cell in row] for row in cells]
    headers = header_rows(shapes, emphasised=_emphasised(cells))
    return Block(
        BlockKind.TABLE,
        (),
        rows=tuple(
            Row(
                tuple(
                    Cell(
                        tuple(_cell_line(runs, rows[0].page) for runs in cell.lines),
                        cell.column,
                        cell.columns,
                        cell.rows,
                        is_header=number < headers,
                    )
                    for cell in row
                ),
                is_header=number < headers,
            )
            for number, row in enumerate(cells)
        ),
    )


def continued(first: Block, second: Block) -> Block | None:
    """Two parts of a table that a page's end parts, as one; None if they are two tables."""
    if first.kind is not BlockKind.TABLE or second.kind is not BlockKind.TABLE or first.columns != second.columns:
        return None
    names, top = first.rows[0], second.rows[0]
    has_names = names.is_header
    if top.is_header and (not has_names or _texts(names) == _texts(top)):
        return None
    edges, others = _edges(first), _edges(second)
    aligned = sum(
        any(abs(a - b) <= _ALIGNED_POINTS for a, b in zip(edges[column], others[column], strict=True))
        for column in edges.keys() & others.keys()
    )
    if aligned < min(2, first.columns):
        return None
    rows = tuple(
        Row(tuple(replace(cell, is_header=False) for cell in row.cells)) if row.is_header else row
        for row in second.rows
    )
    return replace(first, rows=first.rows + rows)


def _texts(row: Row) -> list[str]:
    return [cell.text for cell in row.cells]


def _edges(table: Block) -> dict[int, tuple[float, float]]:
    """The outermost left and right edges of the text in each column."""
    edges: dict[int, tuple[float, float]] = {}
    for cell in (cell for row in table.rows for cell in row.cells if cell.columns == 1):
        for each in cell.lines:
            left, right = edges.get(cell.column, (each.box.x0, each.box.x1))
            edges[cell.column] = (min(left, each.box.x0), max(right, each.box.x1))
    return edges


def _cell_line(runs: list[Run], page: int) -> Line:
    box = reduce(Box.union, (run.shown or run.box for run in runs))
    return line(on_one_line(" ".join(run.text for run in runs)), page, box, source=runs[0].source)


def _emphasised(rows: list[list[GridCell]]) -> int:
    """How many rows at the top are set in a font of their own."""
    fonts = [{run.font for cell in row for runs in cell.lines for run in runs} for row in rows]
    if len(fonts) < 2 or fonts[0] == fonts[-1] or "" in fonts[0]:  # noqa: PLR2004 - a header is over something
        return 0
    return next((number for number, each in enumerate(fonts) if each != fonts[0]), 0)
