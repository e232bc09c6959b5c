"""Tables of an OpenDocument text: repeated and merged cells, header rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from atoll.domain.block import BlockKind
from parser.flow import CellElement, Element
from parser.formats.opendocument.names import TABLE, whole
from parser.table_shape import cell_text, header_rows, is_layout

_MOST_SPAN = 1000
_MOST_REPEATED = 100
_DEEPEST = 10
_GROUPS = frozenset(f"{TABLE}{name}" for name in ("table-rows", "table-row-group", "table-header-rows"))


def rows_of(table: Any, number: int, content: Callable[[Any], list[Element]]) -> Iterator[Element]:
    """The rows of a table, or the blocks of its cells one after the other if it only lays them out."""
    rows: list[tuple[list[tuple[CellElement, list[Element]]], bool]] = []
    for row, is_header in _rows(table, is_header=False, depth=0):
        repeated = min(max(whole(row.get(f"{TABLE}number-rows-repeated"), 1), 1), _MOST_REPEATED)
        cells = list(_cells(row, content))
        if row.get(f"{TABLE}visibility", "visible") == "visible":
            rows += [(cells, is_header)] * (repeated if any(cell.text for cell, _ in cells) else 1)
    contents = [inner for cells, _ in rows for _, inner in cells]
    if is_layout(contents, widest_row=max((len(cells) for cells, _ in rows), default=0)):
        for inner in contents:
            yield from inner
        return
    shown = [[cell for cell, _ in cells] for cells, _ in rows]
    marked = next((at for at, (_, is_header) in enumerate(rows) if not is_header), 0)
    headers = marked or header_rows(shown)
    for at, row_cells in enumerate(shown):
        if any(cell.text for cell in row_cells):
            yield Element(BlockKind.TABLE, cells=tuple(row_cells), table=number, is_header=at < headers)


def _rows(parent: Any, *, is_header: bool, depth: int) -> Iterator[tuple[Any, bool]]:
    for child in parent.iterchildren():
        if child.tag == f"{TABLE}table-row":
            yield child, is_header
        elif child.tag in _GROUPS and depth < _DEEPEST:
            heads = is_header or child.tag == f"{TABLE}table-header-rows"
            yield from _rows(child, is_header=heads, depth=depth + 1)


def _cells(row: Any, content: Callable[[Any], list[Element]]) -> Iterator[tuple[CellElement, list[Element]]]:
    column = 0
    for cell in row.iterchildren(f"{TABLE}table-cell", f"{TABLE}covered-table-cell"):
        repeated = min(max(whole(cell.get(f"{TABLE}number-columns-repeated"), 1), 1), _MOST_REPEATED)
        if cell.tag == f"{TABLE}table-cell":
            inner = content(cell)
            text = cell_text(inner)
            for _ in range(repeated if text else 1):
                columns = min(max(whole(cell.get(f"{TABLE}number-columns-spanned"), 1), 1), _MOST_SPAN)
                rows = min(max(whole(cell.get(f"{TABLE}number-rows-spanned"), 1), 1), _MOST_SPAN)
                yield CellElement(text, column, columns, rows), inner
                column += 1
            column += 0 if text else repeated - 1
        else:
            column += repeated
