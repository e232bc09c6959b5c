"""The families of formats without pages, each with what reads it into a stream of elements."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parser.formats import archives, code, epub, html, mail, markdown, opendocument, plain, rtf, slides, word
from parser.formats.sheets import delimited, workbook
from parser.formats.structured import json_files, xml_files

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from parser.collector import Collector
    from parser.flow import Element
    from parser.formats.members import Reader


def _alone(read: Callable[[bytes, Collector], Iterator[Element]]) -> Reader:
    """What reads documents that hold no others."""
    return lambda data, collector, _: read(data, collector)


def _holding(read: Callable[[bytes, Collector, dict[str, Reader], int], Iterator[Element]]) -> Reader:
    """What reads documents that hold others, of any family here."""
    return lambda data, collector, depth: read(data, collector, FLOWING, depth)


#: By family: bytes, where they are gathered, and how deep they stand in other documents, from 1.
FLOWING: dict[str, Reader] = {
    "plain": _alone(plain.elements),
    "markdown": _alone(markdown.elements),
    "html": _alone(html.elements),
    "word": _alone(word.elements),
    "workbook": _alone(workbook.elements),
    "slides": _alone(slides.elements),
    "epub": _alone(epub.elements),
    "delimited": _alone(delimited.elements),
    "opendocument": _alone(opendocument.elements),
    "rtf": _alone(rtf.elements),
    "code": _alone(code.elements),
    "json": _alone(json_files.elements),
    "xml": _alone(xml_files.elements),
    "zip": _holding(archives.zipped),
    "tar": _holding(archives.tarred),
    "message": _holding(mail.message),
    "mailbox": _holding(mail.mailbox),
}
#: Families whose documents hold others, some of which have pages of their own.
HOLDING = frozenset({"zip", "tar", "message", "mailbox"})
