"""One message: headers as they are shown, the body in the way that keeps most of it, attachments by what they are."""

from __future__ import annotations

import re
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from itertools import chain
from typing import TYPE_CHECKING, Any

from atoll.domain.block import BlockKind
from atoll.errors import DocumentUnreadable
from parser.flow import CellElement, Element
from parser.formats import html, plain
from parser.text import on_one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from parser.collector import Collector
    from parser.formats.members import Members

_SHOWN = ("From", "To", "Cc", "Date", "Reply-To")
_ADDRESSED = frozenset({"from", "to", "cc", "subject", "date", "message-id", "received", "return-path"})
_MOST_PARTS = 2000
_MOST_DEPTH = 30
_HEADER_CHARACTERS = 4000
#: Lines of a message that a program has wrapped end with a blank; the line over a signature is no such line.
_FLOWED = re.compile(rb"(?<!^--)(?<!\n--) \r?\n(?![>\r\n])")
#: What header parsing of the standard library gives for headers that are no headers.
_BAD_HEADER = (ValueError, IndexError, KeyError, AttributeError, TypeError, LookupError)


class Message:
    """A message in bytes."""

    def __init__(self, data: bytes, collector: Collector, members: Members) -> None:
        self._collector = collector
        self._members = members
        self._parts = 0
        try:
            self._message = BytesParser(EmailMessage, policy=policy.default).parsebytes(data)
        except (RecursionError, *_BAD_HEADER) as err:
            raise DocumentUnreadable("the message is damaged or nests its parts too deeply") from err
        if not _ADDRESSED & {name.lower() for name in self._message}:
            raise DocumentUnreadable("the file is no message: it has no sender, subject or date")

    def elements(self) -> Iterator[Element]:
        """Subject, headers, body, attachments."""
        subject = self._header("Subject")
        if subject:
            self._collector.title = self._collector.title or subject
            yield Element(BlockKind.HEADING, subject, level=1)
        bodies: list[EmailMessage] = []
        attached: list[EmailMessage] = []
        self._sort(self._message, bodies, attached, 0)
        names = [name for name in map(_name_of, attached) if name]
        yield from self._members.apart(self._table(names))
        yield from self._members.apart(chain.from_iterable(map(self._body, bodies)))
        for part in attached:
            yield from self._attachment(part)

    def _table(self, attachments: list[str]) -> Iterator[Element]:
        rows = [(name, self._header(name)) for name in _SHOWN]
        rows.append(("Attachments", ", ".join(attachments)))
        for name, value in rows:
            if value:
                self._collector.look_for_hiding(value)
                cells = (CellElement(name, 0, is_header=True), CellElement(value, 1))
                yield Element(BlockKind.TABLE, cells=cells, table=1)

    def _header(self, name: str) -> str:
        try:
            value = self._message[name]
            return on_one_line(str(value or ""))[:_HEADER_CHARACTERS]
        except _BAD_HEADER:
            raw = dict(self._message.raw_items()).get(name, "")
            return on_one_line(str(raw))[:_HEADER_CHARACTERS]

    def _sort(self, part: EmailMessage, bodies: list[EmailMessage], attached: list[EmailMessage], depth: int) -> None:
        """Tell bodies from what is attached; of several ways to write the same body the best is taken."""
        self._parts += 1
        if self._parts > _MOST_PARTS or depth > _MOST_DEPTH:
            raise DocumentUnreadable("the message has too many parts, or nests them too deeply")
        kind = part.get_content_type()
        if part.is_multipart() and kind != "message/rfc822":
            inner: list[Any] = list(part.iter_parts()) if kind.startswith("multipart/") else []
            if kind == "multipart/alternative":
                inner = [_best(inner)] if inner else []
            for each in inner:
                self._sort(each, bodies, attached, depth + 1)
        elif kind in {"text/plain", "text/html"} and not _is_attachment(part):
            bodies.append(part)
        elif kind in {"application/pkcs7-mime", "application/x-pkcs7-mime"} or kind == "application/pgp-encrypted":
            self._collector.warn("encrypted", "the message or a part of it is encrypted and was not read")
        elif kind not in {"application/pkcs7-signature", "application/pgp-signature"}:
            attached.append(part)

    def _body(self, part: EmailMessage) -> Iterator[Element]:
        content = _content(part)
        charset = part.get_content_charset()
        if part.get_content_type() == "text/html":
            title = self._collector.title
            yield from html.elements(content, self._collector, charset)
            self._collector.title = title
        else:
            if part.get_param("format") == "flowed":
                content = _FLOWED.sub(b" ", content)
            yield from plain.elements(content, self._collector, charset)

    def _attachment(self, part: EmailMessage) -> Iterator[Element]:
        name = _name_of(part)
        if part.get_content_type() == "message/rfc822":
            inner = next(iter(part.iter_parts()), None)
            content = bytes(inner) if inner is not None else b""
            name = name if name.lower().endswith(".eml") else f"{name or 'forwarded message'}.eml"
        else:
            content = _content(part)
        is_shown_in_text = part.get_content_maintype() == "image" and part.get("Content-ID") is not None
        if content and not is_shown_in_text:
            yield from self._members.read(name or f"attachment.{part.get_content_subtype()}", content)


def _best(parts: list[Any]) -> Any:
    """The way to write a body that keeps most of it: that with structure, which stands last."""
    readable = [part for part in parts if part.get_content_type() in {"text/plain", "text/html"} or part.is_multipart()]
    for part in reversed(readable):
        if part.is_multipart() or _content(part).strip():
            return part
    return parts[-1]


def _is_attachment(part: EmailMessage) -> bool:
    return part.get_content_disposition() == "attachment" or bool(_name_of(part))


def _name_of(part: EmailMessage) -> str:
    try:
        return on_one_line((part.get_filename() or "").replace("\\", "/").rpartition("/")[2])
    except _BAD_HEADER:
        return ""


def _content(part: EmailMessage) -> bytes:
    try:
        content = part.get_payload(decode=True)
    except _BAD_HEADER:
        return b""
    return content if isinstance(content, bytes) else b""
