"""From pdfium's characters to words: their letters, raised digits, ligatures, and what no font maps to letters."""

from __future__ import annotations

import re
from ctypes import byref, c_double, c_ushort
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
_DIGIT = re.compile("[0-9]")
_CONTROLS = range(0x7F, 0xA0)
_PRIVATE = range(0xE000, 0xF900)
#: Type of a raised or lowered character in comparison to those beside it, and by what part of a line it is moved.
_SMALLER, _MOVED = 0.88, 0.12
#: Characters that are compared before a page's text is taken as a whole.
_SAMPLED = 40
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
    reader, codes = _WordReader(raw, frame), _codes(raw)
    start, begins_line = 0, True
    for index, code in enumerate((*codes, _LINE_FEED)):
        if code not in _ENDS or (code == _DIVISION and _is_unmapped(raw, index)):
            continue
        # pdfium runs a divided word on into the next line; the hyphen is the last that stands on this one.
        end = index + 1 if code == _DIVISION else index
        if end > start:
            word = reader.word(start, codes[start:end])
            if word is not None:
                word.begins_line = begins_line
                word.space_follows = code in _SPACES
                yield word
                begins_line = False
        begins_line = begins_line or code in _BREAKS
        start = index + 1


def _codes(raw: pdfium.FPDF_TEXTPAGE) -> list[int]:
    """The characters of a page as pdfium numbers them."""
    count = pdfium.FPDFText_CountChars(raw)
    if count <= 0:
        return []
    whole = (c_ushort * (count + 1))()
    written = pdfium.FPDFText_GetText(raw, 0, count, whole)
    codes = list(whole)[:count]
    sampled = range(0, count, max(1, count // _SAMPLED))
    # All at once where that gives each character its own place, which characters without a code would shift.
    if written == count + 1 and all(pdfium.FPDFText_GetUnicode(raw, at) == codes[at] for at in (*sampled, count - 1)):
        return codes
    return [pdfium.FPDFText_GetUnicode(raw, at) for at in range(count)]


def baseline(raw: pdfium.FPDF_TEXTPAGE, index: int, frame: PageFrame) -> float:
    """How far down the page a character stands, in points of ``frame``."""
    x, y = c_double(), c_double()
    pdfium.FPDFText_GetCharOrigin(raw, index, byref(x), byref(y))
    return frame.box(x.value, y.value, x.value, y.value).y0


class _WordReader:
    """Asks pdfium for the place and the letters of words; what it answers into is made once a page."""

    def __init__(self, raw: pdfium.FPDF_TEXTPAGE, frame: PageFrame) -> None:
        self._raw = raw
        self._frame = frame
        self._sides = c_double(), c_double(), c_double(), c_double()
        self._side_refs = tuple(map(byref, self._sides))
        self._loose = pdfium.FS_RECTF()
        self._loose_ref = byref(self._loose)

    def word(self, start: int, codes: list[int]) -> Word | None:
        """The word of these characters, or None if it has no place on the page."""
        box = self._box(start, len(codes))
        if box is None or box.x1 <= box.x0:
            return None
        height = box.y1 - box.y0
        if pdfium.FPDFText_GetLooseCharBox(self._raw, start, self._loose_ref):
            loose = self._loose
            around = self._frame.box(loose.left, loose.bottom, loose.right, loose.top)
            height = around.y1 - around.y0 or height
        if min(codes) >= _FIRST_VISIBLE and max(codes) < _CONTROLS.start:
            text = "".join(map(chr, codes))
            if len(codes) > 1 and not text.isalpha() and _DIGIT.search(text):
                text = _with_shifted(self._raw, start, list(text), height, self._frame)
            return Word(start, text, box, height)
        return self._of_letters(start, codes, box, height)

    def _box(self, start: int, count: int) -> Box | None:
        left, top, right, bottom = self._sides
        box: Box | None = None
        for index in range(pdfium.FPDFText_CountRects(self._raw, start, count)):
            if pdfium.FPDFText_GetRect(self._raw, index, *self._side_refs):
                rect = self._frame.box(left.value, bottom.value, right.value, top.value)
                box = box.union(rect) if box else rect
        return box

    def _of_letters(self, start: int, codes: list[int], box: Box, height: float) -> Word:
        letters = [_letter(self._raw, start + at, code) for at, code in enumerate(codes)]
        is_readable = letters.count(_UNMAPPED) < _UNREADABLE * len(letters)
        text = "".join(letters)
        if len(letters) > 1:
            if any(map(str.isdecimal, text)):
                text = _with_shifted(self._raw, start, letters, height, self._frame)
            elif has_right_to_left(text):
                text = _in_logical_order(self._raw, start, letters)
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
