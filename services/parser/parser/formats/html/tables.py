"""Tables: which are data and which only lay out a page, and the rows of the former."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from atoll.domain.block import BlockKind
from parser.flow import CellElement, Element, Grid
from parser.formats.html.flow import Flow
from parser.table_shape import cell_text, is_layout, is_text_of_its_own

if TYPE_CHECKING:
    from collections.abc import Mapping

_MOST_SPAN = 1000
#: Rows after which a table that does not look like layout is passed on row by row.
_DECIDED_ROWS = 100


@dataclass(slots=True)
class _Cell:
    flow: Flow
    columns: int
    rows: int
    is_header: bool


@dataclass(slots=True)
class Table:
    """An open table. ``number`` tells its rows from those of others."""

    number: int
    is_layout: bool
    is_data: bool = False
    caption: Flow | None = None
    cell: _Cell | None = None
    in_head: bool = False
    _row: list[_Cell] = field(default_factory=list)
    _rows: list[tuple[list[_Cell], bool]] = field(default_factory=list)
    _grid: Grid = field(default_factory=Grid)
    _begun: bool = False
    _body: bool = False

    @classmethod
    def of(cls, number: int, attributes: Mapping[str, str]) -> Table:
        """The table that a tag opens."""
        return cls(number, is_layout=attributes.get("role") in {"presentation", "none"})

    def open_cell(self, tag: str, attributes: Mapping[str, str]) -> Flow:
        """Begin a cell, or the caption, and return where its content goes."""
        self.close_cell()
        if tag == "caption":
            self.caption = Flow()
            return self.caption
        is_header = tag == "th"
        self.is_data = self.is_data or is_header
        self.cell = _Cell(Flow(), _span(attributes.get("colspan")), _span(attributes.get("rowspan")), is_header)
        return self.cell.flow

    def close_cell(self) -> None:
        """End the open cell, if one is."""
        if self.cell is not None:
            self.cell.flow.flush()
            self._row.append(self.cell)
            self.cell = None

    def close_row(self) -> Iterator[Element]:
        """End the row; yields rows once it is plain that they are data."""
        self.close_cell()
        if self._row:
            self._rows.append((self._row, self.in_head))
            self._row = []
        if len(self._rows) >= _DECIDED_ROWS and (self._begun or not self._looks_like_layout()):
            yield from self._data()

    def close(self) -> Iterator[Element]:
        """End the table and yield what is left of it: rows, or the blocks of its cells one after the other."""
        yield from self.close_row()
        if not self._begun and self._looks_like_layout():
            if self.caption:
                self.caption.flush()
                yield from (Element(BlockKind.PARAGRAPH, each.text) for each in self.caption.out)
            for row, _ in self._rows:
                for cell in row:
                    yield from cell.flow.out
        else:
            yield from self._data()

    def _data(self) -> Iterator[Element]:
        if not self._begun and self.caption:
            self.caption.flush()
            yield from (Element(BlockKind.CAPTION, each.text, table=self.number) for each in self.caption.out)
        self._begun = True
        for row, in_head in self._rows:
            cells = self._grid.place(
                [CellElement(cell_text(cell.flow.out), 0, cell.columns, cell.rows, cell.is_header) for cell in row]
            )
            if not any(cell.text for cell in cells):
                continue
            is_header = not self._body and (in_head or all(cell.is_header for cell in cells))
            self._body = self._body or not is_header
            yield Element(BlockKind.TABLE, cells=cells, table=self.number, is_header=is_header)
        self._rows = []

    def _looks_like_layout(self) -> bool:
        if self.is_layout:
            return True
        contents = [list(cell.flow.out) for row, _ in self._rows for cell in row]
        if self.is_data or self.caption is not None:
            # What is marked as data is data, unless a page's headings stand in it.
            return any(element.kind is BlockKind.HEADING for content in contents for element in content)
        return is_layout(contents, widest_row=max((len(row) for row, _ in self._rows), default=0))


@dataclass(slots=True)
class Definitions:
    """An open list of terms, each with what it means: a table of two columns, unless a meaning is a text of its own."""

    number: int
    _entries: list[tuple[bool, Flow]] = field(default_factory=list)

    def open_cell(self, tag: str, attributes: Mapping[str, str]) -> Flow:
        """Begin a term or a meaning and return where its content goes."""
        del attributes
        self.close_cell()
        flow = Flow()
        self._entries.append((tag == "dt", flow))
        return flow

    def close_cell(self) -> None:
        """End the open term or meaning."""
        if self._entries:
            self._entries[-1][1].flush()

    def close(self) -> Iterator[Element]:
        """Yield a row for each term, or the blocks of terms and meanings one after the other."""
        for _, flow in self._entries:
            flow.flush()
        if any(is_text_of_its_own(list(flow.out)) for _, flow in self._entries):
            for _, flow in self._entries:
                yield from flow.out
            return
        rows: list[tuple[list[str], list[str]]] = []
        for is_term, flow in self._entries:
            if not rows or (is_term and rows[-1][1]):
                rows.append(([], []))
            rows[-1][0 if is_term else 1].append(cell_text(flow.out))
        for terms, meanings in rows:
            cells = (CellElement("\n".join(terms), 0, is_header=True), CellElement("\n".join(meanings), 1))
            if any(cell.text for cell in cells):
                yield Element(BlockKind.TABLE, cells=cells, table=self.number)


def _span(text: str | None) -> int:
    digits = (text or "").strip()
    if not (digits.isdecimal() and digits.isascii() and len(digits) < 5):  # noqa: PLR2004
        return 1
    return min(max(int(digits), 1), _MOST_SPAN)
