"""The numbers that Word prints before headings, clauses and list items: counted, since the file does not hold them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from parser.flow import BULLET
from parser.formats.word.styles import Numbered
from parser.numerals import repeated_letters, roman
from parser.opc import W, is_on, value_of, whole_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from parser.opc import Package

_PLACE = re.compile(r"%([1-9])")
_MOST_LEVELS = 9
_DEEPEST = 5
_CHINESE = "\u3007\u4e00\u4e8c\u4e09\u56db\u4e94\u516d\u4e03\u516b\u4e5d\u5341"


@dataclass(frozen=True, slots=True)
class _Level:
    start: int
    format: str
    text: str
    restarts_after: int
    is_legal: bool


@dataclass(slots=True)
class _List:
    """A list's levels and where it counts: lists with the same definition count on together."""

    levels: dict[int, _Level]
    counter: str
    starts: dict[int, int] = field(default_factory=dict)


class Numbering:
    """Counts the numbered paragraphs of a document in their order."""

    def __init__(self, package: Package, document: str) -> None:
        self._definitions: dict[str, Any] = {}
        self._by_style: dict[str, str] = {}
        self._lists: dict[str, _List] = {}
        self._counts: dict[str, dict[int, int]] = {}
        self._begun: set[tuple[str, int]] = set()
        self._levels_of_styles: dict[str, Numbered] = {}
        for name in package.related(document, "numbering")[:1]:
            self._read(package.xml(name))

    def of_style(self, style: str | None) -> Numbered | None:
        """The list and level that a style is tied to by the list's definition."""
        return self._levels_of_styles.get(style or "")

    def label(self, numbered: Numbered) -> str:
        """The label of the next paragraph in a list: its number as printed, a bullet, or nothing."""
        found = self._lists.get(numbered.list)
        level = found.levels.get(numbered.level) if found else None
        if found is None or level is None:
            return ""
        counts = self._counts.setdefault(found.counter, {})
        self._count(numbered, found, level, counts)
        if level.format == "bullet":
            return BULLET
        if level.format == "none" and "%" not in level.text:
            return level.text.strip()

        def written(place: re.Match[str]) -> str:
            at = int(place[1]) - 1
            of = found.levels.get(at)
            number = counts.get(at, of.start if of else 1)
            return _formatted(number, "decimal" if level.is_legal or of is None else of.format)

        return _PLACE.sub(written, level.text).strip()

    def _count(self, numbered: Numbered, found: _List, level: _Level, counts: dict[int, int]) -> None:
        at = numbered.level
        first_of_list = (numbered.list, at) not in self._begun
        self._begun.add((numbered.list, at))
        start = found.starts.get(at)
        if first_of_list and start is not None:
            counts[at] = start
        elif at in counts:
            counts[at] += 1
        else:
            counts[at] = level.start
        for deeper in [each for each in counts if each > at]:
            of = found.levels.get(deeper)
            if of is None or at < of.restarts_after:
                del counts[deeper]
        # A level that was never reached counts as begun, so that "1.1" can follow nothing.
        for above in range(at):
            counts.setdefault(above, found.levels[above].start if above in found.levels else 1)

    def _read(self, root: Any) -> None:
        for element in root.iterchildren(f"{W}abstractNum"):
            self._definitions[element.get(f"{W}abstractNumId", "")] = element
            if style := value_of(element, f"{W}styleLink"):
                self._by_style[style] = element.get(f"{W}abstractNumId", "")
        for element in root.iterchildren(f"{W}num"):
            number = element.get(f"{W}numId", "")
            counter, definition = self._definition(value_of(element, f"{W}abstractNumId") or "", 0)
            if definition is None:
                continue
            levels = dict(map(_level, definition.iterchildren(f"{W}lvl")))
            made = _List(levels, counter)
            for override in element.iterchildren(f"{W}lvlOverride"):
                self._override(override, made)
            self._lists[number] = made
            for level in definition.iterchildren(f"{W}lvl"):
                if style := value_of(level, f"{W}pStyle"):
                    self._levels_of_styles.setdefault(style, Numbered(number, _whole(level.get(f"{W}ilvl"))))

    def _override(self, override: Any, made: _List) -> None:
        at = _whole(override.get(f"{W}ilvl"))
        if value_of(override, f"{W}startOverride") is not None:
            made.starts[at] = whole_of(override, f"{W}startOverride", 1)
        replaced = override.find(f"{W}lvl")
        if replaced is not None:
            made.levels[at] = _level(replaced)[1]

    def _definition(self, name: str, depth: int) -> tuple[str, Any]:
        """A definition by its id, which may stand for that of a style."""
        found = self._definitions.get(name)
        link = value_of(found, f"{W}numStyleLink") if found is not None else None
        if link and link in self._by_style and depth < _DEEPEST:
            return self._definition(self._by_style[link], depth + 1)
        return name, found


def _level(element: Any) -> tuple[int, _Level]:
    at = _whole(element.get(f"{W}ilvl"))
    text = element.find(f"{W}lvlText")
    restart = value_of(element, f"{W}lvlRestart")
    return at, _Level(
        start=whole_of(element, f"{W}start", 1),
        format=value_of(element, f"{W}numFmt") or "decimal",
        text=(text.get(f"{W}val", "") if text is not None else f"%{at + 1}.")[:100],
        # Restarts after any level above it, or only after so many of them; after none for 0.
        restarts_after=int(restart) if restart and restart.isdecimal() and len(restart) == 1 else at,
        is_legal=is_on(element, f"{W}isLgl"),
    )


def _whole(text: str | None) -> int:
    return int(text) if text and text.isdecimal() and int(text) < _MOST_LEVELS else 0


def _ordinal(number: int) -> str:
    tail = "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")  # noqa: PLR2004
    return f"{number}{tail}"


def _chinese(number: int) -> str:
    if not 0 < number < 100:  # noqa: PLR2004 - more is not counted in lists
        return str(number)
    tens, ones = divmod(number, 10)
    ten = ("" if tens == 1 else _CHINESE[tens]) + "\u5341" if tens else ""
    return ten + (_CHINESE[ones] if ones else "")


_FORMATS: dict[str, Callable[[int], str]] = {
    "lowerLetter": repeated_letters,
    "upperLetter": lambda number: repeated_letters(number).upper(),
    "lowerRoman": roman,
    "upperRoman": lambda number: roman(number).upper(),
    "decimalZero": lambda number: f"{number:02d}",
    "ordinal": _ordinal,
    "none": lambda _: "",
    "chineseCounting": _chinese,
    "chineseCountingThousand": _chinese,
    "japaneseCounting": _chinese,
    "ideographDigital": _chinese,
    "taiwaneseCountingThousand": _chinese,
    "decimalEnclosedCircle": lambda number: chr(0x245F + number) if 0 < number <= 20 else str(number),  # noqa: PLR2004
}


def _formatted(number: int, format_: str) -> str:
    return _FORMATS.get(format_, str)(number)
