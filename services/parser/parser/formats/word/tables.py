"""Tables of a Word document: the columns that cells stand in, merged cells, header rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from atoll.domain.block import BlockKind
from parser.flow import CellElement, Element
from parser.opc import W, is_on, value_of, whole_of
from parser.table_shape import cell_text, header_rows, is_layout, is_text_of_its_own

_WRAPPERS = frozenset(f"{W}{name}" for name in ("sdt", "sdtContent", "ins", "moveTo", "customXml", "smartTag"))
_MOST_SPAN = 1000
_DEEPEST = 20


@dataclass(slots=True)
class _Cell:
    column: int
    columns: int
    content: list[Element]
    continues: bool
    rows: int = 1


@dataclass(slots=True)
class _Row:
    cells: list[_Cell]
    is_header: bool
    is_bold: bool


def rows_of(table: Any, number: int, content: Callable[[Any], list[Element]]) -> Iterator[Element]:
    """The rows of a table, or the blocks of its cells one after the other if it only lays them out.

    ``content`` reads the blocks of a cell. Tables within cells follow the table that they stand in.
    """
    rows = [_row(row, content) for row in _children(table, f"{W}tr", 0) if not _is_gone(row)]
    _merge(rows)
    shown = [[cell for cell in row.cells if not cell.continues] for row in rows]
    widest = max((len(row) for row in shown), default=0)
    inner = _inner_tables(shown) if widest > 1 else []
    if is_layout((cell.content for row in shown for cell in row), widest_row=widest):
        for row in shown:
            for cell in row:
                yield from cell.content
        return
    cells = [
        [CellElement(cell_text(cell.content), cell.column, cell.columns, cell.rows) for cell in row] for row in shown
    ]
    yield from _elements(rows, cells, number)
    for tables in inner:
        yield from tables


def _elements(rows: list[_Row], cells: list[list[CellElement]], number: int) -> Iterator[Element]:
    width = max((cell.column + cell.columns for row in cells for cell in row), default=0)
    first = next((at for at, row in enumerate(cells) if any(cell.text for cell in row)), 0)
    titled = [cell for cell in cells[first] if cell.text] if cells else []
    if len(cells) > first + 2 and len(titled) == 1 and titled[0].columns == width > 1 and not rows[first].is_header:
        # A row of one cell over all columns is the table's title.
        yield Element(BlockKind.CAPTION, titled[0].text, table=number)
        first += 1
    marked = next((at for at, row in enumerate(rows[first:]) if not row.is_header), len(rows) - first)
    bold = next((at for at, row in enumerate(rows[first:]) if not row.is_bold), 0)
    headers = marked if 0 < marked < len(rows) - first else header_rows(cells[first:], emphasised=bold)
    for at, row in enumerate(cells[first:]):
        if any(cell.text for cell in row):
            yield Element(BlockKind.TABLE, cells=tuple(row), table=number, is_header=at < headers)


def _inner_tables(rows: list[list[_Cell]]) -> list[list[Element]]:
    """Take the tables out of the cells of a table of data: each follows it as one of its own."""
    found: list[list[Element]] = []
    for row in rows:
        for cell in row:
            tables = [element for element in cell.content if element.table]
            others = [element for element in cell.content if not element.table]
            if tables and not is_text_of_its_own(others):
                found.append(tables)
                cell.content = others
    return found


def _row(row: Any, content: Callable[[Any], list[Element]]) -> _Row:
    properties = row.find(f"{W}trPr")
    column = whole_of(properties, f"{W}gridBefore")
    cells: list[_Cell] = []
    for cell in _children(row, f"{W}tc", 0):
        own = cell.find(f"{W}tcPr")
        columns = min(max(whole_of(own, f"{W}gridSpan", 1), 1), _MOST_SPAN)
        joins_left = value_of(own, f"{W}hMerge")
        if joins_left is not None and joins_left != "restart" and cells:
            cells[-1].columns += columns
        else:
            merge = own.find(f"{W}vMerge") if own is not None else None
            continues = merge is not None and merge.get(f"{W}val", "continue") != "restart"
            cells.append(_Cell(column, columns, [] if continues else content(cell), continues))
        column += columns
    bold = [is_on(run.find(f"{W}rPr"), f"{W}b") for run in row.iter(f"{W}r") if run.find(f"{W}t") is not None]
    return _Row(cells, is_on(properties, f"{W}tblHeader"), bool(bold) and all(bold))


def _merge(rows: list[_Row]) -> None:
    """Let cells reach down into the rows that go on with them."""
    above: dict[int, _Cell] = {}
    for row in rows:
        here: dict[int, _Cell] = {}
        for cell in row.cells:
            origin = above.get(cell.column)
            if cell.continues and origin is not None:
                origin.rows += 1
                here[cell.column] = origin
            else:
                cell.continues = False
                here[cell.column] = cell
        above = here


def _children(parent: Any, tag: str, depth: int) -> Iterator[Any]:
    for child in parent.iterchildren():
        if child.tag == tag:
            yield child
        elif child.tag in _WRAPPERS and depth < _DEEPEST:
            yield from _children(child, tag, depth + 1)


def _is_gone(row: Any) -> bool:
    properties = row.find(f"{W}trPr")
    return properties is not None and (properties.find(f"{W}del") is not None or is_on(properties, f"{W}hidden"))
