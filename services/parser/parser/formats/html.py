"""HTML, read as a stream of tags: no tree is built, so memory does not follow the size of the file."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lxml import etree

from atoll.domain.block import BlockKind
from atoll.errors import DocumentTooLarge
from parser.decoding import decode
from parser.flow import BULLET, Element, row_of
from parser.text import on_one_line, preformatted

if TYPE_CHECKING:
    from parser.collector import Collector

_FED_CHARACTERS = 64 * 1024
_MOST_TAGS = 5_000_000
_TITLE_CHARACTERS = 500
_DECLARED = re.compile(rb"""<meta[^>]+charset\s*=\s*["']?\s*([A-Za-z0-9_.:-]+)""", re.IGNORECASE)
_DECLARED_WITHIN = 4096

_DROPPED = frozenset(
    {
        *("script", "style", "noscript", "template", "svg", "math", "iframe", "object", "embed", "canvas", "audio"),
        *("video", "nav", "form", "button", "select", "textarea", "input", "dialog", "footer", "aside"),
    }
)
_VOID = frozenset(
    ("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr")
)
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_BLOCKS = frozenset(
    {
        *("p", "div", "section", "article", "main", "header", "address", "blockquote", "dl", "dt", "dd", "figure"),
        *("figcaption", "ul", "ol", "li", "table", "caption", "thead", "tbody", "tfoot", "tr", "td", "th", "hr"),
        *("pre", "body", "html", "details", "summary", "fieldset", "center", *_HEADINGS),
    }
)
_HIDDEN_STYLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0(?![.\d])", re.IGNORECASE)
_NAVIGATION = frozenset({"navigation", "banner", "search", "menu", "menubar", "toolbar", "contentinfo"})


def elements(data: bytes, collector: Collector) -> Iterator[Element]:
    """What a reader of the page sees, without scripts, hidden elements, navigation and page furniture.

    Raises:
        DocumentTooLarge: the page has too many tags or too much text.
    """
    declared = _DECLARED.search(data[:_DECLARED_WITHIN])
    text = decode(data, declared[1].decode("ascii") if declared else None)
    collector.look_for_hiding(text)
    target = _Target()
    # The stubs know targets that take bytes; this parser is fed text and gives text.
    events: Any = target
    parser = etree.HTMLParser(target=events, huge_tree=True, encoding="utf-8")
    for start in range(0, len(text), _FED_CHARACTERS):
        parser.feed(text[start : start + _FED_CHARACTERS].encode("utf-8", "replace"))
        yield from target.taken()
    if text:
        parser.close()
    yield from target.taken()
    collector.title = target.title


@dataclass(slots=True)
class _Table:
    number: int
    rows: int = 0
    cells: list[str] = field(default_factory=list)
    has_only_headers: bool = True


class _Target:
    """Receives tags and text from the parser and turns them into elements."""

    def __init__(self) -> None:
        self._title: list[str] = []
        self._out: deque[Element] = deque()
        self._text: list[str] = []
        self._tags = 0
        self._dropped: list[str] = []
        self._in_title = False
        self._heading = 0
        self._preformatted = 0
        self._quotes = 0
        self._lists: list[int | None] = []
        self._marker = ""
        self._tables: list[_Table] = []
        self._tables_seen = 0
        self._caption = False

    @property
    def title(self) -> str | None:
        """The page's title, as far as it has been read."""
        return on_one_line("".join(self._title))[:_TITLE_CHARACTERS] or None

    def taken(self) -> Iterator[Element]:
        """The elements that are complete, once."""
        while self._out:
            yield self._out.popleft()

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        """Called by the parser at a start tag."""
        self._tags += 1
        if self._tags > _MOST_TAGS:
            raise DocumentTooLarge(f"the page has more than {_MOST_TAGS} tags; split it into several files")
        if tag == "title" and not self._title:
            self._in_title = True
            return
        if self._dropped or tag in _DROPPED or _is_hidden(attributes):
            if tag not in _VOID:
                self._dropped.append(tag)
            return
        if tag == "br":
            self._text.append("\n")
        elif tag == "img" and attributes.get("alt"):
            self._text.append(f" {attributes['alt']} ")
        if tag in _BLOCKS:
            self._open(tag, attributes)

    def end(self, tag: str) -> None:
        """Called by the parser at an end tag; it closes what was left open."""
        if tag == "title":
            self._in_title = False
        if self._dropped:
            if tag in self._dropped:
                while self._dropped.pop() != tag:
                    pass
            return
        if tag in _BLOCKS:
            self._close(tag)

    def data(self, data: str) -> None:
        """Called by the parser with text."""
        if self._in_title:
            self._title.append(data)
        elif not self._dropped:
            self._text.append(data if self._preformatted else data.replace("\r", " ").replace("\n", " "))

    def comment(self, text: str) -> None:
        """Called by the parser with a comment: nobody sees those."""

    def close(self) -> None:
        """Called by the parser at the end."""
        self._flush()

    def _open(self, tag: str, attributes: Mapping[str, str]) -> None:
        self._boundary(tag)
        if tag in _HEADINGS:
            self._heading = _HEADINGS[tag]
        elif tag == "pre":
            self._preformatted += 1
        elif tag == "blockquote":
            self._quotes += 1
        elif tag == "ul":
            self._lists.append(None)
        elif tag == "ol":
            start = attributes.get("start", "1")
            self._lists.append(int(start) if start.isdecimal() and len(start) < 9 else 1)  # noqa: PLR2004
        elif tag == "li":
            self._marker = self._next_marker()
        elif tag == "table":
            self._tables_seen += 1
            self._tables.append(_Table(self._tables_seen))
        elif tag in {"caption", "figcaption"}:
            self._caption = True
        elif tag == "td" and self._tables:
            self._tables[-1].has_only_headers = False

    def _close(self, tag: str) -> None:
        self._boundary(tag)
        if tag in _HEADINGS:
            self._heading = 0
        elif tag == "pre":
            self._preformatted = max(0, self._preformatted - 1)
        elif tag == "blockquote":
            self._quotes = max(0, self._quotes - 1)
        elif tag in {"ul", "ol"} and self._lists:
            self._lists.pop()
        elif tag in {"caption", "figcaption"}:
            self._caption = False
        elif tag in {"td", "th"}:
            self._take_cell()
        elif tag in {"tr", "table"}:
            self._take_row()
            if tag == "table" and self._tables:
                self._tables.pop()

    def _boundary(self, tag: str) -> None:
        """A block begins or ends: what was gathered is complete, but inside a cell it is only a new word."""
        if (self._tables and not self._caption and tag not in {"table", "caption"}) or (
            self._tables and tag == "table" and self._text
        ):
            self._text.append(" ")
        else:
            self._flush()

    def _next_marker(self) -> str:
        if not self._lists or self._lists[-1] is None:
            return BULLET
        number = self._lists[-1]
        self._lists[-1] = number + 1
        return f"{number}."

    def _take_cell(self) -> None:
        text = on_one_line("".join(self._text))
        self._text = []
        if self._tables:
            self._tables[-1].cells.append(text)

    def _take_row(self) -> None:
        if not self._tables:
            return
        table = self._tables[-1]
        if self._text and on_one_line("".join(self._text)):
            self._take_cell()
        self._text = []
        if len(self._tables) > 1:
            # A table inside a cell is that cell's text: what it holds goes to the outer cell.
            self._text = [" ".join(table.cells), " "] if any(table.cells) else []
            outer = self._tables[-2].cells
            if self._text:
                outer.append(on_one_line("".join(self._text)))
                self._text = []
        elif any(table.cells):
            cells = tuple(table.cells)
            if len(cells) == 1:
                self._out.append(Element(BlockKind.PARAGRAPH, cells[0]))
            else:
                header = table.has_only_headers and table.rows == 0
                self._out.append(row_of(list(cells), table.number, is_header=header))
            table.rows += 1
        table.cells = []
        table.has_only_headers = True

    def _flush(self) -> None:
        raw, self._text = "".join(self._text), []
        if self._preformatted:
            text = preformatted(raw)
        else:
            text = "\n".join(filter(None, (on_one_line(line) for line in raw.split("\n"))))
        if not text:
            return
        if self._preformatted:
            self._out.append(Element(BlockKind.CODE, text))
        elif self._heading:
            self._out.append(Element(BlockKind.HEADING, text.replace("\n", " "), level=self._heading))
        elif self._caption:
            self._out.append(Element(BlockKind.CAPTION, text))
        elif self._lists:
            marker, self._marker = self._marker, ""
            self._out.append(Element(BlockKind.LIST_ITEM, text, level=len(self._lists) - 1, marker=marker))
        else:
            self._out.append(Element(BlockKind.QUOTE if self._quotes else BlockKind.PARAGRAPH, text))


def _is_hidden(attributes: Mapping[str, str]) -> bool:
    return (
        "hidden" in attributes
        or attributes.get("aria-hidden") == "true"
        or attributes.get("role", "") in _NAVIGATION
        or _HIDDEN_STYLE.search(attributes.get("style", "")) is not None
    )
