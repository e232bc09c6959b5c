"""Sets a table that has more columns than a page has room for: each row as its fields, "name: value", line by line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from atoll.domain.block import BROKEN, JOINED, WRAPPED, Cell, Line, Row
from parser.collector import Collector, line
from parser.typeset.faces import Style
from parser.typeset.fonts import Fonts
from parser.typeset.lines import LineBreaker, SetLine
from parser.typeset.sheet import ASCENT, MARGIN, TEXT_WIDTH, Sheets

if TYPE_CHECKING:
    from collections.abc import Iterator

    from parser.flow import CellElement, Element

_SIZE = 8.5
_LEADING = 1.4
_BETWEEN_FIELDS = 12.0
_AFTER_ROW = 4.0
_NAME_GREY = 0.4
#: A longer name is cut on the page; its header cell holds all of it.
_NAME_CHARACTERS = 40


class Records:
    """Sets the rows of one wide table."""

    def __init__(self, sheets: Sheets, fonts: Fonts, collector: Collector) -> None:
        self._sheets = sheets
        self._fonts = fonts
        self._collector = collector
        self._names: dict[int, str] = {}
        self._x = MARGIN

    def rows(self, elements: list[Element]) -> Iterator[Row]:
        """Set the rows and yield them; header rows give the names of the fields below them."""
        for element in elements:
            yield Row(tuple(self._cells(element)), element.is_header)
            self._end_line()
            self._sheets.y += _AFTER_ROW
            self._sheets.rule(MARGIN, MARGIN + TEXT_WIDTH, self._sheets.y - _AFTER_ROW / 2)

    def _cells(self, row: Element) -> Iterator[Cell]:
        self._begin_line()
        for cell in row.cells:
            self._collector.count_characters(len(cell.text))
            lines = tuple(self._field(row, cell)) if cell.text else ()
            if row.is_header:
                for column in range(cell.column, cell.column + cell.columns):
                    known = self._names.get(column)
                    self._names[column] = f"{known} {cell.text}" if known else cell.text
            yield Cell(
                lines,
                cell.column,
                cell.columns,
                cell.rows,
                cell.is_header or row.is_header,
                None,
                cell.address,
                cell.value,
                cell.formula,
            )

    def _field(self, row: Element, cell: CellElement) -> Iterator[Line]:
        is_header = row.is_header or cell.is_header
        style = Style.BOLD if is_header else Style.TEXT
        name = "" if row.is_header else self._names.get(cell.column, "")[:_NAME_CHARACTERS]
        label = f"{name}: " if name else ""
        width = (self._fonts.width(label, Style.TEXT) + self._fonts.width(cell.text, style)) * _SIZE
        if self._x > MARGIN and self._x + width > MARGIN + TEXT_WIDTH:
            self._end_line()
            self._begin_line()
        if label:
            self._draw(LineBreaker(self._fonts, Style.TEXT, _SIZE, TEXT_WIDTH).line(label), _NAME_GREY)
        for source_line in cell.text.split("\n"):
            set_lines = list(self._broken(source_line, style))
            for number, set_line in enumerate(set_lines):
                if self._x + set_line.width > MARGIN + TEXT_WIDTH + 1 and self._x > MARGIN:
                    self._end_line()
                    self._begin_line()
                gap = BROKEN if number + 1 == len(set_lines) else JOINED if set_line.joined else WRAPPED
                yield self._draw(set_line, 0.0, gap)
        self._x += _BETWEEN_FIELDS

    def _broken(self, text: str, style: Style) -> Iterator[SetLine]:
        """A value in one line if what is left of this one or a whole one holds it, else in several."""
        return LineBreaker(self._fonts, style, _SIZE, TEXT_WIDTH).lines(text)

    def _draw(self, set_line: SetLine, grey: float, gap: str = WRAPPED) -> Line:
        baseline = self._sheets.y + ASCENT * _SIZE
        box = self._sheets.line(set_line, _SIZE, self._x, baseline, grey)
        self._x += set_line.width
        return line(set_line.text, self._sheets.page, box, gap=gap, starts=set_line.starts)

    def _begin_line(self) -> None:
        self._sheets.make_room(_SIZE * _LEADING)
        self._x = MARGIN

    def _end_line(self) -> None:
        self._sheets.y += _SIZE * _LEADING
        self._x = MARGIN
