"""Tables of a slide: merged cells under their columns, header rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from atoll.domain.block import BlockKind
from parser.flow import CellElement, Element
from parser.formats.slides.text import text_of
from parser.opc import A
from parser.table_shape import header_rows
from parser.text import flowing

_MOST_SPAN = 1000
_LONGEST_NUMBER = 5
_ON = frozenset({"1", "true"})


def rows_of(table: Any, number: int) -> Iterator[Element]:
    """The rows of a table."""
    properties = table.find(f"{A}tblPr")
    has_header = properties is not None and properties.get("firstRow") in _ON
    rows = [tuple(_cells(row)) for row in table.iterchildren(f"{A}tr")]
    headers = header_rows(rows, emphasised=int(has_header))
    if has_header and len(rows) > 1:
        headers = max(headers, 1)
    for at, cells in enumerate(rows):
        if any(cell.text for cell in cells):
            yield Element(BlockKind.TABLE, cells=cells, table=number, is_header=at < headers)


def _cells(row: Any) -> Iterator[CellElement]:
    for column, cell in enumerate(row.iterchildren(f"{A}tc")):
        if cell.get("hMerge") in _ON or cell.get("vMerge") in _ON:
            continue
        text = flowing("\n".join(text_of(each) for each in cell.iter(f"{A}p")))
        yield CellElement(text, column, _span(cell.get("gridSpan")), _span(cell.get("rowSpan")))


def _span(text: str | None) -> int:
    is_number = text is not None and text.isdecimal() and len(text) < _LONGEST_NUMBER
    return min(max(int(text), 1), _MOST_SPAN) if is_number and text else 1
