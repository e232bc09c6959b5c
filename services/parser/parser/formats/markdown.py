"""Markdown (CommonMark with tables and strikethrough)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from markdown_it import MarkdownIt

from atoll.domain.block import BlockKind
from parser.decoding import decode
from parser.flow import BULLET, Element, row_of
from parser.text import flowing, on_one_line, preformatted

if TYPE_CHECKING:
    from markdown_it.token import Token

    from parser.collector import Collector

#: Parsed at a time, in characters, so that memory does not follow the size of the file.
_SEGMENT_CHARACTERS = 500_000
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_FRONT_MATTER = re.compile(r"\A---\n.*?\n(?:---|\.\.\.)\n", re.DOTALL)
_HTML_TAG = re.compile(r"<(?:!--.*?-->|/?[A-Za-z][^<>]*>)", re.DOTALL)


def elements(data: bytes, collector: Collector) -> Iterator[Element]:
    """The blocks of a Markdown file; links and emphasis are read as their text, raw HTML without its tags."""
    text = decode(data)
    collector.limits.check_characters(len(text))
    collector.look_for_hiding(text)
    markdown = MarkdownIt("commonmark", {"maxNesting": 40}).enable(["table", "strikethrough"])
    table = 0
    for segment in _segments(text):
        reading = _Reading(table)
        for element in reading.elements(markdown.parse(segment)):
            if element.kind is BlockKind.HEADING and element.level == 1 and not collector.title:
                collector.title = element.text
            yield element
        table = reading.table


def _segments(text: str) -> Iterator[str]:
    """The text in parts, cut at blank lines outside fences; a leading block of metadata is dropped."""
    text = _FRONT_MATTER.sub("", text.replace("\r\n", "\n"), count=1)
    if len(text) <= _SEGMENT_CHARACTERS:
        yield text
        return
    lines: list[str] = []
    size, fence = 0, ""
    for line in text.splitlines(keepends=True):
        lines.append(line)
        size += len(line)
        if found := _FENCE.match(line):
            fence = "" if fence and found[1].startswith(fence) else fence or found[1]
        if size >= _SEGMENT_CHARACTERS and not fence and not line.strip():
            yield "".join(lines)
            lines, size = [], 0
    yield "".join(lines)


class _Reading:
    """Walks the parser's flat list of tokens, keeping track of lists, quotes and tables."""

    def __init__(self, table: int) -> None:
        self.table = table
        self._numbers: list[int | None] = []
        self._marker = ""
        self._quotes = 0
        self._cells: list[str] = []
        self._heading = 0
        self._in_cell = False
        self._in_head = False

    def elements(self, tokens: list[Token]) -> Iterator[Element]:
        for token in tokens:
            self._open_or_close(token)
            match token.type:
                case "inline":
                    yield from self._text(_inline_text(token))
                case "fence" | "code_block":
                    yield from _unless_empty(Element(BlockKind.CODE, preformatted(token.content)))
                case "html_block":
                    yield from self._text(flowing(_HTML_TAG.sub(" ", token.content)))
                case "tr_close":
                    if any(self._cells):
                        yield row_of(self._cells, self.table, is_header=self._in_head)

    def _open_or_close(self, token: Token) -> None:
        match token.type:
            case "heading_open":
                self._heading = int(token.tag[1:])
            case "heading_close":
                self._heading = 0
            case "bullet_list_open":
                self._numbers.append(None)
            case "ordered_list_open":
                self._numbers.append(int(token.attrs.get("start", 1)))
            case "bullet_list_close" | "ordered_list_close":
                self._numbers.pop()
            case "list_item_open":
                self._marker = self._next_marker()
            case "blockquote_open" | "blockquote_close":
                self._quotes += token.nesting
            case "table_open":
                self.table += 1
            case "thead_open" | "thead_close":
                self._in_head = token.nesting > 0
            case "tr_open":
                self._cells = []
            case "th_open" | "td_open" | "th_close" | "td_close":
                self._in_cell = token.nesting > 0

    def _next_marker(self) -> str:
        number = self._numbers[-1]
        if number is None:
            return BULLET
        self._numbers[-1] = number + 1
        return f"{number}."

    def _text(self, text: str) -> Iterator[Element]:
        if self._in_cell:
            self._cells.append(text.replace("\n", " "))
        elif self._heading:
            yield from _unless_empty(Element(BlockKind.HEADING, text.replace("\n", " "), level=self._heading))
        elif self._numbers:
            marker, self._marker = self._marker, ""
            yield from _unless_empty(Element(BlockKind.LIST_ITEM, text, level=len(self._numbers) - 1, marker=marker))
        else:
            yield from _unless_empty(Element(BlockKind.QUOTE if self._quotes else BlockKind.PARAGRAPH, text))


def _unless_empty(element: Element) -> Iterator[Element]:
    if element.text:
        yield element


def _inline_text(token: Token) -> str:
    """What a reader sees of inline tokens; a hard break is a line break, a soft one a space."""
    parts: list[str] = []
    for child in token.children or []:
        if child.type == "hardbreak":
            parts.append("\n")
        elif child.type == "softbreak":
            parts.append(" ")
        elif child.type in {"text", "code_inline", "image"}:
            parts.append(child.content)
    return flowing("".join(parts)) if "\n" in parts else on_one_line("".join(parts))
