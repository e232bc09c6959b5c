"""PDFs and pictures in archives and mails are read behind the pages of what holds them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from email.message import EmailMessage
from pathlib import Path

import pypdfium2
import pytest
from PIL import Image
from reportlab.lib import pdfencrypt
from reportlab.pdfgen.canvas import Canvas

from atoll.domain import media
from parser import collector
from parser.limits import ContentLimits
from tests.unit.parser.reading import Reading, read


def pages(*texts: str, password: str = "") -> bytes:
    out = io.BytesIO()
    canvas = Canvas(out, encrypt=pdfencrypt.StandardEncryption(password, "owner") if password else None)
    for text in texts:
        canvas.drawString(72, 700, text)
        canvas.showPage()
    canvas.save()
    return out.getvalue()


def zipped(members: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


def places(reading: Reading) -> list[tuple[int, str]]:
    return [(next(block.all_lines).page, block.text) for block in reading.document.blocks]


def drawn(reading: Reading) -> list[str]:
    """What stands on each page of the file that pages are drawn from."""
    with pypdfium2.PdfDocument(reading.pdf) as document:
        return [" ".join(page.get_textpage().get_text_range().split()) for page in document]


def test_members_with_pages_follow_under_their_paths(tmp_path: Path) -> None:
    content = zipped({
        "plans/pier.pdf": pages("The pier is 40 m long.", "It has two lamps."),
        "note.txt": b"See the plans.",
        "plans/dock.pdf": pages("The dock is dry."),
    })  # fmt: skip
    reading = read(tmp_path, content, media.ZIP)
    assert places(reading) == [
        (1, "note.txt"),
        (1, "See the plans."),
        (2, "plans/pier.pdf"),
        (2, "The pier is 40 m long."),
        (3, "It has two lamps."),
        (4, "plans/dock.pdf"),
        (4, "The dock is dry."),
    ]
    assert reading.warned == []
    assert drawn(reading)[1:] == ["The pier is 40 m long.", "It has two lamps.", "The dock is dry."]
    assert len(reading.document.pages) == 4


def test_an_attached_pdf_is_read_with_its_mail(tmp_path: Path) -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "ida@example.org", "bo@example.org", "Offer"
    message.set_content("The offer is attached.")
    message.add_attachment(pages("The lift costs 900 euros."), maintype="application", subtype="pdf", filename="o.pdf")
    reading = read(tmp_path, bytes(message), media.EML)
    assert places(reading)[-2:] == [(2, "o.pdf"), (2, "The lift costs 900 euros.")]
    assert reading.document.title == "Offer"
    assert drawn(reading)[1] == "The lift costs 900 euros."


def test_a_member_that_cannot_be_read_is_told_and_the_others_are_read(tmp_path: Path) -> None:
    content = zipped({
        "torn.pdf": pages("x")[:200],
        "safe.pdf": pages("In the safe.", password="tide"),
        "good.pdf": pages("All is well."),
        "dot.png": b"\x89PNG\r\n\x1a\nnothing",
    })  # fmt: skip
    reading = read(tmp_path, content, media.ZIP)
    assert [text for _, text in places(reading)] == ["good.pdf", "All is well."]
    assert [warning.message.split(" ")[0] for warning in reading.document.warnings] == [
        "torn.pdf",
        "safe.pdf",
        "dot.png",
    ]
    opened = read(tmp_path, content, media.ZIP, password="tide")
    assert "In the safe." in opened.texts
    assert "In the safe." in drawn(opened)


def test_a_picture_becomes_a_page(tmp_path: Path) -> None:
    out = io.BytesIO()
    Image.new("RGB", (600, 400), "white").save(out, "PNG")
    reading = read(tmp_path, zipped({"a.txt": b"words", "photo.png": out.getvalue()}), media.ZIP)
    assert len(reading.document.pages) == len(drawn(reading)) == 2
    assert reading.warned == [("no_text_layer", 2)]


def test_members_past_a_limit_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = zipped({"long.pdf": pages(*"abcdef"), "short.pdf": pages("The short one.")})
    reading = read(tmp_path, content, media.ZIP, limits=ContentLimits(pages=4))
    assert (reading.warned, "The short one." in reading.texts) == ([("member_not_read", None)], True)
    monkeypatch.setattr(collector, "MOST_PAGED_BYTES", len(pages(*"abcdef")) + 10)
    reading = read(tmp_path, content, media.ZIP)
    assert (reading.warned, "The short one." in reading.texts) == ([("member_not_read", None)], False)
