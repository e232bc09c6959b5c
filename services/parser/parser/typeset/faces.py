"""The font files that documents without pages are set in, from a package that carries them under the OFL.

Source Sans and Source Code set what they have; Kurinto has the other scripts. A letter with its marks is set in the
first font of its style's chain that has all of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import uharfbuzz
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFError, TTFont

from atoll.errors import StartRefused

_PACKAGE = "weblate_fonts"
_FOLDER = "static/weblate_fonts"
_FILES = {
    "text": "source-sans/ttf/SourceSans3-Regular.ttf",
    "bold": "source-sans/ttf/SourceSans3-Bold.ttf",
    "code": "source-code/ttf/SourceCodePro-Regular.ttf",
    "world": "kurinto/ttf/KurintoSans-Rg.ttf",
    "world-bold": "kurinto/ttf/KurintoSans-Bd.ttf",
    "chinese": "kurinto/ttf/KurintoSansSC-Rg.ttf",
    "korean": "kurinto/ttf/KurintoSansKR-Rg.ttf",
    "japanese": "kurinto/ttf/KurintoSansJP-Rg.ttf",
    "traditional": "kurinto/ttf/KurintoSansTC-Rg.ttf",
}
_EAST_ASIAN = ("chinese", "korean", "japanese", "traditional")

#: Drawn where no font has a glyph.
REPLACEMENT = "\N{WHITE SQUARE}"
#: Codes that a text seldom means, for glyphs that have no character of their own.
_PRIVATE = range(0xE000, 0xF900)


class Style(StrEnum):
    """How a run of text looks; each has its chain of fonts."""

    TEXT = "text"
    BOLD = "bold"
    CODE = "code"


_CHAINS = {
    Style.TEXT: ("text", "world", *_EAST_ASIAN),
    Style.BOLD: ("bold", "world-bold", "world", *_EAST_ASIAN),
    Style.CODE: ("code", "world", *_EAST_ASIAN),
}


@dataclass(frozen=True, slots=True)
class Run:
    """Text in one font, in display order and as reportlab draws it; ``width`` is that at size 1.

    ``meant`` is what a shaped run says, in logical order: its glyphs alone do not tell.
    """

    font: str
    text: str
    width: float
    meant: str | None = None


class Face:
    """One font file, as reportlab and as HarfBuzz see it; ``scale`` turns its units into thousandths of its size."""

    def __init__(self, name: str, path: Path) -> None:
        self._drawn: Any = _load(name, path).face
        face = uharfbuzz.Face(uharfbuzz.Blob.from_file_path(str(path)))
        self.name = name
        self.shapes = uharfbuzz.Font(face)
        self.scale = 1000 / face.upem
        self._lent: dict[int, int] = {}
        self._free = iter([code for code in _PRIVATE if code not in self._drawn.charToGlyph])
        self._taken: set[int] = set()

    def has(self, character: str) -> bool:
        """Whether the font draws this character of a text."""
        return ord(character) in self._drawn.charToGlyph and ord(character) not in self._taken

    def width(self, text: str) -> float:
        """Width at size 1 of characters that the font has."""
        return float(sum(self._drawn.getCharWidth(ord(character)) for character in text)) / 1000

    def character_of(self, glyph: int) -> str:
        """The character that is drawn as this glyph: its own, or a private one that is lent to it for good.

        A page takes some hundred glyphs without a character; past the six thousand that can be lent a box is drawn.
        """
        own = self._drawn.glyphToChar.get(glyph)
        if own:
            return chr(own[0])
        code = self._lent.get(glyph)
        if code is None:
            code = self._lent[glyph] = next(self._free, 0)
            if code:
                self._drawn.charToGlyph[code] = glyph
                self._drawn.charWidths[code] = round(self.shapes.get_glyph_h_advance(glyph) * self.scale)
                self._taken.add(code)
        return chr(code)


class Faces:
    """The loaded fonts, and which of them sets what. ``missing`` gathers characters that none has."""

    def __init__(self) -> None:
        folder = _folder()
        self._faces = {name: Face(name, folder / file) for name, file in _FILES.items()}
        self._chains = {style: [self._faces[name] for name in names] for style, names in _CHAINS.items()}
        self._found: dict[Style, dict[str, Face | None]] = {style: {} for style in Style}
        self.missing: set[str] = set()

    def __getitem__(self, name: str) -> Face:
        return self._faces[name]

    def of(self, cluster: str, style: Style) -> Face | None:
        """The first font that has a letter and all its marks, else the letter's own; None where no font has it."""
        known = self._found[style]
        if cluster in known:
            face = known[cluster]
        else:
            face = next((each for each in self._chains[style] if all(map(each.has, cluster))), None)
            if face is None and len(cluster) > 1:
                face = self.of(cluster[0], style)
            known[cluster] = face
        if face is None:
            self.missing.update(cluster)
        return face


def _folder() -> Path:
    spec = find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise StartRefused(f"the font package {_PACKAGE} is missing: pip install -r requirements-core.lock")
    return Path(spec.origin).parent / _FOLDER


def _load(name: str, path: Path) -> TTFont:
    try:
        font = TTFont(name, str(path))
    except (TTFError, OSError) as err:
        raise StartRefused(f"font {path} cannot be read: pip install --force-reinstall weblate-fonts") from err
    pdfmetrics.registerFont(font)
    return font
