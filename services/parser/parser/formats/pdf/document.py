"""A PDF page by page: its text, what goes on from page to page, and what belongs to the pages themselves."""

from __future__ import annotations

import mmap
from typing import TYPE_CHECKING

import pypdfium2
import pypdfium2.raw as pdfium

from atoll.domain.block import Block, BlockKind
from parser.formats.pdf.blocks import Looks, blocks_of, label_of
from parser.formats.pdf.file import opened
from parser.formats.pdf.forms import Tick, shown_page
from parser.formats.pdf.frame import PageFrame
from parser.formats.pdf.glyphs import PageText, Run
from parser.formats.pdf.ink import InkTime
from parser.formats.pdf.joins import Joins
from parser.formats.pdf.layout import Row, columns
from parser.formats.pdf.lines import Vocabulary, lines_of
from parser.formats.pdf.margins import Furniture, without_line_numbers, without_side_texts
from parser.formats.pdf.rulings import Rulings, rulings
from parser.formats.pdf.spool import Column, Spool
from parser.formats.pdf.table_block import table_block
from parser.recognise.pages import compared, recognised, recognised_signs
from parser.text import on_one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from parser.collector import Collector

#: Pages that are read before the file is opened anew.
BATCH_PAGES = 50
#: Processor time that one document has for finding text that nobody sees: a third of what a child has.
_INK_SECONDS = 100.0
#: Pages after which what the file's mapping holds in memory is let go.
_DROPPED_PAGES = 20
_LABEL_CHARACTERS = 40
_MOST_SKIPPED = 1000


def read(data: mmap.mmap, collector: Collector) -> None:
    """Read a PDF's pages, text with boxes, and title into ``collector``.

    Pages are read in batches, for each of which the file is opened anew: pdfium keeps what a page has loaded until
    the file is closed. Only when all pages are known is it plain which rows are headings and which belong to the
    pages themselves; until then they are kept packed.

    Raises:
        DocumentUnreadable: see `parser.formats.pdf.file.opened`; or a page cannot be loaded.
        DocumentTooLarge: too many pages or characters.
    """
    spool, looks, vocabulary, furniture = Spool(), Looks(), Vocabulary(), Furniture()
    ink = InkTime(_INK_SECONDS)
    before = collector.page_count  # of what holds this document
    count, start = 1, 0
    while start < count:
        with opened(data, collector.password) as document:
            count = len(document)
            if start == 0:
                collector.limits.check_pages(count)
                collector.title = on_one_line(document.get_metadata_value("Title"))[:500] or None
            for index in range(start, min(start + BATCH_PAGES, count)):
                columns_of_page = _page(document, index, collector, ink)
                rows = [row for column in columns_of_page for row in column.rows]
                looks.see(rows)
                vocabulary.see(rows)
                furniture.see(rows, collector.heights[-1])
                spool.add(columns_of_page)
                if index % _DROPPED_PAGES == 0:
                    # What was read of the file is read again where it is needed; nobody has written to it.
                    data.madvise(mmap.MADV_DONTNEED)
        start += BATCH_PAGES
    if ink.is_spent:
        collector.warn(
            "not_looked_at",
            "the document is too long to look for unseen text on all of its pages; split the file if that matters",
        )
    words = vocabulary.words
    joins = Joins(collector, words)
    for number, columns_of_page in enumerate(spool.pages()):
        rows = [row for column in columns_of_page for row in column.rows]
        kinds = furniture.kinds(rows, collector.heights[before + number])
        for column in columns_of_page:
            _pass_on(column, kinds, looks, joins, words)
    joins.end()


def _pass_on(column: Column, kinds: Mapping[int, BlockKind], looks: Looks, joins: Joins, words: frozenset[str]) -> None:
    """Make the blocks of a column."""
    for row in column.rows:
        if kind := kinds.get(id(row)):
            joins.add(Block(kind, tuple(lines_of([row], words, row.box.x1))))
    text = [row for row in column.rows if id(row) not in kinds]
    right = max((row.box.x1 for row in text), default=0.0)
    for kind, level, group in blocks_of(text, looks) if text else ():
        if kind is BlockKind.TABLE:
            joins.add(table_block(group, column.rulings))
        else:
            is_full = group[-1].box.x1 > right - 2 * group[-1].height
            block = Block(kind, tuple(lines_of(group, words, right)), level, label_of(kind, group))
            joins.add(block, is_full=is_full, look=(group[-1].font, round(group[-1].height)))


def _page(document: pypdfium2.PdfDocument, index: int, collector: Collector, ink: InkTime) -> list[Column]:
    page, ticks = shown_page(document, index)
    try:
        width, height = page.get_size()
        number = collector.add_page(width, height, _label_of(document, index))
        return [Column(rows, lines) for rows, lines in _columns(page, number, ticks, collector, ink) if rows]
    finally:
        page.close()


def _label_of(document: pypdfium2.PdfDocument, index: int) -> str:
    """What the file calls a page, where that is not its number."""
    label = on_one_line(document.get_page_label(index))[:_LABEL_CHARACTERS]
    return "" if label == str(index + 1) else label


def _columns(
    page: pypdfium2.PdfPage, number: int, ticks: list[Tick], collector: Collector, ink: InkTime
) -> Iterator[tuple[list[Row], Rulings | None]]:
    text = PageText(page, collector.limits.page_glyphs, ink)
    shown = PageFrame(page, page.get_rotation())
    found = False
    try:
        runs, frame = text.runs(ticks), text.frame
        from_picture = recognised_signs(page, collector, text.unreadable, frame) if text.unreadable else []
        if from_picture:
            text.unreadable = []
            runs = [*runs, *from_picture]
        if text.is_layer and (told := compared(page, runs, collector)):
            runs, foreign = told
            text.is_layer = False
            _tell_foreign(foreign, number, frame, shown, collector)
        if not runs and not text.is_overfull and not text.unreadable and pdfium.FPDFPage_CountObjects(page.raw):
            written = recognised(page, number, collector)
            runs, frame = (written.runs, written.frame) if written else (runs, frame)
            found = True
        lines = rulings(page, frame)
        runs, sides = without_side_texts(runs)
        runs, numbers = without_line_numbers(runs)
        beside = [[Row.of(run)] for run in sides]
        for rows in (*columns(runs, lines), *beside, [Row.of(run, is_margin=True) for run in numbers]):
            for row in rows:
                row.page = number
                collector.look_for_hiding(row.text, number)
                row.text = on_one_line(row.text)
                collector.count_characters(len(row.text))
                # Where the reader sees it; what decides about blocks below stays in the text's own direction.
                row.shown = shown.box(*frame.rectangle(row.box))
                row.is_turned = frame.rotation != shown.rotation
                for run in row.runs:
                    run.shown = shown.box(*frame.rectangle(run.box))
            kept = [row for row in rows if row.text]
            found = found or bool(kept)
            yield kept, lines if any(row.table for row in kept) else None
        for kind, words in (("unreadable", text.unreadable), ("off_page", text.outside), ("hidden", text.hidden)):
            for word in words[:_MOST_SKIPPED]:
                box = shown.box(*text.frame.rectangle(word.box))
                collector.skip(kind, number, box, "" if kind == "unreadable" else on_one_line(word.text))
        _warn(number, collector, text, found=found)
    finally:
        text.close()


def _tell_foreign(foreign: list[Run], number: int, frame: PageFrame, shown: PageFrame, collector: Collector) -> None:
    """Leave out what an invisible layer says and the picture under it does not show."""
    for run in foreign[:_MOST_SKIPPED]:
        collector.skip("hidden", number, shown.box(*frame.rectangle(run.box)), run.text)
    if foreign:
        collector.warn(
            "hidden_text",
            "the page is a picture with an invisible text over it; what the picture does not show of it is left out",
            number,
        )


def _warn(number: int, collector: Collector, text: PageText, *, found: bool) -> None:
    if text.is_overfull:
        collector.warn(
            "too_many_glyphs",
            f"the page holds {text.glyphs} signs and was not read; the limit is {collector.limits.page_glyphs} "
            "(ATOLL_PARSER__MAX_PAGE_GLYPHS)",
            number,
        )
        return
    if text.outside:
        collector.warn("off_page", "text that lies outside the page was left out", number)
    if text.hidden:
        collector.warn("hidden_text", "the page holds text that nobody sees; it is left out of searches", number)
    if text.is_layer:
        collector.warn(
            "unverified_layer",
            "the page is a picture with an invisible text over it, which was not compared with the picture",
            number,
        )
    if text.unreadable:
        collector.warn(
            "unreadable_text", "a font of the page does not say which letters its signs are; they were left out", number
        )
    elif not found:
        collector.warn("empty_page", "the page is empty", number)
