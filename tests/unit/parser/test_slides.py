"""Presentations: a page a slide, reading order, lists, tables, charts, notes, and what is hidden or hostile."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pptx
import pytest
from pptx.chart.data import CategoryChartData
from pptx.dml.color import RGBColor
from pptx.enum.chart import XL_CHART_TYPE
from pptx.oxml import parse_xml
from pptx.util import Inches, Pt

from atoll.domain import media
from atoll.errors import DocumentTooLarge, DocumentUnreadable
from tests.support.pages import lines_not_in_their_boxes, lines_with_strangers_in_their_boxes
from tests.unit.parser.reading import Reading, read
from tests.unit.parser.test_sheets import changed

BLANK, TITLE_AND_CONTENT = 6, 1
A = "http://schemas.openxmlformats.org/drawingml/2006/main"


def made(fill: Callable[[Any], None]) -> bytes:
    deck = pptx.Presentation()
    fill(deck)
    out = io.BytesIO()
    deck.save(out)
    return out.getvalue()


def shown(folder: Path, fill: Callable[[Any], None]) -> Reading:
    return read(folder, made(fill), media.PPTX)


def box(shapes: Any, text: str, left: float, top: float, width: float = 3, height: float = 1) -> Any:
    shape = shapes.add_textbox(Inches(left), Inches(top), Inches(width), Inches(height))
    shape.text_frame.text = text
    return shape


def test_each_slide_is_a_page_with_its_title_list_and_notes(tmp_path: Path) -> None:
    def fill(deck: Any) -> None:
        for number in (1, 2):
            slide = deck.slides.add_slide(deck.slide_layouts[TITLE_AND_CONTENT])
            slide.shapes.title.text = f"Title {number}"
            body = slide.placeholders[1].text_frame
            body.text = f"First point {number}"
            more = body.add_paragraph()
            more.text, more.level = f"Deeper point {number}", 1
            slide.notes_slide.notes_text_frame.text = f"Say this {number}"

    reading = shown(tmp_path, fill)
    assert [page.label for page in reading.document.pages] == ["Slide 1", "Slide 2"]
    assert [(block.kind.value, block.text, block.lines[0].page) for block in reading.document.blocks] == [
        (kind, f"{text} {page}", page)
        for page in (1, 2)
        for kind, text in (("heading", "Title"), ("list_item", "First point"), ("list_item", "Deeper point"),
                           ("note", "Say this"))
    ]  # fmt: skip
    assert reading.document.title == "Title 1"
    assert lines_not_in_their_boxes(reading.document, reading.pdf) == []
    assert lines_with_strangers_in_their_boxes(reading.document, reading.pdf) == []


def test_columns_are_read_one_after_the_other_and_groups_together(tmp_path: Path) -> None:
    def fill(deck: Any) -> None:
        shapes = deck.slides.add_slide(deck.slide_layouts[BLANK]).shapes
        box(shapes, "right below", 5, 3)
        box(shapes, "left above", 1, 1)
        box(shapes, "right above", 5, 1)
        box(shapes, "left below", 1, 3)
        group = shapes.add_group_shape()
        box(group.shapes, "grouped second", 4, 6)
        box(group.shapes, "grouped first", 1, 5)

    assert shown(tmp_path, fill).texts == [
        "left above", "left below", "right above", "right below", "grouped first", "grouped second",
    ]  # fmt: skip


def test_raised_struck_and_numbered_text(tmp_path: Path) -> None:
    def fill(deck: Any) -> None:
        shapes = deck.slides.add_slide(deck.slide_layouts[BLANK]).shapes
        body = box(shapes, "", 1, 1).text_frame._txBody
        for old in list(body.iterchildren(f"{{{A}}}p")):
            body.remove(old)
        for xml in (
            "<a:r><a:t>It holds 10</a:t></a:r><a:r><a:rPr baseline='30000'/><a:t>6</a:t></a:r><a:r><a:t> cells</a:t></a:r>",
            "<a:r><a:rPr strike='sngStrike'/><a:t>85</a:t></a:r><a:r><a:t>72 euros</a:t></a:r>",
            "<a:pPr><a:buAutoNum type='alphaLcParenR' startAt='3'/></a:pPr><a:r><a:t>third</a:t></a:r>",
            "<a:pPr><a:buAutoNum type='alphaLcParenR' startAt='3'/></a:pPr><a:r><a:t>fourth</a:t></a:r>",
            "<a:r><a:t>one</a:t></a:r><a:br/><a:r><a:t>two</a:t></a:r>",
        ):
            body.append(parse_xml(f"<a:p xmlns:a='{A}'>{xml}</a:p>"))

    assert shown(tmp_path, fill).texts == ["It holds 10\u2076 cells", "72 euros", "c) third", "d) fourth", "one\ntwo"]


def test_tables_and_charts(tmp_path: Path) -> None:
    def fill(deck: Any) -> None:
        shapes = deck.slides.add_slide(deck.slide_layouts[BLANK]).shapes
        table = shapes.add_table(3, 3, Inches(1), Inches(1), Inches(6), Inches(2)).table
        for row, texts in enumerate((("Port", "Flow", ""), ("Grimholm", "4", "5"), ("Ellery", "6", "7"))):
            for column, text in enumerate(texts):
                table.cell(row, column).text = text
        table.cell(0, 1).merge(table.cell(0, 2))
        data = CategoryChartData()
        data.categories = ["May", "June"]
        data.add_series("Visits", (12.5, 14))
        shapes.add_chart(
            XL_CHART_TYPE.COLUMN_CLUSTERED, Inches(1), Inches(4), Inches(4), Inches(2), data
        ).chart.has_title = False

    table, chart = shown(tmp_path, fill).document.blocks
    assert table.text == "Port | Flow | \nGrimholm | 4 | 5\nEllery | 6 | 7"
    assert table.rows[0].is_header
    assert table.rows[0].cells[1].columns == 2
    assert chart.text == " | Visits\nMay | 12.5\nJune | 14"


def test_hidden_slides_and_shapes_are_told_and_left_out(tmp_path: Path) -> None:
    def fill(deck: Any) -> None:
        for number in range(2):
            slide = deck.slides.add_slide(deck.slide_layouts[BLANK])
            box(slide.shapes, f"words {number}", 1, 1)
            unseen = box(slide.shapes, f"unseen {number}", 1, 3)
            unseen._element.nvSpPr.cNvPr.set("hidden", "1")
        deck.slides[0]._element.set("show", "0")

    reading = shown(tmp_path, fill)
    assert reading.texts == ["words 1"]
    assert [kind for kind, _ in reading.warned] == ["hidden_slide", "hidden_text"]
    assert [page.label for page in reading.document.pages] == ["Slide 2"]
    assert "words 0" in reading.document.skipped[0].text


def test_text_beside_the_slide_of_its_shapes_colour_or_of_no_size_is_left_out(tmp_path: Path) -> None:
    def fill(deck: Any) -> None:
        slide = deck.slides.add_slide(deck.slide_layouts[BLANK])
        box(slide.shapes, "words", 1, 1)
        box(slide.shapes, "far", 30, 1)
        for number, (ink, ground, size) in enumerate(
            (("FFFFFF", "FFFFFF", 12), ("FFFFFF", "102030", 12), ("000000", "FFFFFF", 1))
        ):
            shape = box(slide.shapes, f"box {number}", 1, 2 + number)
            shape.fill.solid()
            shape.fill.fore_color.rgb = RGBColor.from_string(ground)
            font = shape.text_frame.paragraphs[0].runs[0].font
            font.color.rgb, font.size = RGBColor.from_string(ink), Pt(size)

    reading = shown(tmp_path, fill)
    assert reading.texts == ["words", "box 1"]
    assert reading.warned == [("hidden_text", None)]
    assert sorted(reading.document.skipped[0].text.split()) == ["0", "2", "box", "box", "far"]


def test_strict_presentations_are_read(tmp_path: Path) -> None:
    content = made(lambda deck: box(deck.slides.add_slide(deck.slide_layouts[BLANK]).shapes, "strict words", 1, 1))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = [name for name in archive.namelist() if name.endswith((".xml", ".rels"))]
    for name in names:
        content = changed(
            content, name,
            lambda xml: xml.replace(b"http://schemas.openxmlformats.org/presentationml/2006/", b"http://purl.oclc.org/ooxml/presentationml/")
            .replace(b"http://schemas.openxmlformats.org/drawingml/2006/", b"http://purl.oclc.org/ooxml/drawingml/")
            .replace(b"http://schemas.openxmlformats.org/officeDocument/2006/", b"http://purl.oclc.org/ooxml/officeDocument/"),
        )  # fmt: skip
    assert read(tmp_path, content, media.PPTX).texts == ["strict words"]


def test_broken_and_hostile_presentations_are_named(tmp_path: Path) -> None:
    whole = made(lambda deck: box(deck.slides.add_slide(deck.slide_layouts[BLANK]).shapes, "words", 1, 1))
    slide = "ppt/slides/slide1.xml"
    with pytest.raises(DocumentUnreadable, match="no readable presentation"):
        read(tmp_path, changed(whole, "_rels/.rels", lambda _: b"<Relationships/>"), media.PPTX)
    with pytest.raises(DocumentUnreadable, match="is no XML"):
        read(tmp_path, changed(whole, slide, lambda xml: xml[:-40]), media.PPTX)
    with pytest.raises(DocumentTooLarge, match="zip bomb"):
        read(tmp_path, changed(whole, slide, lambda xml: xml + b" " * 40_000_000), media.PPTX)
    group = b"<p:grpSp><p:nvGrpSpPr><p:cNvPr id='9' name='g'/></p:nvGrpSpPr><p:grpSpPr/>"
    deep = changed(
        whole, slide, lambda xml: xml.replace(b"</p:spTree>", group * 80 + b"</p:grpSp>" * 80 + b"</p:spTree>")
    )
    assert read(tmp_path, deep, media.PPTX).texts == ["words"]
