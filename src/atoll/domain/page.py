"""A page and places on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

#: Resolutions in which pages are drawn, dots per inch; the first is the one that is meant when none is named.
RESOLUTIONS = (96, 150)


class Box(NamedTuple):
    """A rectangle in page points (1/72 inch), origin at the top left of the page as it is shown."""

    x0: float
    y0: float
    x1: float
    y1: float

    def union(self, other: Box) -> Box:
        """The smallest box that covers both."""
        return Box(min(self.x0, other.x0), min(self.y0, other.y0), max(self.x1, other.x1), max(self.y1, other.y1))

    def rounded(self) -> Box:
        """The same box to a tenth of a point, the precision that is stored."""
        return Box(round(self.x0, 1), round(self.y0, 1), round(self.x1, 1), round(self.y1, 1))


class Place(NamedTuple):
    """A box on a page (from 1)."""

    page: int
    box: Box


@dataclass(frozen=True, slots=True)
class HeatMap:
    """How warm places of a page are, 0 to 255 each: the cells of a grid (columns, rows) in raster order, or boxes."""

    levels: bytes
    grid: tuple[int, int] | None
    boxes: tuple[Box, ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """One page as it is shown, rotation applied: ``number`` counts from 1, sizes are in points.

    ``label`` is the page's own number as the file states it, such as "iv" or "A-3", where that is not ``number``.
    """

    number: int
    width: float
    height: float
    label: str = ""
