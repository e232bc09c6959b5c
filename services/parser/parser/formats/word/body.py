"""Walks the XML of a Word document: paragraphs, lists, tables, boxes, notes, in document order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from atoll.domain.block import BlockKind
from atoll.errors import DocumentUnreadable
from parser.charts import chart_rows
from parser.flow import BULLET, Element
from parser.formats.word.numbering import Numbering
from parser.formats.word.styles import Numbered, Style, Styles
from parser.formats.word.tables import rows_of
from parser.formats.word.text import Paragraph, TextReader
from parser.numerals import roman
from parser.opc import R, W, value_of, whole_of
from parser.text import flowing, on_one_line

if TYPE_CHECKING:
    from parser.opc import Package

_MOST_DEPTH = 50
_WRAPPERS = frozenset(f"{W}{name}" for name in ("sdt", "sdtContent", "ins", "moveTo", "customXml", "smartTag"))
_NOTE_PARTS = {"footnote": "footnotes", "endnote": "endnotes"}
_SEPARATORS = frozenset({"separator", "continuationSeparator", "continuationNotice"})


class Body:
    """A document's content. ``hidden`` gathers what is marked as hidden, ``unread`` what is in no format of ours."""

    def __init__(self, package: Package, document: str) -> None:
        self.hidden: list[str] = []
        self.unread: list[str] = []
        self._package = package
        self._document = document
        self._styles = Styles(package, document)
        self._numbering = Numbering(package, document)
        self._notes = {kind: self._read_notes(part, kind) for kind, part in _NOTE_PARTS.items()}
        self._numbers: dict[str, dict[str, int]] = {kind: {} for kind in _NOTE_PARTS}
        self._text = TextReader(self._styles, self._number, self.hidden)
        self._table = 0
        self._part = document
        #: What a drop cap, or a paragraph whose end was deleted, leaves for the one after it.
        self._begun = ""

    def elements(self) -> Iterator[Element]:
        """The elements of the document's body, end notes last."""
        body = self._package.xml(self._document).find(f"{W}body")
        if body is None:
            raise DocumentUnreadable("the file is no readable Word document: open it in Word and save it again")
        yield from self._blocks(body, 0)
        numbers = self._numbers["endnote"]
        for id_ in sorted(numbers, key=lambda each: numbers[each]):
            yield from self._note("endnote", id_)

    def part(self, name: str) -> list[Element]:
        """The elements of a header or footer."""
        self._part = name
        found = list(self._blocks(self._package.xml(name), 0))
        self._part = self._document
        return found

    def _blocks(self, parent: Any, depth: int) -> Iterator[Element]:
        if depth > _MOST_DEPTH:
            raise DocumentUnreadable("the document nests its content too deeply")
        for child in parent.iterchildren():
            if child.tag == f"{W}p":
                yield from self._paragraph(child, depth)
            elif child.tag == f"{W}tbl":
                yield from self._rows(child, depth)
            elif child.tag in _WRAPPERS:
                yield from self._blocks(child, depth + 1)
            elif child.tag == f"{W}altChunk":
                self.unread.append("an embedded file of another format")

    def _rows(self, table: Any, depth: int) -> Iterator[Element]:
        self._table += 1
        yield from rows_of(table, self._table, lambda cell: list(self._blocks(cell, depth + 1)))

    def _paragraph(self, paragraph: Any, depth: int) -> Iterator[Element]:
        properties = paragraph.find(f"{W}pPr")
        name = value_of(properties, f"{W}pStyle")
        style = self._styles.of(name) if name else self._styles.default
        found = self._text.read(paragraph, style)
        text, self._begun = flowing(self._begun + found.text), ""
        if text and _goes_on(properties):
            self._begun = text
        elif text:
            yield self._element(text, found, style, name, properties)
        for picture in found.pictures:
            if alt := on_one_line(picture):
                yield Element(BlockKind.FIGURE, alt)
        for chart in found.charts:
            yield from self._chart(chart)
        for box in found.boxes:
            yield from self._blocks(box, depth + 1)
        for kind, id_ in found.notes:
            if kind == "footnote":
                yield from self._note(kind, id_)

    def _element(self, text: str, found: Paragraph, style: Style, name: str | None, properties: Any) -> Element:
        kind, level = style.kind, style.level
        outline = value_of(properties, f"{W}outlineLvl")
        if outline is not None and outline.isdecimal() and kind is not BlockKind.HEADING and int(outline) < 6:  # noqa: PLR2004
            kind, level = BlockKind.HEADING, int(outline) + 1
        numbered = self._numbered(properties, style, name)
        label = self._numbering.label(numbered) if numbered else ""
        readings = tuple(filter(None, map(on_one_line, found.readings)))
        if kind is BlockKind.HEADING:
            heading = text.replace("\n", " ")
            return Element(kind, f"{label} {heading}" if label not in {"", BULLET} else heading, level=level)
        if found.is_formula and kind is BlockKind.PARAGRAPH and not label:
            return Element(BlockKind.FORMULA, text)
        if kind in {BlockKind.PARAGRAPH, BlockKind.LIST_ITEM} and (label or kind is BlockKind.LIST_ITEM):
            depth = numbered.level if numbered else 0
            return Element(BlockKind.LIST_ITEM, text, level=depth, marker=label or BULLET, spellings=readings)
        return Element(kind, text, spellings=readings)

    def _numbered(self, properties: Any, style: Style, name: str | None) -> Numbered | None:
        own = properties.find(f"{W}numPr") if properties is not None else None
        tied = self._numbering.of_style(name)
        inherited = style.numbered
        if inherited and tied and tied.list == inherited.list:
            inherited = tied
        if own is None:
            return inherited if inherited and inherited.list not in {"", "0"} else None
        list_ = value_of(own, f"{W}numId") or (inherited.list if inherited else "")
        if list_ in {"", "0"}:
            return None
        return Numbered(list_, whole_of(own, f"{W}ilvl", inherited.level if inherited else 0))

    def _chart(self, chart: Any) -> Iterator[Element]:
        relation = self._package.relations(self._part).get(chart.get(f"{R}id", ""))
        if relation is None or relation.is_external or not self._package.has(relation.target):
            return
        self._table += 1
        yield from chart_rows(self._package.xml(relation.target), self._table)

    def _number(self, kind: str, id_: str) -> str:
        numbers = self._numbers[kind]
        number = numbers.setdefault(id_, len(numbers) + 1)
        return roman(number) if kind == "endnote" else str(number)

    def _note(self, kind: str, id_: str) -> Iterator[Element]:
        note = self._notes[kind].get(id_)
        if note is None:
            return
        paragraphs = list(note.iter(f"{W}p"))
        texts = [flowing(self._text.read(each, self._styles.default).text) for each in paragraphs]
        if text := "\n".join(filter(None, texts)):
            number = self._numbers[kind].get(id_)
            marker = "" if number is None else roman(number) if kind == "endnote" else str(number)
            yield Element(BlockKind.FOOTNOTE, text, marker=marker)

    def _read_notes(self, type_: str, kind: str) -> dict[str, Any]:
        for name in self._package.related(self._document, type_)[:1]:
            notes = self._package.xml(name).iterchildren(f"{W}{kind}")
            return {note.get(f"{W}id", ""): note for note in notes if note.get(f"{W}type") not in _SEPARATORS}
        return {}


def _goes_on(properties: Any) -> bool:
    """Whether a paragraph is only the beginning of the next: a drop cap, or one whose end was deleted."""
    if properties is None:
        return False
    frame, mark = properties.find(f"{W}framePr"), properties.find(f"{W}rPr")
    if frame is not None and frame.get(f"{W}dropCap", "none") != "none":
        return True
    return mark is not None and mark.find(f"{W}del") is not None
