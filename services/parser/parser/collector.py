"""Gathers what parsing finds, within the limits on content."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from atoll.domain.page import Block, Box, Line, Page, ParsedDocument, ParseWarning
from parser.text import hides_characters

if TYPE_CHECKING:
    from collections.abc import Sequence

    from atoll.domain.page import BlockKind
    from parser.limits import ContentLimits

#: Warnings of one type that are kept one by one; the rest are counted.
_KEPT_WARNINGS = 50


class Collector:
    """Pages, blocks and warnings of one document; raises `DocumentTooLarge` as soon as a limit is passed."""

    def __init__(self, limits: ContentLimits) -> None:
        self.limits = limits
        self.title: str | None = None
        self._pages: list[Page] = []
        self._blocks: list[Block] = []
        self._warnings: list[ParseWarning] = []
        self._warned: Counter[str] = Counter()
        self._characters = 0
        self._first_hiding_page: int | None = None
        self._hides = False

    def add_page(self, width: float, height: float) -> int:
        """Begin a page of that size in points and return its number."""
        number = len(self._pages) + 1
        self.limits.check_pages(number)
        self._pages.append(Page(number, round(width, 1), round(height, 1)))
        return number

    def add_block(self, kind: BlockKind, lines: Sequence[Line], level: int = 0) -> None:
        """Add a block; one without text is dropped."""
        if any(line.text for line in lines):
            self._blocks.append(Block(kind, tuple(lines), level))

    def count_characters(self, count: int) -> None:
        """Count extracted text against its limit."""
        self._characters += count
        self.limits.check_characters(self._characters)

    def look_for_hiding(self, text: str, page: int | None = None) -> None:
        """Remember when raw text holds characters that hide something."""
        if not self._hides and hides_characters(text):
            self._hides = True
            self._first_hiding_page = page

    def warn(self, kind: str, message: str, page: int | None = None) -> None:
        """Tell the reader something; one type is told at most fifty times, then counted."""
        self._warned[kind] += 1
        if self._warned[kind] <= _KEPT_WARNINGS:
            self._warnings.append(ParseWarning(kind, message, page))

    def document(self) -> ParsedDocument:
        """Everything gathered."""
        warnings = list(self._warnings)
        warnings += (
            ParseWarning(kind, f"{count - _KEPT_WARNINGS} more warnings of this kind")
            for kind, count in self._warned.items()
            if count > _KEPT_WARNINGS
        )
        if self._hides:
            warnings.append(
                ParseWarning(
                    "hidden_characters",
                    "invisible characters that can hide text from a reader were removed",
                    self._first_hiding_page,
                )
            )
        return ParsedDocument(self.title or None, tuple(self._pages), tuple(self._blocks), tuple(warnings))


def line(text: str, page: int, box: Box, *, joined: bool = False) -> Line:
    """A line with its box at the precision that is stored."""
    return Line(text, page, box.rounded(), joined)
