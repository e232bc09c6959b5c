"""Word documents (Office Open XML): documents, templates and those with macros, transitional and Strict."""

from __future__ import annotations

from typing import TYPE_CHECKING

from atoll.domain.block import BlockKind
from atoll.errors import DocumentUnreadable
from parser.formats.word.body import Body
from parser.formats.word.margins import heads_and_feet
from parser.opc import Package
from parser.text import on_one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from parser.collector import Collector
    from parser.flow import Element

_WHAT, _OLD = "a Word document", "the old Word format: save it as .docx"
_SHOWN_HIDDEN = 2000


def elements(data: bytes, collector: Collector) -> Iterator[Element]:
    """Headings, paragraphs, lists, tables, formulas and notes in document order, between page headers and footers.

    Raises:
        DocumentUnreadable: the bytes are no Word document.
        DocumentTooLarge: it inflates to too much.
    """
    package = Package(data, collector.limits, what=_WHAT, old=_OLD)
    document = package.main
    if document is None or not package.read(document)[:65536].count(b"wordprocessingml"):
        raise DocumentUnreadable("the file is no readable Word document: open it in Word and save it again")
    collector.title = package.title
    body = Body(package, document)
    heads, feet = heads_and_feet(package, document, body)
    for element in (*heads, *body.elements(), *feet):
        if element.kind is BlockKind.HEADING and element.level == 1 and not collector.title:
            collector.title = element.text
        collector.look_for_hiding(element.text)
        yield element
    if hidden := on_one_line(" ".join(body.hidden)):
        collector.skip("hidden", None, None, hidden[:_SHOWN_HIDDEN])
        collector.warn("hidden_text", "the document holds hidden text; it is left out of searches")
    for missing in body.unread:
        collector.warn("part_not_read", f"the document holds {missing}, which is not read")
