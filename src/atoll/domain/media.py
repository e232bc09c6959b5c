"""The formats that Atoll reads, and what a file is by its first bytes and its name."""

from __future__ import annotations

import codecs
from pathlib import PurePath

from atoll.errors import UnsupportedMediaType

TEXT = "text/plain"
MARKDOWN = "text/markdown"
HTML = "text/html"
PDF = "application/pdf"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"

#: Extension to media type; the first extension of a type is the one that messages name.
ACCEPTED = {
    ".pdf": PDF,
    ".docx": DOCX,
    ".md": MARKDOWN,
    ".markdown": MARKDOWN,
    ".html": HTML,
    ".htm": HTML,
    ".xhtml": HTML,
    ".txt": TEXT,
    ".text": TEXT,
    ".log": TEXT,
}

#: Formats with pages of their own; the others are typeset to A4.
PAGED = frozenset({PDF})

#: How much of a file `sniff` wants to see.
HEAD_BYTES = 4096

_SHOWN_CHARACTERS = 80

_ZIP = b"PK\x03\x04"
#: First bytes of what is never text, whatever its name says.
_BINARY = (
    _ZIP,
    b"\x7fELF",
    b"MZ\x90\x00",
    b"\x89PNG",
    b"\xff\xd8\xff",
    b"GIF8",
    b"\x1f\x8b",
    b"BZh",
    b"7z\xbc\xaf",
    b"Rar!",
    b"\xd0\xcf\x11\xe0",  # the old Office formats
    b"SQLite format 3",
)
_WIDE_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)


def sniff(name: str, head: bytes) -> str:
    """The media type of a file called ``name`` that starts with ``head`` (at least `HEAD_BYTES` of it, if it has them).

    The bytes win where the two disagree: a PDF is a PDF under any name, and binary content is never taken as text.
    Where only the name speaks for a format, the name is believed and a file that is not what it says fails when it
    is read, with a message about its content.

    Raises:
        UnsupportedMediaType: nothing here reads that; the message names what is accepted.
    """
    suffix = PurePath(name).suffix.lower()
    named = ACCEPTED.get(suffix)
    if b"%PDF-" in head[:1024]:
        return PDF
    if named in {PDF, DOCX}:
        return named
    if head.startswith(_ZIP) and b"word/" in head:
        return DOCX
    if not looks_like_text(head):
        raise _unsupported(name, "its content is binary")
    if named:
        return named
    if head.lstrip(codecs.BOM_UTF8 + b" \t\r\n")[:64].lower().startswith((b"<!doctype html", b"<html")):
        return HTML
    if not suffix:
        return TEXT
    raise _unsupported(name, f"{suffix[:20]} is not a format it reads")


def looks_like_text(head: bytes) -> bool:
    """Whether bytes may be text in some encoding: no signature of a binary format, and NULs only as UTF-16 has them."""
    if head.startswith(_BINARY):
        return False
    return b"\0" not in head or head.startswith(_WIDE_MARKS) or utf16_order(head) is not None


def utf16_order(head: bytes) -> str | None:
    """The codec of UTF-16 text that has no byte order mark, told by which byte of the pairs is zero; else None.

    Works for text with some ASCII in it (spaces and line ends are enough); other UTF-16 needs its mark.
    """
    even, odd = head[0::2].count(0), head[1::2].count(0)
    pairs = len(head) // 2
    least = max(2, pairs // 12)
    if odd >= least and even == 0:
        return "utf-16-le"
    if even >= least and odd == 0:
        return "utf-16-be"
    return None


def _unsupported(name: str, why: str) -> UnsupportedMediaType:
    shown = name if len(name) <= _SHOWN_CHARACTERS else name[:_SHOWN_CHARACTERS] + "..."
    return UnsupportedMediaType(f"{shown}: {why}. Accepted: {', '.join(sorted(ACCEPTED))}")
