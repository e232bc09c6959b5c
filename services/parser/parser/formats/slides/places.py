"""Where the shapes of a slide stand, and the order in which they are read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from atoll.domain.page import Box
from parser.opc import A

if TYPE_CHECKING:
    from collections.abc import Sequence

    from parser.opc import Package

P = "{http://schemas.openxmlformats.org/presentationml/2006/main}"
#: Units in which presentations measure.
EMU_PER_INCH = 914_400
#: Shapes may overlap by so many units (a twentieth of an inch) and still stand beside or below each other.
_SLACK = EMU_PER_INCH / 20
_MOST_ORDERED = 500
#: Shapes on either side for a gap between them to part columns of reading.
_LEAST_IN_COLUMN = 2
_LONGEST_NUMBER = 12


@dataclass(frozen=True, slots=True)
class Placed:
    """A shape and its box in the units of its slide or group; None where nothing says where it stands."""

    element: Any
    box: Box | None


class Places:
    """Finds the boxes of shapes: their own, or those of the layout's places that they fill."""

    def __init__(self, package: Package) -> None:
        self._package = package
        self._known: dict[str, dict[tuple[str, str], Box]] = {}

    def of(self, shape: Any, part: str) -> Placed:
        """The shape with its box."""
        box = _own(shape)
        place = next(shape.iter(f"{P}ph"), None) if shape.tag == f"{P}sp" else None
        if box is None and place is not None:
            key = place.get("type", ""), place.get("idx", "")
            for layout in self._package.related(part, "slideLayout"):
                box = self._inherited(layout, key)
                for master in self._package.related(layout, "slideMaster"):
                    box = box or self._inherited(master, key)
        return Placed(shape, box)

    def _inherited(self, part: str, key: tuple[str, str]) -> Box | None:
        if part not in self._known:
            found: dict[tuple[str, str], Box] = {}
            for shape in self._package.xml(part).iter(f"{P}sp"):
                place, box = next(shape.iter(f"{P}ph"), None), _own(shape)
                if place is not None and box is not None:
                    found.setdefault((place.get("type", ""), place.get("idx", "")), box)
            self._known[part] = found
        known = self._known[part]
        type_, index = key
        if key in known:
            return known[key]
        by_index = (box for (_, other), box in known.items() if index and other == index)
        by_type = (box for (other, _), box in known.items() if (other or "body") == (type_ or "body"))
        return next(by_index, None) or next(by_type, None)


def in_reading_order(shapes: Sequence[Placed]) -> list[Placed]:
    """Shapes as a person reads them: columns from left to right, what stands in each from top to bottom."""
    placed = [shape for shape in shapes if shape.box is not None]
    if len(placed) > _MOST_ORDERED or len(placed) < len(shapes):
        return list(shapes)
    return _ordered(placed)


def _ordered(shapes: list[Placed]) -> list[Placed]:
    if len(shapes) < 2:  # noqa: PLR2004
        return shapes
    columns = _parted(shapes, along=0)
    rows = _parted(shapes, along=1)
    if len(columns) > 1 and (len(rows) == 1 or all(len(column) >= _LEAST_IN_COLUMN for column in columns)):
        return [shape for column in columns for shape in _ordered(column)]
    if len(rows) > 1:
        return [shape for band in _bands(rows) for shape in _ordered(band)]
    return sorted(shapes, key=lambda shape: (shape.box.y0, shape.box.x0) if shape.box else (0, 0))


def _bands(rows: list[list[Placed]]) -> list[list[Placed]]:
    """Rows, those together that stand in the same columns."""
    bands: list[list[Placed]] = []
    are_columns = False
    for row in rows:
        is_parted = len(_parted(row, along=0)) > 1
        if are_columns and is_parted and len(_parted([*bands[-1], *row], along=0)) > 1:
            bands[-1].extend(row)
        else:
            bands.append(list(row))
        are_columns = is_parted
    return bands


def _parted(shapes: list[Placed], *, along: int) -> list[list[Placed]]:
    """Groups between which white runs through: left to right along 0, top to bottom along 1."""
    groups: list[list[Placed]] = []
    reaches = 0.0
    spans = [(shape.box[along], shape.box[along + 2], at) for at, shape in enumerate(shapes) if shape.box]
    for start, end, at in sorted(spans):
        if groups and start < reaches - _SLACK:
            groups[-1].append(shapes[at])
        else:
            groups.append([shapes[at]])
        reaches = max(reaches, end)
    return groups


def _own(shape: Any) -> Box | None:
    properties = shape.find(f"{P}grpSpPr" if shape.tag == f"{P}grpSp" else f"{P}spPr")
    frame = shape.find(f"{P}xfrm") if properties is None else properties.find(f"{A}xfrm")
    if frame is None:
        return None
    offset, size = frame.find(f"{A}off"), frame.find(f"{A}ext")
    if offset is None or size is None:
        return None
    values = [_number(offset.get("x")), _number(offset.get("y")), _number(size.get("cx")), _number(size.get("cy"))]
    x, y, width, height = values
    return Box(x, y, x + width, y + height)


def _number(text: str | None) -> float:
    digits = (text or "").removeprefix("-")
    return float(text or 0) if digits.isdecimal() and len(digits) <= _LONGEST_NUMBER else 0.0
