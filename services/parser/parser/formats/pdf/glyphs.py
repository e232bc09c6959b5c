"""From pdfium's characters to runs of words on one line, in the coordinates of the page as it is shown."""

from __future__ import annotations

from collections import Counter
from ctypes import byref, c_double, create_string_buffer
from dataclasses import dataclass
from math import atan2, degrees
from typing import TYPE_CHECKING

import pypdfium2.raw as pdfium

from atoll.domain.page import Box

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pypdfium2

#: What pdfium gives for a hyphen that it takes for one of word division.
_DIVISION = 2
_SPACES = frozenset({0x20, 0x09, 0xA0, 0x3000})
_LINE_FEED = 0x0A
_BREAKS = frozenset({_LINE_FEED, 0x0D, _DIVISION})
_ENDS = _SPACES | _BREAKS
#: A gap of so many line heights within a line parts columns or table cells.
_PARTING_GAP = 0.9
#: pdfium ends a line at a shift of the baseline, as in a fraction; so small a gap shows that it goes on.
_SHIFTED_GAP = 0.25
_SPACE_GAP = 0.12
_FONT_NAME_BYTES = 128
_SAMPLED_CHARACTERS = 30
_LEAST_OVERLAP = 0.5


@dataclass(slots=True)
class Run:
    """Words that follow each other on one line; ``height`` is the line's, whichever letters stand in it.

    ``font`` is the name of the font if the run begins and ends in it, else empty. ``ends_open`` says that the line
    broke off without a space: inside a word of a script that is broken anywhere. ``shown`` is the box on the page as
    it is shown.
    """

    text: str
    box: Box
    height: float
    words: int
    font: str
    ends_open: bool = False
    shown: Box | None = None


class PageFrame:
    """Coordinates of a page turned clockwise by ``rotation`` degrees: points, origin at its top left."""

    def __init__(self, page: pypdfium2.PdfPage, rotation: int) -> None:
        self._left, self._bottom, self._right, self._top = page.get_bbox()
        self.rotation = rotation

    def box(self, left: float, bottom: float, right: float, top: float) -> Box:
        """The box of a rectangle in PDF coordinates (origin bottom left, unturned)."""
        match self.rotation:
            case 90:
                return Box(bottom - self._bottom, left - self._left, top - self._bottom, right - self._left)
            case 180:
                return Box(self._right - right, bottom - self._bottom, self._right - left, top - self._bottom)
            case 270:
                return Box(self._top - top, self._right - right, self._top - bottom, self._right - left)
            case _:
                return Box(left - self._left, self._top - top, right - self._left, self._top - bottom)

    def rectangle(self, box: Box) -> tuple[float, float, float, float]:
        """The inverse of `box`: left, bottom, right, top in PDF coordinates."""
        match self.rotation:
            case 90:
                return (box.y0 + self._left, box.x0 + self._bottom, box.y1 + self._left, box.x1 + self._bottom)
            case 180:
                return (self._right - box.x1, box.y0 + self._bottom, self._right - box.x0, box.y1 + self._bottom)
            case 270:
                return (self._right - box.y1, self._top - box.x1, self._right - box.y0, self._top - box.x0)
            case _:
                return (box.x0 + self._left, self._top - box.y1, box.x1 + self._left, self._top - box.y0)


class PageText:
    """The text of one page, and the frame in which most of it stands upright."""

    def __init__(self, page: pypdfium2.PdfPage) -> None:
        self._textpage = page.get_textpage()
        self.frame = PageFrame(page, _reading_rotation(self._textpage.raw))

    def runs(self) -> list[Run]:
        """The text as runs, in the order in which the file draws them, with boxes in ``frame``."""
        raw = self._textpage.raw
        return _joined(raw, _words(raw, self.frame))

    def close(self) -> None:
        """Free pdfium's copy."""
        self._textpage.close()


def _reading_rotation(raw: pdfium.FPDF_TEXTPAGE) -> int:
    """By how much the page must be turned clockwise for most of its text to run from left to right."""
    count = pdfium.FPDFText_CountChars(raw)
    matrix = pdfium.FS_MATRIX()
    turns: Counter[int] = Counter()
    for index in range(0, count, max(1, count // _SAMPLED_CHARACTERS)):
        if pdfium.FPDFText_GetMatrix(raw, index, byref(matrix)):
            turns[round(degrees(atan2(matrix.b, matrix.a)) / 90) * 90 % 360] += 1
    return turns.most_common(1)[0][0] if turns else 0


@dataclass(slots=True)
class _Word:
    start: int
    text: str
    box: Box
    height: float
    begins_line: bool
    space_follows: bool


def _words(raw: pdfium.FPDF_TEXTPAGE, frame: PageFrame) -> Iterator[_Word]:
    count = pdfium.FPDFText_CountChars(raw)
    unicode_at = pdfium.FPDFText_GetUnicode
    start, begins_line = 0, True
    for index in range(count + 1):
        code = unicode_at(raw, index) if index < count else _LINE_FEED
        if code not in _ENDS:
            continue
        # pdfium runs a divided word on into the next line; the hyphen is the last that stands on this one.
        end = index + 1 if code == _DIVISION else index
        if end > start:
            word = _word(raw, start, end, frame)
            if word is not None:
                word.begins_line = begins_line
                word.space_follows = code in _SPACES
                yield word
                begins_line = False
        begins_line = begins_line or code in _BREAKS
        start = index + 1


def _word(raw: pdfium.FPDF_TEXTPAGE, start: int, end: int, frame: PageFrame) -> _Word | None:
    """The word of these characters, or None if it has no place on the page."""
    left, top, right, bottom = c_double(), c_double(), c_double(), c_double()
    box: Box | None = None
    for index in range(pdfium.FPDFText_CountRects(raw, start, end - start)):
        if pdfium.FPDFText_GetRect(raw, index, byref(left), byref(top), byref(right), byref(bottom)):
            rect = frame.box(left.value, bottom.value, right.value, top.value)
            box = box.union(rect) if box else rect
    if box is None or box.x1 <= box.x0:
        return None
    codes = (pdfium.FPDFText_GetUnicode(raw, index) for index in range(start, end))
    text = "".join("-" if code == _DIVISION else chr(code) for code in codes)
    loose = pdfium.FS_RECTF()
    height = box.y1 - box.y0
    if pdfium.FPDFText_GetLooseCharBox(raw, start, byref(loose)):
        around = frame.box(loose.left, loose.bottom, loose.right, loose.top)
        height = around.y1 - around.y0 or height
    return _Word(start, text, box, height, begins_line=False, space_follows=False)


def _joined(raw: pdfium.FPDF_TEXTPAGE, words: Iterator[_Word]) -> list[Run]:
    found: list[Run] = []
    run: Run | None = None
    before: _Word | None = None
    for word in words:
        gap = _gap_within_line(run, word) if run else None
        if run and before and gap is not None and (not word.begins_line or gap <= _SHIFTED_GAP * run.height):
            spaced = gap > _SPACE_GAP * run.height if word.begins_line else before.space_follows
            run.text += (" " if spaced else "") + word.text
            run.box = run.box.union(word.box)
            run.height = max(run.height, word.height)
            run.words += 1
        else:
            _finish(raw, run, before)
            run = Run(word.text, word.box, word.height, words=1, font=_font(raw, word))
            found.append(run)
        before = word
    _finish(raw, run, before)
    return found


def _finish(raw: pdfium.FPDF_TEXTPAGE, run: Run | None, last: _Word | None) -> None:
    """What is known of a run only when its last word is."""
    if run and last:
        run.ends_open = not last.space_follows
        if run.words > 1 and run.font != _font(raw, last):
            run.font = ""


def _font(raw: pdfium.FPDF_TEXTPAGE, word: _Word) -> str:
    name = create_string_buffer(_FONT_NAME_BYTES)
    size = pdfium.FPDFText_GetFontInfo(raw, word.start, name, _FONT_NAME_BYTES, None)
    return name.value.decode("utf-8", "replace") if 0 < size <= _FONT_NAME_BYTES else ""


def _gap_within_line(run: Run, word: _Word) -> float | None:
    """White between a run and a word that stands beside it, in points, or None if it stands elsewhere."""
    overlap = min(run.box.y1, word.box.y1) - max(run.box.y0, word.box.y0)
    if overlap < _LEAST_OVERLAP * min(run.box.y1 - run.box.y0, word.box.y1 - word.box.y0):
        return None
    gap = max(word.box.x0 - run.box.x1, run.box.x0 - word.box.x1)
    return gap if gap <= _PARTING_GAP * max(run.height, word.height) else None
