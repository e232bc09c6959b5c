"""A page as its reader sees it, without scripts, menus and hidden elements."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from lxml import etree

from parser.decoding import text_of
from parser.formats.html.reading import Reading
from parser.text import on_one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from parser.collector import Collector
    from parser.flow import Element

_DECLARED = re.compile(rb"""<meta[^>]+charset\s*=\s*["']?\s*([A-Za-z0-9_.:-]+)""", re.IGNORECASE)
_DECLARED_WITHIN = 4096
_FED_CHARACTERS = 64 * 1024
_SHOWN_HIDDEN = 2000


def elements(data: bytes, collector: Collector, declared: str | None = None) -> Iterator[Element]:
    """What a reader of the page sees. A page that is nothing but menus is read with them.

    ``declared`` is the encoding that is told for it where the page itself tells none.

    Raises:
        DocumentTooLarge: the page has too many tags or too much text.
    """
    own = _DECLARED.search(data[:_DECLARED_WITHIN])
    text = text_of(data, collector, own[1].decode("ascii") if own else declared)
    collector.look_for_hiding(text)
    stream, found = HtmlStream(), False
    for element in stream.all(text):
        found = found or not element.kind.is_page_furniture
        yield element
    if not found:
        stream = HtmlStream(everything=True)
        yield from stream.all(text)
    collector.title = stream.title
    stream.tell(collector)


class HtmlStream:
    """HTML that comes in pieces; tables are numbered on from ``first_table``."""

    def __init__(self, *, everything: bool = False, first_table: int = 0) -> None:
        self._reading = Reading(everything=everything, first_table=first_table)
        # The stubs know targets that take bytes; this parser is fed text and gives text.
        events: Any = self._reading
        self._parser = etree.HTMLParser(target=events, huge_tree=True, encoding="utf-8")
        self._is_empty = True

    @property
    def title(self) -> str | None:
        """The page's title, as far as it has been read."""
        return self._reading.title

    def all(self, text: str) -> Iterator[Element]:
        """The elements of a whole page."""
        yield from self.feed(text)
        yield from self.close()

    def feed(self, text: str) -> Iterator[Element]:
        """Take a piece and yield the elements that are complete."""
        for start in range(0, len(text), _FED_CHARACTERS):
            self._parser.feed(text[start : start + _FED_CHARACTERS].encode("utf-8", "replace"))
            self._is_empty = False
            yield from self._reading.taken()

    def close(self) -> Iterator[Element]:
        """End the page and yield what is left."""
        if not self._is_empty:
            self._parser.close()
        yield from self._reading.taken()

    def tell(self, collector: Collector) -> None:
        """Leave what is hidden in ``collector``, with a warning, and the menus."""
        hidden, menus = (on_one_line("".join(self._reading.left_out[why])) for why in ("hidden", "menu"))
        if menus:
            collector.skip("menu", None, None, menus)
        if hidden:
            collector.skip("hidden", None, None, hidden[:_SHOWN_HIDDEN])
            collector.warn("hidden_text", "the page holds text that it does not show; it is left out of searches")
