"""Styles of a Word document: what their paragraphs are, whether their text is seen, and how it is numbered."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from atoll.domain.block import BlockKind
from parser.opc import W, is_on, value_of, whole_of

if TYPE_CHECKING:
    from parser.opc import Package

_HEADING_NAME = re.compile(
    r"(?:title|titel|titre|t\u00edtulo)$|(?:heading|\u00fcberschrift|titre|t\u00edtulo|rubrik|otsikko) ?([1-9])$"
)
_KINDS_BY_NAME = {
    "caption": BlockKind.CAPTION, "beschriftung": BlockKind.CAPTION, "quote": BlockKind.QUOTE,
    "intense quote": BlockKind.QUOTE, "block text": BlockKind.QUOTE, "html preformatted": BlockKind.CODE,
    "macro text": BlockKind.CODE, "code": BlockKind.CODE, "source code": BlockKind.CODE,
}  # fmt: skip
_MOST_LEVELS = 6
_DEEPEST = 20


@dataclass(frozen=True, slots=True)
class Numbered:
    """The list that a paragraph belongs to, and its level in it (from 0)."""

    list: str
    level: int


@dataclass(frozen=True, slots=True)
class Style:
    """What a style says of its paragraphs or runs; ``raise_`` is "superscript", "subscript" or empty.

    ``colour`` is that of the text and ``fill`` that of what it stands on, as they are written.
    """

    kind: BlockKind = BlockKind.PARAGRAPH
    level: int = 0
    numbered: Numbered | None = None
    is_hidden: bool = False
    is_struck: bool = False
    is_bold: bool = False
    raise_: str = ""
    font: str = ""
    colour: str = ""
    fill: str = ""


PLAIN = Style()


class Styles:
    """The styles of a document, each with what it inherits."""

    def __init__(self, package: Package, document: str) -> None:
        self._elements: dict[str, Any] = {}
        self._styles: dict[str, Style] = {}
        self._default = PLAIN
        for name in package.related(document, "styles")[:1]:
            for element in package.xml(name).iterchildren(f"{W}style"):
                self._elements.setdefault(element.get(f"{W}styleId", ""), element)
                if element.get(f"{W}type") == "paragraph" and element.get(f"{W}default") in {"1", "true", "on"}:
                    self._default = self.of(element.get(f"{W}styleId", ""))

    @property
    def default(self) -> Style:
        """What holds for paragraphs without a style."""
        return self._default

    def of(self, style: str | None, depth: int = 0) -> Style:
        """A style by its id."""
        if style is None or style not in self._elements or depth > _DEEPEST:
            return PLAIN
        if style not in self._styles:
            element = self._elements[style]
            parent = self.of(value_of(element, f"{W}basedOn"), depth + 1)
            self._styles[style] = _inherited(element, parent)
        return self._styles[style]


def _inherited(element: Any, parent: Style) -> Style:
    name = (value_of(element, f"{W}name") or "").casefold()
    paragraph, run = element.find(f"{W}pPr"), element.find(f"{W}rPr")
    kind, level = _kind(name, paragraph, parent)
    numbered = parent.numbered
    numbering = paragraph.find(f"{W}numPr") if paragraph is not None else None
    if numbering is not None:
        inherited = numbered.list if numbered else ""
        numbered = Numbered(value_of(numbering, f"{W}numId") or inherited, whole_of(numbering, f"{W}ilvl"))
    elif numbered is not None and level and kind is BlockKind.HEADING:
        numbered = Numbered(numbered.list, level - 1)
    if name.startswith("list") and kind is BlockKind.PARAGRAPH and not name.startswith("list paragraph"):
        kind = BlockKind.LIST_ITEM
    fonts = run.find(f"{W}rFonts") if run is not None else None
    shade = paragraph.find(f"{W}shd") if paragraph is not None else None
    return Style(
        kind,
        level,
        numbered,
        is_on(run, f"{W}vanish", parent.is_hidden),
        is_on(run, f"{W}strike", is_on(run, f"{W}dstrike", parent.is_struck)),
        is_on(run, f"{W}b", parent.is_bold),
        value_of(run, f"{W}vertAlign") or parent.raise_,
        (fonts.get(f"{W}ascii") if fonts is not None else None) or parent.font,
        value_of(run, f"{W}color") or parent.colour,
        (shade.get(f"{W}fill") if shade is not None else None) or parent.fill,
    )


def _kind(name: str, paragraph: Any, parent: Style) -> tuple[BlockKind, int]:
    outline = value_of(paragraph, f"{W}outlineLvl")
    if outline is not None and outline.isdecimal():
        level = int(outline)
        return (BlockKind.HEADING, level + 1) if level < _MOST_LEVELS else (BlockKind.PARAGRAPH, 0)
    if found := _HEADING_NAME.match(name):
        return BlockKind.HEADING, min(int(found[1] or 1), _MOST_LEVELS)
    if name in _KINDS_BY_NAME:
        return _KINDS_BY_NAME[name], 0
    return parent.kind, parent.level
