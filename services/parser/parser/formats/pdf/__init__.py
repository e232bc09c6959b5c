"""PDF with a text layer: glyphs to words (`glyphs`), words to rows in reading order (`layout`), rows to blocks."""

from __future__ import annotations

from parser.formats.pdf.blocks import read
from parser.formats.pdf.file import opened

__all__ = ["opened", "read"]
