"""Looks at a PDF independently of the parser: what pdfium finds inside a box of the page as it is shown."""

from __future__ import annotations

import ctypes
import unicodedata
from collections import Counter
from typing import TYPE_CHECKING

import pypdfium2
import pypdfium2.raw as pdfium

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from atoll.domain.block import Line
    from atoll.domain.page import Box
    from atoll.domain.parsed import ParsedDocument

_FINE = 20
_STRAY_LETTERS = 2


def cut_out(page: pypdfium2.PdfPage, box: Box, slack: float = 1.0) -> str:
    """The text that stands in a box; pdfium itself maps the shown page back to the file's coordinates."""
    width, height = page.get_size()
    corners = []
    for x, y in ((box.x0 - slack, box.y0 - slack), (box.x1 + slack, box.y1 + slack)):
        page_x, page_y = ctypes.c_double(), ctypes.c_double()
        size = (int(width * _FINE), int(height * _FINE))
        assert pdfium.FPDF_DeviceToPage(
            page.raw, 0, 0, *size, 0, int(x * _FINE), int(y * _FINE), ctypes.byref(page_x), ctypes.byref(page_y)
        )
        corners.append((page_x.value, page_y.value))
    (x0, y0), (x1, y1) = corners
    textpage = page.get_textpage()
    try:
        return textpage.get_text_bounded(min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1))
    finally:
        textpage.close()


def letters(text: str) -> Counter[str]:
    """What stays the same however a text is ordered, joined or spaced: letters and digits, folded."""
    return Counter(c for c in unicodedata.normalize("NFKC", text).casefold() if c.isalnum())


def lines_not_in_their_boxes(document: ParsedDocument, pdf: Path) -> list[Line]:
    """The lines of which a letter is missing from the box cut out of the page."""
    return _lines_where(document, pdf, lambda page, line: bool(letters(line.text) - letters(cut_out(page, line.box))))


def lines_with_strangers_in_their_boxes(document: ParsedDocument, pdf: Path) -> list[Line]:
    """The lines whose box, a little shrunk, holds more than a letter or two of another line."""
    return _lines_where(
        document,
        pdf,
        lambda page, line: (letters(cut_out(page, line.box, slack=-0.5)) - letters(line.text)).total() > _STRAY_LETTERS,
    )


def _lines_where(document: ParsedDocument, pdf: Path, holds: Callable[[pypdfium2.PdfPage, Line], bool]) -> list[Line]:
    opened = pypdfium2.PdfDocument(pdf)
    pages = [opened[index] for index in range(len(opened))]
    try:
        return [line for block in document.blocks for line in block.all_lines if holds(pages[line.page - 1], line)]
    finally:
        for page in pages:
            page.close()
        opened.close()
