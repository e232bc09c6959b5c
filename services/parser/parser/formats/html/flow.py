"""Text and blocks as they come, within the page or within one cell of a table."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from atoll.domain.block import BlockKind
from parser.flow import BULLET, Element
from parser.formats.html.lists import Listing
from parser.raised import lowered, raised
from parser.text import on_one_line, preformatted

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Parts of text before a raised one that are looked at.
_LOOKED_BACK = 8
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
#: Tags whose text is changed where they end.
INLINE = frozenset({"sup", "sub", "q", "rt", "a", "span"})


@dataclass(slots=True)
class _Inline:
    """An open inline tag and where its text begins among the gathered parts."""

    tag: str
    start: int


class Flow:
    """Gathers text into elements. ``kind`` is what text is that stands in nothing more telling."""

    def __init__(self, kind: BlockKind = BlockKind.PARAGRAPH) -> None:
        self.out: deque[Element] = deque()
        self._kinds = [kind]
        self._text: list[str] = []
        self._pictures: list[str] = []
        self._readings: list[str] = []
        self._inline: list[_Inline] = []
        self._heading = 0
        self._preformatted = 0
        self._quotes = 0
        self._lists: list[Listing] = []
        self._marker = ""

    @property
    def is_preformatted(self) -> bool:
        """Whether white space is kept."""
        return self._preformatted > 0

    @property
    def has_text(self) -> bool:
        """Whether something was gathered that is in no element yet."""
        return any(part.strip() for part in self._text)

    def add(self, text: str) -> None:
        """Add text as it stands in the page."""
        self._text.append(text if self._preformatted else text.replace("\r", " ").replace("\n", " "))

    def add_break(self) -> None:
        """Begin a new line."""
        self._text.append("\n")

    def add_picture(self, alt: str) -> None:
        """Add a picture's text; a picture that stands alone is a figure."""
        self._pictures.append(on_one_line(alt))
        self._text.append(f" {alt} ")

    def open_inline(self, tag: str) -> None:
        """Remember where the text of an inline tag begins."""
        self._inline.append(_Inline(tag, len(self._text)))

    def close_inline(self) -> None:
        """Change the text of the inline tag that was opened last into what is written for it."""
        if self._inline:
            opened = self._inline.pop()
            text = "".join(self._text[opened.start :])
            before = "".join(self._text[max(0, opened.start - _LOOKED_BACK) : opened.start])
            self._text[opened.start :] = [self._changed(opened.tag, text, before)]

    def add_formula(self, text: str, *, is_block: bool) -> None:
        """Add a formula; one that stands in a line of its own is a block."""
        if is_block:
            self.flush()
            if line := on_one_line(text):
                self.out.append(Element(BlockKind.FORMULA, line))
        else:
            self._text.append(text)

    def _changed(self, tag: str, text: str, before: str) -> str:
        match tag:
            case "sup" | "mark":
                return raised(text, before, is_mark=tag == "mark")
            case "sub":
                return lowered(text, before)
            case "q":
                return f"\u201c{text}\u201d"
            case "rt":
                # The reading stands above the word; in the text it would part it.
                self._readings.append(on_one_line(text))
                return ""
            case _:
                return text

    def open_block(self, tag: str, attributes: Mapping[str, str]) -> None:
        """A block begins: what was gathered before it is complete."""
        self.flush()
        if tag in _HEADINGS:
            self._heading = _HEADINGS[tag]
        elif tag in {"pre", "listing", "xmp"}:
            self._preformatted += 1
        elif tag == "blockquote":
            self._quotes += 1
        elif tag in {"ul", "ol", "menu", "dir"}:
            self._lists.append(Listing.of(tag, attributes))
        elif tag == "li":
            self._marker = self._lists[-1].next(attributes) if self._lists else BULLET

    def close_block(self, tag: str) -> None:
        """A block ends."""
        self.flush()
        if tag in _HEADINGS:
            self._heading = 0
        elif tag in {"pre", "listing", "xmp"}:
            self._preformatted = max(0, self._preformatted - 1)
        elif tag == "blockquote":
            self._quotes = max(0, self._quotes - 1)
        elif tag in {"ul", "ol", "menu", "dir"} and self._lists:
            self._lists.pop()

    def open_kind(self, kind: BlockKind) -> None:
        """Text is of this kind until `close_kind`."""
        self.flush()
        self._kinds.append(kind)

    def close_kind(self) -> None:
        """The inverse of `open_kind`."""
        self.flush()
        if len(self._kinds) > 1:
            self._kinds.pop()

    def flush(self) -> None:
        """Make an element of what was gathered."""
        raw, self._text = "".join(self._text), []
        pictures, self._pictures = self._pictures, []
        readings, self._readings = tuple(self._readings), []
        self._inline.clear()
        if self._preformatted:
            text = preformatted(raw)
        else:
            text = "\n".join(filter(None, (on_one_line(line) for line in raw.split("\n"))))
        if text:
            is_picture = text == on_one_line(" ".join(pictures))
            self.out.append(replace(self._element(text, is_picture=is_picture), spellings=readings))

    def _element(self, text: str, *, is_picture: bool) -> Element:
        kind = self._kinds[-1]
        if self._preformatted:
            return Element(BlockKind.CODE, text)
        if self._heading:
            return Element(BlockKind.HEADING, text.replace("\n", " "), level=self._heading)
        if kind in {BlockKind.PARAGRAPH, BlockKind.NOTE}:
            if self._lists:
                marker, self._marker = self._marker, ""
                return Element(BlockKind.LIST_ITEM, text, level=len(self._lists) - 1, marker=marker)
            if is_picture:
                return Element(BlockKind.FIGURE, text)
            if self._quotes:
                return Element(BlockKind.QUOTE, text)
        return Element(kind, text)
