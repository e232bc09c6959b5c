"""Plain text: blank lines part paragraphs, lines stay lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from atoll.domain.page import BlockKind
from parser.decoding import decode
from parser.flow import Element
from parser.text import flowing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from parser.collector import Collector

#: A paragraph without blank lines, such as a log, is parted after so many lines.
_LONGEST_PARAGRAPH = 60


def elements(data: bytes, collector: Collector) -> Iterator[Element]:
    """The paragraphs of a text file in any encoding."""
    text = decode(data)
    collector.limits.check_characters(len(text))
    collector.look_for_hiding(text)
    paragraph: list[str] = []
    for line in text.splitlines():
        shown = flowing(line)
        if shown:
            paragraph.append(shown)
        if paragraph and (not shown or len(paragraph) == _LONGEST_PARAGRAPH):
            yield Element(BlockKind.PARAGRAPH, "\n".join(paragraph))
            paragraph = []
    if paragraph:
        yield Element(BlockKind.PARAGRAPH, "\n".join(paragraph))
