"""Text of a slide that is there and that nobody sees: beside the slide, of the colour of its shape, next to no size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from parser.colours import Colour, are_alike, colour
from parser.formats.slides.places import P, Placed
from parser.opc import A

if TYPE_CHECKING:
    from parser.opc import Package

#: Hundredths of a point: nobody reads type of a point and a half.
_LEAST_SIZE = 150
_LONGEST_NUMBER = 9


def is_unseen(run: Any) -> bool:
    """Whether a run cannot be seen; what stands on a ground that the shape does not state is taken as seen."""
    properties = run.find(f"{A}rPr")
    if properties is None:
        return False
    size = properties.get("sz", "")
    if size.isdecimal() and len(size) <= _LONGEST_NUMBER and int(size) <= _LEAST_SIZE:
        return True
    ink = _solid(properties)
    shape = next(run.iterancestors(f"{P}sp"), None)
    ground = _solid(shape.find(f"{P}spPr")) if ink and shape is not None else None
    return ink is not None and ground is not None and are_alike(ink, ground)


def unseen_text(shape: Any) -> str:
    """What a shape holds of such runs."""
    return " ".join(text.text or "" for run in shape.iter(f"{A}r") if is_unseen(run) for text in run.iter(f"{A}t"))


def slide_size(package: Package) -> tuple[float, float] | None:
    """Width and height of the slides in the units of the presentation."""
    found = package.xml(package.main).find(f"{P}sldSz") if package.main else None
    sides = [found.get(name, "") for name in ("cx", "cy")] if found is not None else []
    if len(sides) != 2 or not all(side.isdecimal() and len(side) <= _LONGEST_NUMBER for side in sides):  # noqa: PLR2004
        return None
    return float(sides[0]), float(sides[1])


def is_beside(placed: Placed, size: tuple[float, float] | None) -> bool:
    """Whether a shape stands wholly outside the slide."""
    if placed.box is None or size is None:
        return False
    box = placed.box
    return box.x1 <= 0 or box.y1 <= 0 or box.x0 >= size[0] or box.y0 >= size[1]


def _solid(properties: Any) -> Colour | None:
    fill = properties.find(f"{A}solidFill/{A}srgbClr") if properties is not None else None
    return colour(fill.get("val", "")) if fill is not None and len(fill) == 0 else None
