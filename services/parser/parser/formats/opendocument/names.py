"""Names of OpenDocument's XML."""

from __future__ import annotations

_BASE = "urn:oasis:names:tc:opendocument:xmlns"
OFFICE = f"{{{_BASE}:office:1.0}}"
TEXT = f"{{{_BASE}:text:1.0}}"
TABLE = f"{{{_BASE}:table:1.0}}"
STYLE = f"{{{_BASE}:style:1.0}}"
DRAW = f"{{{_BASE}:drawing:1.0}}"
PRESENTATION = f"{{{_BASE}:presentation:1.0}}"
SVG = f"{{{_BASE}:svg-compatible:1.0}}"
FO = f"{{{_BASE}:xsl-fo-compatible:1.0}}"
XLINK = "{http://www.w3.org/1999/xlink}"

_LONGEST_NUMBER = 9


def whole(text: str | None, otherwise: int = 0) -> int:
    """A whole number that is not absurd."""
    return int(text) if text and text.isdecimal() and len(text) <= _LONGEST_NUMBER else otherwise
