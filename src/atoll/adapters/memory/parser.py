"""A parser without processes: plain text, a fixed number of lines a page, one box a line."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import BinaryIO

from atoll.domain.block import Block, BlockKind, Line
from atoll.domain.page import Box, HeatMap, Page
from atoll.domain.parsed import ParsedDocument
from atoll.errors import DocumentUnreadable, NotAvailable

_LINES_PER_PAGE = 50
_WIDTH, _HEIGHT, _LINE_HEIGHT, _MARGIN = 595.0, 842.0, 14.0, 50.0


class MemoryParser:
    """Port ``Parser`` for UTF-8 text: paragraphs by blank lines, ``# `` starts a heading."""

    async def parse(
        self,
        *,
        source: BinaryIO,
        name: str,
        media_type: str,
        result: BinaryIO,
        rendition: BinaryIO,
        password: str | None = None,
    ) -> ParsedDocument:
        """Read ``source`` and leave the parsed document in ``result``; what stands for the rendition shows nothing."""
        del media_type, password
        rendition.write(b"%PDF-")
        return await asyncio.to_thread(_parse, source, name, result)

    async def draw(
        self, *, pdf: BinaryIO, page: int, dpi: int, marks: Sequence[Box] = (), heat: HeatMap | None = None
    ) -> bytes:
        """Refuse: there is nothing to draw."""
        del pdf, page, dpi, marks, heat
        raise NotAvailable("this parser draws no pages")


def _parse(source: BinaryIO, name: str, result: BinaryIO) -> ParsedDocument:
    try:
        text = source.read().decode()
    except UnicodeDecodeError as error:
        raise DocumentUnreadable(f"{name} is not UTF-8 text") from error
    rows = [row for row in text.splitlines() if row.strip()]
    blocks = tuple(_block(number, row) for number, row in enumerate(rows))
    count = max(1, -(-len(rows) // _LINES_PER_PAGE))
    pages = tuple(Page(number, _WIDTH, _HEIGHT) for number in range(1, count + 1))
    parsed = ParsedDocument(title=None, pages=pages, blocks=blocks)
    result.write(json.dumps(parsed.to_json()).encode())
    return parsed


def _block(number: int, row: str) -> Block:
    top = _MARGIN + (number % _LINES_PER_PAGE) * _LINE_HEIGHT
    box = Box(_MARGIN, top, _WIDTH - _MARGIN, top + _LINE_HEIGHT)
    is_heading = row.startswith("# ")
    line = Line(row.removeprefix("# ").strip(), number // _LINES_PER_PAGE + 1, box)
    return Block(BlockKind.HEADING if is_heading else BlockKind.PARAGRAPH, (line,), 1 if is_heading else 0)
