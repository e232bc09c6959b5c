"""Colours as files state them, and whether two of them can be told apart."""

from __future__ import annotations

import re

Colour = tuple[int, int, int]

_HEX = re.compile(r"#?([0-9a-f]{6}|[0-9a-f]{3})", re.IGNORECASE)
_RGB = re.compile(r"rgba?\(\s*(\d{1,3})\s*[,\s]\s*(\d{1,3})\s*[,\s]\s*(\d{1,3})\s*(?:[,/]\s*(?:1|1\.0+|100%)\s*)?\)")
_NAMES: dict[str, Colour] = {
    "white": (255, 255, 255), "black": (0, 0, 0), "red": (255, 0, 0), "yellow": (255, 255, 0), "snow": (255, 250, 250),
    "ivory": (255, 255, 240), "whitesmoke": (245, 245, 245), "ghostwhite": (248, 248, 255), "blue": (0, 0, 255),
}  # fmt: skip
#: Colours whose parts differ by less look the same to a reader.
_ALIKE = 20


def colour(stated: str) -> Colour | None:
    """The colour that a text states, None for one that is not known here."""
    stated = stated.strip().lower()
    if found := _NAMES.get(stated):
        return found
    if found_hex := _HEX.fullmatch(stated):
        digits = found_hex[1] if len(found_hex[1]) == 6 else "".join(2 * digit for digit in found_hex[1])  # noqa: PLR2004
        return int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:], 16)
    if found_rgb := _RGB.fullmatch(stated):
        return int(found_rgb[1]), int(found_rgb[2]), int(found_rgb[3])
    return None


def are_alike(ink: Colour, ground: Colour) -> bool:
    """Whether text of one colour cannot be seen on the other."""
    return all(abs(a - b) < _ALIKE for a, b in zip(ink, ground, strict=True))
