"""From words to runs of words on one line, in the coordinates of the page as it is shown."""

from __future__ import annotations

from collections import Counter
from ctypes import byref, create_string_buffer
from dataclasses import dataclass, field
from math import atan2, degrees
from typing import TYPE_CHECKING

import pypdfium2.raw as pdfium

from atoll.domain.block import Source
from atoll.domain.page import Box
from parser.formats.pdf.frame import PageFrame
from parser.formats.pdf.ink import InkTime, sight
from parser.formats.pdf.words import Word, baseline, words
from parser.raised import lowered, raised

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pypdfium2

    from parser.formats.pdf.forms import Tick

#: A gap of so many line heights within a line parts columns or table cells.
_PARTING_GAP = 0.9
#: A number that begins a line so far before the words is not one of them: it counts lines, or rows.
_NUMBER_GAP = 0.55
#: pdfium ends a line at a shift of the baseline, as in a fraction; so small a gap shows that it goes on.
_SHIFTED_GAP = 0.25
_SPACE_GAP = 0.12
_FONT_NAME_BYTES = 128
_SAMPLED_CHARACTERS = 30
_LEAST_OVERLAP = 0.5
#: A word that is so much taller than it is wide may run up the page.
_TALL = 1.2
#: Type of a raised or lowered word in comparison to the line's, and by what part of the line it is moved.
_SMALLER, _MOVED, _LONGEST_SHIFTED = 0.85, 0.15, 6
#: A letter at a paragraph's beginning that is so much taller than its words, and how far it stands from them.
_CAP_RATIO, _CAP_GAP, _LONGEST_CAP = 1.6, 1.2, 2


@dataclass(slots=True)
class Run:
    """Words that follow each other on one line; ``height`` is the line's, whichever letters stand in it.

    ``font`` is the name of the font if the run begins and ends in it, else empty. ``ends_open`` says that the line
    broke off without a space: inside a word of a script that is broken anywhere. ``shown`` is the box on the page as
    it is shown; ``places`` are the left and right edges of its blank-separated words. ``is_upright`` marks words that
    run up or down the page.
    """

    text: str
    box: Box
    height: float
    words: int
    font: str
    ends_open: bool = False
    shown: Box | None = None
    places: list[tuple[float, float]] = field(default_factory=list)
    source: Source = Source.LAYER
    cap_bottom: float = 0.0
    is_upright: bool = False


class PageText:
    """The text of one page, and the frame in which most of it stands upright."""

    def __init__(self, page: pypdfium2.PdfPage, most_glyphs: int, ink: InkTime) -> None:
        self._page = page
        self._ink = ink
        self._textpage = page.get_textpage()
        self.glyphs: int = pdfium.FPDFText_CountChars(self._textpage.raw)
        #: Nobody reads a page of so many signs, and laying it out could take longer than all others together.
        self.is_overfull = self.glyphs > most_glyphs
        self.frame = PageFrame(page, _reading_rotation(self._textpage.raw))
        self._sheet = self.frame.sheet
        #: What no font maps to letters, and what lies outside the page.
        self.unreadable: list[Word] = []
        self.outside: list[Word] = []
        #: What nobody sees, and whether the text is invisible over a picture as a whole.
        self.hidden: list[Word] = []
        self.is_layer = False

    def runs(self, ticks: Sequence[Tick] = ()) -> list[Run]:
        """The text as runs, in the order in which the file draws them, with boxes in ``frame``; none if overfull.

        The boxes of forms are written as ``ticks``, whatever sign their picture is made of.
        """
        if self.is_overfull:
            return []
        raw = self._textpage.raw
        boxes = [self.frame.box(tick.left, tick.bottom, tick.right, tick.top) for tick in ticks]
        found = sight(self._page, raw, self._kept(words(raw, self.frame), boxes), self.frame, self._ink)
        self.hidden, self.is_layer = found.hidden, found.is_layer
        runs = _Joiner(raw, self.frame).join(found.seen)
        for box, tick in zip(boxes, ticks, strict=True):
            height = box.y1 - box.y0
            places = [(box.x0, box.x1)]
            runs.append(Run(tick.text, box, height, 1, "", places=places, source=Source.STRUCTURE))
        return runs

    def close(self) -> None:
        """Free pdfium's copy."""
        self._textpage.close()

    def _kept(self, found: Iterable[Word], boxes: Sequence[Box]) -> Iterable[Word]:
        for word in found:
            x, y = (word.box.x0 + word.box.x1) / 2, (word.box.y0 + word.box.y1) / 2
            if not (self._sheet.x0 <= x <= self._sheet.x1 and self._sheet.y0 <= y <= self._sheet.y1):
                self.outside.append(word)
            elif not word.is_readable:
                self.unreadable.append(word)
            elif not any(box.x0 <= x <= box.x1 and box.y0 <= y <= box.y1 for box in boxes):
                yield word


def _reading_rotation(raw: pdfium.FPDF_TEXTPAGE) -> int:
    """By how much the page must be turned clockwise for most of its text to run from left to right."""
    count = pdfium.FPDFText_CountChars(raw)
    matrix = pdfium.FS_MATRIX()
    turns: Counter[int] = Counter()
    for index in range(0, count, max(1, count // _SAMPLED_CHARACTERS)):
        if pdfium.FPDFText_GetMatrix(raw, index, byref(matrix)):
            turns[round(degrees(atan2(matrix.b, matrix.a)) / 90) * 90 % 360] += 1
    return turns.most_common(1)[0][0] if turns else 0


class _Joiner:
    """Joins the words of a page to runs, in the order in which they come."""

    def __init__(self, raw: pdfium.FPDF_TEXTPAGE, frame: PageFrame) -> None:
        self.runs: list[Run] = []
        self._raw = raw
        self._frame = frame
        self._run: Run | None = None
        self._before: Word | None = None
        self._cap: Word | None = None
        self._parts: list[str] = []
        self._name = create_string_buffer(_FONT_NAME_BYTES)

    def join(self, found: Iterable[Word]) -> list[Run]:
        """The runs of these words."""
        for word in found:
            self._take(word)
        if self._cap is not None:
            self._begin(self._cap)
        self._finish()
        return self.runs

    def _take(self, word: Word) -> None:
        cap, self._cap = self._cap, None
        if cap is not None:
            if _is_cap_of(cap, word):
                self._begin(_with_cap(cap, word))
                self.runs[-1].cap_bottom = cap.box.y1
                return
            self._begin(cap)
        elif word.begins_line and len(word.text) <= _LONGEST_CAP and word.text[-1:].isalpha():
            self._cap = word
            return
        run, before = self._run, self._before
        if self._is_upright(word, after_upright=run is not None and run.is_upright):
            self._begin(word)
            self.runs[-1].is_upright = True
            return
        if run is not None and before is not None and not run.is_upright:
            gap = _gap_within_line(run, word)
            if gap is not None and self._goes_on(run, word, gap):
                self._append(run, before, word, gap)
                self._before = word
                return
        self._begin(word)

    def _is_upright(self, word: Word, *, after_upright: bool) -> bool:
        """Whether a word runs up or down the page; only one that is tall, or follows such a one, is looked at."""
        wide, tall = word.box.x1 - word.box.x0, word.box.y1 - word.box.y0
        if tall <= _TALL * wide and not after_upright:
            return False
        matrix = pdfium.FS_MATRIX()
        if not pdfium.FPDFText_GetMatrix(self._raw, word.start, byref(matrix)):
            return False
        turn = round(degrees(atan2(matrix.b, matrix.a)) / 90) * 90
        return (turn - self._frame.rotation) % 180 == 90  # noqa: PLR2004 - degrees

    def _begin(self, word: Word) -> None:
        self._finish()
        places = [(word.box.x0, word.box.x1)]
        self._run = Run(word.text, word.box, word.height, words=1, font=self._font(word), places=places)
        self._parts = [word.text]
        self.runs.append(self._run)
        self._before = word

    def _finish(self) -> None:
        """What is known of a run only when its last word is."""
        run, last = self._run, self._before
        if run is not None and last is not None:
            run.text = "".join(self._parts)
            run.ends_open = not last.space_follows
            if run.words > 1 and run.font != self._font(last):
                run.font = ""

    def _font(self, word: Word) -> str:
        size = pdfium.FPDFText_GetFontInfo(self._raw, word.start, self._name, _FONT_NAME_BYTES, None)
        return self._name.value.decode("utf-8", "replace") if 0 < size <= _FONT_NAME_BYTES else ""

    def _goes_on(self, run: Run, word: Word, gap: float) -> bool:
        if run.words == 1 and gap > _NUMBER_GAP * run.height and self._parts[0].isdecimal():
            return False
        return not word.begins_line or gap <= _SHIFTED_GAP * run.height

    def _append(self, run: Run, before: Word, word: Word, gap: float) -> None:
        spaced = gap > _SPACE_GAP * run.height if word.begins_line else before.space_follows
        text, is_apart = word.text, spaced
        if word.height < _SMALLER * run.height:
            text = _shifted(self._raw, run, "".join(self._parts), before, word, self._frame)
            is_apart = spaced and not (text != word.text and gap <= _SHIFTED_GAP * run.height)
        if is_apart:
            self._parts.append(" ")
        self._parts.append(text)
        x0, y0, x1, y1 = word.box
        if is_apart or text[0] == " ":
            run.places.append((x0, x1))
        else:
            run.places[-1] = (min(run.places[-1][0], x0), max(run.places[-1][1], x1))
        left, top, right, bottom = run.box
        run.box = Box(
            min(x0, left),
            min(y0, top),
            max(x1, right),
            max(y1, bottom),
        )
        run.height = max(run.height, word.height)
        run.words += 1


def _shifted(raw: pdfium.FPDF_TEXTPAGE, run: Run, text: str, before: Word, word: Word, frame: PageFrame) -> str:
    """A small word that is raised or lowered against the one before it, as such."""
    if len(word.text) > _LONGEST_SHIFTED or before.height < _SMALLER * run.height:
        return word.text
    up = baseline(raw, before.start, frame) - baseline(raw, word.start, frame)
    if abs(up) <= _MOVED * run.height:
        return word.text
    return raised(word.text, text) if up > 0 else lowered(word.text, text)


def _is_cap_of(cap: Word, word: Word) -> bool:
    """Whether a letter is the tall initial of the word that follows it beside its top."""
    gap = word.box.x0 - cap.box.x1
    height = word.box.y1 - word.box.y0
    return (
        cap.height >= _CAP_RATIO * word.height
        and -height <= gap <= _CAP_GAP * word.height
        and cap.box.y0 - height <= word.box.y0 < cap.box.y1
        and word.box.y1 < cap.box.y1
    )


def _with_cap(cap: Word, word: Word) -> Word:
    """The word with its initial, which takes only the first line's room: the lines below stand beside it as well."""
    box = Box(cap.box.x0, word.box.y0, word.box.x1, word.box.y1)
    is_word = cap.text in {"A", "I", "O"} and word.box.x0 - cap.box.x1 > _LEAST_OVERLAP * word.height
    text = cap.text + (" " if is_word else "") + word.text
    return Word(word.start, text, box, word.height, begins_line=True, space_follows=word.space_follows)


def _gap_within_line(run: Run, word: Word) -> float | None:
    """White between a run and a word that stands beside it, in points, or None if it stands elsewhere."""
    left, top, right, bottom = run.box
    x0, y0, x1, y1 = word.box
    overlap = (min(y1, bottom)) - (max(y0, top))
    if overlap < _LEAST_OVERLAP * min(bottom - top, y1 - y0):
        return None
    gap = max(x0 - right, left - x1)
    return gap if gap <= _PARTING_GAP * max(run.height, word.height) else None
