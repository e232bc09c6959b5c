"""Source code and configuration: every line as it stands, parted where the author left a blank line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from atoll.domain.block import BlockKind
from parser.decoding import text_of
from parser.flow import Element
from parser.text import preformatted, visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from parser.collector import Collector

#: Parts shorter than that stay together with those after them; a longer one than the second is cut.
_FEW_LINES, _MOST_LINES = 12, 60


def elements(data: bytes, collector: Collector) -> Iterator[Element]:
    """The parts of a file. Raises DocumentTooLarge."""
    text = text_of(data, collector)
    collector.limits.check_characters(len(text))
    collector.look_for_hiding(text)
    part: list[str] = []
    for line in visible(text).split("\n"):
        if (not line.strip() and len(part) >= _FEW_LINES) or len(part) >= _MOST_LINES:
            yield from _block(part)
            part = []
        part.append(line)
    yield from _block(part)


def _block(lines: list[str]) -> Iterator[Element]:
    if text := preformatted("\n".join(lines)):
        yield Element(BlockKind.CODE, text)
