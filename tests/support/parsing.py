"""The parser's client over files of a test's folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from atoll.adapters.socket_parser import SocketParser
from atoll.domain.parsed import ParsedDocument

#: Where ``parse`` leaves the parsed document and the PDF that it was typeset to.
RESULT, RENDITION = "parsed.json", "pages.pdf"


async def parse(parser: SocketParser, folder: Path, content: bytes, name: str, media_type: str) -> ParsedDocument:
    """Parse some bytes; a rendition that stays empty, and all of a parse that fails, leaves no file."""
    source, result, rendition = folder / "original", folder / RESULT, folder / RENDITION
    source.write_bytes(content)
    try:
        with source.open("rb") as given, result.open("w+b") as made, rendition.open("w+b") as typeset:
            parsed = await parser.parse(source=given, name=name, media_type=media_type, result=made, rendition=typeset)
    except BaseException:
        result.unlink()
        rendition.unlink()
        raise
    if not rendition.stat().st_size:
        rendition.unlink()
    return parsed


async def draw(parser: SocketParser, pdf: Path, **options: Any) -> bytes:
    """Draw a page of a PDF file."""
    with pdf.open("rb") as file:
        return await parser.draw(pdf=file, **options)
