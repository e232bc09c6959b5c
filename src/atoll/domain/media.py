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
#: Pairs of bytes from which UTF-16 without a mark is told by its characters, and the shares that tell it.
_LEAST_PAIRS = 8
_TELLING, _NEARLY_ALL = 0.04, 0.95

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


def told_by(head: bytes, media_type: str) -> str:
    """What speaks for a file's media type: ``content``, or only its ``name``."""
    try:
        return "content" if sniff("", head) == media_type else "name"
    except UnsupportedMediaType:
        return "name"


def looks_like_text(head: bytes) -> bool:
    """Whether bytes may be text in some encoding: no signature of a binary format, and NULs only as UTF-16 has them."""
    if head.startswith(_BINARY):
        return False
    return b"\0" not in head or head.startswith(_WIDE_MARKS) or utf16_order(head) is not None


def utf16_order(head: bytes) -> str | None:
    """The codec of UTF-16 text that has no byte order mark; else None.

    Told by which byte of the pairs is zero, for text with some ASCII in it (spaces and line ends are enough), and for
    text of East Asia by its characters, which no other encoding gives in such numbers.
    """
    even, odd = head[0::2].count(0), head[1::2].count(0)
    pairs = len(head) // 2
    least = max(2, pairs // 12)
    # First: some letters of East Asia have a zero byte as well.
    for codec in ("utf-16-le", "utf-16-be"):
        if pairs >= _LEAST_PAIRS and _is_east_asian(head[: 2 * pairs], codec):
            return codec
    if odd >= least and even == 0:
        return "utf-16-le"
    if even >= least and odd == 0:
        return "utf-16-be"
    return None


def _is_east_asian(head: bytes, codec: str) -> bool:
    """Whether UTF-16 gives next to nothing but Han, kana, hangul, their signs and ASCII."""
    text = head.decode(codec, "replace").rstrip("\ufffd")
    letters = sum("\u4e00" <= c <= "\u9fff" or "\uac00" <= c <= "\ud7a3" for c in text)
    # Older encodings, taken for UTF-16, give Han and hangul as well, but no kana and none of these signs.
    telling = sum("\u3001" <= c <= "\u30ff" or "\uff01" <= c <= "\uff5e" for c in text)
    inside = letters + telling + sum(c.isascii() for c in text)
    return telling >= _TELLING * len(text) and inside >= _NEARLY_ALL * len(text)


def _unsupported(name: str, why: str) -> UnsupportedMediaType:
    shown = name if len(name) <= _SHOWN_CHARACTERS else name[:_SHOWN_CHARACTERS] + "..."
    return UnsupportedMediaType(f"{shown}: {why}. Accepted: {', '.join(sorted(ACCEPTED))}")
