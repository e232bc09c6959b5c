"""OpenDocument files: texts, spreadsheets and presentations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from atoll.domain.block import BlockKind
from atoll.errors import DocumentUnreadable
from parser.archive import Archive
from parser.flow import Element
from parser.formats.opendocument import sheets, slides
from parser.formats.opendocument.body import Body
from parser.formats.opendocument.names import OFFICE, STYLE
from parser.formats.opendocument.styles import Styles
from parser.formats.word.margins import is_page_number
from parser.text import on_one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from parser.collector import Collector


_WHAT, _OLD = "an OpenDocument file", "another format: save it as .odt, .ods or .odp"
_TITLE = "{http://purl.org/dc/elements/1.1/}title"
_TITLE_CHARACTERS = 500
_SHOWN_HIDDEN = 2000
_MARGINS = frozenset(
    f"{STYLE}{name}" for name in ("header", "header-first", "footer", "footer-first", "header-left", "footer-left")
)


def elements(data: bytes, collector: Collector) -> Iterator[Element]:
    """What a text, a spreadsheet or a presentation shows, in its order.

    Raises:
        DocumentUnreadable: the bytes are no OpenDocument file, or it is encrypted.
        DocumentTooLarge: it inflates to too much.
    """
    archive = Archive(data, collector.limits, what=_WHAT, old=_OLD)
    if archive.has("META-INF/manifest.xml") and b"encryption-data" in archive.read("META-INF/manifest.xml"):
        raise DocumentUnreadable("the document is encrypted; remove the password and upload again")
    root = archive.xml("content.xml")
    side = archive.xml("styles.xml") if archive.has("styles.xml") else None
    body = Body(archive, Styles(root, side))
    collector.title = _title(archive)
    found = root.find(f"{OFFICE}body")
    if found is None:
        raise DocumentUnreadable("the file is no readable OpenDocument file: open it and save it again")
    for element in _content(found, side, body, collector):
        if element.kind is BlockKind.HEADING and element.level == 1 and not collector.title:
            collector.title = element.text
        collector.look_for_hiding(element.text)
        yield element
    if hidden := on_one_line(" ".join(body.hidden)):
        collector.skip("hidden", None, None, hidden[:_SHOWN_HIDDEN])
        collector.warn("hidden_text", "the document holds hidden text; it is left out of searches")
    if body.comments:
        collector.warn("part_not_read", f"the document holds {body.comments} comments, which are not read")


def _content(found: Any, side: Any, body: Body, collector: Collector) -> Iterator[Element]:
    for kind in found.iterchildren():
        if kind.tag == f"{OFFICE}spreadsheet":
            yield from sheets.elements(kind, body, collector)
        elif kind.tag == f"{OFFICE}presentation":
            yield from slides.elements(kind, body, collector)
        elif kind.tag in {f"{OFFICE}text", f"{OFFICE}drawing"}:
            heads, feet = _margins(side, body)
            yield from heads
            yield from body.blocks(kind)
            yield from body.taken_notes()
            yield from feet


def _margins(side: Any, body: Body) -> tuple[list[Element], list[Element]]:
    """Page headers and footers, each text once: a document's number or owner often stands nowhere else."""
    known: set[str] = set()
    heads: list[Element] = []
    feet: list[Element] = []
    for margin in side.iter(*_MARGINS) if side is not None else ():
        for element in body.blocks(margin):
            text = element.text or " ".join(cell.text for cell in element.cells)
            if text not in known and not is_page_number(text):
                known.add(text)
                shown = Element(BlockKind.NOTE, text)
                (heads if "header" in margin.tag else feet).append(shown)
    return heads, feet


def _title(archive: Archive) -> str | None:
    if not archive.has("meta.xml"):
        return None
    found = next(archive.xml("meta.xml").iter(_TITLE), None)
    return on_one_line(found.text or "")[:_TITLE_CHARACTERS] or None if found is not None else None
