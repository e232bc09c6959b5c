"""Encrypted files: named as such, read with their password, and drawn without it."""

from __future__ import annotations

import io
import mmap
import zipfile
from pathlib import Path

import pytest
from PIL import Image
from reportlab.lib import pdfencrypt
from reportlab.pdfgen.canvas import Canvas

from atoll.domain import media
from atoll.errors import DocumentEncrypted, DocumentUnreadable
from parser.draw import draw_page
from parser.limits import ContentLimits
from tests.unit.parser.reading import read

PUBLIC = Path(__file__).parents[4] / "shared" / "data" / "documents"
#: A zip archive with notes.txt under the password "tide", made by Info-ZIP.
PACKED = bytes.fromhex(
    "504b03040a000900000050b47e5d91637698220000001600000009001c006e6f7465732e7478745554090003f8f90d6bf8f9"
    "0d6b75780b000104000000000400000000fc0029ddac752542b2ef5d0aec7b04de83d7c342243840f4534c8b5a3772eb6881"
    "a3504b0708916376982200000016000000504b01021e030a000900000050b47e5d9163769822000000160000000900180000"
    "00000001000000a481000000006e6f7465732e7478745554050003f8f90d6b75780b000104000000000400000000504b0506"
    "00000000010001004f000000750000000000"
)


def locked(user: str, owner: str = "owner") -> bytes:
    out = io.BytesIO()
    canvas = Canvas(out, encrypt=pdfencrypt.StandardEncryption(user, owner))
    canvas.drawString(72, 700, "The vault opens at nine.")
    canvas.showPage()
    canvas.save()
    return out.getvalue()


def is_drawn(path: Path) -> bool:
    with path.open("rb") as file:
        data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
    image = Image.open(io.BytesIO(draw_page(data, 1, 96, [], None, ContentLimits())))
    low, high = image.convert("L").getextrema()
    return low < 100 and high == 255


def test_a_pdf_is_read_with_its_password_and_drawn_without(tmp_path: Path) -> None:
    found = read(tmp_path, locked("tide \u00fc"), media.PDF, password="tide \u00fc")
    assert found.texts == ["The vault opens at nine."]
    assert found.pdf.name == "rendition.pdf"
    assert is_drawn(found.pdf)


@pytest.mark.parametrize(("password", "said"), [(None, "upload it again with its password"), ("low", "does not open")])
def test_without_the_right_password_a_pdf_fails_by_name(tmp_path: Path, password: str | None, said: str) -> None:
    with pytest.raises(DocumentEncrypted, match=f"the PDF is encrypted.*{said}"):
        read(tmp_path, locked("tide"), media.PDF, password=password)


@pytest.mark.parametrize("password", [None, "anything"])
def test_a_pdf_that_anybody_may_read_needs_no_second_file(tmp_path: Path, password: str | None) -> None:
    found = read(tmp_path, locked(""), media.PDF, password=password)
    assert found.texts == ["The vault opens at nine."]
    assert found.pdf.name == "source"


def test_the_public_encrypted_document_is_read_with_its_password(tmp_path: Path) -> None:
    path = PUBLIC / "2206.01062_pg3.pdf"
    if not path.is_file():
        pytest.skip(f"the public documents are not here: {PUBLIC}")
    found = read(tmp_path, path.read_bytes(), media.PDF, password="1234")
    assert "DocLayNet" in " ".join(found.texts)


def test_an_archive_is_read_with_its_password(tmp_path: Path) -> None:
    assert "High water is at six." in read(tmp_path, PACKED, media.ZIP, password="tide").texts
    with pytest.raises(DocumentEncrypted, match="the archive is encrypted: upload it again"):
        read(tmp_path, PACKED, media.ZIP)
    with pytest.raises(DocumentEncrypted, match="does not open it"):
        read(tmp_path, PACKED, media.ZIP, password="ebb")


def test_an_archive_that_is_encrypted_by_aes_says_so(tmp_path: Path) -> None:
    aes = bytearray(PACKED)
    for mark, at in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        place = aes.index(mark) + at
        aes[place : place + 2] = (99).to_bytes(2, "little")
    assert zipfile.ZipFile(io.BytesIO(aes)).infolist()[0].compress_type == 99
    with pytest.raises(DocumentUnreadable, match="in a way that is not read"):
        read(tmp_path, bytes(aes), media.ZIP, password="tide")
