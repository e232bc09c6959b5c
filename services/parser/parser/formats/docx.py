"""Word documents (Office Open XML)."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from typing import TYPE_CHECKING, Any

import docx
from docx.oxml.ns import qn
from lxml import etree

from atoll.domain.block import BlockKind
from atoll.errors import DocumentTooLarge, DocumentUnreadable
from parser.flow import BULLET, Element, row_of
from parser.text import flowing, on_one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from docx.document import Document

    from parser.collector import Collector
    from parser.limits import ContentLimits

_READ_BYTES = 256 * 1024
#: The ratio of a small entry says nothing.
_RATIO_COUNTS_FROM = 1024 * 1024
_MOST_LEVELS = 6
_MOST_DEPTH = 50

_P, _TBL, _TR, _TC = (qn(f"w:{name}") for name in ("p", "tbl", "tr", "tc"))
_WRAPPERS = frozenset(qn(f"w:{name}") for name in ("sdt", "sdtContent", "ins", "moveTo", "customXml", "smartTag"))
_T, _TAB, _NO_BREAK_HYPHEN, _FOOTNOTE_REFERENCE = (
    qn(f"w:{name}") for name in ("t", "tab", "noBreakHyphen", "footnoteReference")
)
_BREAKS = frozenset({qn("w:br"), qn("w:cr")})
#: Not seen by a reader: deleted text, properties, field codes, and the older copy of a drawing's text.
_UNSEEN = frozenset(
    {
        *(qn(f"w:{name}") for name in ("del", "moveFrom", "pPr", "rPr", "instrText", "delText")),
        "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback",
    }
)
_VAL, _ID, _VANISH = qn("w:val"), qn("w:id"), qn("w:vanish")
_FOOTNOTES = "/footnotes"
_HEADING_NAME = re.compile(r"title$|heading ([1-9])$")
_PLAIN = (BlockKind.PARAGRAPH, 0)
_KINDS_BY_NAME = {"caption": BlockKind.CAPTION, "quote": BlockKind.QUOTE, "intense quote": BlockKind.QUOTE}


def elements(data: bytes, collector: Collector) -> Iterator[Element]:
    """Headings, paragraphs, lists, tables and footnotes in document order.

    Raises:
        DocumentUnreadable: the bytes are no Word document.
        DocumentTooLarge: it inflates to too much.
    """
    _check_archive(data, collector.limits)
    try:
        document = docx.Document(io.BytesIO(data))
    except (KeyError, ValueError, AttributeError, etree.XMLSyntaxError, zipfile.BadZipFile, OSError) as err:
        raise DocumentUnreadable("the file is no readable Word document: open it in Word and save it again") from err
    reading = _Reading(document)
    collector.title = on_one_line(document.core_properties.title or "") or None
    for element in reading.body():
        if element.kind is BlockKind.HEADING and element.level == 1 and not collector.title:
            collector.title = element.text
        collector.look_for_hiding(element.text)
        yield element


def _check_archive(data: bytes, limits: ContentLimits) -> None:
    """Inflate everything once and count: what a zip says about itself may be a lie."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            if len(entries) > limits.archive_entries:
                raise DocumentTooLarge(f"the archive has {len(entries)} entries; the limit is {limits.archive_entries}")
            total = 0
            for entry in entries:
                if entry.flag_bits & 1:
                    raise DocumentUnreadable("the document is encrypted; remove the password and upload again")
                total += _inflated(archive, entry, limits, limits.inflated_bytes - total)
    except zipfile.BadZipFile as err:
        if data.startswith(b"\xd0\xcf\x11\xe0"):
            raise DocumentUnreadable(
                "the document is encrypted or in the old Word format: save it as .docx without a password"
            ) from err
        raise DocumentUnreadable("the file is not a Word document: its content is not a zip archive") from err
    except (EOFError, NotImplementedError, zlib.error, OSError) as err:
        raise DocumentUnreadable("the document is damaged: its archive cannot be unpacked") from err


def _inflated(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, limits: ContentLimits, left: int) -> int:
    most = max(_RATIO_COUNTS_FROM, entry.compress_size * limits.archive_ratio)
    count = 0
    with archive.open(entry) as file:
        while piece := file.read(_READ_BYTES):
            count += len(piece)
            if count > left:
                raise DocumentTooLarge(f"the archive inflates past the limit of {limits.inflated_bytes} bytes")
            if count > most:
                raise DocumentTooLarge(
                    f"an archive entry inflates to more than {limits.archive_ratio} times its size; is it a zip bomb?"
                )
    return count


class _Reading:
    """Walks the body's XML; python-docx opens the package and knows the styles."""

    def __init__(self, document: Document) -> None:
        self._body = document.element.body
        self._footnotes = _footnotes(document)
        self._table = 0
        self._looks = {style.style_id: _style_look(style) for style in document.styles}

    def body(self) -> Iterator[Element]:
        """The elements of the whole document."""
        yield from self._blocks(self._body, 0)

    def _blocks(self, parent: Any, depth: int) -> Iterator[Element]:
        if depth > _MOST_DEPTH:
            raise DocumentUnreadable("the document nests its content too deeply")
        for child in parent.iterchildren():
            if child.tag == _P:
                yield from self._paragraph(child)
            elif child.tag == _TBL:
                self._table += 1
                yield from self._rows(child, self._table)
            elif child.tag in _WRAPPERS:
                yield from self._blocks(child, depth + 1)

    def _paragraph(self, paragraph: Any) -> Iterator[Element]:
        notes: list[str] = []
        text = flowing(_seen_text(paragraph, notes))
        kind, level = self._look(paragraph)
        if text and kind is BlockKind.HEADING:
            yield Element(kind, text.replace("\n", " "), level=level)
        elif text:
            yield Element(kind, text, level=level, marker=BULLET if kind is BlockKind.LIST_ITEM else "")
        for note in notes:
            if footnote := self._footnotes.get(note):
                yield Element(BlockKind.FOOTNOTE, footnote)

    def _look(self, paragraph: Any) -> tuple[BlockKind, int]:
        properties = paragraph.pPr
        if properties is None:
            return _PLAIN
        style = properties.find(qn("w:pStyle"))
        kind, level = self._looks.get(style.get(_VAL), _PLAIN) if style is not None else _PLAIN
        outline = properties.find(qn("w:outlineLvl"))
        if outline is not None and kind is not BlockKind.HEADING and (outlined := _number(outline)) < _MOST_LEVELS:
            return BlockKind.HEADING, outlined + 1
        numbering = properties.find(qn("w:numPr"))
        if numbering is not None and kind is BlockKind.PARAGRAPH:
            depth = numbering.find(qn("w:ilvl"))
            return BlockKind.LIST_ITEM, _number(depth) if depth is not None else 0
        return kind, level

    def _rows(self, table: Any, number: int) -> Iterator[Element]:
        rows = [row for row in table.iter(_TR) if _nearest(row, _TBL) is table]
        for position, row in enumerate(rows):
            cells = [self._cell(cell) for cell in row.iter(_TC) if _nearest(cell, _TR) is row]
            if not any(cells):
                continue
            if len(cells) == 1:
                yield Element(BlockKind.PARAGRAPH, cells[0])
                continue
            is_header = position == 0 and len(rows) > 1
            yield row_of(cells, number, is_header=is_header)

    def _cell(self, cell: Any) -> str:
        """A cell's text; tables inside it are part of it."""
        notes: list[str] = []
        text = " ".join(_seen_text(paragraph, notes) for paragraph in cell.iter(_P))
        footnotes = [self._footnotes[note] for note in notes if note in self._footnotes]
        return on_one_line(" ".join([text, *footnotes]))


def _seen_text(paragraph: Any, notes: list[str]) -> str:
    """The text of a paragraph as a reader sees it, and the ids of the footnotes it refers to."""
    parts: list[str] = []
    stack = list(reversed(list(paragraph.iterchildren())))
    while stack:
        node = stack.pop()
        if node.tag in _UNSEEN or node.tag == _P:
            continue
        if node.tag == _T:
            parts.append(node.text or "")
        elif node.tag == _TAB:
            parts.append(" ")
        elif node.tag in _BREAKS:
            parts.append("\n")
        elif node.tag == _NO_BREAK_HYPHEN:
            parts.append("-")
        elif node.tag == _FOOTNOTE_REFERENCE:
            notes.append(node.get(_ID, ""))
        elif node.find(qn("w:rPr")) is None or node.find(qn("w:rPr")).find(_VANISH) is None:
            stack.extend(reversed(list(node.iterchildren())))
    return "".join(parts)


def _footnotes(document: Document) -> dict[str, str]:
    for relation in document.part.rels.values():
        if relation.reltype.endswith(_FOOTNOTES) and not relation.is_external:
            root = etree.fromstring(relation.target_part.blob, etree.XMLParser(resolve_entities=False))
            return {
                note.get(_ID, ""): on_one_line(" ".join(_seen_text(paragraph, []) for paragraph in note.iter(_P)))
                for note in root
            }
    return {}


def _style_look(style: Any) -> tuple[BlockKind, int]:
    """What paragraphs of a style are: by its outline level, its name, or its numbering."""
    name = (style.name or "").casefold()
    properties = style.element.find(qn("w:pPr"))
    outline = properties.find(qn("w:outlineLvl")) if properties is not None else None
    if outline is not None and _number(outline) < _MOST_LEVELS:
        return BlockKind.HEADING, _number(outline) + 1
    if found := _HEADING_NAME.match(name):
        return BlockKind.HEADING, min(int(found[1] or 1), _MOST_LEVELS)
    is_numbered = properties is not None and properties.find(qn("w:numPr")) is not None
    if name.startswith("list") or is_numbered:
        return BlockKind.LIST_ITEM, 0
    return _KINDS_BY_NAME.get(name, BlockKind.PARAGRAPH), 0


def _nearest(node: Any, tag: str) -> Any:
    return next(node.iterancestors(tag), None)


def _number(node: Any) -> int:
    value = node.get(_VAL, "")
    return int(value) if value.isdecimal() and len(value) < 4 else 0  # noqa: PLR2004
