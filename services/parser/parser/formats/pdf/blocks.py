"""From rows to blocks: headings by size, list items by their marker, paragraphs by distance, indent and last lines."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING

import pypdfium2
import pypdfium2.raw as pdfium

from atoll.domain.block import JOINED, WRAPPED, Block, BlockKind, Cell, Line
from atoll.domain.block import Row as TableRow
from atoll.errors import DocumentUnreadable
from parser.collector import Collector, line
from parser.formats.pdf.file import opened
from parser.formats.pdf.glyphs import PageFrame, PageText
from parser.formats.pdf.layout import Row, columns
from parser.formats.pdf.tables import placed
from parser.text import BROKEN_ANYWHERE, on_one_line

if TYPE_CHECKING:
    import mmap
    from collections.abc import Iterator

#: A heading is set so much larger than the text around it, and is short.
_HEADING_RATIO = 1.15
_HEADING_CHARACTERS = 200
_HEADING_ROWS = 3
_MOST_LEVELS = 6
_SAME_SIZE = 0.08
_WIDE_PITCH = 1.3
_INDENT = 0.8
_SHORT_LINE = 0.8
_LIST_MARKER = re.compile(
    r"(?:[\u2022\u25e6\u25aa\u2023\u25cf\u25cb\u25a0\u2013\u2014*-]|\(?(?:\d{1,3}|[a-zA-Z]|[ivx]{1,5})[.)])\s+\S"
)
_SENTENCE_END = re.compile(r"[.!?:\u3002\uff01\uff1f\u061f]['\"\u201d\u2019)\]]*$")
_CLAUSE_END = re.compile(r"[.,;:]$")
_WORD = re.compile(rf"[^\W\d_]{{2}}|{BROKEN_ANYWHERE.pattern}")
#: A word's first part at a line's end, its rest at the next one's start, and words that were not divided.
_DIVIDED = re.compile(r"([^\W\d_]{2,})[-\u2010]$")
_REST = re.compile(r"[^\W\d_A-Z]+")
_WHOLE_WORD = re.compile(r"(?<![\w-])[^\W\d_]{4,}(?![\w-])")
_CAPTION = re.compile(r"(?:Figure|Fig\.|Table|Abbildung|Tabelle|Tableau|Figura|Tabla)\s+[\dA-Z][\d.\-]*\b")


@dataclass(slots=True)
class _Column:
    page: int
    rows: list[Row]


def read(data: mmap.mmap, collector: Collector) -> None:
    """Read a PDF's pages, text with boxes, and title into ``collector``.

    Raises:
        DocumentUnreadable: see `parser.formats.pdf.file.opened`; or a page cannot be loaded.
        DocumentTooLarge: too many pages or characters.
    """
    found: list[_Column] = []
    with opened(data) as document:
        collector.limits.check_pages(len(document))
        collector.title = on_one_line(document.get_metadata_value("Title"))[:500] or None
        for index in range(len(document)):
            found += _page(document, index, collector)
    looks = _Looks(found)
    words = _vocabulary(found)
    for column in found:
        for kind, level, rows in _blocks(column.rows, looks):
            if kind is BlockKind.TABLE:
                collector.add(_table(rows, column.page))
            else:
                collector.add(Block(kind, tuple(_lines(rows, column.page, words)), level, _label(kind, rows)))


def _page(document: pypdfium2.PdfDocument, index: int, collector: Collector) -> list[_Column]:
    try:
        page = document[index]
    except pypdfium2.PdfiumError as err:
        raise DocumentUnreadable(f"page {index + 1} is damaged and cannot be read", page=index + 1) from err
    try:
        number = collector.add_page(*page.get_size())
        found = [_Column(number, rows) for rows in _columns(page, number, collector) if rows]
        if not found:
            _warn_of_no_text(page, number, collector)
        return found
    finally:
        page.close()


def _columns(page: pypdfium2.PdfPage, number: int, collector: Collector) -> Iterator[list[Row]]:
    text = PageText(page)
    shown = PageFrame(page, page.get_rotation())
    try:
        for rows in columns(text.runs()):
            for row in rows:
                collector.look_for_hiding(row.text, number)
                row.text = on_one_line(row.text)
                collector.count_characters(len(row.text))
                # Where the reader sees it; what decides about blocks below stays in the text's own direction.
                row.shown = shown.box(*text.frame.rectangle(row.box))
                for run in row.runs:
                    run.shown = shown.box(*text.frame.rectangle(run.box))
            yield [row for row in rows if row.text]
    finally:
        text.close()


def _warn_of_no_text(page: pypdfium2.PdfPage, number: int, collector: Collector) -> None:
    if pdfium.FPDFPage_CountObjects(page.raw):
        collector.warn("no_text_layer", "the page has no text layer, and pictures are not read", number)
    else:
        collector.warn("empty_page", "the page is empty", number)


class _Looks:
    """How this document sets its text and its headings."""

    def __init__(self, found: list[_Column]) -> None:
        weights: Counter[float] = Counter()
        fonts: Counter[str] = Counter()
        for column in found:
            for row in column.rows:
                weights[_size(row)] += len(row.text)
                fonts[row.font] += len(row.text) if row.font else 0
        self._body = weights.most_common(1)[0][0] if weights else 0.0
        self._font = fonts.most_common(1)[0][0] if fonts else ""
        larger = sorted((size for size in weights if size >= self._body * _HEADING_RATIO), reverse=True)
        self._levels = {size: min(rank, _MOST_LEVELS) for rank, size in enumerate(larger, start=1)}

    def heading_level(self, group: list[Row]) -> int:
        """The level of a heading: by size, the largest first; below those what is set in a font of its own. Else 0."""
        text = " ".join(row.text for row in group)
        if len(group) > _HEADING_ROWS or len(text) > _HEADING_CHARACTERS or not _WORD.search(text):
            return 0
        size, font = _size(group[0]), group[0].font
        if size in self._levels:
            return self._levels[size]
        is_apart = font and font != self._font and all(row.font == font for row in group)
        if is_apart and size >= self._body and not _CLAUSE_END.search(text):
            return min(len(self._levels) + 1, _MOST_LEVELS)
        return 0


def _size(row: Row) -> float:
    return round(row.height * 2) / 2


def _blocks(rows: list[Row], looks: _Looks) -> Iterator[tuple[BlockKind, int, list[Row]]]:
    for group in _paragraphs(rows):
        first = group[0].text
        if group[0].is_table:
            yield BlockKind.TABLE, 0, group
        elif _CAPTION.match(first):
            yield BlockKind.CAPTION, 0, group
        elif level := looks.heading_level(group):
            yield BlockKind.HEADING, level, group
        elif _LIST_MARKER.match(first):
            yield BlockKind.LIST_ITEM, 0, group
        else:
            yield BlockKind.PARAGRAPH, 0, group


def _paragraphs(rows: list[Row]) -> Iterator[list[Row]]:
    pitches = [below.box.y1 - above.box.y1 for above, below in pairwise(rows)]
    usual = median(pitches) if pitches else 0.0
    left, right = min(row.box.x0 for row in rows), max(row.box.x1 for row in rows)
    group: list[Row] = []
    for row in rows:
        if group and _parts(group, row, usual, left, right):
            yield group
            group = []
        group.append(row)
    if group:
        yield group


def _parts(group: list[Row], row: Row, usual_pitch: float, left: float, right: float) -> bool:
    """Whether a new block begins at ``row``."""
    before = group[-1]
    if row.is_table or before.is_table:
        return not (row.is_table and before.is_table)
    if _LIST_MARKER.match(row.text):
        return True
    other_size = abs(row.height - before.height) > _SAME_SIZE * max(row.height, before.height)
    if other_size or (row.font and before.font and row.font != before.font):
        return True
    pitch = row.box.y1 - before.box.y1
    allowed = max(usual_pitch, row.height) * _WIDE_PITCH
    if not 0 < pitch <= allowed:
        return True
    is_indented = row.box.x0 - before.box.x0 > _INDENT * row.height
    follows_list_marker = len(group) == 1 and _LIST_MARKER.match(before.text) is not None
    if is_indented and not follows_list_marker:
        return True
    ended_short = before.box.x1 < left + (right - left) * _SHORT_LINE
    return ended_short and _SENTENCE_END.search(before.text) is not None


def _vocabulary(found: list[_Column]) -> frozenset[str]:
    """The document's words, as evidence on what was divided at line ends; empty if nothing was."""
    if not any(_DIVIDED.search(row.text) for column in found for row in column.rows):
        return frozenset()
    return frozenset(
        word for column in found for row in column.rows for word in _WHOLE_WORD.findall(row.text.casefold())
    )


def _lines(rows: list[Row], page: int, words: frozenset[str]) -> list[Line]:
    right = max(row.box.x1 for row in rows)
    lines: list[Line] = []
    for row, after in zip(rows, [*rows[1:], None], strict=True):
        text, joined = row.text, False
        if after is not None:
            divided, rest = _DIVIDED.search(row.text), _REST.match(after.text)
            if divided and rest:
                joined = True
                # The hyphen goes only if the document itself writes the word without it elsewhere.
                if (divided[1] + rest[0]).casefold() in words:
                    text = row.text[:-1]
            else:
                joined = row.box.x1 > right - 2 * row.height and _is_unspaced_break(row, after)
        lines.append(line(text, page, row.shown, gap=JOINED if joined else WRAPPED))
    return lines


def _table(rows: list[Row], page: int) -> Block:
    return Block(
        BlockKind.TABLE,
        (),
        rows=tuple(
            TableRow(
                tuple(
                    Cell(
                        tuple(line(on_one_line(run.text), page, run.shown or run.box) for run in runs),
                        column,
                        columns,
                        is_header=number == 0,
                    )
                    for column, columns, runs in cells
                ),
                is_header=number == 0,
            )
            for number, cells in enumerate(placed(rows))
        ),
    )


def _label(kind: BlockKind, rows: list[Row]) -> str:
    if kind is not BlockKind.LIST_ITEM:
        return ""
    label = rows[0].text.split(" ", 1)[0]
    return label if any(map(str.isalnum, label)) else ""


def _is_unspaced_break(row: Row, after: Row) -> bool:
    """Whether a script that is broken anywhere goes on in the next row without a space."""
    return (
        row.ends_open
        and BROKEN_ANYWHERE.match(row.text[-1]) is not None
        and BROKEN_ANYWHERE.match(after.text[0]) is not None
    )
