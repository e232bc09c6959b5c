"""How wide text is and in which runs it is drawn.

Latin, Cyrillic, Greek and Chinese text without marks goes to the page as it is; what changes its shape or its place
goes through `parser.typeset.shaping`, which costs five times as much.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from parser.typeset import bidi
from parser.typeset.faces import REPLACEMENT, Faces, Run, Style
from parser.typeset.shaping import Shaper, needs_shaping

if TYPE_CHECKING:
    from collections.abc import Sequence

_KEPT_WIDTHS = 50_000
_KEPT_WORD = 40


class Fonts:
    """The loaded fonts. Loaded once in the fork server, shared by its children."""

    def __init__(self) -> None:
        self._faces = Faces()
        self._shaper = Shaper(self._faces)
        self._glyphs: dict[Style, dict[str, tuple[str, float]]] = {style: {} for style in Style}
        self._widths: dict[tuple[Style, str], float] = {}

    @property
    def missing(self) -> set[str]:
        """Characters that no font has, so far."""
        return self._faces.missing

    def width(self, text: str, style: Style) -> float:
        """Width of drawn text in one line at size 1; the order of its runs changes nothing."""
        key = (style, text)
        width = self._widths.get(key)
        if width is None:
            if needs_shaping(text):
                levels = bidi.embedding_levels(text, bidi.base_level(text)) if bidi.has_right_to_left(text) else None
                width = sum(run.width for run in self.runs(text, style, levels))
            else:
                width = sum(self._glyph(character, style)[1] for character in text)
            if len(text) <= _KEPT_WORD:
                if len(self._widths) >= _KEPT_WIDTHS:
                    self._widths.clear()
                self._widths[key] = width
        return width

    def space_after(self, word: str, style: Style) -> float:
        """Width at size 1 of a space behind a word: in a shaped line it is set in the word's own font."""
        if needs_shaping(word):
            face = self._shaper.stretches(word, style, [0] * len(word))[-1].face
            if face is not None and face.has(" "):
                return face.width(" ")
        return self.width(" ", style)

    def runs(self, text: str, style: Style, levels: Sequence[int] | None = None) -> tuple[Run, ...]:
        """A line's runs from left to right, with `REPLACEMENT` for what no font has; see ``missing``.

        Args:
            text: the line in logical order.
            style: its chain of fonts.
            levels: the level of each character (UAX #9); none where nothing is read from the right.
        """
        if needs_shaping(text):
            return self._shaper.runs(text, style, [0] * len(text) if levels is None else levels)
        runs: list[tuple[str, str]] = []
        for character in text:
            font, _ = self._glyph(character, style)
            if not font:
                character = REPLACEMENT  # noqa: PLW2901 - that is what is drawn
                font, _ = self._glyph(character, style)
            if runs and runs[-1][0] == font:
                runs[-1] = (font, runs[-1][1] + character)
            else:
                runs.append((font, character))
        return tuple(Run(font, run, self.width(run, style)) for font, run in runs)

    def _glyph(self, character: str, style: Style) -> tuple[str, float]:
        """Font and width at size 1 of a character; no font and the width of `REPLACEMENT` if none has it."""
        known = self._glyphs[style].get(character)
        if known is None:
            face = self._faces.of(character, style)
            if face is None:  # not remembered here: each document is told what is missing
                return "", self._glyph(REPLACEMENT, style)[1]
            known = face.name, face.width(character)
            self._glyphs[style][character] = known
        return known
