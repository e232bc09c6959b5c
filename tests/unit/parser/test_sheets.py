"""Workbooks and delimited text: what a cell shows, where a table begins and ends, what is hidden, what is hostile."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from pathlib import Path

import openpyxl
import pytest
from openpyxl.styles import Font
from openpyxl.utils.datetime import CALENDAR_MAC_1904
from openpyxl.worksheet.table import Table

from atoll.domain import media
from atoll.domain.block import Block
from atoll.errors import DocumentTooLarge, DocumentUnreadable
from parser.formats.sheets.number_formats import shown_number, shown_text
from parser.limits import ContentLimits
from tests.support.pages import lines_not_in_their_boxes, lines_with_strangers_in_their_boxes
from tests.unit.parser.reading import Reading, read

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
MOMENT = datetime(2026, 5, 1, 8, 15)  # noqa: DTZ001 - workbooks know no zones
STRICT_MAIN = "http://purl.oclc.org/ooxml/spreadsheetml/main"


def workbook(fill: Callable[[openpyxl.Workbook], None]) -> bytes:
    book = openpyxl.Workbook()
    fill(book)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def sheet(*rows: list[object]) -> bytes:
    def fill(book: openpyxl.Workbook) -> None:
        for row in rows:
            book.active.append(row)

    return workbook(fill)


def changed(content: bytes, part: str, change: Callable[[bytes], bytes]) -> bytes:
    """A package with one part changed."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            target.writestr(name, change(source.read(name)) if name == part else source.read(name))
    return out.getvalue()


def tables(reading: Reading) -> list[Block]:
    return [block for block in reading.document.blocks if block.rows]


def table(folder: Path, content: bytes, media_type: str = media.XLSX) -> Block:
    (found,) = tables(read(folder, content, media_type))
    return found


@pytest.mark.parametrize(
    ("number", "code", "shown"),
    [
        (501, "00000", "00501"),
        (0.123, "0.0 %", "12.3 %"),
        (1234.5, '#,##0.00 "EUR"', "1,234.50 EUR"),
        (1234.5, "[$\u20ac-407] #,##0.00", "\u20ac 1,234.50"),
        (-1234.5, "#,##0.00;[Red]-#,##0.00", "-1,234.50"),
        (-3, "0;(0)", "(3)"),
        (0, '0;-0;"none"', "none"),
        (45000, "dd.mm.yyyy", "15.03.2023"),
        (45000.5, "yyyy-mm-dd hh:mm", "2023-03-15 12:00"),
        (45000, "[$-407]dddd, d. mmmm yyyy", "Wednesday, 15. March 2023"),
        (60, "yyyy-mm-dd", "1900-02-28"),
        (1.5, "[h]:mm:ss", "36:00:00"),
        (0.75, "h:mm AM/PM", "6:00 PM"),
        (0.0005, "mm:ss.0", "00:43.2"),
        (1234567, '0.0,," M"', "1.2 M"),
        (12345.678, "0.00E+00", "1.23E+04"),
        (1.25, "# ?/?", "1 1/4"),
        (5551234, "000-0000", "555-1234"),
        (0.1 + 0.2, "General", "0.3"),
        (1e20, "General", "1E+20"),
        (123456789012, "General", "123456789012"),
        (0.5, "#.##", ".5"),
        (1234, "_(* #,##0_)", "1,234"),
        (5, '[>=100]"big" 0;0', "5"),
        (150, '[>=100]"big" 0;0', "big 150"),
        (12, '"No. "0', "No. 12"),
        (-0.001, "0.0", "0.0"),
        (7, "", "7"),
        (7, "0" * 5000, "7".rjust(30, "0")),
        (1e300, "[h]:mm", "1E+300"),
    ],
)
def test_a_number_is_shown_as_its_format_says(number: float, code: str, shown: str) -> None:
    assert shown_number(number, code) == shown


def test_a_text_is_shown_as_its_format_says() -> None:
    assert shown_text("bolts", '0;0;0;"part "@') == "part bolts"
    assert shown_text("bolts", "0.00") == "bolts"


def test_cells_have_text_value_formula_and_address(tmp_path: Path) -> None:
    def fill(book: openpyxl.Workbook) -> None:
        page = book.active
        page.title = "Prices"
        page.append(["Article", "Price", "Since", "Stock"])
        page.append(["Hinge", 12.5, date(2026, 3, 4), 501])
        page["B2"].number_format, page["C2"].number_format, page["D2"].number_format = (
            "0.00 \u20ac", "dd.mm.yyyy", "00000",
        )  # fmt: skip

    reading = read(tmp_path, workbook(fill), media.XLSX)
    (block,) = tables(reading)
    assert block.sheet == "Prices"
    assert block.text == "Article | Price | Since | Stock\nHinge | 12.50 \u20ac | 04.03.2026 | 00501"
    assert block.rows[0].is_header
    name, price, since, stock = block.rows[1].cells
    assert [cell.address for cell in (name, price, since, stock)] == ["A2", "B2", "C2", "D2"]
    assert [cell.value for cell in (name, price, since, stock)] == ["", "12.5", "2026-03-04", "501"]
    assert lines_not_in_their_boxes(reading.document, reading.pdf) == []
    assert lines_with_strangers_in_their_boxes(reading.document, reading.pdf) == []
    assert [block.text for block in reading.document.blocks if block.kind == "heading"] == ["Prices"]


def test_kinds_of_values(tmp_path: Path) -> None:
    content = sheet(["Kind", "Value"], ["truth", True], ["time", time(14, 30)], ["span", timedelta(hours=36)],
                    ["moment", MOMENT], ["lines", "one\ntwo"])  # fmt: skip
    assert table(tmp_path, content).text.split("\n") == [
        "Kind | Value", "truth | TRUE", "time | 14:30:00", "span | 36:00:00", "moment | 2026-05-01 8:15:00",
        "lines | one two",
    ]  # fmt: skip


def test_days_may_be_counted_from_1904(tmp_path: Path) -> None:
    def fill(book: openpyxl.Workbook) -> None:
        book.epoch = CALENDAR_MAC_1904
        book.active.append(["Due", "Sum"])
        book.active.append([date(2026, 3, 4), 5])

    assert "2026-03-04 | 5" in table(tmp_path, workbook(fill)).text


def test_a_formula_that_was_never_calculated_is_told_and_shown(tmp_path: Path) -> None:
    reading = read(tmp_path, sheet(["Item", "Sum"], ["Rope", 4], ["Total", "=SUM(B2:B2)"]), media.XLSX)
    assert "Total | =SUM(B2:B2)" in reading.texts[0]
    assert reading.warned == [("never_calculated", None)]


def test_a_calculated_formula_shows_its_result(tmp_path: Path) -> None:
    content = changed(
        sheet(["Item", "Sum"], ["Total", "=1+2"]), "xl/worksheets/sheet1.xml",
        lambda xml: xml.replace(b"<v/>", b"<v>3</v>").replace(b"<v></v>", b"<v>3</v>"),
    )  # fmt: skip
    cell = table(tmp_path, content).rows[1].cells[1]
    assert (cell.text, cell.formula) == ("3", "=1+2")


def test_merged_cells_and_two_header_rows(tmp_path: Path) -> None:
    def fill(book: openpyxl.Workbook) -> None:
        page = book.active
        for row in (["Port", "Summer", None, "Winter"], [None, "in", "out", "in"], ["Grimholm", 4, 5, 6],
                    [None, 7, 8, 9]):  # fmt: skip
            page.append(row)
        page.merge_cells("B1:C1")
        page.merge_cells("A1:A2")
        page.merge_cells("A3:A4")

    block = table(tmp_path, workbook(fill))
    assert [row.is_header for row in block.rows] == [True, True, False, False]
    assert block.text.split("\n")[-1] == "Grimholm | 7 | 8 | 9"
    assert block.rows[0].cells[1].columns == 2


def test_several_tables_of_a_sheet_and_what_stands_over_them(tmp_path: Path) -> None:
    content = sheet(
        ["Stock in May"], ["Part", "Count"], ["Rope", 3], [], ["Staff"], ["Name", "Grade", "Since"],
        ["Ida", "B", 2019], ["Jon", "A", 2021], [], ["Kim", "C", 2024],
    )  # fmt: skip
    stock, staff, more = tables(read(tmp_path, content, media.XLSX))
    assert stock.text == "Stock in May\nPart | Count\nRope | 3"
    assert staff.text.startswith("Staff\nName | Grade | Since\nIda | B | 2019")
    # Rows after a blank one go on under the header that they have the columns of.
    assert more.text == "Name | Grade | Since\nKim | C | 2024"
    assert more.rows[0].is_header


def test_tables_side_by_side_are_apart(tmp_path: Path) -> None:
    content = sheet(
        ["Part", "Count", None, "City", "Phone"], ["Rope", 3, None, "Oslo", 44], ["Nut", 9, None, "Bergen", 55]
    )
    left, right = tables(read(tmp_path, content, media.XLSX))
    assert left.text == "Part | Count\nRope | 3\nNut | 9"
    assert right.text == "City | Phone\nOslo | 44\nBergen | 55"


def test_headers_by_weight_filter_and_table(tmp_path: Path) -> None:
    def bold(book: openpyxl.Workbook) -> None:
        for row in (["Code", "Meaning"], ["red", "stop"], ["green", "go"]):
            book.active.append(row)
        for cell in book.active[1]:
            cell.font = Font(bold=True)

    def filtered(book: openpyxl.Workbook) -> None:
        bold(book)
        for cell in book.active[1]:
            cell.font = Font(bold=False)
        book.active.auto_filter.ref = "A1:B3"

    def listed(book: openpyxl.Workbook) -> None:
        filtered(book)
        book.active.auto_filter.ref = None
        book.active.add_table(Table(displayName="Signals", ref="A1:B3"))

    for fill in (bold, filtered, listed):
        assert [row.is_header for row in table(tmp_path, workbook(fill)).rows] == [True, False, False]


def test_what_is_hidden_is_told_and_left_out(tmp_path: Path) -> None:
    def fill(book: openpyxl.Workbook) -> None:
        page = book.active
        for row in (["Name", "Wage", "City"], ["Ida", "secret one", "Oslo"], ["Jon", "secret two", "Bergen"],
                    ["Kim", "secret three", "Moss"]):  # fmt: skip
            page.append(row)
        page.row_dimensions[3].hidden = True
        page.column_dimensions["B"].hidden = True
        kept = book.create_sheet("Old")
        kept.append(["buried words"])
        kept.sheet_state = "veryHidden"

    reading = read(tmp_path, workbook(fill), media.XLSX)
    assert "\n".join(reading.texts) == "Name | City\nIda | Oslo\nKim | Moss"
    assert {kind for kind, _ in reading.warned} == {"hidden_text", "hidden_sheet"}
    skipped = " ".join(each.text for each in reading.document.skipped)
    assert all(words in skipped for words in ("secret one", "Jon", "buried words"))


def test_strict_workbooks_are_read(tmp_path: Path) -> None:
    content = sheet(["Part", "Count"], ["Rope", 3])
    office = b"http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    for part in ("xl/workbook.xml", "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "xl/styles.xml"):
        content = changed(
            content, part,
            lambda xml: xml.replace(MAIN.encode(), STRICT_MAIN.encode()).replace(
                office, b"http://purl.oclc.org/ooxml/officeDocument/relationships"
            ),
        )  # fmt: skip
    assert table(tmp_path, content).text == "Part | Count\nRope | 3"


def test_a_row_of_two_hundred_columns_is_readable(tmp_path: Path) -> None:
    block = table(tmp_path, sheet([f"name {n}" for n in range(200)], list(range(200)), list(range(200, 400))))
    assert block.columns == 200
    assert block.rows[2].cells[150].text == "350"


def test_a_long_sheet_repeats_its_header(tmp_path: Path) -> None:
    reading = read(tmp_path, sheet(["Item", "Sum"], *([f"item {n}", n] for n in range(2500))), media.XLSX)
    first, second = tables(reading)
    assert second.rows[0].is_header
    assert second.text.split("\n")[:2] == ["Item | Sum", "item 1999 | 1999"]
    assert len(first.rows) + len(second.rows) == 2502


def test_broken_and_hostile_workbooks_are_named(tmp_path: Path) -> None:
    whole = sheet(["Part", "Count"], ["Rope", 3])
    part = "xl/worksheets/sheet1.xml"
    with pytest.raises(DocumentUnreadable, match="not a zip archive"):
        read(tmp_path, b"no workbook", media.XLSX)
    with pytest.raises(DocumentUnreadable, match="old Excel format: save it as"):
        read(tmp_path, b"\xd0\xcf\x11\xe0" + bytes(500), media.XLSX)
    with pytest.raises(DocumentUnreadable, match="is no XML"):
        read(tmp_path, changed(whole, part, lambda xml: xml[: len(xml) // 2]), media.XLSX)
    entities = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">' + b"".join(
        b'<!ENTITY %c "%s">' % (ord("b") + n, b"&%c;" % (ord("a") + n) * 10) for n in range(9)
    ) + b"]>"  # fmt: skip
    bomb = changed(whole, part, lambda xml: entities + xml.replace(b">Rope<", b">&j;<"))
    with pytest.raises(DocumentUnreadable, match="is no XML"):
        read(tmp_path, bomb, media.XLSX)
    with pytest.raises(DocumentTooLarge):
        read(tmp_path, changed(whole, part, lambda xml: xml + b" " * 40_000_000), media.XLSX)
    with pytest.raises(DocumentTooLarge, match="characters"):
        read(tmp_path, sheet(["x" * 900], ["y" * 900]), media.XLSX, limits=ContentLimits(characters=1000))


def test_absurd_places_do_no_harm(tmp_path: Path) -> None:
    whole = sheet(["Part", "Count"], ["Rope", 3])
    merged = b'<mergeCells count="1"><mergeCell ref="A1:XFD1048576"/></mergeCells></worksheet>'
    content = changed(whole, "xl/worksheets/sheet1.xml", lambda xml: xml.replace(b"</worksheet>", merged))
    assert "Rope" in table(tmp_path, content).text
    far = changed(whole, "xl/worksheets/sheet1.xml", lambda xml: xml.replace(b'"A2"', b'"ZZZZZ99999999999"'))
    assert "Rope" in table(tmp_path, far).text


class TestDelimited:
    @pytest.mark.parametrize(
        "content",
        [
            "Name,City\nIda,Oslo\nJon,Bergen\n",
            "Name;City\r\nIda;Oslo\r\nJon;Bergen\r\n",
            "Name\tCity\nIda\tOslo\nJon\tBergen",
            "sep=|\nName|City\nIda|Oslo\nJon|Bergen",
            '"Name", "City"\n"Ida", "Oslo"\n"Jon", "Bergen"',
        ],
    )
    def test_dialects(self, tmp_path: Path, content: str) -> None:
        block = table(tmp_path, content.encode(), media.CSV)
        assert block.text == "Name | City\nIda | Oslo\nJon | Bergen"
        assert block.rows[0].is_header

    def test_fields_hold_delimiters_quotes_and_lines(self, tmp_path: Path) -> None:
        content = 'Name,Note\n"Berg, Ida","said ""yes""\nand left"\nJon,12\n'
        assert table(tmp_path, content.encode(), media.CSV).text.split("\n")[1] == 'Berg, Ida | said "yes" and left'

    def test_decimal_commas_do_not_part_fields(self, tmp_path: Path) -> None:
        content = "Teil;Preis;Menge\nSeil;3,50;2\nMutter;0,10;9\n"
        assert "Seil | 3,50 | 2" in table(tmp_path, content.encode("cp1252"), media.CSV).text

    def test_values_alone_have_no_header(self, tmp_path: Path) -> None:
        block = table(tmp_path, b"1,2,3\n4,5,6\n", media.CSV)
        assert not any(row.is_header for row in block.rows)

    def test_the_encoding_is_found_or_told(self, tmp_path: Path) -> None:
        reading = read(tmp_path, "Ort;Stra\u00dfe\nK\u00f6ln;Gl\u00fcckstra\u00dfe\n".encode("cp1252"), media.CSV)
        assert "K\u00f6ln | Gl\u00fcckstra\u00dfe" in reading.texts[0]
        assert reading.warned == [("encoding_guessed", None)]

    def test_uneven_rows_are_told(self, tmp_path: Path) -> None:
        reading = read(tmp_path, b"Name,City\nIda,Oslo,Norway\nJon,Bergen\n", media.CSV)
        assert reading.warned == [("uneven_rows", None)]
        assert "Ida | Oslo | Norway" in reading.texts[0]

    def test_an_endless_field_is_refused_by_name(self, tmp_path: Path) -> None:
        with pytest.raises(DocumentUnreadable, match="quotation mark"):
            read(tmp_path, b'Name,City\nIda,"' + b"word " * 250_000, media.CSV)

    def test_a_file_without_rows_says_so(self, tmp_path: Path) -> None:
        assert read(tmp_path, b"\n\n", media.CSV).warned == [("no_text", None)]
