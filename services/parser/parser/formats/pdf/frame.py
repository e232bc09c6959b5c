"""Coordinates of a page that is turned."""

from __future__ import annotations

from typing import TYPE_CHECKING

from atoll.domain.page import Box

if TYPE_CHECKING:
    import pypdfium2


class PageFrame:
    """Coordinates of a page turned clockwise by ``rotation`` degrees: points, origin at its top left."""

    def __init__(self, page: pypdfium2.PdfPage, rotation: int) -> None:
        self._left, self._bottom, self._right, self._top = page.get_bbox()
        self.rotation = rotation

    @property
    def sheet(self) -> Box:
        """The whole page."""
        return self.box(self._left, self._bottom, self._right, self._top)

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
