"""Receives the tags and text of a page and turns them into elements."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from atoll.domain.block import BlockKind
from atoll.errors import DocumentTooLarge
from parser.flow import Element
from parser.formats.html.controls import Select, shown_value
from parser.formats.html.flow import INLINE, Flow
from parser.formats.html.hidden import Hiding, is_note_mark, is_struck, shift_of
from parser.formats.html.tables import Definitions, Table
from parser.formulas import Node, linear
from parser.text import on_one_line

_MOST_TAGS = 5_000_000
#: How far up an end tag looks for its start tag; deeper ones are closed with what holds them.
_LOOKED_UP = 1000
_TITLE_CHARACTERS = 500
_MOST_TABLES_DEEP = 40
_LEFT_OUT_CHARACTERS = 20_000

#: Never text of the page.
_DROPPED = frozenset(
    {
        *("script", "style", "noscript", "template", "iframe", "object", "embed"),
        *("canvas", "audio", "video", "datalist", "rp"),
    }
)
_VOID = frozenset(
    ("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr")
)
_BLOCKS = frozenset(
    {
        *("p", "div", "section", "article", "main", "header", "address", "blockquote", "figure", "summary", "details"),
        *("ul", "ol", "menu", "dir", "li", "hr", "pre", "listing", "xmp", "body", "html", "fieldset", "legend"),
        *("center", "form", "button", "dialog", "aside", "footer", "nav", "textarea", "search", "hgroup"),
        *("h1", "h2", "h3", "h4", "h5", "h6", "figcaption"),
    }
)
_TABLE_TAGS = frozenset(("table", "caption", "thead", "tbody", "tfoot", "tr", "td", "th", "dl", "dt", "dd"))
_NAVIGATION = frozenset({"navigation", "search", "menu", "menubar", "toolbar"})
#: A footer in one of these belongs to it; outside it is the foot of the page.
_SECTIONS = frozenset(
    ("article", "section", "main", "aside", "blockquote", "details", "dialog", "fieldset", "td", "th")
)

_Closer = Callable[[], object]


class Reading:
    """Target of lxml's parser. With ``everything`` menus are read as well: a page may be nothing else."""

    def __init__(self, *, everything: bool = False, first_table: int = 0) -> None:
        self.tables_seen = first_table
        #: What is left out, by why: "hidden" and "menu".
        self.left_out: dict[str, list[str]] = {"hidden": [], "menu": []}
        self._left_out_characters = 0
        self._everything = everything
        self._title: list[str] = []
        self._in_title = False
        self._tags = 0
        self._open: list[tuple[str, list[_Closer]]] = []
        self._flows = [Flow()]
        self._tables: list[Table | Definitions] = []
        self._dropped = 0
        self._why = ""
        self._hiding = Hiding()
        self._sections = 0
        self._select: Select | None = None
        self._math: list[Node] = []
        self._drawings = 0
        self._drawn_texts = 0

    @property
    def title(self) -> str | None:
        """The page's title, as far as it has been read."""
        return on_one_line("".join(self._title))[:_TITLE_CHARACTERS] or None

    def taken(self) -> Iterator[Element]:
        """The elements that are complete, once."""
        out = self._flows[0].out
        while out:
            yield out.popleft()

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        """Called by the parser at a start tag."""
        self._tags += 1
        if self._tags > _MOST_TAGS:
            raise DocumentTooLarge(f"the page has more than {_MOST_TAGS} tags; split it into several files")
        closers: list[_Closer] = []
        self._begin(tag, attributes, closers)
        if tag in _VOID:
            # No end tag follows: a hidden picture would hide the rest of the page.
            for closer in reversed(closers):
                closer()
        else:
            self._open.append((tag, closers))

    def end(self, tag: str) -> None:
        """Called by the parser at an end tag; it closes what was left open."""
        if not any(opened == tag for opened, _ in self._open[-_LOOKED_UP:]):
            return
        while self._open:
            opened, closers = self._open.pop()
            for closer in reversed(closers):
                closer()
            if opened == tag:
                break

    def data(self, data: str) -> None:
        """Called by the parser with text."""
        if self._in_title:
            self._title.append(data)
        elif self._dropped:
            if self._why and self._left_out_characters < _LEFT_OUT_CHARACTERS and data.strip():
                self.left_out[self._why].append(data)
                self._left_out_characters += len(data)
        elif self._math:
            self._math[-1].text += data
        elif self._select:
            self._select.add(data)
        elif not self._drawings or self._drawn_texts:
            self._flows[-1].add(data)

    def comment(self, text: str) -> None:
        """Called by the parser with a comment: nobody sees those."""

    def close(self) -> None:
        """Called by the parser at the end."""
        while self._open:
            for closer in reversed(self._open.pop()[1]):
                closer()
        self._flows[0].flush()

    def _begin(self, tag: str, attributes: Mapping[str, str], closers: list[_Closer]) -> None:
        if tag == "title" and not self._title and not self._drawings:
            self._in_title = True
            closers.append(self._end_title)
        elif self._dropped:
            if tag in _DROPPED:
                self._drop(closers, "")
            elif self._why and (tag in _BLOCKS or tag in _TABLE_TAGS):
                self.left_out[self._why].append(" ")
        elif self._math or tag == "math":
            self._begin_formula(tag, attributes, closers)
        elif tag in _DROPPED or is_struck(tag, attributes):
            self._hiding.notice(tag, attributes)
            self._drop(closers, "")
        elif self._is_menu(tag, attributes):
            self._drop(closers, "menu")
        elif self._hiding.look(tag, attributes, closers):
            self._drop(closers, "hidden")
        elif tag == "svg" or self._drawings:
            self._begin_drawn(tag, closers)
        elif tag in _TABLE_TAGS:
            self._begin_in_table(tag, attributes, closers)
        else:
            self._begin_text(tag, attributes, closers)

    def _begin_text(self, tag: str, attributes: Mapping[str, str], closers: list[_Closer]) -> None:
        flow = self._flows[-1]
        if tag in _SECTIONS:
            self._sections += 1
            closers.append(self._end_section)
        if tag == "br":
            flow.add_break()
        elif tag == "img":
            if alt := attributes.get("alt", "").strip():
                flow.add_picture(alt)
        elif tag == "input":
            flow.add(shown_value(attributes))
        elif tag == "select":
            self._select = Select.of(attributes)
            closers.append(lambda: self._end_select(flow))
        elif tag == "option" and self._select:
            self._select.option(attributes)
        elif tag in _BLOCKS:
            flow.open_block(tag, attributes)
            closers.append(lambda: flow.close_block(tag))
            if kind := self._kind(tag, attributes):
                flow.open_kind(kind)
                closers.append(flow.close_kind)
        elif tag in INLINE:
            written = "mark" if is_note_mark(tag, attributes) else shift_of(attributes) or tag
            if written in {"a", "span"}:
                return
            flow.open_inline(written)
            closers.append(flow.close_inline)

    def _kind(self, tag: str, attributes: Mapping[str, str]) -> BlockKind | None:
        """What the text of a block is, if that is something of its own."""
        if tag == "aside":
            return BlockKind.NOTE
        if tag == "figcaption":
            return BlockKind.CAPTION
        if tag in {"div", "p", "figure"} and "math" in attributes.get("class", "").split():
            return BlockKind.FORMULA
        is_foot = tag == "footer" or attributes.get("role") == "contentinfo"
        if is_foot and not self._everything and not self._sections and len(self._flows) == 1:
            return BlockKind.PAGE_FOOTER
        return None

    def _is_menu(self, tag: str, attributes: Mapping[str, str]) -> bool:
        return not self._everything and (tag == "nav" or attributes.get("role", "") in _NAVIGATION)

    def _begin_in_table(self, tag: str, attributes: Mapping[str, str], closers: list[_Closer]) -> None:
        top = self._tables[-1] if self._tables else None
        if tag in {"table", "dl"}:
            if len(self._tables) < _MOST_TABLES_DEEP:
                self._flows[-1].flush()
                self.tables_seen += 1
                made: Table | Definitions = (
                    Table.of(self.tables_seen, attributes) if tag == "table" else Definitions(self.tables_seen)
                )
                self._tables.append(made)
                closers.append(lambda: self._end_table(made))
        elif top is None or (tag in {"dt", "dd"}) != isinstance(top, Definitions):
            self._flows[-1].flush()
            closers.append(self._flows[-1].flush)
        elif tag in {"td", "th", "dt", "dd", "caption"}:
            depth = len(self._flows)
            self._flows.append(top.open_cell(tag, attributes))
            closers.append(lambda: self._end_cell(top, depth))
        elif isinstance(top, Table):
            top.in_head = tag == "thead" or (tag == "tr" and top.in_head)
            closers.append(lambda: self._end_rows(top, is_head=tag == "thead"))

    def _end_cell(self, table: Table | Definitions, depth: int) -> None:
        del self._flows[depth:]
        table.close_cell()

    def _end_rows(self, table: Table, *, is_head: bool) -> None:
        self._flows[-1].out.extend(table.close_row())
        if is_head:
            table.in_head = False

    def _end_table(self, table: Table | Definitions) -> None:
        while self._tables and self._tables.pop() is not table:
            pass
        self._flows[-1].out.extend(table.close())

    def _begin_formula(self, tag: str, attributes: Mapping[str, str], closers: list[_Closer]) -> None:
        node = Node(tag, "")
        if self._math:
            self._math[-1].children.append(node)
        self._math.append(node)
        is_block = attributes.get("display") == "block"
        closers.append(lambda: self._end_formula(is_block=is_block))

    def _end_formula(self, *, is_block: bool) -> None:
        node = self._math.pop()
        if not self._math:
            self._flows[-1].add_formula(linear(node), is_block=is_block)

    def _begin_drawn(self, tag: str, closers: list[_Closer]) -> None:
        """In a drawing only its texts are read."""
        if tag == "svg":
            self._drawings += 1
            closers.append(self._end_drawing)
        elif tag == "text":
            self._drawn_texts += 1
            self._flows[-1].add(" ")
            closers.append(self._end_drawn_text)

    def _drop(self, closers: list[_Closer], why: str) -> None:
        before, self._why = self._why, why
        self._dropped += 1
        closers.append(lambda: self._end_dropped(before))

    def _end_dropped(self, before: str) -> None:
        self._dropped -= 1
        if self._why:
            self.left_out[self._why].append(" ")
        self._why = before

    def _end_title(self) -> None:
        self._in_title = False

    def _end_section(self) -> None:
        self._sections -= 1

    def _end_drawing(self) -> None:
        self._drawings -= 1

    def _end_drawn_text(self) -> None:
        self._drawn_texts -= 1
        self._flows[-1].add(" ")

    def _end_select(self, flow: Flow) -> None:
        if self._select:
            flow.add(self._select.shown)
        self._select = None
