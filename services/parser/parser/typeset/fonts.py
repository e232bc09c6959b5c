"""The fonts that documents without pages are set in, from a package that carries them under the OFL.

Source Sans and Source Code set what they have; Kurinto has the other scripts. Every character gets the first font of
its style's chain that has a glyph for it, and fonts are embedded as subsets.
"""

from __future__ import annotations

from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path

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
_KEPT_WIDTHS = 50_000
_KEPT_WORD = 40


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


class Fonts:
    """The loaded fonts. Loaded once in the fork server, shared by its children."""

    def __init__(self) -> None:
        folder = _folder()
        fonts = {name: _load(name, folder / file) for name, file in _FILES.items()}
        self._chains = {style: [(name, fonts[name].face) for name in names] for style, names in _CHAINS.items()}
        self._glyphs: dict[Style, dict[str, tuple[str, float]]] = {style: {} for style in Style}
        self._widths: dict[tuple[Style, str], float] = {}
        self.missing: set[str] = set()

    def width(self, text: str, style: Style) -> float:
        """Width of drawn text at size 1."""
        key = (style, text)
        width = self._widths.get(key)
        if width is None:
            width = sum(self._glyph(character, style)[1] for character in text)
            if len(text) <= _KEPT_WORD:
                if len(self._widths) >= _KEPT_WIDTHS:
                    self._widths.clear()
                self._widths[key] = width
        return width

    def runs(self, text: str, style: Style) -> list[tuple[str, str]]:
        """The text as (font name, run) pairs, with `REPLACEMENT` for what no font has; see ``missing``."""
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
        return runs

    def _glyph(self, character: str, style: Style) -> tuple[str, float]:
        """Font and width at size 1 of a character; no font and the width of `REPLACEMENT` if none has it."""
        known = self._glyphs[style].get(character)
        if known is None:
            code = ord(character)
            known = next(
                (
                    (name, face.getCharWidth(code) / 1000)
                    for name, face in self._chains[style]
                    if code in face.charToGlyph
                ),
                None,
            )
            if known is None:
                self.missing.add(character)
                known = ("", self._glyph(REPLACEMENT, style)[1])
            self._glyphs[style][character] = known
        return known


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
