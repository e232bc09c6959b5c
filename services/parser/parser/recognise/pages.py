"""The writing on a page that is a picture, as the runs of words that text layers give."""

from __future__ import annotations

import re
from math import sqrt
from typing import TYPE_CHECKING

from atoll.domain.block import Source
from atoll.domain.page import Box
from parser.formats.pdf.frame import PageFrame
from parser.formats.pdf.glyphs import Run
from parser.text import on_one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pypdfium2

    from parser.collector import Collector
    from parser.formats.pdf.words import Word as TextWord
    from parser.recognise.engine import Engine, Word

_DPI = 200
_POINTS_PER_INCH = 72
#: A page that is drawn larger than that gives nothing more to read.
_MOST_PIXELS = 25_000_000
#: White within a line that parts columns or cells of a table, in line heights.
_PARTING_GAP = 1.0
_LOW_CONFIDENCE = 60
#: Words are looked for so many points beyond the boxes of signs that no font maps to letters.
_GROWN = 3.0
#: Fewer such signs are bullets and ornaments.
_LEAST_UNREADABLE = 8
#: A picture that reads as well as that, of a hundred, tells what an invisible layer over it may say: lines of so many
#: words of which fewer than such a part are in the picture are not in it.
_COMPARED_FROM, _LEAST_COMPARED, _LEAST_SEEN = 75, 3, 0.34
_LONG_WORD = re.compile(r"[^\W_]{3,}")


class RecognisedText:
    """The writing of one page; ``frame`` is the one in which it stands upright."""

    def __init__(self, page: pypdfium2.PdfPage, engine: Engine) -> None:
        width, height = page.get_size()
        scale = min(_DPI / _POINTS_PER_INCH, sqrt(_MOST_PIXELS / max(width * height, 1.0)))
        writing = engine.read(page.render(scale=scale).to_pil().convert("L"))
        self.frame = PageFrame(page, (page.get_rotation() + writing.turn) % 360)
        self.confidence = writing.confidence
        self._lines = writing.lines
        self._scale = scale
        self.runs = self._runs(lambda _: True)

    def within(self, boxes: Sequence[Box]) -> list[Run]:
        """The runs of the words that stand in one of the boxes, which are in ``frame``."""
        grown = [Box(box.x0 - _GROWN, box.y0 - _GROWN, box.x1 + _GROWN, box.y1 + _GROWN) for box in boxes]

        def is_inside(word: Word) -> bool:
            x, y = (word.left + word.right) / 2 / self._scale, (word.top + word.bottom) / 2 / self._scale
            return any(box.x0 <= x <= box.x1 and box.y0 <= y <= box.y1 for box in grown)

        return self._runs(is_inside)

    def _runs(self, is_wanted: Callable[[Word], bool]) -> list[Run]:
        wanted = ((height, tuple(filter(is_wanted, words))) for height, words in self._lines)
        return [
            _run(part, height / self._scale, self._scale) for height, words in wanted if words for part in _parts(words)
        ]


def recognised(page: pypdfium2.PdfPage, number: int, collector: Collector) -> RecognisedText | None:
    """The writing of a page without a text layer; None, with a warning, where it cannot be read."""
    engine = collector.engine
    if engine is None or not engine.is_ready:
        collector.warn(
            "no_text_layer",
            "the page is a picture, and the data to read pictures are not installed: apt-get install "
            "tesseract-ocr-eng tesseract-ocr-osd (or set ATOLL_OCR__DATA_DIR), then read the document again",
            number,
        )
        return None
    if engine.is_spent:
        collector.warn(
            "not_recognised",
            "the page is a picture; the pictures before it took the time that a document has: split the file",
            number,
        )
        return None
    text = RecognisedText(page, engine)
    if not text.runs:
        collector.warn("no_text_layer", "the page is a picture in which no writing was found", number)
        return None
    collector.also_read_by(engine.name)
    if text.confidence < _LOW_CONFIDENCE:
        collector.warn(
            "low_confidence",
            f"the page is a picture and was read with a confidence of {text.confidence:.0f} %; check what matters",
            number,
        )
    return text


def recognised_signs(
    page: pypdfium2.PdfPage, collector: Collector, unreadable: Sequence[TextWord], frame: PageFrame
) -> list[Run]:
    """The runs of a page's words whose fonts do not say which letters their signs are, read from their picture."""
    engine = collector.engine
    signs = sum(len(word.text) for word in unreadable)
    if engine is None or not engine.is_ready or engine.is_spent or signs < _LEAST_UNREADABLE:
        return []
    text = RecognisedText(page, engine)
    runs = text.within([word.box for word in unreadable]) if text.frame.rotation == frame.rotation else []
    if runs:
        collector.also_read_by(engine.name)
    return runs


def compared(page: pypdfium2.PdfPage, layer: Sequence[Run], collector: Collector) -> tuple[list[Run], list[Run]] | None:
    """The lines of an invisible layer that the picture under it shows, and those that it does not.

    None where the picture cannot be read well enough to tell.
    """
    engine = collector.engine
    if engine is None or not engine.is_ready or engine.is_spent:
        return None
    written = RecognisedText(page, engine)
    if written.confidence < _COMPARED_FROM or not written.runs:
        return None
    there = {word for run in written.runs for word in _words(run.text)}
    shown: list[Run] = []
    foreign: list[Run] = []
    for run in layer:
        told = _words(run.text)
        seen = sum(word in there for word in told)
        is_foreign = len(told) >= _LEAST_COMPARED and seen < _LEAST_SEEN * len(told)
        (foreign if is_foreign else shown).append(run)
    return shown, foreign


def _words(text: str) -> list[str]:
    return _LONG_WORD.findall(text.casefold())


def _parts(words: tuple[Word, ...]) -> list[list[Word]]:
    """The words of a line, parted where it is white between them."""
    parts = [[words[0]]]
    for word in words[1:]:
        before = parts[-1][-1]
        height = max(word.bottom - word.top, before.bottom - before.top)
        if word.left - before.right > _PARTING_GAP * height:
            parts.append([word])
        else:
            parts[-1].append(word)
    return parts


def _run(words: list[Word], height: float, scale: float) -> Run:
    box = Box(
        min(word.left for word in words) / scale,
        min(word.top for word in words) / scale,
        max(word.right for word in words) / scale,
        max(word.bottom for word in words) / scale,
    )
    # To half points: how high a line's type is found to be differs a little from line to line.
    height = round(2 * (height or box.y1 - box.y0)) / 2
    places = [(word.left / scale, word.right / scale) for word in words]
    text = " ".join(on_one_line(word.text).replace(" ", "") for word in words)
    return Run(text, box, height, len(words), "", places=places, source=Source.OCR)
