"""Every public document through parser and chunker: read without a crash, as what it is, and told where it is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from atoll.domain import media
from atoll.errors import DocumentUnreadable
from tests.unit.parser.reading import read
from tests.unit.parser.test_cases import Found

PUBLIC = Path(__file__).parents[4] / "shared" / "data" / "documents"
#: What each file is, and words that a person finds in it; None for what only pictures hold.
EXPECTED = {
    "2206.01062.tif": ("picture", None),
    "amt_handbook_sample.pdf": ("pdf", "self-locking nut"),
    "csv-comma.csv": ("delimited", "Baxter | Rasmussen Group | East Leonard"),
    "docx_lists.docx": ("word", "list"),
    "eml_with_attachment.eml": ("message", "This is a test attachment file."),
    "epub_purvis_poetry.epub": ("epub", "The cold storms of winter shall chill him no more"),
    "normal_4pages.pdf": ("pdf", ""),
    "ocr_test.pdf": ("pdf", None),
    "ocr_test_rotated_90.pdf": ("pdf", None),
    "powerpoint_sample.pptx": ("slides", "Some notes on the second slide."),
    "powerpoint_with_image.pptx": ("slides", "A cartoon duck holding a paper"),
    "wiki_duck.html": ("html", "Duck"),
    "word_sample.docx": ("word", "duck"),
    "word_tables.docx": ("word", "table"),
    "xlsx_01.xlsx": ("workbook", "first | second | third\n1 | 5 | 9"),
}
ENCRYPTED = {"2206.01062_pg3.pdf"}


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_a_public_document_is_read(tmp_path: Path, name: str) -> None:
    path = PUBLIC / name
    if not path.is_file():
        pytest.skip(f"the public documents are not here: {PUBLIC}")
    content = path.read_bytes()
    family, words = EXPECTED[name]
    media_type = media.sniff(name, content[: media.HEAD_BYTES])
    assert media.FAMILIES[media_type] == family
    # Without a name as well: what a file is stands in it, but for text that could be any.
    if family not in {"delimited", "html"}:
        assert media.sniff("file", content[: media.HEAD_BYTES]) == media_type
    found = Found(read(tmp_path, content, media_type, name=name))
    if words is None:
        assert set(found.warned) == {"no_text_layer"}
    else:
        assert found.passages
        assert words.lower() in found.text.lower()
    for passage in found.passages:
        assert passage.boxes
        assert 1 <= passage.page <= len(found.reading.document.pages)


@pytest.mark.parametrize("name", sorted(ENCRYPTED))
def test_an_encrypted_document_fails_by_name(tmp_path: Path, name: str) -> None:
    path = PUBLIC / name
    if not path.is_file():
        pytest.skip(f"the public documents are not here: {PUBLIC}")
    with pytest.raises(DocumentUnreadable, match="is encrypted"):
        read(tmp_path, path.read_bytes(), media.PDF)


def test_every_public_document_is_expected() -> None:
    if not PUBLIC.is_dir():
        pytest.skip(f"the public documents are not here: {PUBLIC}")
    assert {path.name for path in PUBLIC.iterdir() if path.is_file()} == EXPECTED.keys() | ENCRYPTED
