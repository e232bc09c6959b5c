"""Bad files of every kind, made from good ones with a fixed seed: cut, changed, mislabelled, too deep, too large, locked.

None of them is made to break other software: what is wrong with each is told by its name.
"""

from __future__ import annotations

import gzip
import io
import json
import random
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from email.message import EmailMessage
from functools import cache

from openpyxl import Workbook
from PIL import Image
from reportlab.lib import pdfencrypt
from reportlab.pdfgen.canvas import Canvas

from tests.support.structures import structures
from tests.support.writers import docx_of, html_of, pptx_of

_SCRIPTS = (
    "\u0645\u064a\u0646\u0627\u0621", "\u6e2f\u53e3", "\u6e2f\u306e\u8a18\u9332", "\ud56d\uad6c", "\u05e0\u05de\u05dc", "\u0e17\u0e48\u0e32\u0e40\u0e23\u0e37\u0e2d",
    "\u092c\u0902\u0926\u0930\u0917\u093e\u0939", "\u03bb\u03b9\u03bc\u03ac\u03bd\u03b9", "\u043f\u043e\u0440\u0442", "p\u0155\u00eds\u0167a\u0148", "\U0001f6a2", "a\u202egpj", "..", "con", "a" * 200, " ",
)  # fmt: skip
_DEEP = 20_000


@cache
def good_files() -> dict[str, bytes]:
    """A good file of each kind, by name."""
    table = next(each for each in structures() if each.name == "table")
    book = Workbook()
    for row in ([["Berth", "Euros"], ["North", 31], ["South", 42]], [["Total", "=SUM(B2:B3)"]]):
        for cells in row:
            book.active.append(cells)
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = "Offer", "ida@example.org", "bo@example.org"
    message.set_content("The offer is attached.")
    message.add_attachment(b"The lift costs 900 euros.", maintype="text", subtype="plain", filename="offer.txt")
    text = "The pier is open from nine to five.\n" * 20
    picture = io.BytesIO()
    Image.new("L", (400, 200), 255).save(picture, "PNG")
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as archive:
        member = tarfile.TarInfo("notes.txt")
        member.size = len(text)
        archive.addfile(member, io.BytesIO(text.encode()))
    saved = io.BytesIO()
    book.save(saved)
    return {
        "good.pdf": _pdf(),
        "good.docx": docx_of(table),
        "good.pptx": pptx_of(table),
        "good.xlsx": saved.getvalue(),
        "good.html": html_of(table),
        "good.odt": _zip({"mimetype": b"application/vnd.oasis.opendocument.text", "content.xml": _odt(text)}),
        "good.epub": _epub(html_of(table)),
        "good.eml": bytes(message),
        "good.zip": _zip({"notes.txt": text.encode(), "more.md": b"# More\n\nText."}),
        "good.tar": tar.getvalue(),
        "good.rtf": b"{\\rtf1\\ansi The pier is open.\\par {\\b Bold} and plain.\\par}",
        "good.json": json.dumps({"pier": {"opens": 9, "closes": [17, 18]}}).encode(),
        "good.xml": b"<port><pier name='north'>open</pier><pier name='south'>closed</pier></port>",
        "good.csv": b"Berth,Euros\nNorth,31\nSouth,42\n",
        "good.md": b"# Pier\n\n| a | b |\n|---|---|\n| 1 | 2 |\n",
        "good.png": picture.getvalue(),
    }


def bad_files(seed: int = 17, rounds: int = 3) -> Iterator[tuple[str, bytes]]:
    """Bad files by name; ``rounds`` is how often each good file is changed at random."""
    chance = random.Random(seed)
    good = good_files()
    for name, content in good.items():
        for share in (0.1, 0.6, 0.97):
            yield f"cut-{share}-{name}", content[: int(len(content) * share)]
        for number in range(rounds):
            yield f"changed-{number}-{name}", _changed(content, chance)
    yield from _mislabelled(good)
    yield from _deep()
    yield from _large()
    yield from _locked()
    yield from _odd_members(good)


def _mislabelled(good: dict[str, bytes]) -> Iterator[tuple[str, bytes]]:
    names = list(good)
    for name, other in zip(names, names[1:] + names[:1], strict=True):
        yield f"is-{name.rpartition('.')[2]}-says.{other.rpartition('.')[2]}", good[name]
    yield "nothing.pdf", b""
    yield "zeros.docx", bytes(5000)
    yield "old.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2000)
    yield "program.exe", b"MZ" + bytes(range(256)) * 20


def _deep() -> Iterator[tuple[str, bytes]]:
    yield "deep.html", b"<div>" * _DEEP + b"bottom"
    yield "deep-tables.html", b"<table><tr><td>" * 2000 + b"bottom"
    yield "deep-lists.html", b"<ul><li>" * _DEEP + b"bottom"
    yield "deep.json", b"[" * _DEEP + b"1" + b"]" * _DEEP
    yield "deep.xml", b"<a>" * _DEEP + b"1" + b"</a>" * _DEEP
    yield "deep.rtf", b"{\\rtf1 " + b"{" * _DEEP + b"x" + b"}" * _DEEP + b"}"
    yield "deep.md", b"> " * _DEEP + b"bottom"
    yield "deep-list.md", b"".join(b" " * (2 * at) + b"- x\n" for at in range(600))
    yield "entities.xml", b"<!DOCTYPE a [<!ENTITY b 'xxxxxxxxxx'><!ENTITY c '&b;&b;&b;&b;'>]><a>&c;&c;</a>"
    yield "outside.xml", b"<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/hostname'>]><a>&b;</a>"
    inner = _zip({"deepest.txt": b"bottom"})
    for number in range(12):
        inner = _zip({f"{number}.zip": inner})
    yield "deep.zip", inner


def _large() -> Iterator[tuple[str, bytes]]:
    zeros = bytes(30_000_000)
    yield "bomb.zip", _zip({"zeros.txt": zeros})
    yield "bomb.docx", _zip({"[Content_Types].xml": b"<Types/>", "word/document.xml": zeros})
    yield "bomb.xlsx", _zip({"[Content_Types].xml": b"<Types/>", "xl/workbook.xml": zeros})
    yield "bomb.pptx", _zip({"[Content_Types].xml": b"<Types/>", "ppt/presentation.xml": zeros})
    yield "bomb.odt", _zip({"mimetype": b"application/vnd.oasis.opendocument.text", "content.xml": zeros})
    yield "bomb.epub", _zip({"mimetype": b"application/epub+zip", "META-INF/container.xml": zeros})
    yield "bomb.txt.gz", gzip.compress(zeros)
    yield "bomb.tar.gz", gzip.compress(_tar_of_zeros(len(zeros)))
    yield "pages.pdf", _pdf().replace(b"/Count 1", b"/Count 100000")
    yield "huge.png", _png(30_000, 30_000)
    yield "wide.csv", b",".join(b"c%d" % at for at in range(20_000)) + b"\n" + b",".join([b"1"] * 20_000)
    yield "line.txt", b"x" * 3_000_000
    yield "spans.html", b"<table><tr><td colspan=100000 rowspan=100000>a</td><td>b</td></tr><tr><td>c</td></tr></table>"
    repeated = '<table:table-cell table:number-columns-repeated="1000000" table:number-rows-repeated="1000000"/>'
    sheet = f'<table:table table:name="S"><table:table-row table:number-rows-repeated="1000000">{repeated}</table:table-row></table:table>'
    yield "repeated.ods", _zip({
        "mimetype": b"application/vnd.oasis.opendocument.spreadsheet",
        "content.xml": _office(f"<office:spreadsheet>{sheet}</office:spreadsheet>"),
    })  # fmt: skip
    yield "many.zip", _zip({f"{number}.txt": b"x" for number in range(11_000)})


def _locked() -> Iterator[tuple[str, bytes]]:
    yield "locked.pdf", _pdf(encrypt=pdfencrypt.StandardEncryption("user", "owner"))
    packed = bytearray(_zip({"notes.txt": b"The pier is open."}))
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        packed[packed.find(mark) + at] |= 1
    yield "locked.zip", bytes(packed)
    yield "locked.docx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504) + "EncryptedPackage".encode("utf-16-le") * 4


def _odd_members(good: dict[str, bytes]) -> Iterator[tuple[str, bytes]]:
    climbing = {"../../climb.txt": b"x", "/root.txt": b"y", "a/../../b.txt": b"z", "c:\\d.txt": b"w"}
    yield "climbing.zip", _zip(climbing)
    for number, script in enumerate(_SCRIPTS):
        yield f"{script[:40]}-{number}.txt", f"{script} is open.".encode()
    yield "scripts.zip", _zip({f"{script}.txt": script.encode() for script in _SCRIPTS})
    yield "bad-inside.zip", _zip({name: content[:200] for name, content in good.items()})
    yield "unmapped.pdf", _pdf().replace(b"/Encoding /WinAnsiEncoding", b"/Encoding /NoSuchEncoding ")
    yield "control.txt", bytes(range(1, 32)) * 50 + b" text"
    yield "half-letters.txt", "\u00e9t\u00e9 ".encode() * 100 + b"\xc3"
    yield "header.eml", b"Subject: =?utf-8?B?/////w==?=\nContent-Type: multipart/mixed; boundary=x\n\n--x\n--x\n--x--\n"


def _changed(content: bytes, chance: random.Random) -> bytes:
    """A file with some bytes changed, dropped and doubled."""
    changed = bytearray(content)
    for _ in range(3 + len(content) // 5000):
        at = chance.randrange(max(1, len(changed) - 20))
        match chance.randrange(3):
            case 0:
                changed[at] = chance.randrange(256)
            case 1:
                del changed[at : at + chance.randrange(1, 10)]
            case _:
                changed[at:at] = changed[at : at + chance.randrange(1, 20)]
    return bytes(changed)


def _pdf(encrypt: pdfencrypt.StandardEncryption | None = None) -> bytes:
    out = io.BytesIO()
    canvas = Canvas(out, invariant=1, pageCompression=0, encrypt=encrypt)
    canvas.drawString(72, 700, "The pier is open from nine to five.")
    canvas.showPage()
    canvas.save()
    return out.getvalue()


def _zip(parts: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return out.getvalue()


def _tar_of_zeros(size: int) -> bytes:
    member = tarfile.TarInfo("zeros.txt")
    member.size = size
    return member.tobuf() + bytes(size) + bytes(1024)


def _office(body: str) -> bytes:
    base = "urn:oasis:names:tc:opendocument:xmlns"
    spaces = " ".join(f'xmlns:{name}="{base}:{name}:1.0"' for name in ("office", "text", "table"))
    return f"<office:document-content {spaces}><office:body>{body}</office:body></office:document-content>".encode()


def _odt(text: str) -> bytes:
    return _office(f"<office:text>{''.join(f'<text:p>{line}</text:p>' for line in text.splitlines())}</office:text>")


def _epub(page: bytes) -> bytes:
    container = (
        b'<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
        b'<rootfile full-path="book.opf" media-type="application/oebps-package+xml"/></rootfiles></container>'
    )
    book = (
        b'<package xmlns="http://www.idpf.org/2007/opf"><manifest><item id="p" href="p.xhtml" '
        b'media-type="application/xhtml+xml"/></manifest><spine><itemref idref="p"/></spine></package>'
    )
    return _zip(
        {"mimetype": b"application/epub+zip", "META-INF/container.xml": container, "book.opf": book, "p.xhtml": page}
    )


def _png(width: int, height: int) -> bytes:
    """A picture that declares a size and holds a few bytes."""
    parts = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)),
        (b"IDAT", zlib.compress(bytes(1000))),
        (b"IEND", b""),
    )
    chunks = (
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)
