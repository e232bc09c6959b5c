"""OpenDocument texts, spreadsheets and presentations, made of the XML that a test is about."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from atoll.domain import media
from atoll.errors import DocumentTooLarge, DocumentUnreadable
from tests.unit.parser.reading import Reading, read

BASE = "urn:oasis:names:tc:opendocument:xmlns"
NAMES = " ".join(
    f'xmlns:{prefix}="{BASE}:{name}:1.0"'
    for prefix, name in (
        ("office", "office"), ("text", "text"), ("table", "table"), ("style", "style"), ("draw", "drawing"),
        ("presentation", "presentation"), ("svg", "svg-compatible"), ("fo", "xsl-fo-compatible"),
    )
) + ' xmlns:xlink="http://www.w3.org/1999/xlink"'  # fmt: skip
MATH = '<math xmlns="http://www.w3.org/1998/Math/MathML"><mfrac><mi>a</mi><mi>b</mi></mfrac></math>'
STYLES = """
<style:style style:name="up" style:family="text"><style:text-properties style:text-position="super 58%"/></style:style>
<style:style style:name="gone" style:family="text"><style:text-properties style:text-line-through-style="solid"/></style:style>
<style:style style:name="unseen" style:family="text"><style:text-properties text:display="none"/></style:style>
<style:style style:name="off" style:family="table"><style:table-properties table:display="false"/></style:style>
<style:style style:name="away" style:family="drawing-page"><style:drawing-page-properties presentation:visibility="hidden"/>
</style:style>
<text:list-style style:name="L1"><text:list-level-style-number text:level="1" style:num-format="1" style:num-suffix="."/>
<text:list-level-style-number text:level="2" style:num-format="a" style:num-suffix=")" text:start-value="2"/></text:list-style>
"""


def packed(media_type: str, body: str, **parts: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", media_type, zipfile.ZIP_STORED)
        archive.writestr(
            "content.xml",
            f"<office:document-content {NAMES}><office:automatic-styles>{STYLES}</office:automatic-styles>"
            f"<office:body>{body}</office:body></office:document-content>",
        )
        for name, content in parts.items():
            archive.writestr(name.replace("__", "/") + ".xml", content)
    return out.getvalue()


def text(folder: Path, body: str, **parts: str) -> Reading:
    content = packed(media.ODT, f"<office:text>{body}</office:text>", **parts)
    assert media.sniff("any", content[: media.HEAD_BYTES]) == media.ODT
    return read(folder, content, media.ODT)


def test_headings_paragraphs_and_signs(tmp_path: Path) -> None:
    reading = text(
        tmp_path,
        '<text:h text:outline-level="2">Lights</text:h><text:p>It holds 10<text:span text:style-name="up">6</text:span>'
        '<text:s text:c="2"/>cells.<text:line-break/>Second<text:tab/>line, <text:span text:style-name="gone">85</text:span>72 '
        'euros<text:span text:style-name="unseen">buried</text:span>.</text:p><office:annotation><text:p>remark</text:p></office:annotation>',
        meta='<m xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>Harbour</dc:title></m>',
    )
    assert reading.kinds == [
        ("heading", 2, "Lights"), ("paragraph", 0, "It holds 10\u2076 cells.\nSecond line, 72 euros."),
    ]  # fmt: skip
    assert reading.document.title == "Harbour"
    assert [kind for kind, _ in reading.warned] == ["hidden_text", "part_not_read"]
    assert reading.document.skipped[0].text == "buried"


def test_lists_have_their_labels(tmp_path: Path) -> None:
    item = "<text:list-item><text:p>{}</text:p>{}</text:list-item>"
    inner = f"<text:list>{item.format('deep', '')}{item.format('deeper', '')}</text:list>"
    reading = text(
        tmp_path,
        f'<text:list text:style-name="L1">{item.format("one", inner)}{item.format("two", "")}</text:list><text:p>between</text:p>'
        f'<text:list text:style-name="L1" text:continue-numbering="true">{item.format("three", "")}</text:list>'
        f"<text:list>{item.format('bullet', '')}</text:list>",
    )
    assert reading.texts == ["1. one", "b) deep", "c) deeper", "2. two", "between", "3. three", "bullet"]


def test_tables_notes_boxes_and_formulas(tmp_path: Path) -> None:
    cell = "<table:table-cell{}><text:p>{}</text:p></table:table-cell>"
    reading = text(
        tmp_path,
        "<table:table><table:table-header-rows><table:table-row>" + cell.format("", "Port")
        + cell.format(' table:number-columns-spanned="2"', "Flow") + "<table:covered-table-cell/></table:table-row>"
        "</table:table-header-rows><table:table-row>" + cell.format(' table:number-rows-spanned="2"', "Ellery")
        + cell.format("", "4") + cell.format("", "5") + "</table:table-row><table:table-row><table:covered-table-cell/>"
        + cell.format(' table:number-columns-repeated="2"', "6") + "</table:table-row></table:table>"
        '<text:p>See<text:note text:note-class="footnote"><text:note-citation>1</text:note-citation><text:note-body>'
        "<text:p>The note.</text:p></text:note-body></text:note> it.<draw:frame><draw:text-box><text:p>In a box.</text:p>"
        '</draw:text-box></draw:frame></text:p><text:p><draw:frame><draw:object xlink:href="./Object 1"/></draw:frame></text:p>'
        "<text:p><draw:frame><draw:image/><svg:desc>A pier at night</svg:desc></draw:frame></text:p>",
        **{"Object 1__content": MATH},
    )  # fmt: skip
    table, *others = reading.kinds
    assert table == ("table", 0, "Port | Flow | \nEllery | 4 | 5\nEllery | 6 | 6")
    assert reading.document.blocks[0].rows[0].is_header
    assert others == [
        ("paragraph", 0, "See \u00b9 it."), ("paragraph", 0, "In a box."), ("footnote", 0, "1 The note."),
        ("formula", 0, "a/b"), ("figure", 0, "A pier at night"),
    ]  # fmt: skip


def test_page_headers_are_read_once(tmp_path: Path) -> None:
    margin = (
        f"<office:document-styles {NAMES}><style:header><text:p>Order 17</text:p></style:header>"
        "<style:footer><text:p>Page <text:page-number>3</text:page-number></text:p></style:footer>"
        "<style:header><text:p>Order 17</text:p></style:header></office:document-styles>"
    )
    assert text(tmp_path, "<text:p>Body.</text:p>", styles=margin).texts == ["Order 17", "Body."]


def test_spreadsheets_show_what_their_cells_show(tmp_path: Path) -> None:
    cell = '<table:table-cell office:value-type="float" office:value="{}" table:formula="{}"><text:p>{}</text:p></table:table-cell>'
    label = "<table:table-cell><text:p>{}</text:p></table:table-cell>"
    body = (
        '<office:spreadsheet><table:table table:name="Prices"><table:table-column/><table:table-column/>'
        f"<table:table-row>{label.format('Part')}{label.format('Price')}</table:table-row>"
        f"<table:table-row>{label.format('Rope')}{cell.format('3.5', 'of:=7/2', '3,50 &#8364;')}</table:table-row>"
        f'<table:table-row table:visibility="collapse">{label.format("Secret")}{cell.format("9", "", "9")}</table:table-row>'
        '<table:table-row table:number-rows-repeated="1048570"><table:table-cell table:number-columns-repeated="16384"/>'
        '</table:table-row></table:table><table:table table:name="Old" table:style-name="off"><table:table-row>'
        f"{label.format('buried')}</table:table-row></table:table></office:spreadsheet>"
    )
    reading = read(tmp_path, packed(media.ODS, body), media.ODS)
    assert reading.texts == ["Prices", "Part | Price\nRope | 3,50 \u20ac"]
    price = reading.document.blocks[1].rows[1].cells[1]
    assert (price.address, price.value, price.formula) == ("B2", "3.5", "=7/2")
    assert sorted(kind for kind, _ in reading.warned) == ["hidden_sheet", "hidden_text"]
    assert "Secret" in " ".join(each.text for each in reading.document.skipped)


def test_presentations_have_a_page_for_each_slide(tmp_path: Path) -> None:
    def frame(words: str, y: int, kind: str = "outline") -> str:
        return (
            f'<draw:frame presentation:class="{kind}" svg:x="2cm" svg:y="{y}cm" svg:width="9cm" svg:height="2cm">'
            f"<draw:text-box><text:p>{words}</text:p></draw:text-box></draw:frame>"
        )

    notes = f"<presentation:notes>{frame('Say this.', 1, 'notes')}</presentation:notes>"
    body = (
        f"<office:presentation><draw:page>{frame('below', 8)}{frame('above', 4)}{frame('The title', 1, 'title')}{notes}</draw:page>"
        f'<draw:page draw:style-name="away">{frame("buried", 1)}</draw:page></office:presentation>'
    )
    reading = read(tmp_path, packed(media.ODP, body), media.ODP)
    assert [(kind, words) for kind, _, words in reading.kinds] == [
        ("heading", "The title"), ("paragraph", "above"), ("paragraph", "below"), ("note", "Say this."),
    ]  # fmt: skip
    assert [page.label for page in reading.document.pages] == ["Slide 1"]
    assert [kind for kind, _ in reading.warned] == ["hidden_slide"]


def test_broken_and_hostile_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(DocumentUnreadable, match="is encrypted"):
        text(tmp_path, "", **{"META-INF__manifest": "<manifest:encryption-data xmlns:manifest='m'/>"})
    with pytest.raises(DocumentUnreadable, match="not a zip archive"):
        read(tmp_path, b"words", media.ODT)
    with pytest.raises(DocumentUnreadable, match="too deeply"):
        text(tmp_path, "<text:section>" * 100 + "<text:p>x</text:p>" + "</text:section>" * 100)
    with pytest.raises(DocumentTooLarge, match="bomb"):
        text(tmp_path, f"<text:p>{' ' * 40_000_000}</text:p>")
    repeated = '<table:table-cell table:number-columns-repeated="9999999"><text:p>x</text:p></table:table-cell>'
    rows = f'<table:table-row table:number-rows-repeated="9999999">{repeated}</table:table-row>'
    reading = text(tmp_path, f"<table:table>{rows}</table:table>")
    assert len(reading.document.blocks[0].rows) == 100
