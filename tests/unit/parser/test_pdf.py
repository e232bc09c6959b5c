"""PDFs with a text layer: structure, order, boxes, and what is wrong with broken ones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pypdfium2
import pytest
from reportlab.lib import pdfencrypt
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

from atoll.domain import media
from atoll.errors import DocumentTooLarge, DocumentUnreadable
from parser.limits import ContentLimits
from tests.support.pages import lines_not_in_their_boxes, lines_with_strangers_in_their_boxes
from tests.unit.parser.reading import Reading, read

PUBLIC = Path(__file__).parents[4] / "shared" / "data" / "documents"
SAMPLES = Path(__file__).parents[3] / "samples"
WIDTH, HEIGHT = A4
LOREM = [
    "Buoys",
    "are",
    "laid",
    "in",
    "spring",
    "and",
    "lifted",
    "in",
    "autumn",
    "by",
    "the",
    "tender,",
    "weather",
    "and",
    "ice",
    "allowing",
    "it",
]


def made(folder: Path, draw: Callable[[Canvas], None], **options: object) -> bytes:
    path = folder / "made.pdf"
    canvas = Canvas(str(path), pagesize=A4, **options)
    draw(canvas)
    canvas.save()
    return path.read_bytes()


def column(canvas: Canvas, x: float, top: float, lines: int, tag: str, size: float = 10) -> None:
    canvas.setFont("Helvetica", size)
    for number in range(lines):
        canvas.drawString(x, top - number * size * 1.2, f"{tag}{number} " + " ".join(LOREM[:8]))


def checked(reading: Reading) -> Reading:
    assert lines_not_in_their_boxes(reading.document, reading.pdf) == []
    assert lines_with_strangers_in_their_boxes(reading.document, reading.pdf) == []
    return reading


def test_headings_paragraphs_and_lists(tmp_path: Path) -> None:
    def draw(canvas: Canvas) -> None:
        canvas.setTitle("Annual report")
        canvas.setFont("Helvetica-Bold", 20)
        canvas.drawString(72, 760, "Annual report")
        column(canvas, 72, 720, 3, "a")
        column(canvas, 72, 670, 2, "b")
        canvas.setFont("Helvetica-Bold", 14)
        canvas.drawString(72, 630, "Second part")
        canvas.setFont("Helvetica", 10)
        for number, y in enumerate((600, 588)):
            canvas.drawString(72, y, f"{number + 1}. item of a list")

    reading = checked(read(tmp_path, made(tmp_path, draw), media.PDF))
    assert reading.document.title == "Annual report"
    assert [(kind, level) for kind, level, _ in reading.kinds] == [
        ("heading", 1),
        ("paragraph", 0),
        ("paragraph", 0),
        ("heading", 2),
        ("list_item", 0),
        ("list_item", 0),
    ]
    assert not (reading.document.warnings)


def test_columns_are_read_one_after_the_other(tmp_path: Path) -> None:
    def draw(canvas: Canvas) -> None:
        canvas.setFont("Helvetica", 18)
        canvas.drawString(72, 780, "A title that runs over both of the columns below it")
        for number in range(20):  # line by line across, as some writers do
            for tag, x in (("left", 60), ("right", 320)):
                canvas.setFont("Helvetica", 10)
                canvas.drawString(x, 740 - 12 * number, f"{tag}{number} " + " ".join(LOREM[:7]))

    text = " ".join(checked(read(tmp_path, made(tmp_path, draw), media.PDF)).texts)
    order = [text.index(mark) for mark in ("A title", "left0", "left19", "right0", "right19")]
    assert order == sorted(order)


def test_table_rows_stay_together(tmp_path: Path) -> None:
    rows = [("Item", "Value", "Remark"), ("Height", "58 m", "above high water"), ("Range", "24 nm", "nominal")]

    def draw(canvas: Canvas) -> None:
        column(canvas, 72, 780, 4, "a")
        for number, row in enumerate(rows):
            for x, cell in zip((72, 220, 380), row, strict=True):
                canvas.drawString(x, 700 - 16 * number, cell)
        column(canvas, 72, 620, 4, "b")

    reading = checked(read(tmp_path, made(tmp_path, draw), media.PDF))
    assert [text for kind, _, text in reading.kinds if kind == "table"] == ["\n".join(" | ".join(row) for row in rows)]


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_boxes_hold_on_turned_and_cropped_pages(tmp_path: Path, rotation: int) -> None:
    def draw(canvas: Canvas) -> None:
        column(canvas, 100, 600, 3, "a")

    source = tmp_path / "upright.pdf"
    source.write_bytes(made(tmp_path, draw))
    document = pypdfium2.PdfDocument(source)
    document[0].set_rotation(rotation)
    document[0].set_cropbox(50, 80, 560, 800)
    document.save(tmp_path / "turned.pdf")
    document.close()
    reading = checked(read(tmp_path, (tmp_path / "turned.pdf").read_bytes(), media.PDF))
    page = reading.document.pages[0]
    assert (page.width, page.height) == ((720, 510) if rotation % 180 else (510, 720))
    assert "a0 Buoys are laid" in " ".join(reading.texts)
    for block in reading.document.blocks:
        for line in block.lines:
            assert 0 <= line.box.x0 < line.box.x1 <= page.width
            assert 0 <= line.box.y0 < line.box.y1 <= page.height


def test_pages_without_text_are_told(tmp_path: Path) -> None:
    def draw(canvas: Canvas) -> None:
        canvas.drawString(72, 700, "text")
        canvas.showPage()
        canvas.rect(100, 100, 200, 200, fill=1)
        canvas.showPage()
        canvas.showPage()

    reading = read(tmp_path, made(tmp_path, draw, pageCompression=0), media.PDF)
    assert len(reading.document.pages) == 3
    assert reading.texts == ["text"]
    assert ("no_text_layer", 2) in reading.warned
    assert {page for _, page in reading.warned} == {2, 3}


def test_an_encrypted_file_says_what_to_do(tmp_path: Path) -> None:
    content = made(
        tmp_path, lambda canvas: canvas.drawString(72, 700, "x"), encrypt=pdfencrypt.StandardEncryption("secret")
    )
    with pytest.raises(DocumentUnreadable, match="is encrypted: upload it again with its password"):
        read(tmp_path, content, media.PDF)


def test_a_cut_off_file_says_so_at_any_length(tmp_path: Path) -> None:
    content = made(tmp_path, lambda canvas: [column(canvas, 72, 700, 30, "a"), canvas.showPage()] * 20)
    for share in (0.1, 0.5, 0.9, 0.99):
        with pytest.raises(DocumentUnreadable, match=r"cut off|damaged"):
            read(tmp_path, content[: int(len(content) * share)], media.PDF)


def test_divided_words_are_whole_again_and_compounds_keep_their_hyphen(tmp_path: Path) -> None:
    def draw(canvas: Canvas) -> None:
        canvas.setFont("Helvetica", 10)
        for number, text in enumerate(
            (
                "The keepers have knowledge of the bank, and what they write on navi-",
                "gation is the best that we have; without their knowl-",
                "edge, the fog-signal would be a mother-in-",
                "law of all signals, as somebody once said of it in the log book here.",
            )
        ):
            canvas.drawString(72, 700 - 12 * number, text)

    reading = checked(read(tmp_path, made(tmp_path, draw), media.PDF))
    (text,) = reading.texts
    assert "without their knowledge, the fog-signal" in text  # written whole elsewhere
    assert "write on navigation is" in text  # no evidence: whole, and searched in both spellings
    assert "a mother-in-law of" in text
    spellings = [spelling for line in reading.document.blocks[0].lines for spelling in line.spellings]
    assert spellings == ["navi-gation", "knowl-edge"]


def test_what_only_starts_like_a_pdf_is_told(tmp_path: Path) -> None:
    with pytest.raises(DocumentUnreadable, match="damaged and cannot be read"):
        read(tmp_path, b"%PDF-1.7\nnothing of the kind\n%%EOF\n", media.PDF)


def test_limits_are_told(tmp_path: Path) -> None:
    content = made(tmp_path, lambda canvas: [canvas.showPage() for _ in range(4)])
    with pytest.raises(DocumentTooLarge, match="4 pages or more; the limit is 3"):
        read(tmp_path, content, media.PDF, limits=ContentLimits(pages=3))
    content = made(tmp_path, lambda canvas: column(canvas, 72, 700, 30, "a"))
    with pytest.raises(DocumentTooLarge, match="the limit is 100"):
        read(tmp_path, content, media.PDF, limits=ContentLimits(characters=100))


@pytest.mark.parametrize("folder", [PUBLIC, SAMPLES], ids=["public", "samples"])
def test_every_line_of_real_documents_is_in_its_box(tmp_path: Path, folder: Path) -> None:
    if not folder.is_dir():
        pytest.skip(f"the documents are not here: {folder}")
    lines = 0
    for path in sorted(folder.glob("*.pdf")):
        content = path.read_bytes()
        if b"/Encrypt" in content:
            with pytest.raises(DocumentUnreadable, match="is encrypted"):
                read(tmp_path, content, media.PDF)
            continue
        reading = checked(read(tmp_path, content, media.PDF))
        lines += sum(len(block.lines) for block in reading.document.blocks)
        if not reading.document.blocks:
            assert reading.warned == [("no_text_layer", 1)], path.name
    assert lines > 300
