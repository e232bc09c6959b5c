"""Reads a document in this process, as a child of the parser does."""

from __future__ import annotations

import json
import os
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from atoll.domain.parsed import ParsedDocument
from parser.limits import ContentLimits
from parser.typeset.fonts import Fonts
from parser.work import Parse

if TYPE_CHECKING:
    from pathlib import Path

    from parser.recognise.engine import Engine


class Reading(NamedTuple):
    document: ParsedDocument
    pdf: Path

    @property
    def texts(self) -> list[str]:
        return [block.text for block in self.document.blocks]

    @property
    def kinds(self) -> list[tuple[str, int, str]]:
        return [(block.kind.value, block.level, block.text) for block in self.document.blocks]

    @property
    def warned(self) -> list[tuple[str, int | None]]:
        return [(warning.type, warning.page) for warning in self.document.warnings]


@cache
def fonts() -> Fonts:
    return Fonts()


def read(
    folder: Path,
    content: bytes,
    media_type: str,
    *,
    name: str = "document",
    limits: ContentLimits | None = None,
    engine: Engine | None = None,
    password: str | None = None,
) -> Reading:
    source, result, rendition = folder / "source", folder / "result", folder / "rendition.pdf"
    source.write_bytes(content)
    for path in (result, rendition):
        path.unlink(missing_ok=True)
    fonts().missing.clear()
    descriptors = [
        os.open(source, os.O_RDONLY),
        os.open(result, os.O_WRONLY | os.O_CREAT),
        os.open(rendition, os.O_WRONLY | os.O_CREAT),
    ]
    try:
        arguments = {"name": name, "media_type": media_type, "password": password}
        Parse(limits or ContentLimits(), fonts(), engine)(arguments, descriptors)
    finally:
        for descriptor in descriptors:
            try:
                os.close(descriptor)
            except OSError:
                continue  # the work closes what it wrote
    document = ParsedDocument.from_json(json.loads(result.read_bytes()))
    return Reading(document, rendition if rendition.stat().st_size else source)
