"""From pdfium's characters to words: their letters, raised digits, ligatures, and what no font maps to letters."""

from __future__ import annotations

from ctypes import byref, c_double
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pypdfium2.raw as pdfium

from atoll.domain.page import Box
from parser.raised import lowered, raised
from parser.typeset.bidi import has_right_to_left

if TYPE_CHECKING:
    from collections.abc import Iterator

    from parser.formats.pdf.frame import PageFrame

#: What pdfium gives for a hyphen that it takes for one of word division.
_DIVISION = 2
_SPACES = frozenset({0x20, 0x09, 0xA0, 0x3000})
_LINE_FEED = 0x0A
_BREAKS = frozenset({_LINE_FEED, 0x0D, _DIVISION})
_ENDS = _SPACES | _BREAKS
#: Ligatures of TeX's fonts, which have control codes for them.
_LIGATURES = {0x0B: "ff", 0x0C: "fi", 0x0D: "fl", 0x0E: "ffi", 0x0F: "ffl"}
_UNMAPPED = "\ufffd"
_FIRST_VISIBLE = 0x20
_CONTROLS = range(0x7F, 0xA0)
_PRIVATE = range(0xE000, 0xF900)
#: Type of a raised or lowered character in comparison to those beside it, and by what part of a line it is moved.
_SMALLER, _MOVED = 0.88, 0.12
#: Part of a word's characters without letters from which the word is not readable.
_UNREADABLE = 0.3


@dataclass(slots=True)
class Word:
    """Characters without a blank between them; ``height`` is the line's, whichever letters stand in it.

    ``start`` is the index of the first in pdfium's text; ``is_readable`` is false where its font does not say which
    letters its signs are.
    """

    start: int
    text: str
    box: Box
    height: float
    begins_line: bool = False
    space_follows: bool = False
    is_readable: bool = True


def words(raw: pdfium.FPDF_TEXTPAGE, frame: PageFrame) -> Iterator[Word]:
    """The words of a page in the order in which the file draws them, with boxes in ``frame``."""
    unicode_at = pdfium.FPDFText_GetUnicode
    count = pdfium.FPDFText_CountChars(raw)
    codes: list[int] = []
    start, begins_line = 0, True
    for index in range(count + 1):
        code = unicode_at(raw, index) if index < count else _LINE_FEED
        if code not in _ENDS or (code == _DIVISION and _is_unmapped(raw, index)):
            codes.append(code)
            continue
        if code == _DIVISION:
            # pdfium runs a divided word on into the next line; the hyphen is the last that stands on this one.
            codes.append(code)
        if codes:
            word = _word(raw, start, codes, frame)
            if word is not None:
                word.begins_line = begins_line
                word.space_follows = code in _SPACES
                yield word
                begins_line = False
            codes = []
        begins_line = begins_line or code in _BREAKS
        start = index + 1


def baseline(raw: pdfium.FPDF_TEXTPAGE, index: int, frame: PageFrame) -> float:
    """How far down the page a character stands, in points of ``frame``."""
    x, y = c_double(), c_double()
    pdfium.FPDFText_GetCharOrigin(raw, index, byref(x), byref(y))
    return frame.box(x.value, y.value, x.value, y.value).y0


def _word(raw: pdfium.FPDF_TEXTPAGE, start: int, codes: list[int], frame: PageFrame) -> Word | None:
    """The word of these characters, or None if it has no place on the page."""
    left, top, right, bottom = c_double(), c_double(), c_double(), c_double()
    box: Box | None = None
    for index in range(pdfium.FPDFText_CountRects(raw, start, len(codes))):
        if pdfium.FPDFText_GetRect(raw, index, byref(left), byref(top), byref(right), byref(bottom)):
            rect = frame.box(left.value, bottom.value, right.value, top.value)
            box = box.union(rect) if box else rect
    if box is None or box.x1 <= box.x0:
        return None
    loose = pdfium.FS_RECTF()
    height = box.y1 - box.y0
    if pdfium.FPDFText_GetLooseCharBox(raw, start, byref(loose)):
        around = frame.box(loose.left, loose.bottom, loose.right, loose.top)
        height = around.y1 - around.y0 or height
    letters = [_letter(raw, start + at, code) for at, code in enumerate(codes)]
    is_readable = letters.count(_UNMAPPED) < _UNREADABLE * len(letters) or all(code == 0xFFFD for code in codes)  # noqa: PLR2004
    text = "".join(letters)
    if len(letters) > 1:
        if any(map(str.isdecimal, text)):
            text = _with_shifted(raw, start, letters, height, frame)
        elif has_right_to_left(text):
            text = _in_logical_order(raw, start, letters)
    return Word(start, text, box, height, is_readable=is_readable)


def _letter(raw: pdfium.FPDF_TEXTPAGE, index: int, code: int) -> str:
    if code == _DIVISION and not _is_unmapped(raw, index):
        return "-"
    if code >= _FIRST_VISIBLE and code not in _CONTROLS and code not in _PRIVATE:
        return chr(code)
    if not _is_unmapped(raw, index):
        return chr(code)
    return _LIGATURES.get(code, _UNMAPPED)


def _is_unmapped(raw: pdfium.FPDF_TEXTPAGE, index: int) -> bool:
    return bool(pdfium.FPDFText_HasUnicodeMapError(raw, index) == 1)


def _with_shifted(raw: pdfium.FPDF_TEXTPAGE, start: int, letters: list[str], height: float, frame: PageFrame) -> str:
    """A word with its raised and lowered characters as such: "10" and a small, raised "6" are no 106."""
    sizes = [pdfium.FPDFText_GetFontSize(raw, start + at) for at in range(len(letters))]
    largest = max(sizes)
    if min(sizes) >= _SMALLER * largest:
        return "".join(letters)
    line = baseline(raw, start + sizes.index(largest), frame)
    text, at = "", 0
    while at < len(letters):
        end = at + 1
        while end < len(letters) and (sizes[end] < _SMALLER * largest) == (sizes[at] < _SMALLER * largest):
            end += 1
        part = "".join(letters[at:end])
        if sizes[at] < _SMALLER * largest:
            up = line - baseline(raw, start + at, frame)
            part = (
                raised(part, text) if up > _MOVED * height else lowered(part, text) if -up > _MOVED * height else part
            )
        text, at = text + part, end
    return text


def _in_logical_order(raw: pdfium.FPDF_TEXTPAGE, start: int, letters: list[str]) -> str:
    """A right-to-left word whose ligatures pdfium has turned around with the rest: one sign stands for its letters."""
    places: list[tuple[float, float]] = []
    x, y = c_double(), c_double()
    for at in range(len(letters)):
        pdfium.FPDFText_GetCharOrigin(raw, start + at, byref(x), byref(y))
        places.append((x.value, y.value))
    at = 0
    while at + 1 < len(letters):
        end = at + 1
        while end < len(letters) and places[end] == places[at]:
            end += 1
        if end - at > 1:
            letters[at:end] = reversed(letters[at:end])
        at = end
    return "".join(letters)
