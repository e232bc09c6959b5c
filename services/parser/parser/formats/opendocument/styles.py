"""What the styles of an OpenDocument file say: raised, struck out, hidden, bold; and how lists are numbered."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from parser.flow import BULLET
from parser.formats.opendocument.names import FO, STYLE, TEXT, whole
from parser.numerals import letters, roman

_DEEPEST = 30
_BOLD_FROM = 600
_MOST_LEVELS = 10


@dataclass(frozen=True, slots=True)
class Look:
    """A style of text; ``shift`` is 1 for raised, -1 for lowered."""

    shift: int = 0
    is_struck: bool = False
    is_hidden: bool = False
    is_bold: bool = False
    list_style: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Level:
    """How a level of a list is labelled: with its number in ``format``, or with a bullet where there is none."""

    format: str = ""
    prefix: str = ""
    suffix: str = ""
    start: int = 1
    shown: int = 1

    def label(self, numbers: list[int], levels: list[Level]) -> str:
        """The label of an item; ``numbers`` are those of the levels above it and its own."""
        if not self.format:
            return BULLET
        first = max(0, len(numbers) - self.shown)
        parts = [
            _numeral(number, (levels[at].format if at < len(levels) else "") or "1")
            for at, number in enumerate(numbers)
            if at >= first
        ]
        return f"{self.prefix}{'.'.join(parts)}{self.suffix}"


class Styles:
    """Styles by name, those of the content before those that are shared; display of tables and pages besides."""

    def __init__(self, content: Any, shared: Any) -> None:
        self._nodes: dict[tuple[str, str], Any] = {}
        self._lists: dict[str, list[Level]] = {}
        self._looks: dict[tuple[str, str], Look] = {}
        for root in (content, shared):
            for node in root.iter(f"{STYLE}style") if root is not None else ():
                self._nodes.setdefault((node.get(f"{STYLE}family", ""), node.get(f"{STYLE}name", "")), node)
            for node in root.iter(f"{TEXT}list-style") if root is not None else ():
                self._lists.setdefault(node.get(f"{STYLE}name", ""), _levels(node))
            for node in root.iter(f"{TEXT}outline-style") if root is not None else ():
                self._lists.setdefault("", _levels(node))

    def look(self, family: str, name: str | None) -> Look:
        """The look of a style with those that it is made from."""
        key = family, name or ""
        if key not in self._looks:
            self._looks[key] = self._made(*key, 0)
        return self._looks[key]

    def levels(self, name: str) -> list[Level]:
        """The levels of a list style, from the first; those of numbered headings for the empty name."""
        return self._lists.get(name, [])

    def property(self, family: str, name: str | None, attribute: str) -> str:
        """The value of a property of a style, empty where it is not given."""
        node = self._nodes.get((family, name or ""))
        for child in node.iterchildren() if node is not None else ():
            if (value := child.get(attribute)) is not None:
                return str(value)
        return ""

    def _made(self, family: str, name: str, depth: int) -> Look:
        node = self._nodes.get((family, name))
        if node is None or depth > _DEEPEST:
            return Look(name=name)
        look = self._made(family, node.get(f"{STYLE}parent-style-name", ""), depth + 1)
        own = node.find(f"{STYLE}text-properties")
        look = replace(look, list_style=node.get(f"{STYLE}list-style-name") or look.list_style, name=look.name or name)
        if own is None:
            return look
        position = own.get(f"{STYLE}text-position", "")
        weight = own.get(f"{FO}font-weight", "")
        struck = own.get(f"{STYLE}text-line-through-style")
        return replace(
            look,
            shift=_shift(position) if position else look.shift,
            is_struck=struck not in {"", "none"} if struck is not None else look.is_struck,
            is_hidden=own.get(f"{TEXT}display", "") == "none" or look.is_hidden,
            is_bold=(weight == "bold" or whole(weight) >= _BOLD_FROM) if weight else look.is_bold,
        )


def _shift(position: str) -> int:
    first = position.split(maxsplit=1)[0]
    if first.startswith("super"):
        return 1
    if first.startswith("sub") or (first.startswith("-") and first != "-0%"):
        return -1
    return 0 if first.rstrip("%") in {"0", "-0"} else 1


def _levels(node: Any) -> list[Level]:
    found: dict[int, Level] = {}
    for each in node.iterchildren():
        number = whole(each.get(f"{TEXT}level"))
        if 1 <= number <= _MOST_LEVELS:
            found[number] = Level(
                each.get(f"{STYLE}num-format", "") if not str(each.tag).endswith("bullet") else "",
                each.get(f"{STYLE}num-prefix", ""),
                each.get(f"{STYLE}num-suffix", ""),
                whole(each.get(f"{TEXT}start-value"), 1),
                whole(each.get(f"{TEXT}display-levels"), 1),
            )
    return [found.get(number, Level()) for number in range(1, max(found, default=0) + 1)]


def _numeral(number: int, format_: str) -> str:
    written = {"a": letters, "A": letters, "i": roman, "I": roman}.get(format_[:1], str)(number)
    return written.upper() if format_[:1] in {"A", "I"} else written
