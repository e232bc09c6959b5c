"""PDFs of the kinds that were misread: forms, notes, tables, raised digits, margins, fonts, pages that go on."""

from __future__ import annotations

import mmap
from collections.abc import Sequence
from pathlib import Path

import pypdfium2
import pytest
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import SimpleDocTemplate, Table, TableStyle

from atoll.domain import media
from atoll.domain.block import Block, Source
from parser.draw import draw_page
from parser.limits import ContentLimits
from tests.unit.parser.reading import Reading, read
from tests.unit.parser.test_pdf import LOREM, checked, column, made


def table_file(folder: Path, rows: Sequence[Sequence[str]], *style: tuple[object, ...], **options: object) -> bytes:
    path = folder / "table.pdf"
    table = Table(rows, **options)
    table.setStyle(TableStyle(style))
    SimpleDocTemplate(str(path), pagesize=A4).build([table])
    return path.read_bytes()


def tables(reading: Reading) -> list[Block]:
    return [block for block in reading.document.blocks if block.kind == "table"]


GRID = ("GRID", (0, 0), (-1, -1), 0.5, "black")
RULES = (("LINEABOVE", (0, 0), (-1, 0), 1, "black"), ("LINEBELOW", (0, 0), (-1, 0), 0.5, "black"),
         ("LINEBELOW", (0, -1), (-1, -1), 1, "black"))  # fmt: skip


def form(canvas: Canvas) -> None:
    canvas.drawString(72, 760, "Claimant:")
    canvas.acroForm.textfield(name="claimant", value="Marta Oduya", x=150, y=750, width=200, height=20)
    canvas.drawString(72, 720, "Water damage")
    canvas.acroForm.checkbox(name="water", checked=True, x=170, y=715, size=16)
    canvas.drawString(72, 690, "Fire damage")
    canvas.acroForm.checkbox(name="fire", checked=False, x=170, y=685, size=16)


def test_a_filled_form_is_read_and_drawn(tmp_path: Path) -> None:
    content = made(tmp_path, form)
    reading = read(tmp_path, content, media.PDF)
    text = "\n".join(reading.texts)
    assert "Claimant: Marta Oduya" in text
    assert "Water damage | \u2612" in text
    assert "Fire damage | \u2610" in text
    ticks = [line for block in reading.document.blocks for line in block.all_lines if line.text in "\u2612\u2610"]
    assert {line.source for line in ticks} == {Source.STRUCTURE}
    with (tmp_path / "made.pdf").open("rb") as file:
        data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
        filled = draw_page(data, 1, 96, (), None, ContentLimits())
    empty = made(tmp_path, lambda canvas: [canvas.drawString(72, 760, "Claimant:")])
    (tmp_path / "empty.pdf").write_bytes(empty)
    with (tmp_path / "empty.pdf").open("rb") as file:
        data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
        assert draw_page(data, 1, 96, (), None, ContentLimits()) != filled


CASES: list[tuple[str, Sequence[Sequence[str]], tuple[tuple[object, ...], ...], list[str]]] = [
    (
        "grid with empty cells",
        [["Article", "Unit", "Stock", "Price"], ["Bolt", "pcs", "", "1.25"], ["Nut", "", "40", "0.50"]],
        (GRID,),
        ["Article | Unit | Stock | Price", "Bolt | pcs |  | 1.25", "Nut |  | 40 | 0.50"],
    ),
    (
        "wrapped cells in a grid",
        [["Risk", "Measure", "Due"], ["Loss of cooling\nbecause of frost", "Heat tracing on\nthe line", "15 October\n2026"],
         ["Data loss", "Copy to vault B", "1 March 2026"]],
        (GRID,),
        ["Risk | Measure | Due", "Loss of cooling because of frost | Heat tracing on the line | 15 October 2026",
         "Data loss | Copy to vault B | 1 March 2026"],
    ),
    (
        "merged header",
        [["Site", "Spring", "", "Autumn", ""], ["", "Flow", "Bar", "Flow", "Bar"], ["Halden", "377", "7.2", "361", "7.0"]],
        (GRID, ("SPAN", (1, 0), (2, 0)), ("SPAN", (3, 0), (4, 0)), ("ALIGN", (0, 0), (-1, -1), "CENTER")),
        ["Site | Spring |  | Autumn | ", " | Flow | Bar | Flow | Bar", "Halden | 377 | 7.2 | 361 | 7.0"],
    ),
    (
        "three rules",
        [["Item", "2025", "2024"], ["Depreciation", "", "(12)"], ["Interest", "(4)", "(5)"], ["Tax", "(9)", ""]],
        RULES,
        ["Item | 2025 | 2024", "Depreciation |  | (12)", "Interest | (4) | (5)", "Tax | (9) | "],
    ),
    (
        "no rules",
        [["Item", "Stock", "Price"], ["Bolt M8", "410", "1.25"], ["Bolt M10", "80", "1.50"], ["Washer", "900", "0.10"]],
        (),
        ["Item | Stock | Price", "Bolt M8 | 410 | 1.25", "Bolt M10 | 80 | 1.50", "Washer | 900 | 0.10"],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("rows", "style", "read_as"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_cells_stand_under_their_columns(
    tmp_path: Path, rows: Sequence[Sequence[str]], style: tuple[tuple[object, ...], ...], read_as: list[str]
) -> None:
    reading = checked(read(tmp_path, table_file(tmp_path, rows, *style), media.PDF))
    (table,) = tables(reading)
    assert table.text.split("\n") == read_as


def test_a_table_over_two_pages_is_one_where_its_header_is_not_repeated(tmp_path: Path) -> None:
    rows = [["Article", "Stock", "Price"], *([f"Part {n}", str(100 + n), f"{n}.50"] for n in range(60))]
    (table,) = tables(read(tmp_path, table_file(tmp_path, rows, GRID), media.PDF))
    assert len(table.rows) == 61
    assert [row.is_header for row in table.rows].count(True) == 1
    assert table.text.endswith("Part 59 | 159 | 59.50")
    repeated = tables(read(tmp_path, table_file(tmp_path, rows, GRID, repeatRows=1), media.PDF))
    assert [block.rows[0].is_header for block in repeated] == [True, True]


def words(canvas: Canvas, y: float, *parts: tuple[str, float, float]) -> None:
    """Draw parts of a line one after the other: text, type size, and how far it is raised."""
    x = 72.0
    for text, size, rise in parts:
        canvas.setFont("Helvetica", size)
        canvas.drawString(x, y + rise, text)
        x += canvas.stringWidth(text, "Helvetica", size)


@pytest.mark.parametrize(
    ("parts", "text"),
    [
        (
            (("The wafer holds 10", 11, 0), ("6", 7, 5), (" sensors in all.", 11, 0)),
            "The wafer holds 10\u2076 sensors in all.",
        ),
        (
            (("Sales of 1,204", 11, 0), ("3", 7, 5), (" thousand euros.", 11, 0)),
            "Sales of 1,204 \u00b3 thousand euros.",
        ),
        ((("The gas is CO", 11, 0), ("2", 7, -3), (" and water.", 11, 0)), "The gas is CO\u2082 and water."),
        ((("A hall of 45 m", 11, 0), ("2", 7, 5), (" was built.", 11, 0)), "A hall of 45 m\u00b2 was built."),
    ],
)
def test_raised_and_lowered_digits_keep_their_sign(
    tmp_path: Path, parts: tuple[tuple[str, float, float], ...], text: str
) -> None:
    def draw(canvas: Canvas) -> None:
        words(canvas, 700, *parts)

    assert read(tmp_path, made(tmp_path, draw), media.PDF).texts == [text]


def test_numbers_beside_lines_are_no_part_of_them(tmp_path: Path) -> None:
    def draw(canvas: Canvas) -> None:
        canvas.setFont("Helvetica", 10)
        for number in range(10):
            canvas.drawRightString(60, 700 - 12 * number, str(number + 1))
            canvas.drawString(72, 700 - 12 * number, " ".join(LOREM[:9]))

    reading = read(tmp_path, made(tmp_path, draw), media.PDF)
    (text,) = [block.text for block in reading.document.blocks if block.kind == "paragraph"]
    assert not any(character.isdigit() for character in text)
    assert [block.text for block in reading.document.blocks if block.kind == "margin"] == [str(n) for n in range(1, 11)]


def test_the_numbers_of_a_tables_rows_stay(tmp_path: Path) -> None:
    rows = [["No", "Part", "Price"], *([str(n), f"Bolt {n}", f"{n}.50"] for n in range(1, 6))]
    (table,) = tables(read(tmp_path, table_file(tmp_path, rows), media.PDF))
    assert table.text.split("\n")[1] == "1 | Bolt 1 | 1.50"


def test_a_tall_initial_begins_its_word(tmp_path: Path) -> None:
    def draw(canvas: Canvas) -> None:
        canvas.setFont("Times-Roman", 34)
        canvas.drawString(72, 676, "D")
        canvas.setFont("Times-Roman", 10)
        canvas.drawString(100, 692, "uring the first watch the bearing ran warm and the")
        canvas.drawString(100, 680, "engineer on duty stopped the turbine for the night.")
        canvas.drawString(72, 668, "It was started again on the following day at noon, and")
        canvas.drawString(72, 656, "has run since.")

    (text,) = read(tmp_path, made(tmp_path, draw), media.PDF).texts
    assert text.startswith("During the first watch the bearing ran warm and the engineer on duty")


def test_running_heads_feet_and_page_numbers_belong_to_the_pages(tmp_path: Path) -> None:
    def draw(canvas: Canvas) -> None:
        for number in range(1, 5):
            canvas.setFont("Helvetica", 8)
            canvas.drawString(72, 810, "Harbour rules, confidential")
            canvas.drawString(280, 30, f"Page {number} of 4")
            column(canvas, 72, 700, 6, f"p{number}x")
            canvas.showPage()

    reading = read(tmp_path, made(tmp_path, draw), media.PDF)
    kinds = [block.kind for block in reading.document.blocks]
    assert kinds.count("page_header") == kinds.count("page_footer") == 4
    assert not any("confidential" in text for kind, _, text in reading.kinds if kind == "paragraph")


def test_a_paragraph_goes_on_over_the_end_of_a_page(tmp_path: Path) -> None:
    def draw(canvas: Canvas) -> None:
        canvas.setFont("Helvetica", 10)
        for number in range(3):
            canvas.drawString(
                72, 96 - 12 * number, f"Line {number} of the first page runs to the right edge of the text here"
            )
        canvas.showPage()
        canvas.setFont("Helvetica", 10)
        canvas.drawString(72, 780, "and goes on here with the sentence, which ends now.")

    (block,) = read(tmp_path, made(tmp_path, draw), media.PDF).document.blocks
    assert {line.page for line in block.lines} == {1, 2}
    assert "text here and goes on here" in block.text


def test_lines_that_are_meant_stay_lines(tmp_path: Path) -> None:
    def draw(canvas: Canvas) -> None:
        column(canvas, 72, 780, 4, "a")
        canvas.setFont("Helvetica", 10)
        for number, text in enumerate(("Halvorsen Crane Hire", "12 Harbour Road", "Port Ellery")):
            canvas.drawString(72, 700 - 12 * number, text)

    assert "Halvorsen Crane Hire\n12 Harbour Road\nPort Ellery" in read(tmp_path, made(tmp_path, draw), media.PDF).texts


def test_what_lies_outside_the_page_is_left_out_and_told(tmp_path: Path) -> None:
    source = tmp_path / "whole.pdf"
    source.write_bytes(
        made(tmp_path, lambda canvas: [canvas.drawString(72, 700, "Seen"), canvas.drawString(72, 100, "Cut away")])
    )
    document = pypdfium2.PdfDocument(source)
    document[0].set_cropbox(0, 400, 595, 842)
    document.save(tmp_path / "cropped.pdf")
    document.close()
    reading = read(tmp_path, (tmp_path / "cropped.pdf").read_bytes(), media.PDF)
    assert reading.texts == ["Seen"]
    assert reading.warned == [("off_page", 1)]
    assert " ".join(each.text for each in reading.document.skipped) == "Cut away"


@pytest.mark.parametrize(
    ("first", "second", "text"),
    [
        ("closed because of the virus COVID-", "19 in spring.", "COVID-19 in spring."),
        ("an agreement of the Franco-", "German council.", "the Franco-German council."),
        ("was made with the well-", "known clinic.", "the well-known clinic."),
        ("suspected was a cardiomyo-", "pathy in the family.", "a cardiomyopathy in the family."),
        ("seen by a doctor were in-", "and outpatients.", "were in- and outpatients."),
    ],
)
def test_hyphens_at_line_ends(tmp_path: Path, first: str, second: str, text: str) -> None:
    def draw(canvas: Canvas) -> None:
        canvas.setFont("Helvetica", 10)
        canvas.drawString(72, 700, first)
        canvas.drawString(72, 688, second)

    (found,) = read(tmp_path, made(tmp_path, draw), media.PDF).texts
    assert found.endswith(text)


def test_pages_are_called_what_the_file_calls_them(tmp_path: Path) -> None:
    def draw(canvas: Canvas) -> None:
        for number in range(3):
            canvas.addPageLabel(number, style="ROMAN_LOWER" if number < 2 else "ARABIC", start=1)
            canvas.drawString(72, 700, "text")
            canvas.showPage()

    reading = read(tmp_path, made(tmp_path, draw), media.PDF)
    assert reading.document.pages[0].label == "i"


def test_a_long_file_is_read_in_batches_without_loss(tmp_path: Path) -> None:
    def draw(canvas: Canvas) -> None:
        for number in range(130):
            canvas.drawString(72, 700, f"Entry {number} of the log book was written by hand.")
            canvas.showPage()

    reading = read(tmp_path, made(tmp_path, draw), media.PDF)
    assert reading.texts == [f"Entry {number} of the log book was written by hand." for number in range(130)]
    assert [block.lines[0].page for block in reading.document.blocks] == list(range(1, 131))


def test_a_page_with_too_many_signs_is_told_and_the_others_are_read(tmp_path: Path) -> None:
    def draw(canvas: Canvas) -> None:
        column(canvas, 72, 700, 30, "crowded")
        canvas.showPage()
        canvas.drawString(72, 700, "The ferry leaves at ten.")

    reading = read(tmp_path, made(tmp_path, draw), media.PDF, limits=ContentLimits(page_glyphs=1000))
    assert reading.texts == ["The ferry leaves at ten."]
    assert reading.warned == [("too_many_glyphs", 1)]
    assert len(reading.document.pages) == 2
