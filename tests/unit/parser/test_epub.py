"""Books: chapters in the order of the spine, protected and broken ones."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from atoll.domain import media
from atoll.errors import DocumentUnreadable
from tests.unit.parser.reading import read

CONTAINER = '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles><rootfile full-path="OEBPS/a.opf"/></rootfiles></container>'
PACKAGE = """<package xmlns="http://www.idpf.org/2007/opf"><metadata xmlns:dc="http://purl.org/dc/elements/1.1/">
<dc:title>The Tide</dc:title></metadata><manifest>
<item id="b" href="b%20two.xhtml" media-type="application/xhtml+xml"/>
<item id="a" href="text/a.xhtml" media-type="application/xhtml+xml"/><item id="c" href="gone.xhtml" media-type="application/xhtml+xml"/>
<item id="s" href="s.css" media-type="text/css"/></manifest>
<spine><itemref idref="a"/><itemref idref="b"/><itemref idref="s"/><itemref idref="c"/></spine></package>"""
PAGE = '<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><head><title/></head><body><h1>{0}</h1><table><tr><th>x<th>y</tr><tr><td>{0}</td><td>1</td></tr></table></body></html>'


def book(**parts: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("mimetype", "application/epub+zip")
        content = {
            "OEBPS/b two.xhtml": PAGE.format("Second"), "META-INF/container.xml": CONTAINER, "OEBPS/a.opf": PACKAGE,
            "OEBPS/text/a.xhtml": PAGE.format("First"),
        }  # fmt: skip
        for name, text in (content | {name.replace("__", "/"): text for name, text in parts.items()}).items():
            archive.writestr(name, text)
    return out.getvalue()


def test_chapters_come_in_the_order_of_the_spine(tmp_path: Path) -> None:
    content = book()
    assert media.sniff("anything", content[: media.HEAD_BYTES]) == media.EPUB
    reading = read(tmp_path, content, media.EPUB)
    assert reading.texts == ["First", "x | y\nFirst | 1", "Second", "x | y\nSecond | 1"]
    assert reading.document.title == "The Tide"
    assert reading.warned == [("part_not_read", None)]


def test_protected_and_broken_books_are_named(tmp_path: Path) -> None:
    protected = {
        "META-INF__encryption.xml": "<e><EncryptionMethod Algorithm='http://www.w3.org/2001/04/xmlenc#aes256-cbc'/></e>"
    }
    with pytest.raises(DocumentUnreadable, match="protected"):
        read(tmp_path, book(**protected), media.EPUB)
    garbled = {"META-INF__encryption.xml": "<e><EncryptionMethod Algorithm='http://www.idpf.org/2008/embedding'/></e>"}
    assert read(tmp_path, book(**garbled), media.EPUB).texts
    with pytest.raises(DocumentUnreadable, match="list of parts"):
        read(tmp_path, book(**{"META-INF__container.xml": "<container/>"}), media.EPUB)
    with pytest.raises(DocumentUnreadable, match="order"):
        read(tmp_path, book(**{"OEBPS__a.opf": "<package/>"}), media.EPUB)
