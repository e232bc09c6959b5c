"""Write a structure as a document of each format, by programs that share nothing with the parser."""

from __future__ import annotations

import html
import io
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

from docx import Document
from pptx import Presentation
from pptx.util import Inches, Pt
from reportlab.lib.colors import black, whitesmoke
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import (
    BaseDocTemplate,
    Frame,
    PageTemplate,
    Paragraph,
    Spacer,
    Table,
)

from tests.support.structures import Grid, Heading, Items, Structure, Text

#: A font that holds Latin, Greek and Cyrillic, from a package that is installed wherever documents are drawn.
_FONT_FILE = files("weblate_fonts").joinpath("static/weblate_fonts/kurinto/ttf/KurintoSans-Rg.ttf")
_FONT = "Written"
_MARGIN = 56.0


def docx_of(structure: Structure) -> bytes:
    """By python-docx."""
    document: Any = Document()
    section = document.sections[0]
    if structure.header:
        section.header.paragraphs[0].text = structure.header
        section.footer.paragraphs[0].text = structure.footer
    for part in structure.parts:
        match part:
            case Heading():
                document.add_heading(part.text, part.level)
            case Text():
                document.add_paragraph(part.text)
            case Items():
                kind = "List Number" if part.is_numbered else "List Bullet"
                for depth, text in part.items:
                    document.add_paragraph(text, style=f"{kind} {depth + 1}" if depth else kind)
            case Grid():
                width = len(part.covered()[0])
                _fill(document.add_table(rows=len(part.rows), cols=width, style="Table Grid"), part)
                document.add_paragraph("")
    return _saved(document)


def pptx_of(structure: Structure) -> bytes:
    """By python-pptx: each heading of the first level begins a slide."""
    deck: Any = Presentation()
    slide: Any = None
    top = 0.0
    for part in structure.parts:
        if slide is None or (isinstance(part, Heading) and part.level == 1):
            slide, top = deck.slides.add_slide(deck.slide_layouts[5]), 1.4
        match part:
            case Heading() if part.level == 1:
                slide.shapes.title.text = part.text
            case Heading() | Text():
                slide.shapes.add_textbox(Inches(0.5), Inches(top), Inches(9), Inches(0.5)).text_frame.text = part.text
                top += 0.8
            case Items():
                frame = slide.shapes.add_textbox(Inches(0.5), Inches(top), Inches(9), Inches(1)).text_frame
                for at, (depth, text) in enumerate(part.items):
                    paragraph = frame.paragraphs[0] if at == 0 else frame.add_paragraph()
                    paragraph.text, paragraph.level = text, depth
                    properties = paragraph._p.get_or_add_pPr()
                    mark = properties.makeelement(
                        "{http://schemas.openxmlformats.org/drawingml/2006/main}"
                        + ("buAutoNum" if part.is_numbered else "buChar"),
                        {"type": "arabicPeriod"} if part.is_numbered else {"char": "\u2022"},
                    )
                    properties.append(mark)
                top += 2.0
            case Grid():
                width = len(part.covered()[0])
                shape = slide.shapes.add_table(
                    len(part.rows), width, Inches(0.5), Inches(top), Inches(9), Inches(0.3 * len(part.rows))
                )
                _fill(shape.table, part)
                top += 0.3 * len(part.rows) + 0.3
    if structure.header:
        for each in deck.slides:
            box = each.shapes.add_textbox(Inches(0.5), Inches(7), Inches(9), Inches(0.4)).text_frame
            box.text = structure.footer
            box.paragraphs[0].font.size = Pt(9)
    return _saved(deck)


def _fill(table: Any, grid: Grid) -> None:
    covered = [[False] * len(row) for row in grid.covered()]
    for at, row in enumerate(grid.rows):
        for cell in row:
            column = covered[at].index(False)
            for down in range(cell.rows):
                covered[at + down][column : column + cell.columns] = [True] * cell.columns
            made = table.cell(at, column)
            if cell.rows > 1 or cell.columns > 1:
                made.merge(table.cell(at + cell.rows - 1, column + cell.columns - 1))
            made.text = cell.text


def html_of(structure: Structure) -> bytes:
    """By hand, as a page of an intranet."""
    header = f"<header><p>{html.escape(structure.header)}</p></header>" if structure.header else ""
    footer = f"<footer><p>{html.escape(structure.footer)}</p></footer>" if structure.footer else ""
    body = "\n".join(piece for part in structure.parts for piece in _html(part))
    page = f"<!DOCTYPE html><html><head><meta charset='utf-8'></head><body>{header}<main>{body}</main>{footer}</body></html>"
    return page.encode()


def _html(part: Heading | Text | Items | Grid) -> Iterator[str]:
    match part:
        case Heading():
            yield f"<h{part.level}>{html.escape(part.text)}</h{part.level}>"
        case Text():
            yield f"<p>{html.escape(part.text)}</p>"
        case Items():
            tag, depth = "ol" if part.is_numbered else "ul", -1
            for level, text in part.items:
                yield f"<{tag}>" * (level - depth) + f"</{tag}>" * (depth - level)
                yield f"<li>{html.escape(text)}"
                depth = level
            yield f"</{tag}>" * (depth + 1)
        case Grid():
            yield "<table>"
            for at, row in enumerate(part.rows):
                tag = "th" if at < part.headers else "td"
                cells = (
                    f'<{tag} colspan="{cell.columns}" rowspan="{cell.rows}">{html.escape(cell.text)}</{tag}>'
                    for cell in row
                )
                yield f"<tr>{''.join(cells)}</tr>"
            yield "</table>"


def pdf_of(structure: Structure) -> bytes:
    """By ReportLab."""
    if _FONT not in pdfmetrics.getRegisteredFontNames():
        pdfmetrics.registerFont(TTFont(_FONT, str(_FONT_FILE)))
    out = io.BytesIO()
    width, height = A4
    columns = 2 if structure.has_columns else 1
    each = (width - 2 * _MARGIN - 20 * (columns - 1)) / columns
    frames = [Frame(_MARGIN + at * (each + 20), 70, each, height - 140) for at in range(columns)]

    def furnish(canvas: Any, _: Any) -> None:
        canvas.setFont(_FONT, 8)
        canvas.drawString(_MARGIN, height - 40, structure.header)
        canvas.drawString(_MARGIN, 36, structure.footer)

    document = BaseDocTemplate(
        out, pagesize=A4, pageTemplates=[PageTemplate(frames=frames, onPage=furnish)], invariant=1
    )
    document.build([flowable for part in structure.parts for flowable in _flowables(part, each)])
    return out.getvalue()


def _style(size: float, **options: Any) -> ParagraphStyle:
    return ParagraphStyle(
        "written", fontName=_FONT, fontSize=size, leading=size * 1.25, spaceAfter=size * 0.6, **options
    )


def _flowables(part: Heading | Text | Items | Grid, width: float) -> Iterator[Any]:
    match part:
        case Heading():
            yield Paragraph(html.escape(part.text), _style(18 if part.level == 1 else 14, keepWithNext=1))
        case Text():
            yield Paragraph(html.escape(part.text), _style(10))
        case Items():
            numbers: list[int] = []
            for depth, text in part.items:
                numbers = [*numbers[: depth + 1], 0] if len(numbers) <= depth else numbers[: depth + 1]
                numbers[depth] += 1
                mark = f"{numbers[depth]}." if part.is_numbered else "\u2022"
                style = _style(10, leftIndent=18 * (depth + 1), bulletIndent=18 * depth, bulletFontName=_FONT)
                yield Paragraph(html.escape(text), style, bulletText=mark)
            yield Spacer(1, 8)
        case Grid():
            yield _table(part, width)
            yield Spacer(1, 12)


def _table(grid: Grid, width: float) -> Table:
    covered = grid.covered()
    rows: list[list[Any]] = [[""] * len(covered[0]) for _ in covered]
    taken = [[False] * len(covered[0]) for _ in covered]
    styles: list[tuple[Any, ...]] = [("VALIGN", (0, 0), (-1, -1), "TOP"), ("FONTNAME", (0, 0), (-1, -1), _FONT)]
    if grid.is_ruled:
        styles.append(("GRID", (0, 0), (-1, -1), 0.5, black))
        styles.append(("BACKGROUND", (0, 0), (-1, grid.headers - 1), whitesmoke))
    else:
        styles.append(("LINEBELOW", (0, 0), (-1, grid.headers - 1), 0.7, black))
    for at, row in enumerate(grid.rows):
        for cell in row:
            column = taken[at].index(False)
            end = (column + cell.columns - 1, at + cell.rows - 1)
            for down in range(cell.rows):
                taken[at + down][column : end[0] + 1] = [True] * cell.columns
            rows[at][column] = Paragraph(html.escape(cell.text), _style(9)) if cell.text else ""
            if end != (column, at):
                styles.append(("SPAN", (column, at), end))
    count = len(covered[0])
    return Table(rows, colWidths=[width / count] * count, repeatRows=grid.headers, style=styles)


WRITERS = {"docx": docx_of, "pptx": pptx_of, "pdf": pdf_of, "html": html_of}


def _saved(document: Any) -> bytes:
    content = io.BytesIO()
    document.save(content)
    return content.getvalue()
