"""Messages and mailboxes: headers, the body that keeps most, attachments as sections or warnings, and bad ones."""

from __future__ import annotations

from email.message import EmailMessage
from pathlib import Path

import pytest

from atoll.domain import media
from atoll.errors import DocumentUnreadable
from tests.unit.parser.reading import read
from tests.unit.parser.test_sheets import sheet


def letter(text: str = "The lift is out of order.", **headers: str) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "Ida Berg <ida@example.org>", "jon@example.org", "Lift"
    message["Date"] = "Mon, 04 May 2026 09:30:00 +0200"
    for name, value in headers.items():
        message[name] = value
    message.set_content(text)
    return message


def test_headers_and_body(tmp_path: Path) -> None:
    reading = read(
        tmp_path, bytes(letter(Cc="Zo\u00eb <zoe@example.org>", Received="by a host nobody asks for")), media.EML
    )
    subject, headers, body = reading.texts
    assert (subject, body) == ("Lift", "The lift is out of order.")
    assert headers.split("\n") == [
        "From | Ida Berg <ida@example.org>",
        "To | jon@example.org",
        "Cc | Zo\u00eb <zoe@example.org>",
        "Date | Mon, 04 May 2026 09:30:00 +0200",
    ]
    assert reading.document.title == "Lift"


def test_the_alternative_with_structure_is_taken(tmp_path: Path) -> None:
    message = letter("Please see the table in your browser.")
    message.add_alternative("<table><tr><th>Port<th>Flow<th>Day<tr><td>Ellery<td>5<td>Mon</table>", subtype="html")
    assert read(tmp_path, bytes(message), media.EML).texts[-1] == "Port | Flow | Day\nEllery | 5 | Mon"
    plain = letter("Only this is filled.")
    plain.add_alternative(" ", subtype="html")
    assert read(tmp_path, bytes(plain), media.EML).texts[-1] == "Only this is filled."


def test_the_declared_encoding_is_believed(tmp_path: Path) -> None:
    content = b"From: a@b.c\nSubject: x\nContent-Type: text/plain; charset=cp866\n\n" + "Привет, мир".encode("cp866")
    assert read(tmp_path, content, media.EML).texts[-1] == "Привет, мир"


def test_lines_that_a_program_wrapped_flow(tmp_path: Path) -> None:
    content = (
        b"From: a@b.c\nSubject: x\nContent-Type: text/plain; format=flowed\n\nThe lift is \nout of order.\n-- \nIda"
    )
    assert read(tmp_path, content, media.EML).texts[-1] == "The lift is out of order.\n--\nIda"


def test_attachments_are_sections_or_told(tmp_path: Path) -> None:
    message = letter()
    message.add_attachment("The spare part costs 40 euros.", filename="offer.txt")
    message.add_attachment(
        sheet(["Part", "Count"], ["Rope", 3]), maintype="application", subtype="octet-stream", filename="stock.xlsx"
    )
    message.add_attachment(b"%PDF-1.7 ...", maintype="application", subtype="pdf", filename="plan.pdf")
    message.add_attachment(b"\x00\x01\x02", maintype="application", subtype="octet-stream", filename="blob.bin")
    message.add_attachment(letter("The forwarded words.", Comments="inner"))
    reading = read(tmp_path, bytes(message), media.EML)
    text = "\n".join(reading.texts)
    assert "Attachments | offer.txt, stock.xlsx, plan.pdf, blob.bin" in text
    assert "offer.txt\nThe spare part costs 40 euros.\nstock.xlsx\nPart | Count\nRope | 3" in text
    assert "The forwarded words." in text
    assert reading.warned == [("member_not_read", None), ("member_not_read", None)]
    assert all(name in str(reading.document.warnings) for name in ("plan.pdf", "blob.bin"))
    assert reading.document.title == "Lift"


def test_mailboxes_have_a_page_for_each_message(tmp_path: Path) -> None:
    box = b"".join(
        b"From ida@example.org Mon May  4 09:30:00 2026\n" + bytes(letter(f"Message {n}.\n\n>From here on we walk."))
        + b"\n" for n in (1, 2)
    )  # fmt: skip
    reading = read(tmp_path, box, media.MBOX)
    assert [page.label for page in reading.document.pages] == ["Message 1", "Message 2"]
    assert reading.texts.count("Lift") == 2
    assert "From here on we walk." in reading.texts


def test_what_is_encrypted_is_told(tmp_path: Path) -> None:
    content = (
        b"From: a@b.c\nSubject: x\nContent-Type: application/pkcs7-mime\nContent-Transfer-Encoding: base64\n\nAAAA\n"
    )
    assert ("encrypted", None) in read(tmp_path, content, media.EML).warned


def test_bad_messages_are_named(tmp_path: Path) -> None:
    with pytest.raises(DocumentUnreadable, match="no message"):
        read(tmp_path, b"just words\nand more", media.EML)
    with pytest.raises(DocumentUnreadable, match="no mailbox"):
        read(tmp_path, b"just words", media.MBOX)
    nested = b"From: a@b.c\nSubject: x\n" + b"".join(
        b'Content-Type: multipart/mixed; boundary="b%d"\n\n--b%d\n' % (n, n) for n in range(400)
    )
    with pytest.raises(DocumentUnreadable, match="too deeply"):
        read(tmp_path, nested + b"\n\ninside", media.EML)
    broken = b"From: <<<>>>,,,;;\nTo: =?utf-8?b?////?= \nSubject: =?x?q?y?=\nDate: never\nContent-Type: text/plain; charset=no-such\n\nwords"
    assert read(tmp_path, broken, media.EML).texts[-1] == "words"


def test_messages_stand_in_each_other_only_so_deep(tmp_path: Path) -> None:
    message = letter("innermost words")
    for depth in range(8):
        outer = letter(f"depth {depth}")
        outer.add_attachment(message)
        message = outer
    reading = read(tmp_path, bytes(message), media.EML)
    assert "innermost words" not in "\n".join(reading.texts)
    assert ("member_not_read", None) in reading.warned
