"""Sets tables: every cell under its column, merged cells over what they span, each line of a cell with its place.

The rows that a merged cell holds together are set together. A row that is taller than what is left of a page goes on
the next one, and one that is taller than a page is cut between lines. After each page break the header is drawn again.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from atoll.domain.block import BROKEN, JOINED, WRAPPED, Block, BlockKind, Cell, Line, Row
from atoll.domain.page import Box
from parser.collector import Collector, line
from parser.typeset.columns import column_widths
from parser.typeset.faces import Style
from parser.typeset.fonts import Fonts
from parser.typeset.lines import LineBreaker, SetLine
from parser.typeset.records import Records
from parser.typeset.sheet import ASCENT, MARGIN, TEXT_WIDTH, Sheets

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from parser.flow import CellElement, Element

_SIZE = 9.5
_SMALL_SIZE = 7.5
_LEADING = 1.4
_PADDING = 4.0
_AFTER = 7.0
#: Rows whose widths are looked at together; a longer table is continued with columns of its own.
_ROWS_AT_ONCE = 300
#: A table with more columns is set as records.
_MOST_COLUMNS = 14
#: Narrower columns are set in a smaller type.
_NARROW = 38.0
#: Part of a page that a header may fill and still be repeated.
_LARGEST_HEADER = 0.25
_PAGE_HEIGHT = 700.0


@dataclass(slots=True)
class _SetCell:
    """A cell broken into lines: ``gaps`` say how each goes on."""

    element: CellElement
    lines: list[SetLine]
    gaps: list[str]
    x: float
    width: float
    #: How many of its lines have been drawn.
    drawn: int = 0


@dataclass(slots=True)
class _SetRow:
    element: Element
    cells: list[_SetCell]
    height: float = 0.0


class TableComposer:
    """Sets one table after the other on the same sheets."""

    def __init__(self, sheets: Sheets, fonts: Fonts, collector: Collector) -> None:
        self._sheets = sheets
        self._fonts = fonts
        self._collector = collector

    def table(self, elements: Iterable[Element]) -> Block:
        """Set rows that share their columns; return them as a block."""
        remaining: Iterator[Element] = iter(elements)
        rows: list[Row] = []
        sheet = ""
        header: list[Element] = []
        records: Records | None = None
        while batch := list(islice(remaining, _ROWS_AT_ONCE)):
            if not rows:
                header = _header_of(batch)
            sheet = sheet or batch[0].sheet
            if records or _columns(batch) > _MOST_COLUMNS:
                records = records or Records(self._sheets, self._fonts, self._collector)
                rows += records.rows(batch)
            else:
                rows += _Part(self._sheets, self._fonts, self._collector, batch, header).rows()
        self._sheets.skip(_AFTER)
        return Block(BlockKind.TABLE, (), rows=tuple(rows), sheet=sheet)


def _columns(rows: list[Element]) -> int:
    return max((cell.column + cell.columns for row in rows for cell in row.cells), default=0)


def _header_of(rows: list[Element]) -> list[Element]:
    count = next((number for number, row in enumerate(rows) if not row.is_header), 0)
    return rows[:count]


class _Part:
    """A batch of rows that are set with the same column widths."""

    def __init__(
        self, sheets: Sheets, fonts: Fonts, collector: Collector, rows: list[Element], header: list[Element]
    ) -> None:
        self._sheets = sheets
        self._fonts = fonts
        self._collector = collector
        self._rows = rows
        self._widths = column_widths(rows, fonts, _SIZE, _PADDING, TEXT_WIDTH)
        self._size = _SIZE if min(self._widths) >= _NARROW else _SMALL_SIZE
        self._leading = self._size * _LEADING
        self._header = header
        self._placed: dict[int, list[Line]] = {}

    def rows(self) -> Iterator[Row]:
        """Set the rows and yield them."""
        for group in self._groups():
            set_rows = [self._set(row) for row in group]
            self._stretch(set_rows)
            height = sum(row.height for row in set_rows)
            if self._sheets.room(height) or height <= _PAGE_HEIGHT:
                self._break_before(height, group[0])
                self._draw(set_rows)
            else:
                for row in set_rows:
                    self._draw_in_slices(row)
            for row in set_rows:
                yield self._row(row)

    def _groups(self) -> Iterator[list[Element]]:
        """Rows that merged cells hold together."""
        group: list[Element] = []
        reaches = 0
        for row in self._rows:
            group.append(row)
            reaches = max([reaches, *(cell.rows for cell in row.cells)]) - 1
            if reaches <= 0:
                yield group
                group, reaches = [], 0
        if group:
            yield group

    def _set(self, row: Element) -> _SetRow:
        cells: list[_SetCell] = []
        for element in row.cells:
            x = MARGIN + sum(self._widths[: element.column])
            width = sum(self._widths[element.column : element.column + element.columns])
            breaker = LineBreaker(self._fonts, self._style(row, element), self._size, max(width - 2 * _PADDING, 1.0))
            lines: list[SetLine] = []
            gaps: list[str] = []
            for source_line in element.text.split("\n"):
                for set_line in breaker.lines(source_line):
                    lines.append(set_line)
                    gaps.append(JOINED if set_line.joined else WRAPPED)
                if gaps:
                    gaps[-1] = BROKEN
            self._collector.count_characters(len(element.text))
            cells.append(_SetCell(element, lines, gaps, x, width))
        return _SetRow(row, cells)

    @staticmethod
    def _style(row: Element, cell: CellElement) -> Style:
        return Style.BOLD if row.is_header or cell.is_header else Style.TEXT

    def _stretch(self, rows: list[_SetRow]) -> None:
        """Give each row its height; the last row that a merged cell spans takes what the others leave too little."""
        for row in rows:
            depth = max((len(cell.lines) for cell in row.cells if cell.element.rows == 1), default=1)
            row.height = max(depth, 1) * self._leading + _PADDING
        for first, row in enumerate(rows):
            for cell in row.cells:
                spanned = rows[first : first + cell.element.rows]
                missing = len(cell.lines) * self._leading + _PADDING - sum(each.height for each in spanned)
                spanned[-1].height += max(missing, 0.0)

    def _break_before(self, height: float, first: Element) -> None:
        page = self._sheets.page
        self._sheets.make_room(height)
        if self._sheets.page != page and first not in self._header:
            self._repeat_header()

    def _repeat_header(self) -> None:
        """Draw the header again at the top of a page: it was read where it stands first."""
        rows = [self._set(row) for row in self._header]
        self._stretch(rows)
        if rows and sum(row.height for row in rows) <= _PAGE_HEIGHT * _LARGEST_HEADER:
            self._draw(rows, is_repeated=True)

    def _draw(self, rows: list[_SetRow], *, is_repeated: bool = False) -> None:
        top = self._sheets.y
        ends: dict[int, int] = {}
        for number, row in enumerate(rows):
            for cell in row.cells:
                for column in range(cell.element.column, cell.element.column + cell.element.columns):
                    ends[column] = number + cell.element.rows - 1
                placed = self._draw_lines(cell, top, len(cell.lines))
                if not is_repeated:
                    self._placed.setdefault(id(cell), []).extend(placed)
            top += row.height
            self._rule(row, top, {column for column, last in ends.items() if last > number})
        self._sheets.y = top

    def _draw_in_slices(self, row: _SetRow) -> None:
        """Draw a row that is taller than a page, as many lines of it on each page as there is room for."""
        while any(cell.drawn < len(cell.lines) for cell in row.cells):
            if not self._sheets.room(2 * self._leading + _PADDING):
                self._sheets.make_room(_PAGE_HEIGHT)
                self._repeat_header()
            top, count = self._sheets.y, 0
            while self._sheets.room((count + 1) * self._leading + _PADDING):
                count += 1
            deepest = 0
            for cell in row.cells:
                placed = self._draw_lines(cell, top, max(count, 1))
                deepest = max(deepest, len(placed))
                self._placed.setdefault(id(cell), []).extend(placed)
            self._sheets.y = top + deepest * self._leading + _PADDING
        self._rule(row, self._sheets.y, set())

    def _draw_lines(self, cell: _SetCell, top: float, most: int) -> list[Line]:
        lines: list[Line] = []
        for number in range(cell.drawn, min(cell.drawn + most, len(cell.lines))):
            set_line = cell.lines[number]
            baseline = top + (number - cell.drawn) * self._leading + ASCENT * self._size + _PADDING / 2
            box = self._sheets.line(set_line, self._size, cell.x + _PADDING, baseline)
            lines.append(line(set_line.text, self._sheets.page, box, gap=cell.gaps[number], starts=set_line.starts))
        cell.drawn += len(lines)
        return lines

    def _rule(self, row: _SetRow, y: float, open_columns: set[int]) -> None:
        """Draw the line under a row, but not through cells that go on below it."""
        grey = 0.4 if row.element.is_header else 0.8
        x, start = MARGIN, MARGIN
        for column, width in enumerate(self._widths):
            if column in open_columns:
                if x > start:
                    self._sheets.rule(start, x, y, grey)
                start = x + width
            x += width
        if x > start:
            self._sheets.rule(start, x, y, grey)

    def _row(self, row: _SetRow) -> Row:
        cells = []
        for set_cell in row.cells:
            lines = tuple(self._placed.pop(id(set_cell), ()))
            element = set_cell.element
            box = None
            if lines:
                on_page = [each.box for each in lines if each.page == lines[0].page]
                top, bottom = on_page[0].y0, on_page[-1].y1
                box = Box(set_cell.x, top, set_cell.x + set_cell.width, bottom).rounded()
            cells.append(
                Cell(
                    lines,
                    element.column,
                    element.columns,
                    element.rows,
                    element.is_header or row.element.is_header,
                    box,
                    element.address,
                    element.value,
                    element.formula,
                )
            )
        return Row(tuple(cells), row.element.is_header)
