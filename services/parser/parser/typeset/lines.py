"""Breaks paragraphs into lines and puts each line in display order."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from parser.text import TOKEN
from parser.typeset import bidi
from parser.typeset.shaping import may_part, needs_shaping

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from parser.typeset.faces import Run, Style
    from parser.typeset.fonts import Fonts

_WORDS = re.compile(r" +|[^ ]+")
#: Punctuation that does not start a line in scripts without spaces.
_NEVER_FIRST = frozenset("、。，．：；？！）」』】〉》〕·ー・%")


@dataclass(frozen=True, slots=True)
class SetLine:
    """A line as it is kept (logical order) and as it is drawn (runs from left to right), with its width in points.

    ``joined`` says that it goes on in the next line without a space; ``starts`` are those of a `Line`'s words.
    """

    text: str
    runs: tuple[Run, ...]
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
        levels = _levels(text)
        for start, end, joined in self._breaks(text, keep_spaces):
            yield self._set(text[start:end], None if levels is None else levels[start:end], joined=joined)

    def line(self, text: str) -> SetLine:
        """A text that is not broken: a label, a page's number."""
        return self._set(text, _levels(text), joined=False)

    def _set(self, text: str, levels: Sequence[int] | None, *, joined: bool) -> SetLine:
        runs = self._fonts.runs(text, self._style, levels)
        # Where both directions meet in a line, its words do not follow each other along it.
        one_way = levels is None or len(set(levels)) == 1
        sign = -1 if levels and levels[0] % 2 else 1
        starts = tuple(sign * at for at in self._starts(text)) if one_way else ()
        return SetLine(text, runs, sum(run.width for run in runs) * self._size, joined, starts)

    def _starts(self, text: str) -> tuple[int, ...]:
        """Where each blank-separated word begins, from the edge where reading begins."""
        starts: list[int] = []
        at, is_shaped, before = 0.0, needs_shaping(text), ""
        for token in _WORDS.findall(text):
            if token[0] == " ":
                at += self._space_after(before, is_shaped=is_shaped) * len(token)
            else:
                starts.append(round(at))
                at += self._token_width(token)
                before = token
        return tuple(starts)

    def _token_width(self, token: str) -> float:
        return self._fonts.width(token, self._style) * self._size

    def _space_after(self, word: str, *, is_shaped: bool) -> float:
        space = self._fonts.space_after(word, self._style) if is_shaped else self._fonts.width(" ", self._style)
        return space * self._size

    def _breaks(self, text: str, keep_spaces: bool) -> Iterator[tuple[int, int, bool]]:
        """Start, end and "goes on without a space" of each line."""
        start = end = 0
        used = 0.0
        is_shaped, before = needs_shaping(text), ""
        for token in TOKEN.finditer(text):
            if token.group()[0] == " ":
                width = self._space_after(before, is_shaped=is_shaped) * len(token.group())
                if start == end and not keep_spaces:
                    start = end = token.end()
                else:
                    used += width
                    if keep_spaces and start == end:
                        end = token.end()
                continue
            before = token.group()
            width = self._token_width(before)
            if end > start and used + width > self._width and before not in _NEVER_FIRST:
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
            width = self._token_width(text[index])
            if used + width > self._width and used > 0 and may_part(text, index):
                yield index
                used = 0.0
            used += width


def _levels(text: str) -> list[int] | None:
    return bidi.embedding_levels(text, bidi.base_level(text)) if bidi.has_right_to_left(text) else None
