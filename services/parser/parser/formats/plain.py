"""Plain text: blank lines part paragraphs; a line end stays unless the line was only full; columns are tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from atoll.domain.block import BlockKind
from parser.decoding import text_of
from parser.flow import Element, row_of
from parser.formats.columns import text_table
from parser.text import flowing, visible
from parser.wrapping import divided_word, keeps_hyphen, meant_breaks

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from parser.collector import Collector

#: A paragraph without blank lines, such as a log, is parted after so many lines.
_LONGEST_PARAGRAPH = 60


def elements(data: bytes, collector: Collector, declared: str | None = None) -> Iterator[Element]:
    """The paragraphs of a text in any encoding; ``declared`` is the one that is told for it."""
    text = text_of(data, collector, declared)
    collector.limits.check_characters(len(text))
    collector.look_for_hiding(text)
    tables = 0
    for lines in _paragraphs(text):
        for element in _elements(lines, tables + 1):
            tables = max(tables, element.table)
            yield element


def _paragraphs(text: str) -> Iterator[list[str]]:
    paragraph: list[str] = []
    for line in visible(text).split("\n"):
        if line.strip():
            paragraph.append(line)
        if paragraph and (not line.strip() or len(paragraph) == _LONGEST_PARAGRAPH):
            yield paragraph
            paragraph = []
    if paragraph:
        yield paragraph


def _elements(lines: Sequence[str], table: int) -> Iterator[Element]:
    while lines:
        found = text_table(lines)
        before = lines if found is None else lines[: found.first]
        if before:
            yield _paragraph([flowing(line) for line in before])
        if found is None:
            return
        for number, row in enumerate(found.rows):
            yield row_of(row, table, is_header=found.has_header and number == 0)
        table += 1
        lines = lines[found.last :]


def _paragraph(lines: list[str]) -> Element:
    parts: list[str] = []
    divided: list[str] = []
    breaks = meant_breaks(lines)
    for number, line in enumerate(lines):
        if number == len(lines) - 1 or breaks[number]:
            parts += (line, "\n")
        elif word := divided_word(line, lines[number + 1]):
            parts.append(line[:-1])
            divided.append(word[1])
        else:
            parts += (line, "" if keeps_hyphen(line, lines[number + 1]) else " ")
    return Element(BlockKind.PARAGRAPH, "".join(parts).rstrip("\n"), spellings=tuple(divided))
