"""Lay a sample out as PDF: headings, ruled tables, drawn figures, a running foot.

A figure is written one command a line, lengths in points, origin bottom left:
`caption TEXT`, `box X Y WIDTH HEIGHT TEXT`, `bar X Y WIDTH HEIGHT`, `line X1 Y1 X2 Y2`, `arrow X1 Y1 X2 Y2`,
`text X Y TEXT`.
"""

from __future__ import annotations

import html
import io
import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from reportlab.graphics.shapes import Drawing, Line, Polygon, Rect, String
from reportlab.lib.colors import HexColor, black
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.platypus import (
    Flowable,
    KeepTogether,
    ListFlowable,
    PageBreak,
    Paragraph,
    SimpleDocTemplate,
    Spacer,
    Table,
    TableStyle,
)
from sample_text import ORGANISATION, Block, Figure, Grid, Heading, Inline, Listing, NewPage, Prose, Source, blocks

INK = HexColor("#1d3c5a")
TINT = HexColor("#e6edf3")
RULE = HexColor("#8a97a3")
MARGIN = 22 * mm
FRAME_PADDING = 6
CELL_PADDING = 6

BODY = ParagraphStyle("body", fontName="Helvetica", fontSize=10.5, leading=14.5, spaceAfter=7)
ITEM = ParagraphStyle("item", parent=BODY, spaceAfter=3)
CELL = ParagraphStyle("cell", fontName="Helvetica", fontSize=9, leading=11.5)
HEAD_CELL = ParagraphStyle("head cell", parent=CELL, fontName="Helvetica-Bold")
TABLE_TITLE = ParagraphStyle("table title", parent=BODY, fontName="Helvetica-Oblique", spaceBefore=3, keepWithNext=1)
CAPTION = ParagraphStyle("caption", parent=BODY, fontName="Helvetica-Oblique", alignment=1, spaceBefore=3)
HEADINGS = {
    level: ParagraphStyle(
        f"heading {level}",
        fontName="Helvetica-Bold",
        fontSize=size,
        leading=size * 1.25,
        textColor=INK,
        spaceBefore=before,
        spaceAfter=6,
        keepWithNext=1,
    )
    for level, size, before in ((1, 18, 0), (2, 13.5, 12), (3, 11.5, 8))
}


def build_pdf(source: Source) -> bytes:
    """Return the bytes of a source as an A4 document; the same source gives the same bytes."""
    written = io.BytesIO()
    document = SimpleDocTemplate(
        written,
        pagesize=A4,
        leftMargin=MARGIN,
        rightMargin=MARGIN,
        topMargin=20 * mm,
        bottomMargin=MARGIN,
        title=source.title,
        author=ORGANISATION,
        lang="en-GB",
        invariant=1,
        pageCompression=0,  # two builds of zlib may compress the same page differently
    )

    def foot(canvas: Any, _: object) -> None:
        canvas.setFont("Helvetica", 8.5)
        canvas.drawString(MARGIN + FRAME_PADDING, 12 * mm, f"{ORGANISATION} | {source.number}")
        canvas.drawRightString(A4[0] - MARGIN - FRAME_PADDING, 12 * mm, f"Page {canvas.getPageNumber()}")

    story: list[Flowable] = []
    for block, following in pairwise([*blocks(source.body), NewPage()]):
        if isinstance(block, Prose) and isinstance(following, Grid):
            story.append(Paragraph(mark_up(block.inline), TABLE_TITLE))
        else:
            story += flowables(block)
    document.build(story, onFirstPage=foot, onLaterPages=foot)
    return written.getvalue()


def mark_up(inline: Inline) -> str:
    """Return runs in reportlab's paragraph markup."""
    parts = []
    for run in inline:
        text = html.escape(run.text, quote=False)
        text = f"<b>{text}</b>" if run.bold else text
        parts.append(f"<i>{text}</i>" if run.italic else text)
    return "".join(parts)


def flowables(block: Block) -> list[Flowable]:
    """Return what reportlab lays out for one block."""
    match block:
        case Heading():
            return [Paragraph(mark_up(block.inline), HEADINGS[block.level])]
        case Prose():
            return [Paragraph(mark_up(block.inline), BODY)]
        case Listing():
            items = [Paragraph(mark_up(item), ITEM) for item in block.items]
            look = (
                {"bulletType": "1", "bulletFormat": "%s."}
                if block.ordered
                else {"bulletType": "bullet", "start": "\u2022"}
            )
            return [ListFlowable(items, bulletFontSize=BODY.fontSize, leftIndent=20, **look), Spacer(1, 5)]
        case Grid():
            return [ruled_table(block.rows), Spacer(1, 10)]
        case Figure():
            return [figure(block)]
        case NewPage():
            return [PageBreak()]


def ruled_table(rows: Sequence[Sequence[Inline]]) -> Table:
    """Return a ruled table as wide as the text, in which no word is broken over two lines."""
    cells = [[Paragraph(mark_up(cell), CELL if index else HEAD_CELL) for cell in row] for index, row in enumerate(rows)]
    table = Table(cells, colWidths=column_widths(rows, A4[0] - 2 * (MARGIN + FRAME_PADDING)), repeatRows=1)
    table.setStyle(
        TableStyle(
            [
                ("GRID", (0, 0), (-1, -1), 0.6, RULE),
                ("BACKGROUND", (0, 0), (-1, 0), TINT),
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ]
        )
    )
    return table


def column_widths(rows: Sequence[Sequence[Inline]], total: float) -> list[float]:
    """Return widths in points that add up to total: each column its longest word, then what its longest cell lacks."""

    def width(text: str) -> float:
        return float(stringWidth(text, HEAD_CELL.fontName, HEAD_CELL.fontSize))

    columns = [["".join(run.text for run in cell) for cell in column] for column in zip(*rows, strict=True)]
    words = [max(width(word) for cell in column for word in cell.split()) + 2 * CELL_PADDING for column in columns]
    wholes = [max(width(cell) for cell in column) + 2 * CELL_PADDING for column in columns]
    wishes = [whole - word + 1 for word, whole in zip(words, wholes, strict=True)]
    spare = total - sum(words)
    return [word + spare * wish / sum(wishes) for word, wish in zip(words, wishes, strict=True)]


def figure(block: Figure) -> Flowable:
    """Return a figure and its caption, kept on one page."""
    drawing, caption = Drawing(block.width, block.height, hAlign="CENTER"), ""
    for command in block.commands:
        verb, rest = command.split(" ", 1)
        if verb == "caption":
            caption = rest
            continue
        words = rest.split(" ")
        count = 2 if verb == "text" else 4
        for shape in shapes(verb, [float(word) for word in words[:count]], " ".join(words[count:])):
            drawing.add(shape)
    return KeepTogether([drawing, Paragraph(html.escape(caption, quote=False), CAPTION)])


def shapes(verb: str, numbers: Sequence[float], label: str) -> list[Any]:
    """Return the shapes of one command of a figure."""
    match verb, numbers:
        case "box", [x, y, width, height]:
            middle = String(x + width / 2, y + height / 2 - 3, label, fontSize=9, textAnchor="middle")
            return [Rect(x, y, width, height, fillColor=TINT, strokeColor=INK), middle]
        case "bar", [x, y, width, height]:
            return [Rect(x, y, width, height, fillColor=INK, strokeWidth=0)]
        case "line", [x1, y1, x2, y2]:
            return [Line(x1, y1, x2, y2)]
        case "arrow", [x1, y1, x2, y2]:
            return [Line(x1, y1, x2, y2), arrow_head(x1, y1, x2, y2)]
        case "text", [x, y]:
            return [String(x, y, label, fontSize=8.5)]
    raise ValueError(f"figure: {verb!r} with {len(numbers)} numbers is not a command; see the head of sample_pdf.py")


def arrow_head(x1: float, y1: float, x2: float, y2: float) -> Polygon:
    """Return the filled head of an arrow from (x1, y1) to (x2, y2)."""
    angle = math.atan2(y2 - y1, x2 - x1)
    # rounded, so that the last bit of a machine's sine does not reach the file
    barbs = [
        round(coordinate, 2)
        for spread in (0.4, -0.4)
        for coordinate in (x2 - 9 * math.cos(angle + spread), y2 - 9 * math.sin(angle + spread))
    ]
    return Polygon([x2, y2, *barbs], fillColor=black, strokeWidth=0)
