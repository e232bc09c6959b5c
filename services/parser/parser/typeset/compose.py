"""Sets a stream of elements on A4 sheets and keeps where every line stands."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING, BinaryIO

from atoll.domain.block import BROKEN, JOINED, WRAPPED, Block, BlockKind, Line
from atoll.domain.page import Box
from parser.collector import Collector, line
from parser.flow import BULLET, Element
from parser.typeset import bidi
from parser.typeset.faces import Style
from parser.typeset.fonts import Fonts
from parser.typeset.lines import LineBreaker, SetLine
from parser.typeset.sheet import ASCENT, MARGIN, TEXT_WIDTH, Sheets
from parser.typeset.tables import TableComposer

if TYPE_CHECKING:
    from collections.abc import Iterable

_LEADING = 1.4
_TEXT_SIZE = 10.5
_INDENT = 18.0
_DEEPEST_INDENT = 8
_CODE_GREY = 0.95
_NAMED_MISSING = 8
_MARKER_GAP = 5.0


@dataclass(frozen=True, slots=True)
class _Look:
    style: Style
    size: float
    before: float
    after: float
    indent: float = 0.0
    grey: float = 0.0


_HEADINGS = {
    level: _Look(Style.BOLD, size, before=size * 0.9, after=size * 0.35)
    for level, size in enumerate((20.0, 16.0, 13.5, 12.0, 11.0, 10.5), start=1)
}
_LOOKS = {
    BlockKind.PARAGRAPH: _Look(Style.TEXT, _TEXT_SIZE, 0, 7),
    BlockKind.LIST_ITEM: _Look(Style.TEXT, _TEXT_SIZE, 0, 3),
    BlockKind.FORMULA: _Look(Style.TEXT, _TEXT_SIZE, 2, 9, indent=_INDENT),
    BlockKind.CODE: _Look(Style.CODE, 8.5, 3, 9, indent=8),
    BlockKind.QUOTE: _Look(Style.TEXT, _TEXT_SIZE, 0, 7, indent=_INDENT),
    BlockKind.CAPTION: _Look(Style.TEXT, 9.5, 0, 7),
    BlockKind.FIGURE: _Look(Style.TEXT, 9.5, 2, 7, grey=0.3),
    BlockKind.FOOTNOTE: _Look(Style.TEXT, 9.0, 0, 4),
    BlockKind.NOTE: _Look(Style.TEXT, 9.5, 0, 7, indent=_INDENT),
    BlockKind.PAGE_HEADER: _Look(Style.TEXT, 9.0, 0, 4, grey=0.45),
    BlockKind.MARGIN: _Look(Style.TEXT, 9.0, 0, 4, grey=0.45),
    BlockKind.PAGE_FOOTER: _Look(Style.TEXT, 9.0, 0, 4, grey=0.45),
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
        self._tables = TableComposer(sheets, fonts, collector)

    def element(self, element: Element) -> None:
        """Set anything but a table."""
        if element.page_label:
            self.sheets.begin(element.page_label)
        lines, label = self._lines(element)
        level = element.level if element.kind is BlockKind.HEADING else 0
        self._collector.add(Block(element.kind, lines, level, label))

    def table(self, elements: Iterable[Element]) -> None:
        """Set a table: what stands before and between its rows is its caption."""
        caption: list[Line] = []
        for is_row, group in groupby(elements, key=lambda element: element.kind is BlockKind.TABLE):
            if is_row:
                block = self._tables.table(group)
                self._collector.add(replace(block, caption=tuple(caption)) if caption else block)
                caption = []
            else:
                for element in group:
                    caption += self._lines(element)[0]
        if caption:
            self._collector.add(Block(BlockKind.CAPTION, tuple(caption)))

    def _lines(self, element: Element) -> tuple[tuple[Line, ...], str]:
        """Set an element; return its lines, and its label if its text begins with one."""
        look = _HEADINGS[element.level] if element.kind is BlockKind.HEADING else _LOOKS[element.kind]
        is_code = element.kind is BlockKind.CODE
        depth = element.level + 1 if element.kind is BlockKind.LIST_ITEM else 0
        indent = look.indent + min(depth, _DEEPEST_INDENT) * _INDENT
        if element.marker:
            # A long label, such as "Section 2.1.3", pushes its text to the right instead of leaving the sheet.
            indent = max(indent, self._fonts.width(element.marker, look.style) * look.size + _MARKER_GAP)
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
            if lines:
                lines[-1] = replace(lines[-1], gap=BROKEN)
        if lines and element.spellings:
            lines[0] = replace(lines[0], spellings=element.spellings)
        self.sheets.skip(look.after)
        is_labelled = element.marker not in {"", BULLET} and bool(lines)
        return tuple(lines), element.marker if is_labelled else ""

    def _line(
        self, set_line: SetLine, look: _Look, indent: float, marker: str, is_right_to_left: bool, is_code: bool
    ) -> Line:
        baseline = self._advance(look, shaded=is_code)
        x = MARGIN + TEXT_WIDTH - look.indent - set_line.width if is_right_to_left else MARGIN + indent
        if is_right_to_left and indent > look.indent:
            x -= indent - look.indent
        box = self.sheets.line(set_line, look.size, x, baseline, look.grey)
        text, starts = set_line.text, set_line.starts
        if marker:
            mark = LineBreaker(self._fonts, look.style, look.size, TEXT_WIDTH).line(marker)
            side = box.x1 + _MARKER_GAP if is_right_to_left else x - mark.width - _MARKER_GAP
            marked = self.sheets.line(mark, look.size, side, baseline)
            if marker != BULLET:
                text, box, starts = _labelled(marker, set_line, box, marked)
        gap = JOINED if set_line.joined else WRAPPED
        return line(text, self.sheets.page, box, gap=gap, starts=starts)

    def _advance(self, look: _Look, *, shaded: bool = False) -> float:
        """Make room for a line and return its baseline."""
        height = look.size * _LEADING
        self.sheets.make_room(height)
        top = self.sheets.y
        if shaded:
            self.sheets.fill(Box(MARGIN, top, MARGIN + TEXT_WIDTH, top + height + 0.2), _CODE_GREY)
        self.sheets.y = top + height
        return top + (_LEADING - 1.25) / 2 * look.size + ASCENT * look.size


def _labelled(marker: str, set_line: SetLine, box: Box, marked: Box) -> tuple[str, Box, tuple[int, ...]]:
    """Text, box and word starts of a line that begins with a label of one word or more."""
    text, whole = f"{marker} {set_line.text}", box.union(marked)
    if " " in marker or not set_line.starts:
        return text, whole, ()
    shift = round(whole.x1 - box.x1 if set_line.starts[-1] < 0 else box.x0 - whole.x0)
    sign = -1 if box.x0 < marked.x0 else 1
    return text, whole, (0, *(at + sign * shift for at in set_line.starts))


def _warn_of_missing(fonts: Fonts, collector: Collector) -> None:
    missing = sorted(character for character in fonts.missing if not character.isspace())
    if missing:
        named = ", ".join(f"U+{ord(character):04X}" for character in missing[:_NAMED_MISSING])
        more = f" and {len(missing) - _NAMED_MISSING} more" if len(missing) > _NAMED_MISSING else ""
        collector.warn(
            "no_glyph", f"no font has {named}{more}: the page image shows a square there, the text is complete"
        )
