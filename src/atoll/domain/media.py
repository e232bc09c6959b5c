"""The formats that Atoll reads, and what a file is by its content first and its name second."""

from __future__ import annotations

import codecs
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePath

from atoll.errors import UnsupportedMediaType


@dataclass(frozen=True, slots=True)
class Format:
    """A format: its media type, the endings of its names, and the family of readers that knows it.

    ``marks`` tell it inside a zip archive: the content type of its main part, or what its ``mimetype`` says.
    ``signatures`` are what files begin with.
    ``has_pages`` is true for formats with pages of their own; the others are typeset to A4.
    """

    media_type: str
    suffixes: tuple[str, ...]
    family: str
    marks: tuple[str, ...] = ()
    signatures: tuple[bytes, ...] = ()
    has_pages: bool = False


_WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml"
_SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_EXCEL = "application/vnd.ms-excel"
_OPEN = "application/vnd.oasis.opendocument"
_SLIDES = "application/vnd.openxmlformats-officedocument.presentationml"
_POWERPOINT = "application/vnd.ms-powerpoint"
_WORD_MACROS = "application/vnd.ms-word"

PDF = "application/pdf"
DOCX = f"{_WORD}.document"
XLSX = f"{_SHEET}.sheet"
PPTX = f"{_SLIDES}.presentation"
EPUB = "application/epub+zip"
TIFF = "image/tiff"
ODT, ODS, ODP = f"{_OPEN}.text", f"{_OPEN}.spreadsheet", f"{_OPEN}.presentation"
RTF = "application/rtf"
ZIP = "application/zip"
SOURCE = "text/x-source"
EML = "message/rfc822"
MBOX = "application/mbox"
CSV = "text/csv"
TSV = "text/tab-separated-values"
MARKDOWN = "text/markdown"
HTML = "text/html"
TEXT = "text/plain"

#: Names of source code and configuration, which is read line by line.
_SOURCES = tuple(
    f".{name}"
    for name in """
    py js mjs ts tsx jsx java kt scala c h cc cpp hpp cs go rs rb php swift lua pl r jl sh bash ps1 bat sql css scss
    yaml yml toml ini cfg conf properties tf proto graphql gradle cmake
    """.split()  # noqa: SIM905 - a word list reads better than fifty quoted strings
)
#: Families whose files are never text.
_BINARY_FAMILIES = frozenset({"picture", "zip", "tar"})

FORMATS = (
    Format(PDF, (".pdf",), "pdf", has_pages=True),
    Format(DOCX, (".docx",), "word", (f"{_WORD}.document.main+xml",)),
    Format(f"{_WORD_MACROS}.document.macroEnabled.12", (".docm",), "word", (f"{_WORD_MACROS}.document.macroEnabled",)),
    Format(f"{_WORD}.template", (".dotx",), "word", (f"{_WORD}.template.main+xml",)),
    Format(f"{_WORD_MACROS}.template.macroEnabled.12", (".dotm",), "word", (f"{_WORD_MACROS}.template.macroEnabled",)),
    Format(XLSX, (".xlsx",), "workbook", (f"{_SHEET}.sheet.main+xml",)),
    Format(f"{_EXCEL}.sheet.macroEnabled.12", (".xlsm",), "workbook", (f"{_EXCEL}.sheet.macroEnabled",)),
    Format(f"{_SHEET}.template", (".xltx",), "workbook", (f"{_SHEET}.template.main+xml",)),
    Format(f"{_EXCEL}.template.macroEnabled.12", (".xltm",), "workbook", (f"{_EXCEL}.template.macroEnabled",)),
    Format(PPTX, (".pptx",), "slides", (f"{_SLIDES}.presentation.main+xml",)),
    Format(
        f"{_POWERPOINT}.presentation.macroEnabled.12",
        (".pptm",),
        "slides",
        (f"{_POWERPOINT}.presentation.macroEnabled",),
    ),
    Format(f"{_SLIDES}.slideshow", (".ppsx",), "slides", (f"{_SLIDES}.slideshow.main+xml",)),
    Format(
        f"{_POWERPOINT}.slideshow.macroEnabled.12", (".ppsm",), "slides", (f"{_POWERPOINT}.slideshow.macroEnabled",)
    ),
    Format(f"{_SLIDES}.template", (".potx",), "slides", (f"{_SLIDES}.template.main+xml",)),
    Format("image/png", (".png",), "picture", signatures=(b"\x89PNG\r\n",)),
    Format("image/jpeg", (".jpg", ".jpeg"), "picture", signatures=(b"\xff\xd8\xff",)),
    Format(TIFF, (".tif", ".tiff"), "picture", signatures=(b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")),
    Format("image/webp", (".webp",), "picture", signatures=(b"RIFF",)),
    Format("image/gif", (".gif",), "picture", signatures=(b"GIF8",)),
    Format("image/bmp", (".bmp",), "picture"),
    Format(EPUB, (".epub",), "epub", (EPUB,)),
    Format(ODT, (".odt", ".ott"), "opendocument", (ODT,)),
    Format(ODS, (".ods",), "opendocument", (ODS,)),
    Format(ODP, (".odp",), "opendocument", (ODP,)),
    Format(RTF, (".rtf",), "rtf", signatures=(b"{\\rtf",)),
    Format(ZIP, (".zip",), "zip"),
    Format("application/gzip", (".gz", ".tgz"), "tar", signatures=(b"\x1f\x8b",)),
    Format("application/x-tar", (".tar",), "tar"),
    Format("application/json", (".json", ".jsonl", ".ndjson"), "json"),
    Format("application/xml", (".xml",), "xml"),
    Format(SOURCE, _SOURCES, "code"),
    Format(EML, (".eml",), "message"),
    Format(MBOX, (".mbox",), "mailbox"),
    Format(CSV, (".csv",), "delimited"),
    Format(TSV, (".tsv", ".tab"), "delimited"),
    Format(MARKDOWN, (".md", ".markdown"), "markdown"),
    Format(HTML, (".html", ".htm", ".xhtml"), "html"),
    Format(TEXT, (".txt", ".text", ".log", ".rst", ".adoc", ".tex"), "plain"),
)

#: Extension to media type; the first extension of a type is the one that messages name.
ACCEPTED = {suffix: each.media_type for each in FORMATS for suffix in each.suffixes}

#: Formats with pages of their own; the others are typeset to A4.
PAGED = frozenset(each.media_type for each in FORMATS if each.has_pages)

#: Media type to the family of readers that knows it.
FAMILIES = {each.media_type: each.family for each in FORMATS}

#: How much of a file `sniff` wants to see.
HEAD_BYTES = 4096

_SHOWN_CHARACTERS = 80
#: Pairs of bytes from which UTF-16 without a mark is told by its characters, and the shares that tell it.
_LEAST_PAIRS = 8
_TELLING, _NEARLY_ALL = 0.04, 0.95

_ZIP = b"PK\x03\x04"
_ZIP_HEADER_BYTES = 30
_INFLATED_BYTES = 256 * 1024
_STORED, _DEFLATED = 0, 8
#: Folders in which Office files keep their parts, for those whose list of types is not at the head of the archive.
_FOLDERS = ((b"word/", DOCX), (b"xl/", XLSX), (b"ppt/", PPTX))
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
#: Lines among which a message's headers are looked for.
_HEADER_LINES = 60
_HEADER = re.compile(rb"([A-Za-z][A-Za-z0-9-]{1,40}):(?:\s|$)")
_ADDRESSED = frozenset({b"date", b"subject", b"to", b"message-id", b"received"})
_FROM_LINE = re.compile(rb"From \S+ .*\d{4}")
_WIDE_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)


def sniff(name: str, head: bytes) -> str:
    """The media type of a file called ``name`` that starts with ``head`` (at least `HEAD_BYTES` of it, if it has them).

    The bytes win where the two disagree: a PDF is a PDF under any name, an Office file is what its parts say, and
    binary content is never taken as text. Where only the name speaks for a format, the name is believed and a file
    that is not what it says fails when it is read, with a message about its content.

    Raises:
        UnsupportedMediaType: nothing here reads that; the message names what is accepted.
    """
    suffix = PurePath(name).suffix.lower()
    named = ACCEPTED.get(suffix)
    if b"%PDF-" in head[:1024]:
        return PDF
    if found := _in_archive(head, by_folder=suffix != ".zip") if head.startswith(_ZIP) else _signed(head):
        return found
    if named is not None and (named == PDF or not _is_text(named)):
        return named
    if not looks_like_text(head):
        raise _unsupported(name, "its content is binary")
    if named:
        return named
    if found := _in_text(head):
        return found
    if not suffix:
        return TEXT
    raise _unsupported(name, f"{suffix[:20]} is not a format it reads")


def _in_text(head: bytes) -> str | None:
    """The format of a text that says so by how it begins: a page of HTML, a message, messages one after the other."""
    if head.lstrip(codecs.BOM_UTF8 + b" \t\r\n")[:64].lower().startswith((b"<!doctype html", b"<html")):
        return HTML
    lines = head.lstrip(b"\r\n").split(b"\n", _HEADER_LINES)[:_HEADER_LINES]
    is_box = _FROM_LINE.match(lines[0]) is not None
    names = [found[1].lower() if (found := _HEADER.match(line)) else b"" for line in lines[is_box:]]
    is_message = bool(names and names[0]) and b"from" in names and len(_ADDRESSED & set(names)) > 1
    return (MBOX if is_box else EML) if is_message else None


def told_by(head: bytes, media_type: str) -> str:
    """What speaks for a file's media type: ``content``, or only its ``name``."""
    try:
        return "content" if sniff("", head) == media_type else "name"
    except UnsupportedMediaType:
        return "name"


def _is_text(media_type: str) -> bool:
    """Whether files of a format are text, so that binary content under its name is none of it."""
    return not any(each.marks or each.family in _BINARY_FAMILIES for each in FORMATS if each.media_type == media_type)


def _signed(head: bytes) -> str | None:
    """The format whose files begin so."""
    if head.startswith(b"RIFF") and head[8:12] != b"WEBP":
        return None
    return next((each.media_type for each in FORMATS if each.signatures and head.startswith(each.signatures)), None)


def _in_archive(head: bytes, *, by_folder: bool) -> str | None:
    """The format of a zip archive by what its first parts say, None if they say nothing that is known.

    With ``by_folder`` the folders that Office files have are believed as well.
    """
    for part, content in _parts(head):
        if part in {b"[Content_Types].xml", b"mimetype"}:
            text = content.decode("utf-8", "replace")
            found = (each.media_type for each in FORMATS if any(mark in text for mark in each.marks))
            if media_type := next(found, None):
                return media_type
    return next((media_type for folder, media_type in _FOLDERS if by_folder and folder in head), None)


def _parts(head: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Names and contents, as far as ``head`` holds them, of the parts that stand first in a zip archive."""
    at = 0
    while head[at : at + 4] == _ZIP and len(head) >= at + _ZIP_HEADER_BYTES:
        method = int.from_bytes(head[at + 8 : at + 10], "little")
        size = int.from_bytes(head[at + 18 : at + 22], "little")
        name_bytes = int.from_bytes(head[at + 26 : at + 28], "little")
        start = at + _ZIP_HEADER_BYTES + name_bytes + int.from_bytes(head[at + 28 : at + 30], "little")
        name = head[at + _ZIP_HEADER_BYTES : at + _ZIP_HEADER_BYTES + name_bytes]
        packed = head[start : start + size] if size else head[start:]
        if method == _STORED:
            yield name, packed
        elif method == _DEFLATED:
            try:
                yield name, zlib.decompressobj(-zlib.MAX_WBITS).decompress(packed, _INFLATED_BYTES)
            except zlib.error:
                return
        if not size:
            return
        at = start + size


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
    return telling >= max(1, _TELLING * len(text)) and inside >= _NEARLY_ALL * len(text)


def _unsupported(name: str, why: str) -> UnsupportedMediaType:
    shown = name if len(name) <= _SHOWN_CHARACTERS else name[:_SHOWN_CHARACTERS] + "..."
    return UnsupportedMediaType(f"{shown}: {why}. Accepted: {', '.join(sorted(ACCEPTED))}")
