from __future__ import annotations

import pytest

from atoll.domain import media
from atoll.errors import UnsupportedMediaType
from tests.support.word_files import DOCUMENT, MACROS, TEMPLATE, word_file

ZIP = b"PK\x03\x04\x14\x00\x06\x00"


@pytest.mark.parametrize(
    ("name", "head", "expected"),
    [
        ("a.txt", b"plain words", media.TEXT),
        ("a.MD", b"# Title", media.MARKDOWN),
        ("a.htm", b"<p>x", media.HTML),
        ("a.pdf", b"%PDF-1.7\n", media.PDF),
        ("a.docx", ZIP, media.DOCX),
        ("a.docm", ZIP, "application/vnd.ms-word.document.macroEnabled.12"),
        ("a.xlsx", ZIP, media.XLSX),
        ("a.xlsm", ZIP, "application/vnd.ms-excel.sheet.macroEnabled.12"),
        ("a.pptx", ZIP, media.PPTX),
        ("a.pptm", ZIP, "application/vnd.ms-powerpoint.presentation.macroEnabled.12"),
        ("a.doc", b"{\\rtf1", media.RTF),
        ("a.odt", ZIP, media.ODT),
        ("a.ods", ZIP, media.ODS),
        ("a.odp", ZIP, media.ODP),
        ("a.CSV", b"a,b", media.CSV),
        ("a.eml", b"anything", media.EML),
        ("1714", b"Received: by x\nFrom: a@b.c\nSubject: d\n\nwords", media.EML),
        ("inbox", b"From a@b.c Mon May  4 09:30:00 2026\nFrom: a@b.c\nTo: d@e.f\nDate: x\n", media.MBOX),
        ("notes", b"From: here to there we walked.\nSubject: none", media.TEXT),
        ("a.tsv", b"a\tb", media.TSV),
        ("a.dotx", ZIP, "application/vnd.openxmlformats-officedocument.wordprocessingml.template"),
        ("a.txt", "日本語の文章です。これは長い文章で、".encode("utf-16-le"), media.TEXT),
        ("notes", b"no extension", media.TEXT),
        ("page", b"\xef\xbb\xbf \n<!DOCTYPE html><html>", media.HTML),
        ("page.aspx", b"<HTML><body>", media.HTML),
        ("a.txt", "Größe".encode("latin-1"), media.TEXT),
        ("a.txt", "text".encode("utf-16"), media.TEXT),
        ("a.txt", "text without a mark".encode("utf-16-le"), media.TEXT),
        ("a.txt", "text without a mark".encode("utf-16-be"), media.TEXT),
        ("a.txt", b"", media.TEXT),
        ("отчёт.txt", b"x", media.TEXT),
        ("報告書.md", b"x", media.MARKDOWN),
        ("תקציר.html", b"<p>", media.HTML),
        ("تقرير.pdf", b"%PDF-1.4", media.PDF),
        ("x" * 296 + ".txt", b"x", media.TEXT),
        ("../../etc/passwd.txt", b"x", media.TEXT),
    ],
)
def test_a_file_is_what_name_and_bytes_say(name: str, head: bytes, expected: str) -> None:
    assert media.sniff(name, head) == expected


@pytest.mark.parametrize(
    ("name", "head", "expected"),
    [
        ("a.txt", b"%PDF-1.7\n", media.PDF),
        ("a.docx", b"%PDF-1.7\n", media.PDF),
        ("a.bin", b"junk before \n%PDF-1.7\n", media.PDF),
        ("a.txt", ZIP + b"word/document.xml", media.DOCX),
        ("a.docx", ZIP + b"xl/workbook.xml", media.XLSX),
        ("a", ZIP + b"ppt/presentation.xml", media.PPTX),
        ("a.txt", b"\x89PNG\r\n", "image/png"),
        ("a.png", b"II*\0....", media.TIFF),
        ("a.jpg", b"RIFF....WEBPVP8 ", "image/webp"),
        ("a.png", b"no picture", "image/png"),
        ("a.docx", b"not a zip at all", media.DOCX),  # believed, so that reading it says what is wrong
        ("a.pdf", b"not a pdf", media.PDF),
    ],
)
def test_the_bytes_win_where_they_disagree(name: str, head: bytes, expected: str) -> None:
    assert media.sniff(name, head) == expected


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [
        (DOCUMENT, media.DOCX),
        (MACROS, "application/vnd.ms-word.document.macroEnabled.12"),
        (TEMPLATE, "application/vnd.openxmlformats-officedocument.wordprocessingml.template"),
    ],
)
def test_an_office_file_is_what_its_main_part_is(content_type: str, expected: str) -> None:
    head = word_file("", content_type=content_type)[: media.HEAD_BYTES]
    assert media.sniff("any name.docx", head) == media.sniff("report", head) == expected


@pytest.mark.parametrize(
    ("name", "head", "why"),
    [
        ("a.txt", b"MZ\x90\x00\x03\x00\x00\x00", "binary"),
        ("a.md", b"\x7fELF\x02\x01", "binary"),
        ("a.html", b"text with a \x00 NUL", "binary"),
        ("a.txt", ZIP, "binary"),
        ("a.txt", b"RIFF....WAVEfmt \0\0", "binary"),
        ("a.txt", bytes(range(256)) * 4, "binary"),
        ("old.doc", b"\xd0\xcf\x11\xe0", "binary"),
        ("a.xyz", b"text", ".xyz is not a format"),
    ],
)
def test_what_nothing_reads_is_refused_naming_what_is_read(name: str, head: bytes, why: str) -> None:
    with pytest.raises(UnsupportedMediaType, match=why) as caught:
        media.sniff(name, head)
    assert all(extension in caught.value.message for extension in media.ACCEPTED)
    assert caught.value.status == 415
