"""PDF: glyphs to words and runs, rows in reading order (`layout`), blocks, and what goes on from page to page."""

from __future__ import annotations

from parser.formats.pdf.document import read
from parser.formats.pdf.file import opened, write_open
from parser.formats.pdf.forms import shown_page

__all__ = ["opened", "read", "shown_page", "write_open"]
