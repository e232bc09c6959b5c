"""Sets a stream of elements on A4 sheets and keeps where every line stands."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby, islice
from typing import TYPE_CHECKING, BinaryIO

from atoll.domain.page import BlockKind, Box, Line
from parser.collector import Collector, line
from parser.flow import BULLET, CELL_SEPARATOR, Element
from parser.typeset import bidi
from parser.typeset.fonts import Fonts, Style
from parser.typeset.lines import LineBreaker, SetLine
from parser.typeset.sheet import ASCENT, MARGIN, TEXT_WIDTH, Sheets

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_LEADING = 1.4
_TEXT_SIZE = 10.5
_INDENT = 18.0
_DEEPEST_INDENT = 8
_CELL_PADDING = 4.0
_TABLE_SIZE = 9.5
#: Rows whose widths are looked at together; a longer table is continued with columns of its own.
_TABLE_ROWS = 300
_MOST_COLUMNS = 12
_TALLEST_ROW = 12
_CODE_GREY = 0.95
_NAMED_MISSING = 8


@dataclass(frozen=True, slots=True)
class _Look:
    style: Style
    size: float
    before: float
    after: float
    indent: float = 0.0


_HEADINGS = {
    level: _Look(Style.BOLD, size, before=size * 0.9, after=size * 0.35)
    for level, size in enumerate((20.0, 16.0, 13.5, 12.0, 11.0, 10.5), start=1)
}
_LOOKS = {
    BlockKind.PARAGRAPH: _Look(Style.TEXT, _TEXT_SIZE, 0, 7),
    BlockKind.LIST_ITEM: _Look(Style.TEXT, _TEXT_SIZE, 0, 3),
    BlockKind.TABLE_ROW: _Look(Style.TEXT, _TABLE_SIZE, 0, 4),
    BlockKind.CODE: _Look(Style.CODE, 8.5, 3, 9, indent=8),
    BlockKind.QUOTE: _Look(Style.TEXT, _TEXT_SIZE, 0, 7, indent=_INDENT),
    BlockKind.CAPTION: _Look(Style.TEXT, 9.5, 0, 7),
    BlockKind.FOOTNOTE: _Look(Style.TEXT, 9.0, 0, 4),
}


def typeset(elements: Iterable[Element], file: BinaryIO, fonts: Fonts, collector: Collector, name: str) -> None:
    """Set ``elements`` as a PDF into ``file``, and their blocks with boxes into ``collector``.

    Raises:
        DocumentTooLarge: more pages or characters than the collector allows; as soon as that is known.
    """
    composer = _Composer(Sheets(file, fonts, collector, name), fonts, collector)
    for table, group in groupby(elements, key=lambda element: element.table):
        if table:
            composer.table(group)
        else:
            for element in group:
                composer.element(element)
    composer.sheets.save()
    _warn_of_missing(fonts, collector)


class _Composer:
    def __init__(self, sheets: Sheets, fonts: Fonts, collector: Collector) -> None:
        self.sheets = sheets
        self._fonts = fonts
        self._collector = collector

    def element(self, element: Element) -> None:
        """Set anything but a table."""
        look = _HEADINGS[element.level] if element.kind is BlockKind.HEADING else _LOOKS[element.kind]
        is_code = element.kind is BlockKind.CODE
        depth = element.level + 1 if element.kind is BlockKind.LIST_ITEM else 0
        indent = look.indent + min(depth, _DEEPEST_INDENT) * _INDENT
        breaker = LineBreaker(self._fonts, look.style, look.size, TEXT_WIDTH - indent - look.indent)
        self._collector.count_characters(len(element.text))
        self.sheets.skip(look.before)
        if element.kind is BlockKind.HEADING:
            self.sheets.make_room(look.size * _LEADING + 2 * _TEXT_SIZE * _LEADING)
        lines: list[Line] = []
        marker = element.marker
        for source_line in element.text.split("\n"):
            is_right_to_left = bidi.has_right_to_left(source_line) and bidi.base_level(source_line) == 1
            for set_line in breaker.lines(source_line, keep_spaces=is_code):
                lines.append(self._line(set_line, look, indent, marker, is_right_to_left, is_code))
                marker = ""
            if is_code and not source_line:
                self._advance(look, shaded=True)
        self.sheets.skip(look.after)
        level = element.level if element.kind is BlockKind.HEADING else 0
        self._collector.add_block(element.kind, lines, level)

    def _line(
        self, set_line: SetLine, look: _Look, indent: float, marker: str, is_right_to_left: bool, is_code: bool
    ) -> Line:
        baseline = self._advance(look, shaded=is_code)
        x = MARGIN + TEXT_WIDTH - look.indent - set_line.width if is_right_to_left else MARGIN + indent
        if is_right_to_left and indent > look.indent:
            x -= indent - look.indent
        box = self.sheets.line(set_line, look.style, look.size, x, baseline)
        text = set_line.text
        if marker:
            mark = SetLine(marker, marker, self._fonts.width(marker, look.style) * look.size, joined=False)
            side = box.x1 + 5 if is_right_to_left else x - mark.width - 5
            marked = self.sheets.line(mark, look.style, look.size, side, baseline)
            if marker != BULLET:
                text, box = f"{marker} {text}", box.union(marked)
        return line(text, self.sheets.page, box, joined=set_line.joined)

    def _advance(self, look: _Look, *, shaded: bool = False) -> float:
        """Make room for a line and return its baseline."""
        height = look.size * _LEADING
        self.sheets.make_room(height)
        top = self.sheets.y
        if shaded:
            self.sheets.fill(Box(MARGIN, top, MARGIN + TEXT_WIDTH, top + height + 0.2), _CODE_GREY)
        self.sheets.y = top + height
        return top + (_LEADING - 1.25) / 2 * look.size + ASCENT * look.size

    def table(self, rows: Iterable[Element]) -> None:
        """Set rows that share their columns."""
        remaining: Iterator[Element] = iter(rows)
        while batch := list(islice(remaining, _TABLE_ROWS)):
            widths = self._column_widths(batch)
            for row in batch:
                self._row(row, widths)
        self.sheets.skip(_LOOKS[BlockKind.PARAGRAPH].after)

    def _row(self, row: Element, widths: list[float]) -> None:
        look = _LOOKS[BlockKind.TABLE_ROW]
        text = CELL_SEPARATOR.join(row.cells)
        style = Style.BOLD if row.is_header else look.style
        cells = [
            list(LineBreaker(self._fonts, style, look.size, width - 2 * _CELL_PADDING).lines(cell.replace("\n", " ")))
            for cell, width in zip(row.cells, widths, strict=False)
        ]
        depth = max(map(len, cells), default=0)
        if len(row.cells) > len(widths) or depth > _TALLEST_ROW:
            # No grid holds it: as a paragraph it can be broken, also over pages.
            self.element(Element(BlockKind.TABLE_ROW, text.replace("\n", " ")))
            return
        self._collector.count_characters(len(text))
        height = max(depth, 1) * look.size * _LEADING + _CELL_PADDING
        self.sheets.make_room(height)
        top = self.sheets.y
        box: Box | None = None
        x = MARGIN
        for cell, width in zip(cells, widths, strict=False):
            for number, set_line in enumerate(cell):
                baseline = top + number * look.size * _LEADING + ASCENT * look.size + _CELL_PADDING / 2
                placed = self.sheets.line(set_line, style, look.size, x + _CELL_PADDING, baseline)
                box = box.union(placed) if box else placed
            x += width
        self.sheets.y = top + height
        self.sheets.rule(MARGIN, MARGIN + TEXT_WIDTH, self.sheets.y, grey=0.4 if row.is_header else 0.8)
        if box:
            self._collector.add_block(BlockKind.TABLE_ROW, [line(text.replace("\n", " "), self.sheets.page, box)])

    def _column_widths(self, rows: list[Element]) -> list[float]:
        """Widths that add up to the text's: what a column needs, but wide ones share what narrow ones leave."""
        count = min(max(len(row.cells) for row in rows), _MOST_COLUMNS)
        wanted = [2 * _CELL_PADDING + 1.0] * count
        for row in rows:
            style = Style.BOLD if row.is_header else Style.TEXT
            for column, cell in enumerate(row.cells[:count]):
                # A cell's first words tell; measuring a page of text in one would not change the outcome.
                width = self._fonts.width(cell[:200], style) * _TABLE_SIZE + 2 * _CELL_PADDING + 1
                wanted[column] = max(wanted[column], width)
        widths, left, open_columns = [0.0] * count, TEXT_WIDTH, set(range(count))
        while open_columns:
            share = left / len(open_columns)
            narrow = {column for column in open_columns if wanted[column] <= share} or open_columns
            for column in narrow:
                widths[column] = min(wanted[column], share)
                left -= widths[column]
            open_columns -= narrow
        return [width + left / count for width in widths]


def _warn_of_missing(fonts: Fonts, collector: Collector) -> None:
    missing = sorted(character for character in fonts.missing if not character.isspace())
    if missing:
        named = ", ".join(f"U+{ord(character):04X}" for character in missing[:_NAMED_MISSING])
        more = f" and {len(missing) - _NAMED_MISSING} more" if len(missing) > _NAMED_MISSING else ""
        collector.warn(
            "no_glyph", f"no font has {named}{more}: the page image shows a square there, the text is complete"
        )
