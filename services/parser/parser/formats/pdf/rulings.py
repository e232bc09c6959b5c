"""The lines that are drawn on a page: what keeps the rows and columns of a table apart."""

from __future__ import annotations

from ctypes import byref, c_float
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pypdfium2.raw as pdfium

if TYPE_CHECKING:
    import pypdfium2

    from parser.formats.pdf.frame import PageFrame

#: Objects that are looked at; a page of drawings has more, and no table worth the time.
_MOST_OBJECTS = 6000
#: A line is so thin, and at least so long.
_THIN, _LEAST_LENGTH = 2.5, 6.0
_SAME_POINTS = 2.5
#: Part of a region's extent that a line has to cover.
_MOST_OF_IT = 0.6


@dataclass(frozen=True, slots=True)
class Segment:
    """A horizontal or vertical line: its place across, and from where to where it runs."""

    at: float
    start: float
    end: float


@dataclass(slots=True)
class Rulings:
    """A page's lines in the frame in which its text stands upright."""

    horizontal: list[Segment]
    vertical: list[Segment]

    def rows_between(self, left: float, right: float, top: float, bottom: float) -> list[float]:
        """Where lines run across most of a region, from top to bottom."""
        return _places(self.horizontal, top, bottom, left, right)

    def columns_between(self, left: float, right: float, top: float, bottom: float) -> list[float]:
        """Where lines run down most of a region, from left to right."""
        return _places(self.vertical, left, right, top, bottom)


def rulings(page: pypdfium2.PdfPage, frame: PageFrame) -> Rulings:
    """The lines of a page: thin shapes, and the edges of boxes."""
    found = Rulings([], [])
    left, bottom, right, top = c_float(), c_float(), c_float(), c_float()
    for index in range(min(pdfium.FPDFPage_CountObjects(page.raw), _MOST_OBJECTS)):
        shape = pdfium.FPDFPage_GetObject(page.raw, index)
        if pdfium.FPDFPageObj_GetType(shape) != pdfium.FPDF_PAGEOBJ_PATH:
            continue
        if not pdfium.FPDFPageObj_GetBounds(shape, byref(left), byref(bottom), byref(right), byref(top)):
            continue
        box = frame.box(left.value, bottom.value, right.value, top.value)
        wide, tall = box.x1 - box.x0, box.y1 - box.y0
        if tall <= _THIN <= _LEAST_LENGTH <= wide:
            found.horizontal.append(Segment((box.y0 + box.y1) / 2, box.x0, box.x1))
        elif wide <= _THIN <= _LEAST_LENGTH <= tall:
            found.vertical.append(Segment((box.x0 + box.x1) / 2, box.y0, box.y1))
        elif wide >= _LEAST_LENGTH and tall >= _LEAST_LENGTH:
            found.horizontal += (Segment(box.y0, box.x0, box.x1), Segment(box.y1, box.x0, box.x1))
            found.vertical += (Segment(box.x0, box.y0, box.y1), Segment(box.x1, box.y0, box.y1))
    return found


def _places(segments: list[Segment], low: float, high: float, start: float, end: float) -> list[float]:
    """Where the segments between ``low`` and ``high`` together cover most of the way from ``start`` to ``end``."""
    inside = sorted(
        (each for each in segments if low - _SAME_POINTS <= each.at <= high + _SAME_POINTS), key=lambda each: each.at
    )
    places: list[float] = []
    group: list[Segment] = []
    for each in [*inside, None]:
        if group and (each is None or each.at - group[-1].at > _SAME_POINTS):
            if covered(group, start, end) >= _MOST_OF_IT * (end - start):
                places.append(sum(one.at for one in group) / len(group))
            group = []
        if each is not None:
            group.append(each)
    return places


def covered(segments: list[Segment], start: float, end: float) -> float:
    """How much of the way from ``start`` to ``end`` segments in one line cover together."""
    total, reached = 0.0, start
    for each in sorted(segments, key=lambda one: one.start):
        first, last = max(each.start, reached), min(each.end, end)
        if last > first:
            total += last - first
            reached = last
    return total
