"""Walks the blocks of an OpenDocument text: headings, paragraphs, lists, tables, boxes, sections, notes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from atoll.domain.block import BlockKind
from atoll.errors import DocumentUnreadable
from parser.flow import BULLET, Element
from parser.formats.opendocument.names import DRAW, OFFICE, TABLE, TEXT, whole
from parser.formats.opendocument.tables import rows_of
from parser.formats.opendocument.text import Paragraph, TextReader
from parser.text import flowing, on_one_line

if TYPE_CHECKING:
    from parser.archive import Archive
    from parser.formats.opendocument.styles import Styles

_MOST_DEPTH = 50
_LAST_HEADING = 6
#: What holds blocks and is none.
_WRAPPERS = frozenset(
    {
        *(f"{TEXT}{name}" for name in ("section", "index-body", "index-title", "table-of-content")),
        *(f"{TEXT}{name}" for name in ("user-index", "bibliography")),
        *(f"{TEXT}{name}" for name in ("alphabetical-index", "illustration-index", "table-index")),
        f"{DRAW}text-box", f"{DRAW}g", f"{DRAW}page", f"{OFFICE}text", f"{TEXT}list-item",
    }
)  # fmt: skip
_CODE = frozenset({"preformatted text", "preformatted_20_text", "source text"})


@dataclass(slots=True)
class _List:
    style: str
    numbers: list[int] = field(default_factory=list)


class Body:
    """The content of a document. ``hidden`` gathers what is marked as hidden; ``comments`` counts what is not read."""

    def __init__(self, archive: Archive, styles: Styles) -> None:
        self.hidden: list[str] = []
        self.comments = 0
        self.styles = styles
        self._text = TextReader(archive, styles, self.hidden)
        #: The number of the last table so far.
        self.last_table = 0
        self._notes: list[Element] = []
        self._outline: list[int] = []
        self._ended: dict[str, list[int]] = {}

    def next_table(self) -> int:
        """The number of the next table."""
        self.last_table += 1
        return self.last_table

    def taken_notes(self) -> list[Element]:
        """The end notes since the last call."""
        notes, self._notes = self._notes, []
        return notes

    def blocks(self, parent: Any, depth: int = 0) -> Iterator[Element]:
        """The blocks in an element."""
        if depth > _MOST_DEPTH:
            raise DocumentUnreadable("the document nests its content too deeply")
        for child in parent.iterchildren():
            tag = child.tag
            if tag in {f"{TEXT}p", f"{TEXT}h"}:
                yield from self._paragraph(child, depth)
            elif tag == f"{TEXT}list":
                yield from self._list(child, None, 0, depth)
            elif tag == f"{TABLE}table":
                yield from rows_of(child, self.next_table(), lambda cell: list(self.blocks(cell, depth + 1)))
            elif tag in {f"{DRAW}frame", f"{DRAW}custom-shape"}:
                yield from self._frame(child, depth)
            elif tag == f"{OFFICE}annotation":
                self.comments += 1
            elif tag in _WRAPPERS:
                if child.get(f"{TEXT}display", "true") == "none" or child.get(f"{TEXT}condition"):
                    self.hidden.append(" ".join(child.itertext()))
                else:
                    yield from self.blocks(child, depth + 1)

    def shape(self, shape: Any) -> Iterator[Element]:
        """What a shape of a slide holds."""
        if shape.tag == f"{DRAW}g":
            yield from self.blocks(shape)
        else:
            yield from self._frame(shape, 0)

    def plain(self, parent: Any) -> str:
        """The paragraphs of an element as lines, such as those of a cell."""
        paragraphs = (self._text.read(each) for each in parent.iterchildren(f"{TEXT}p", f"{TEXT}h"))
        return "\n".join(filter(None, (flowing(each.text) for each in paragraphs)))

    def _paragraph(self, paragraph: Any, depth: int) -> Iterator[Element]:
        found = self._text.read(paragraph)
        text = flowing(found.text)
        if text and paragraph.tag == f"{TEXT}h":
            yield self._heading(paragraph, text)
        elif text:
            name = found.style.lower()
            kind = BlockKind.CODE if name in _CODE else BlockKind.FORMULA if found.is_formula else BlockKind.PARAGRAPH
            kind = BlockKind.QUOTE if name.startswith("quot") else BlockKind.CAPTION if name in _CAPTIONS else kind
            yield Element(kind, text, spellings=tuple(filter(None, map(on_one_line, found.readings))))
        yield from self._held(found, depth)

    def _held(self, found: Paragraph, depth: int) -> Iterator[Element]:
        """What stands in boxes and pictures of a paragraph, and its notes."""
        self.comments += found.comments
        for frame in found.frames:
            yield from self._frame(frame, depth)
        for label, note, is_at_end in found.notes:
            text = self.plain(note)
            if text and is_at_end:
                self._notes.append(Element(BlockKind.FOOTNOTE, text, marker=label))
            elif text:
                yield Element(BlockKind.FOOTNOTE, text, marker=label)

    def _heading(self, heading: Any, text: str) -> Element:
        level = max(1, whole(heading.get(f"{TEXT}outline-level"), 1))
        levels = self.styles.levels("")
        del self._outline[level:]
        while len(self._outline) < level:
            self._outline.append(levels[len(self._outline)].start - 1 if len(self._outline) < len(levels) else 0)
        is_numbered = level <= len(levels) and heading.get(f"{TEXT}is-list-header", "false") != "true"
        if is_numbered and levels[level - 1].format:
            self._outline[level - 1] += 1
            shown = [max(1, number) for number in self._outline]
            text = f"{levels[level - 1].label(shown, levels)} {text}"
        return Element(BlockKind.HEADING, text.replace("\n", " "), level=min(level, _LAST_HEADING))

    def _list(self, list_: Any, above: _List | None, level: int, depth: int) -> Iterator[Element]:
        if depth > _MOST_DEPTH:
            raise DocumentUnreadable("the document nests its content too deeply")
        style = list_.get(f"{TEXT}style-name") or (above.style if above else "")
        continued = list_.get(f"{TEXT}continue-numbering") == "true" or list_.get(f"{TEXT}continue-list") is not None
        kept = self._ended.get(style, []) if continued and above is None else []
        current = _List(style, [*(above.numbers if above else []), 0])
        levels = self.styles.levels(style)
        own = levels[level] if level < len(levels) else None
        current.numbers[-1] = kept[level] if level < len(kept) else (own.start - 1 if own else 0)
        for item in list_.iterchildren(f"{TEXT}list-item", f"{TEXT}list-header"):
            is_item = item.tag == f"{TEXT}list-item"
            if is_item:
                start = item.get(f"{TEXT}start-value")
                current.numbers[-1] = whole(start, current.numbers[-1] + 1) if start else current.numbers[-1] + 1
            label = own.label(current.numbers, levels) if own else BULLET
            yield from self._item(item, current, level, depth, label if is_item else "")
        if above is None:
            self._ended[style] = list(current.numbers)

    def _item(self, item: Any, current: _List, level: int, depth: int, label: str) -> Iterator[Element]:
        for child in item.iterchildren():
            if child.tag == f"{TEXT}list":
                yield from self._list(child, current, level + 1, depth + 1)
            elif child.tag in {f"{TEXT}p", f"{TEXT}h"}:
                found = self._text.read(child)
                if text := flowing(found.text):
                    kind = BlockKind.HEADING if child.tag == f"{TEXT}h" else BlockKind.LIST_ITEM
                    if kind is BlockKind.HEADING:
                        yield self._heading(child, text)
                    else:
                        yield Element(kind, text, level=level, marker=label or BULLET)
                    label = ""
                yield from self._held(found, depth)

    def _frame(self, frame: Any, depth: int) -> Iterator[Element]:
        """A box with text, an embedded chart or formula, a picture with its description."""
        for box in frame.iterchildren(f"{DRAW}text-box"):
            yield from self.blocks(box, depth + 1)
        if str(frame.tag).endswith("custom-shape"):
            yield from (Element(BlockKind.PARAGRAPH, text) for text in [self.plain(frame)] if text)
        for table in frame.iterchildren(f"{TABLE}table"):
            yield from rows_of(table, self.next_table(), lambda cell: list(self.blocks(cell, depth + 1)))
        for embedded in frame.iterchildren(f"{DRAW}object"):
            yield from self._text.embedded(embedded, self.next_table())
        if frame.find(f"{DRAW}image") is not None and (alt := self._text.described(frame)):
            yield Element(BlockKind.FIGURE, alt)


_CAPTIONS = frozenset({"caption", "illustration", "figure", "drawing"})
