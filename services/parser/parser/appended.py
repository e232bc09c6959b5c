"""Members of archives and mails that have pages of their own: read behind the pages of what holds them.

The rendition of the whole then has these pages as well, so that they are cited and drawn as any other page is.
"""

from __future__ import annotations

import mmap
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

import pypdfium2

from atoll.domain.block import Block, BlockKind, Source
from atoll.domain.page import Box
from atoll.errors import DocumentTooLarge, DocumentUnreadable
from parser.collector import line
from parser.formats import pdf, picture

if TYPE_CHECKING:
    from parser.collector import Collector

#: The strip at the top of a member's first page that its name stands for.
_STRIP = 24.0
_LEVEL = 2


@dataclass(frozen=True, slots=True)
class PagedMember:
    """A member with pages of its own: what it is called and its bytes."""

    name: str
    family: str
    content: bytes


def append(collector: Collector, rendition: bytes, file: BinaryIO) -> None:
    """Read the members that ``collector`` was given, and write ``rendition`` with their pages behind it to ``file``."""
    if not collector.paged_members:
        file.write(rendition)
        return
    title = collector.title
    with pypdfium2.PdfDocument(rendition) as whole:
        for member in collector.paged_members:
            try:
                _append(member, collector, whole)
            except DocumentUnreadable as err:
                collector.pass_over(member.name, f"was not read: {err.message}")
            collector.title = title
        whole.save(file)


def _append(member: PagedMember, collector: Collector, whole: pypdfium2.PdfDocument) -> None:
    """Read one member. Raises DocumentUnreadable; what was read of its pages by then stays."""
    content = picture.as_pdf(member.content, collector) if member.family == "picture" else member.content
    data = mmap.mmap(-1, len(content))
    data.write(content)
    before = collector.page_count
    with pdf.opened(data, collector.password) as document:
        width, _ = document.get_page_size(0)
        try:
            collector.limits.check_pages(before + len(document))
        except DocumentTooLarge as err:
            raise DocumentUnreadable(f"with it, {err.message}") from err
    name = line(member.name, before + 1, Box(0.0, 0.0, width, _STRIP), source=Source.STRUCTURE)
    collector.expect(Block(BlockKind.HEADING, (name,), _LEVEL))
    try:
        pdf.read(data, collector)
    finally:
        collector.expect(None)
        count = collector.page_count - before
        if count:
            with pdf.opened(data, collector.password) as document:
                whole.import_pages(document, range(count))
