"""HTML, read as a stream of tags: no tree is built, so memory does not follow the size of the file."""

from __future__ import annotations

from parser.formats.html.page import HtmlStream, elements

__all__ = ["HtmlStream", "elements"]
