"""Glyphs of scripts whose letters change beside each other, by HarfBuzz: Arabic, Indic scripts, and all marks.

A line is cut into stretches of one direction, font and script, and each that needs it is set by HarfBuzz.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING

import uharfbuzz
from reportlab.pdfbase.ttfonts import ShapeData, ShapedStr

from parser.typeset import bidi
from parser.typeset.faces import REPLACEMENT, Face, Faces, Run, Style

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Letters that change beside others or are read from the right, and marks that stand above or below others.
_CHANGES = re.compile(
    "[\u0300-\u036f\u0590-\u109f\u1100-\u11ff\u1700-\u1cff\u1dc0-\u1dff\u20d0-\u20ff\ua8e0-\ua8ff\ua980-\ua9df"
    "\uaa00-\uaa7f\uabc0-\uabff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U00011000-\U000116ff"
    "\U0001e800-\U0001efff]"
)
_VIRAMA = 9  # Unicode's combining class of signs that join the next letter to this one


@dataclass(frozen=True, slots=True)
class Stretch:
    """Characters ``start`` to ``end`` of a text in logical order: one level, font and script."""

    start: int
    end: int
    level: int
    face: Face | None
    script: str


def needs_shaping(text: str) -> bool:
    """Whether characters of the text may look different beside others, or change places."""
    return not text.isascii() and _CHANGES.search(text) is not None


def may_part(text: str, position: int) -> bool:
    """Whether a line may end before ``text[position]`` in the middle of a word: not between a letter and its marks."""
    if position == 0:
        return True
    return not _is_mark(text[position]) and unicodedata.combining(text[position - 1]) != _VIRAMA


class Shaper:
    """Cuts text into stretches and sets them."""

    def __init__(self, faces: Faces) -> None:
        self._faces = faces

    def runs(self, text: str, style: Style, levels: Sequence[int]) -> tuple[Run, ...]:
        """Return a line's runs from left to right.

        Args:
            text: the line in logical order.
            style: its chain of fonts.
            levels: the level of each character (UAX #9).
        """
        stretches = self.stretches(text, style, levels)
        order = bidi.display_order([stretch.level for stretch in stretches])
        return tuple(self._run(text[stretches[at].start : stretches[at].end], stretches[at], style) for at in order)

    def stretches(self, text: str, style: Style, levels: Sequence[int]) -> list[Stretch]:
        """Return the parts of a text that are set as one, in logical order."""
        bounds = [0, *(at for at in range(1, len(text)) if not _is_mark(text[at])), len(text)]
        found: list[Stretch] = []
        for start, end in pairwise(bounds):
            cluster, script = text[start:end], _script(text[start])
            last = found[-1] if found else None
            if last and last.level == levels[start] and self._continues(last, cluster, script, style):
                found[-1] = Stretch(last.start, end, last.level, last.face, last.script or script)
            else:
                found.append(Stretch(start, end, levels[start], self._faces.of(cluster, style), script))
        return found

    def _continues(self, last: Stretch, cluster: str, script: str, style: Style) -> bool:
        """Whether a letter belongs to a stretch; spaces and signs stay in its font, so that a line is few runs."""
        if script:
            return last.script in {"", script} and self._faces.of(cluster, style) is last.face
        return last.face is not None and all(map(last.face.has, cluster))

    def _run(self, text: str, stretch: Stretch, style: Style) -> Run:
        face = stretch.face
        if face is None:
            square = self._faces.of(REPLACEMENT, style)
            assert square is not None  # a font that ships has it
            return Run(square.name, REPLACEMENT * len(text), square.width(REPLACEMENT) * len(text))
        if stretch.level % 2 == 0 and not needs_shaping(text):
            return Run(face.name, text, face.width(text))
        return _shaped(face, text, is_right_to_left=bool(stretch.level % 2))


def _shaped(face: Face, text: str, *, is_right_to_left: bool) -> Run:
    buffer = uharfbuzz.Buffer()
    buffer.add_str(text)
    buffer.direction = "rtl" if is_right_to_left else "ltr"
    buffer.language = "und"  # not the machine's own
    buffer.guess_segment_properties()
    uharfbuzz.shape(face.shapes, buffer, {})
    characters: list[str] = []
    places: list[ShapeData] = []
    for glyph, place in zip(buffer.glyph_infos, buffer.glyph_positions, strict=True):
        characters.append(face.character_of(glyph.codepoint))
        own = face.shapes.get_glyph_h_advance(glyph.codepoint)
        figures = (place.x_advance, place.y_advance, place.x_offset, place.y_offset, own)
        places.append(ShapeData(glyph.cluster, *(round(figure * face.scale) for figure in figures)))
    width = sum(place.x_advance for place in places) / 1000
    return Run(face.name, ShapedStr("".join(characters), shapeData=places), width, meant=text)


def _is_mark(character: str) -> bool:
    return not character.isascii() and unicodedata.category(character).startswith("M")


@cache
def _script(character: str) -> str:
    """Return the script of a letter, as the first word of its name; empty for what every script uses."""
    if not unicodedata.category(character).startswith("L"):
        return ""
    return unicodedata.name(character, "").partition(" ")[0]
