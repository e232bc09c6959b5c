"""Messages and mailboxes: the headers that people look for, the body, and what is attached."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from atoll.domain.block import BlockKind
from atoll.errors import DocumentUnreadable
from parser.flow import Element
from parser.formats.mail.message import Message
from parser.formats.members import Members

if TYPE_CHECKING:
    from collections.abc import Iterator

    from parser.collector import Collector
    from parser.formats.members import Reader

#: The line between the messages of a mailbox: a sender and a date that ends with the year.
_BETWEEN = re.compile(rb"^From [^\r\n]*\d{4}[^\r\n]{0,8}\r?\n", re.MULTILINE)
_MASKED = re.compile(rb"^>(>*From )", re.MULTILINE)
_MOST_MESSAGES = 20_000


def message(data: bytes, collector: Collector, readers: dict[str, Reader], depth: int) -> Iterator[Element]:
    """A message: its subject as the heading, its headers as a table, its body, and attachments that can be read.

    Raises:
        DocumentUnreadable: the bytes are no message.
    """
    yield from Message(data, collector, Members(readers, collector, depth)).elements()


def mailbox(data: bytes, collector: Collector, readers: dict[str, Reader], depth: int) -> Iterator[Element]:
    """The messages of a mailbox, each on a page of its own.

    Raises:
        DocumentUnreadable: the bytes are no mailbox.
    """
    starts = [found.end() for found in _BETWEEN.finditer(data) if _begins(data, found.start())]
    if not starts:
        raise DocumentUnreadable("the file is no mailbox: it has no line that begins a message with 'From '")
    if len(starts) > _MOST_MESSAGES:
        collector.warn("too_many_messages", f"the first {_MOST_MESSAGES} of {len(starts)} messages were read")
    ends = [*(data.rfind(b"From ", 0, start) for start in starts[1:]), len(data)]
    members = Members(readers, collector, depth)
    for number, (start, end) in enumerate(list(zip(starts, ends, strict=True))[:_MOST_MESSAGES], start=1):
        yield Element(BlockKind.PAGE_HEADER, page_label=f"Message {number}")
        yield from Message(_MASKED.sub(rb"\1", data[start:end]), collector, members).elements()


def _begins(data: bytes, at: int) -> bool:
    """Whether a blank line, or nothing, stands before a line."""
    return at == 0 or data[max(0, at - 3) : at].endswith((b"\n\n", b"\n\r\n"))
