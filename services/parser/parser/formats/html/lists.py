"""The numbers, letters and bullets of lists, as a browser prints them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from parser.flow import BULLET
from parser.numerals import letters, roman

if TYPE_CHECKING:
    from collections.abc import Mapping

_LONGEST_NUMBER = 9
_STYLE = re.compile(r"list-style(?:-type)?\s*:\s*([a-z-]+)", re.IGNORECASE)
_TYPES = {
    "lower-alpha": "a", "lower-latin": "a", "upper-alpha": "A", "upper-latin": "A",
    "lower-roman": "i", "upper-roman": "I", "decimal": "1",
}  # fmt: skip


@dataclass(slots=True)
class Listing:
    """An open list: the number of its next item (None for bullets), how it is written, and the step to the next."""

    number: int | None
    type: str = "1"
    step: int = 1

    @classmethod
    def of(cls, tag: str, attributes: Mapping[str, str]) -> Self:
        """The list that a tag opens."""
        style = _STYLE.search(attributes.get("style", ""))
        named = style[1].lower() if style else ""
        type_ = _TYPES.get(named, attributes.get("type", "1"))
        if named == "none" or (tag != "ol" and named not in _TYPES):
            return cls(None)
        is_reversed = "reversed" in attributes
        return cls(_whole(attributes.get("start"), 1), type_, -1 if is_reversed else 1)

    def next(self, attributes: Mapping[str, str]) -> str:
        """The marker of the next item."""
        if self.number is None:
            return BULLET
        number = _whole(attributes.get("value"), self.number)
        self.number = number + self.step
        return f"{numeral(number, attributes.get('type', self.type))}."


def numeral(number: int, type_: str) -> str:
    """A number as lists write it: by type "1", "a", "A", "i" or "I"."""
    written = {"a": letters, "A": letters, "i": roman, "I": roman}.get(type_, str)(number)
    return written.upper() if type_ in {"A", "I"} else written


def _whole(text: str | None, otherwise: int) -> int:
    digits = (text or "").strip().removeprefix("-")
    if digits.isdecimal() and digits.isascii() and len(digits) < _LONGEST_NUMBER:
        return int((text or "").strip())
    return otherwise
