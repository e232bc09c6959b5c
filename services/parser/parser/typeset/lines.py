"""Breaks paragraphs into lines and puts each line in display order."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from parser.text import TOKEN
from parser.typeset import arabic, bidi

if TYPE_CHECKING:
    from collections.abc import Iterator

    from parser.typeset.fonts import Fonts, Style

_WORDS = re.compile(r" +|[^ ]+")
#: Punctuation that does not start a line in scripts without spaces.
_NEVER_FIRST = frozenset("、。，．：；？！）」』】〉》〕·ー・%")


@dataclass(frozen=True, slots=True)
class SetLine:
    """A line as it is kept (logical order) and as it is drawn (display order), with its width in points.

    ``joined`` says that it goes on in the next line without a space; ``starts`` are those of a `Line`'s words.
    """

    text: str
    drawn: str
    width: float
    joined: bool = False
    starts: tuple[int, ...] = ()


class LineBreaker:
    """Sets paragraphs in one style, size and width."""

    def __init__(self, fonts: Fonts, style: Style, size: float, width: float) -> None:
        self._fonts = fonts
        self._style = style
        self._size = size
        self._width = width

    def lines(self, text: str, *, keep_spaces: bool = False) -> Iterator[SetLine]:
        """The lines of a paragraph (without line breaks), broken greedily at spaces and where a script allows it.

        With ``keep_spaces`` leading and inner spaces stay as they are, as in code.
        """
        if not bidi.has_right_to_left(text):
            for start, end, joined in self._breaks(text, keep_spaces):
                piece = text[start:end]
                yield SetLine(piece, piece, self.measure(piece), joined, self._starts(piece))
            return
        levels = bidi.embedding_levels(text, bidi.base_level(text))
        for start, end, joined in self._breaks(text, keep_spaces):
            drawn = in_display_order(text[start:end], levels[start:end])
            piece = text[start:end]
            # Where both directions meet in a line, its words do not follow each other along it.
            one_way = len(set(levels[start:end])) == 1
            sign = -1 if levels[start] % 2 else 1
            starts = tuple(sign * at for at in self._starts(piece)) if one_way else ()
            yield SetLine(piece, drawn, self.measure(drawn), joined, starts)

    def measure(self, text: str) -> float:
        """Width in points of text as it is drawn."""
        return self._fonts.width(text, self._style) * self._size

    def _starts(self, text: str) -> tuple[int, ...]:
        """Where each blank-separated word begins, from the edge where reading begins."""
        starts: list[int] = []
        at = 0.0
        for token in _WORDS.findall(text):
            if token[0] != " ":
                starts.append(round(at))
            at += self._token_width(token)
        return tuple(starts)

    def _token_width(self, token: str) -> float:
        if arabic.has_arabic(token):
            token = "".join(character for character, _ in arabic.shape(token))
        return self.measure(token)

    def _breaks(self, text: str, keep_spaces: bool) -> Iterator[tuple[int, int, bool]]:
        """Start, end and "goes on without a space" of each line."""
        start = end = 0
        used = 0.0
        for token in TOKEN.finditer(text):
            width = self._token_width(token.group())
            if token.group()[0] == " ":
                if start == end and not keep_spaces:
                    start = end = token.end()
                else:
                    used += width
                    if keep_spaces and start == end:
                        end = token.end()
                continue
            if end > start and used + width > self._width and token.group() not in _NEVER_FIRST:
                yield start, end, end == token.start()
                start, used = token.start(), 0.0
            if width > self._width:
                # Longer than a line by itself: cut between characters.
                for cut in self._cuts(text, token.start(), token.end()):
                    yield start, cut, True
                    start = cut
                used = self._token_width(text[start : token.end()])
            else:
                used += width
            end = token.end()
        if end > start:
            yield start, end, False

    def _cuts(self, text: str, start: int, end: int) -> Iterator[int]:
        used = 0.0
        for index in range(start, end):
            width = self.measure(text[index])
            if used + width > self._width and used > 0 and not unicodedata.combining(text[index]):
                yield index
                used = 0.0
            used += width


def in_display_order(text: str, levels: list[int]) -> str:
    """A line as it is drawn from left to right: Arabic joined, right-to-left runs turned, brackets mirrored.

    A combining mark follows its base in the result (UAX #9, L3).
    """
    shaped = arabic.shape(text) if arabic.has_arabic(text) else list(zip(text, range(len(text)), strict=True))
    clusters: list[tuple[str, int]] = []
    for character, position in shaped:
        level = levels[position]
        if clusters and unicodedata.combining(character):
            clusters[-1] = (clusters[-1][0] + character, clusters[-1][1])
        else:
            clusters.append((bidi.mirrored(character) if level % 2 else character, level))
    return "".join(clusters[position][0] for position in bidi.display_order([level for _, level in clusters]))
