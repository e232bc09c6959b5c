"""Rich Text Format: paragraphs, lists, tables and notes of what word processors have exchanged for decades."""

from __future__ import annotations

from typing import TYPE_CHECKING

from atoll.errors import DocumentUnreadable
from parser.formats.rtf.reading import Reading
from parser.formats.rtf.tokens import tokens
from parser.text import on_one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from parser.collector import Collector
    from parser.flow import Element

_MARK = b"{\\rtf"
_TITLE_CHARACTERS = 500
_SHOWN_HIDDEN = 2000


def elements(data: bytes, collector: Collector) -> Iterator[Element]:
    """The blocks of a file in their order.

    Raises:
        DocumentUnreadable: the bytes are no RTF, or nest their groups too deeply.
        DocumentTooLarge: it holds too much text.
    """
    if not data.lstrip()[: len(_MARK)] == _MARK:
        raise DocumentUnreadable("the file is no RTF: open it in a word processor and save it again")
    reading = Reading()
    for token in tokens(data):
        reading.take(token)
        for element in reading.taken():
            collector.look_for_hiding(element.text)
            yield element
    for element in reading.end():
        collector.look_for_hiding(element.text)
        yield element
    collector.encoding = reading.encoding
    collector.title = on_one_line(reading.title)[:_TITLE_CHARACTERS] or None
    if reading.depth:
        collector.warn("cut_off", "the file ends before it should: its last part may be missing")
    if hidden := on_one_line(" ".join(reading.hidden)):
        collector.skip("hidden", None, None, hidden[:_SHOWN_HIDDEN])
        collector.warn("hidden_text", "the document holds hidden text; it is left out of searches")
    if reading.pictures:
        collector.warn("part_not_read", f"the document holds {reading.pictures} pictures, which are not read")
