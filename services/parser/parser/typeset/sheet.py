"""The sheets that text is set on: A4 with a foot line, drawn from the top down."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, BinaryIO

from reportlab import rl_config
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

from atoll.domain.page import Box
from parser.typeset.faces import Style
from parser.typeset.fonts import Fonts
from parser.typeset.lines import LineBreaker, SetLine

if TYPE_CHECKING:
    from parser.collector import Collector

WIDTH, HEIGHT = A4
MARGIN = 56.0
TEXT_WIDTH = WIDTH - 2 * MARGIN
_BOTTOM = HEIGHT - MARGIN
_FOOT_SIZE = 8.0
_FOOT_Y = 30.0
_FOOT_NAME_WIDTH = TEXT_WIDTH - 60
#: How far above and below its baseline a line's box reaches, in units of the type size.
ASCENT, DESCENT = 0.95, 0.3

_BOM = "feff"

logging.getLogger("reportlab").setLevel(logging.ERROR)
# Streams as they are: as letters and digits they take a quarter more room and, without reportlab's C module, more time.
rl_config.useA85 = 0


class Sheets:
    """A PDF under construction. Positions count in points from the top left, as boxes do."""

    def __init__(self, file: BinaryIO, fonts: Fonts, collector: Collector, name: str) -> None:
        # The file has no name of its own, so two parses of the same bytes give the same PDF.
        self._canvas = Canvas(file, pagesize=A4, pageCompression=1, invariant=1)
        self._canvas.setTitle(name)
        self._fonts = fonts
        self._collector = collector
        foot = LineBreaker(fonts, Style.TEXT, _FOOT_SIZE, _FOOT_NAME_WIDTH)
        self._name = next(foot.lines(name), None)
        self._label = ""
        self.page = 0
        self.y = 0.0
        self._begin()

    def room(self, height: float) -> bool:
        """Whether that much still fits on the page."""
        return bool(self.y + height <= _BOTTOM)

    def is_fresh(self) -> bool:
        """Whether nothing has been set on the page."""
        return self.y <= MARGIN

    def make_room(self, height: float) -> None:
        """Go to the next page unless that much still fits on this one or never would."""
        if not self.room(height) and not self.is_fresh():
            self._end()
            self._begin()

    def skip(self, height: float) -> None:
        """Leave white, except at the top of a page."""
        if not self.is_fresh():
            self.y += height

    def line(self, set_line: SetLine, size: float, x: float, baseline: float, grey: float = 0.0) -> Box:
        """Draw a line at ``x`` on ``baseline`` and return its box."""
        start = x
        for run in set_line.runs:
            text = self._canvas.beginText(start, HEIGHT - baseline)
            text.setFillGray(grey)
            text.setFont(run.font, size)
            text.textOut(run.text)
            if run.meant is None:
                self._canvas.drawText(text)
            else:  # for whoever searches the PDF or copies from it (ISO 32000, 14.9.4)
                self._canvas.addLiteral(f"/Span <</ActualText <{_BOM}{run.meant.encode('utf-16-be').hex()}>>> BDC")
                self._canvas.drawText(text)
                self._canvas.addLiteral("EMC")
            start += run.width * size
        return Box(x, baseline - ASCENT * size, x + set_line.width, baseline + DESCENT * size)

    def fill(self, box: Box, grey: float) -> None:
        """Fill a rectangle; what is drawn later lies on top of it."""
        self._canvas.setFillGray(grey)
        self._canvas.rect(box.x0, HEIGHT - box.y1, box.x1 - box.x0, box.y1 - box.y0, stroke=0, fill=1)

    def rule(self, x0: float, x1: float, y: float, grey: float = 0.75) -> None:
        """Draw a thin horizontal line."""
        self._canvas.setStrokeGray(grey)
        self._canvas.setLineWidth(0.5)
        self._canvas.line(x0, HEIGHT - y, x1, HEIGHT - y)

    def begin(self, label: str) -> None:
        """Begin a page that is called ``label``, as are those that follow until the next call."""
        self._label = label
        if self.is_fresh():
            self._collector.label_page(label)
        else:
            self._end()
            self._begin()

    def save(self) -> None:
        """Finish the last page and write the file."""
        self._end()
        self._canvas.save()

    def _begin(self) -> None:
        self.page = self._collector.add_page(WIDTH, HEIGHT, self._label)
        self.y = MARGIN

    def _end(self) -> None:
        if self._name:
            self.line(self._name, _FOOT_SIZE, MARGIN, HEIGHT - _FOOT_Y, grey=0.45)
        number = LineBreaker(self._fonts, Style.TEXT, _FOOT_SIZE, TEXT_WIDTH)
        label = number.line(str(self.page))
        self.line(label, _FOOT_SIZE, WIDTH - MARGIN - label.width, HEIGHT - _FOOT_Y, grey=0.45)
        self._canvas.showPage()
