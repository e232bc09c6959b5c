"""Text of a Word document that is there and nobody sees: of the colour of what it stands on, or of next to no size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from parser.colours import are_alike, colour
from parser.opc import W, value_of, whole_of

if TYPE_CHECKING:
    from parser.formats.word.styles import Style

_PAPER = (255, 255, 255)
#: Half points: nobody reads type of a point and a half.
_LEAST_SIZE = 3


def is_unseen(run: Any, properties: Any, own: Style, paragraph: Style) -> bool:
    """Whether a run cannot be seen; what stands on a ground that the file does not state is taken as seen."""
    if 0 <= whole_of(properties, f"{W}sz", -1) <= _LEAST_SIZE:
        return True
    stated = value_of(properties, f"{W}color") or own.colour or paragraph.colour
    ink = colour(stated) if stated else None
    if ink is None:
        return False
    ground = _ground(run, properties, paragraph)
    return ground is not None and are_alike(ink, ground)


def _ground(run: Any, properties: Any, style: Style) -> tuple[int, int, int] | None:
    """The colour that a run stands on, None where the file does not state it."""
    if properties is not None and properties.find(f"{W}highlight") is not None:
        return colour(value_of(properties, f"{W}highlight") or "")
    fill = _fill(properties)
    for node in run.iterancestors() if not fill else ():
        if node.tag == f"{W}p":
            fill = _fill(node.find(f"{W}pPr")) or style.fill
        elif node.tag == f"{W}tc":
            fill = _fill(node.find(f"{W}tcPr"))
        elif node.tag == f"{W}tbl":
            look = node.find(f"{W}tblPr")
            fill = _fill(look) or ("styled" if value_of(look, f"{W}tblStyle") else "")
        elif node.tag == f"{W}txbxContent" or (node.tag == f"{W}document" and node.find(f"{W}background") is not None):
            fill = "painted"
        if fill:
            break
    return colour(fill) if fill else _PAPER


def _fill(properties: Any) -> str:
    shade = properties.find(f"{W}shd") if properties is not None else None
    fill = shade.get(f"{W}fill", "") if shade is not None else ""
    return "" if fill == "auto" else str(fill)
