"""The text of an OpenDocument paragraph: spans, blanks, breaks, notes, formulas, and what it holds in frames."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lxml import etree

from atoll.domain.block import BlockKind
from parser.archive import resolved
from parser.flow import CellElement, Element
from parser.formats.opendocument.names import DRAW, OFFICE, SVG, TABLE, TEXT, XLINK, whole
from parser.formulas import Node, linear
from parser.raised import lowered, raised
from parser.text import on_one_line

if TYPE_CHECKING:
    from parser.archive import Archive
    from parser.formats.opendocument.styles import Styles

_DEEPEST = 60
_LOOKED_BACK = 40
_MOST_BLANKS = 500
_MOST_ROWS = 10_000
_MATHML = "{http://www.w3.org/1998/Math/MathML}"
_UNSEEN = frozenset(
    f"{TEXT}{name}"
    for name in (
        "tracked-changes",
        "change",
        "change-start",
        "change-end",
        "bookmark",
        "ruby-text",
        "page-number",
        "page-count",
    )
)
_FRAMES = frozenset({f"{DRAW}frame", f"{DRAW}custom-shape", f"{DRAW}g"})


@dataclass(slots=True)
class Paragraph:
    """What a paragraph holds; notes are their label, their body, and whether they stand at the document's end."""

    text: str = ""
    style: str = ""
    notes: list[tuple[str, Any, bool]] = field(default_factory=list)
    frames: list[Any] = field(default_factory=list)
    readings: list[str] = field(default_factory=list)
    comments: int = 0
    is_formula: bool = False


class TextReader:
    """Reads paragraphs one after the other."""

    def __init__(self, archive: Archive, styles: Styles, hidden: list[str]) -> None:
        self._archive = archive
        self._styles = styles
        self._hidden = hidden
        self._parts: list[str] = []
        self._found = Paragraph()

    def read(self, paragraph: Any) -> Paragraph:
        """The content of a paragraph or heading."""
        self._parts, self._found = [], Paragraph()
        look = self._styles.look("paragraph", paragraph.get(f"{TEXT}style-name"))
        self._children(paragraph, 0)
        text = "".join(self._parts)
        found = self._found
        found.style = look.name.replace("_20_", " ")
        if look.is_hidden or paragraph.get(f"{TEXT}is-hidden") == "true":
            self._hidden.append(text)
        elif not look.is_struck:
            found.text = text
        return found

    def described(self, frame: Any) -> str:
        """The title and description of a picture."""
        texts = (each.text or "" for each in frame.iterchildren(f"{SVG}title", f"{SVG}desc"))
        return on_one_line(" ".join(texts))

    def embedded(self, reference: Any, table: int) -> Iterator[Element]:
        """A formula, or the values of a chart as a table."""
        root = self._root(reference)
        if root is None:
            return
        if root.tag == f"{_MATHML}math":
            if text := on_one_line(linear(_node(root, 0))):
                yield Element(BlockKind.FORMULA, text)
            return
        for number, row in enumerate(root.iter(f"{TABLE}table-row")):
            if number > _MOST_ROWS:
                return
            texts = [
                on_one_line(" ".join("".join(each.itertext()) for each in cell.iterchildren(f"{TEXT}p")))
                for cell in row.iterchildren(f"{TABLE}table-cell")
            ]
            cells = tuple(CellElement(text, column) for column, text in enumerate(texts) if text)
            if cells:
                yield Element(BlockKind.TABLE, cells=cells, table=table, is_header=number == 0)

    def _root(self, reference: Any) -> Any:
        inline = reference.find(f"{_MATHML}math")
        if inline is not None:
            return inline
        name = resolved("", str(reference.get(f"{XLINK}href", ""))) + "/content.xml"
        return self._archive.xml(name) if self._archive.has(name) else None

    def _children(self, node: Any, depth: int) -> None:
        if depth > _DEEPEST:
            return
        if node.text:
            self._parts.append(node.text.replace("\n", " "))
        for child in node.iterchildren():
            self._node(child, depth)
            if child.tail:
                self._parts.append(child.tail.replace("\n", " "))

    def _node(self, node: Any, depth: int) -> None:
        tag = node.tag
        if not isinstance(tag, str) or tag in _UNSEEN:
            if tag == f"{TEXT}ruby-text":
                self._found.readings.append("".join(node.itertext()))
        elif tag == f"{TEXT}s":
            self._parts.append(" " * min(whole(node.get(f"{TEXT}c"), 1), _MOST_BLANKS))
        elif tag == f"{TEXT}tab":
            self._parts.append(" ")
        elif tag == f"{TEXT}line-break":
            self._parts.append("\n")
        elif tag == f"{TEXT}span":
            self._span(node, depth)
        elif tag == f"{TEXT}note":
            self._note(node)
        elif tag in _FRAMES:
            self._frame(node)
        elif tag in {f"{OFFICE}annotation", f"{OFFICE}annotation-end"}:
            self._found.comments += tag == f"{OFFICE}annotation"
        elif tag in {f"{TEXT}hidden-text", f"{TEXT}conditional-text"} and node.get(f"{TEXT}is-hidden") == "true":
            self._hidden.append("".join(node.itertext()))
        else:
            self._children(node, depth + 1)

    def _span(self, span: Any, depth: int) -> None:
        look = self._styles.look("text", span.get(f"{TEXT}style-name"))
        start = len(self._parts)
        self._children(span, depth + 1)
        text = "".join(self._parts[start:])
        if look.is_hidden or look.is_struck:
            del self._parts[start:]
            if look.is_hidden:
                self._hidden.append(text)
        elif look.shift and text.strip():
            before = "".join(self._parts[max(0, start - _LOOKED_BACK) : start])
            tail = text[len(text.rstrip()) :]
            self._parts[start:] = [(raised if look.shift > 0 else lowered)(text, before) + tail]

    def _note(self, note: Any) -> None:
        citation, body = note.find(f"{TEXT}note-citation"), note.find(f"{TEXT}note-body")
        label = on_one_line("".join(citation.itertext())) if citation is not None else ""
        if label:
            self._parts.append(raised(label, "".join(self._parts[-_LOOKED_BACK:]), is_mark=True))
        if body is not None:
            self._found.notes.append((label, body, note.get(f"{TEXT}note-class") == "endnote"))

    def _frame(self, frame: Any) -> None:
        """A formula stands in its line; everything else follows the paragraph."""
        for reference in frame.iterchildren(f"{DRAW}object"):
            root = self._root(reference)
            if root is not None and root.tag == f"{_MATHML}math":
                self._found.is_formula = not "".join(self._parts).strip()
                self._parts.append(linear(_node(root, 0)))
                return
        self._found.frames.append(frame)


def _node(element: Any, depth: int) -> Node:
    """MathML as nodes; what stands for its meaning in another language is left out."""
    node = Node(etree.QName(element).localname, element.text or "")
    if depth < _DEEPEST:
        node.children = [_node(child, depth + 1) for child in element.iterchildren(f"{_MATHML}*")]
    return node
