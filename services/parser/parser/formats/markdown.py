"""Markdown (CommonMark with tables, strikethrough and formulas), set as HTML and read as that: raw HTML is the same."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml

from atoll.domain.block import BlockKind
from parser.decoding import text_of
from parser.flow import CellElement, Element
from parser.formats.front_matter import front_matter
from parser.formats.html import HtmlStream
from parser.text import on_one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from markdown_it.rules_block import StateBlock
    from markdown_it.rules_inline import StateInline
    from markdown_it.token import Token

    from parser.collector import Collector

#: Parsed at a time, in characters, so that memory does not follow the size of the file.
_SEGMENT_CHARACTERS = 500_000
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
#: A formula in a line: no blank inside its signs, and no digit after it, which would make them prices.
_INLINE = re.compile(r"\$\$(?=\S)[^\n]*?\S\$\$|\$(?=[^\s$])(?:[^$\n\\]|\\.)*?(?<=[^\s\\])\$(?!\d)|\\\((?:.|\n)*?\\\)")
_TAG_NAME = re.compile(r"</?([A-Za-z][A-Za-z0-9-]*)")
_HTML_TAGS = frozenset(
    """
    a abbr acronym address area article aside audio b base bdi bdo big blockquote body br button canvas caption center
    cite code col colgroup data datalist dd del details dfn dialog dir div dl dt em embed fieldset figcaption figure
    font footer form frame frameset h1 h2 h3 h4 h5 h6 head header hgroup hr html i iframe img input ins kbd label legend
    li link main map mark math menu meta meter nav noscript object ol optgroup option output p param picture pre
    progress q rp rt ruby s samp script search section select slot small source span strike strong style sub summary
    sup svg table tbody td template textarea tfoot th thead time title tr track tt u ul var video wbr
    g path text tspan circle rect line polygon mi mn mo mrow msup msub mfrac msqrt mtext
    """.split()  # noqa: SIM905 - a word list reads better than a hundred quoted strings
)
_DISPLAY = re.compile(r"\$\$|\\\[")
_LONGEST_FORMULA_LINES = 200


def elements(data: bytes, collector: Collector) -> Iterator[Element]:
    """The blocks of a Markdown file; links and emphasis are read as their text, metadata at its head as a table."""
    text = text_of(data, collector).replace("\r\n", "\n")
    collector.limits.check_characters(len(text))
    collector.look_for_hiding(text)
    head = front_matter(text)
    if head:
        collector.title = head.fields.get("title") or collector.title
        collector.told(head.values)
        yield from _table_of(head.fields)
        text = text[head.end :]
    markdown = _markdown()
    stream = HtmlStream(first_table=1)
    for segment in _segments(text):
        for element in stream.feed(str(markdown.render(segment))):
            yield _titled(element, collector)
    for element in stream.close():
        yield _titled(element, collector)
    stream.tell(collector)


def _titled(element: Element, collector: Collector) -> Element:
    if element.kind is BlockKind.HEADING and element.level == 1 and not collector.title:
        collector.title = element.text
    return element


def _table_of(fields: dict[str, str]) -> Iterator[Element]:
    for name, value in fields.items():
        cells = (CellElement(on_one_line(name), 0, is_header=True), CellElement(on_one_line(value), 1))
        yield Element(BlockKind.TABLE, cells=cells, table=1)


def _segments(text: str) -> Iterator[str]:
    """The text in parts, cut at blank lines outside fences."""
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


def _markdown() -> MarkdownIt:
    made = MarkdownIt("commonmark", {"maxNesting": 40}).enable(["table", "strikethrough"])
    made.inline.ruler.before("escape", "formula", _inline_formula)
    made.inline.ruler.before("emphasis", "times", _times)
    made.block.ruler.before("fence", "display_formula", _display_formula, {"alt": ["paragraph", "blockquote", "list"]})
    made.add_render_rule("html_inline", _set_tag)
    made.add_render_rule("formula", _set_formula)
    made.add_render_rule("display_formula", _set_display_formula)
    return made


def _inline_formula(state: StateInline, silent: bool) -> bool:
    if state.src[state.pos] not in "$\\":
        return False
    found = _INLINE.match(state.src, state.pos, state.posMax)
    if not found:
        return False
    if not silent:
        state.push("formula", "", 0).content = found[0]
    state.pos = found.end()
    return True


def _times(state: StateInline, silent: bool) -> bool:
    """A star between two digits multiplies them: taken for emphasis it would leave one number of both."""
    around = state.src[state.pos - 1 : state.pos + 2] if state.pos else ""
    if around[1:2] != "*" or not (around[0].isdigit() and around[2:].isdigit()):
        return False
    if not silent:
        state.pending += "*"
    state.pos += 1
    return True


def _display_formula(state: StateBlock, start_line: int, end_line: int, silent: bool) -> bool:
    """A formula in lines of its own, between two double dollar signs or between brackets behind backslashes."""
    begin = state.bMarks[start_line] + state.tShift[start_line]
    opened = _DISPLAY.match(state.src, begin)
    if not opened or state.is_code_block(start_line):
        return False
    closing = "$$" if opened[0] == "$$" else "\\]"
    lines: list[str] = []
    for line in range(start_line, min(end_line, start_line + _LONGEST_FORMULA_LINES)):
        text = state.src[state.bMarks[line] + state.tShift[line] : state.eMarks[line]]
        text = text[len(opened[0]) :] if line == start_line else text
        ended = text.rstrip().endswith(closing)
        lines.append(text.rstrip().removesuffix(closing) if ended else text)
        if ended:
            if not silent:
                token = state.push("display_formula", "", 0)
                token.content = "\n".join(lines).strip()
                token.map = [start_line, line + 1]
                state.line = line + 1
            return True
    return False


def _set_tag(_: object, tokens: Sequence[Token], index: int, *__: object) -> str:
    """Raw HTML as it is; what only looks like a tag, such as a placeholder <port>, as the text that it is."""
    content = tokens[index].content
    name = _TAG_NAME.match(content)
    is_tag = name is None or name[1].lower() in _HTML_TAGS or "-" in name[1]
    return content if is_tag else escapeHtml(content)


def _set_formula(_: object, tokens: Sequence[Token], index: int, *__: object) -> str:
    return escapeHtml(tokens[index].content)


def _set_display_formula(_: object, tokens: Sequence[Token], index: int, *__: object) -> str:
    return f'<div class="math">{escapeHtml(tokens[index].content)}</div>\n'
