"""The kinds of misreading that were found once, in the other formats that they can occur in, and in other spellings."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from openpyxl import Workbook
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from openpyxl.styles import Font
from reportlab.pdfgen.canvas import Canvas

from atoll.domain import media
from tests.support.word_files import word_file
from tests.unit.parser.reading import read
from tests.unit.parser.test_cases import Found
from tests.unit.parser.test_word import paragraph, run

LOG = [f"2026-03-{day:02} 0{day % 9}:1{day % 6}:00 INFO pump {day} started mtu {1500 + day}" for day in range(1, 21)]
DIVIDED = "The patient was sent for an exami-\nnation of the heart, and cardiomyo-\npathy was excluded.\n"
BOXED = (
    "+------+-----+-----+\n| Part | Old | New |\n+------+-----+-----+\n"
    "| Bolt |     | 12  |\n| Nut  | 4   |     |\n+------+-----+-----+\n"
)
COLUMNS = "Part        Oslo   Bergen   Tromso\nBolts M8      40       12        7\nBolts M10              80       12\n"
TABLE_OF_FORM = (
    "<form id=aspnetForm><div><table><tr><td><h2>Rules</h2><p>Bikes cost 12 euros.</p></td></tr></table></div></form>"
)
ROWSPAN = (
    "<table><tr><th rowspan=2>Week<th colspan=2>Shift<tr><th>Early<th>Late"
    "<tr><td rowspan=2>5<td>Ann<td>Bo<tr><td>Cy<td>Di</table>"
)


def html(body: str) -> str:
    return f"<!DOCTYPE html><html><body>{body}</body></html>"


def mail(body: str) -> str:
    kind = "html" if "<" in body else "plain"
    return f"Subject: Notice\nContent-Type: text/{kind}; charset=utf-8\n\n{body}"


def rtf(body: str) -> str:
    return f"{{\\rtf1 {body}\\par}}"


def pdf(lines: list[str], font: str = "Helvetica") -> bytes:
    out = io.BytesIO()
    canvas = Canvas(out, invariant=1)
    text = canvas.beginText(72, 760)
    text.setFont(font, 9)
    for each in lines:
        text.textLine(each)
    canvas.drawText(text)
    canvas.showPage()
    canvas.save()
    return out.getvalue()


def workbook() -> bytes:
    book, out = Workbook(), io.BytesIO()
    sheet = book.active
    rich = CellRichText("10", TextBlock(InlineFont(vertAlign="superscript"), "9"), " cells")
    rich.append(TextBlock(InlineFont(strike=True), " in 85 rows"))
    for row in (["Wafer", rich], ["Filter", "95 euros"], ["Belt", "72 euros"]):
        sheet.append(row)
    sheet["B2"].font = Font(strike=True)
    book.save(out)
    return out.getvalue()


def side_text(degrees: int) -> bytes:
    out = io.BytesIO()
    canvas = Canvas(out, invariant=1)
    for at, each in enumerate(("The pier is open daily.", "Boats go at nine and at five.", "Dogs are welcome.")):
        canvas.drawString(100, 600 - 14 * at, each)
    canvas.translate(40, 500 if degrees == 90 else 700)
    canvas.rotate(degrees)
    canvas.drawString(0, 0, "Form seven of the harbour")
    canvas.showPage()
    canvas.save()
    return out.getvalue()


#: Name, content, what must be found, what must not.
KINDS: list[tuple[str, str | bytes, tuple[str, ...], tuple[str, ...]]] = [
    ("form.html", html(TABLE_OF_FORM), ("Bikes cost 12 euros.",), ()),
    ("form.eml", mail(html("<form><p>A van costs 80 euros.</p></form><aside>Bring keys.</aside>")),
     ("A van costs 80 euros.", "Bring keys."), ()),
    ("form.md", "# A\n\n<form><p>A van costs 80 euros.</p></form>\n", ("A van costs 80 euros.",), ()),
    ("banner.html", html("<div role=banner><p>Open from six.</p></div><svg><text>Gate B</text></svg>"),
     ("Open from six.", "Gate B"), ()),
    ("raised.html", html('<p>It has 10<span style="vertical-align: super">9</span> cells, 14<sup>th</sup>.</p>'),
     ("10\u2079 cells",), ("109",)),
    ("raised.md", "It has 10<sup>9</sup> cells and 2,310<sup>5</sup> units.", ("10\u2079 cells",), ("109", "2,3105")),
    ("raised.rtf", rtf(r"It has 10{\super 9} cells and 10{\up6\fs14 7} dots"), ("10\u2079 cells", "10\u2077 dots"), ()),
    ("raised.docx", word_file(paragraph("It has 10", run("9", '<w:position w:val="8"/>'), " cells")),
     ("10\u2079 cells",), ("109",)),
    ("sheet.xlsx", workbook(), ("10\u2079 cells", "72 euros"), ("109", "85", "95 euros")),
    ("rules.md", "---\n\n# One\n\nThe gate opens at six.\n\n---\n\n# Two\n\nMore.\n", ("The gate opens at six.",), ()),
    ("front.md", "---\ntags:\n  - a1\nowner: {name: Samira}\neffective: 2026-02-01\n...\nText.\n",
     ("Samira", "2026-02-01", "a1", "Text."), ()),
    ("spans.html", html(ROWSPAN), ("5 | Ann | Bo", "5 | Cy | Di"), ()),
    ("spans.rtf", rtf(r"\trowd\cellx1000\cellx2000\cellx3000 A\cell B\cell C\cell\row\trowd\cellx1000\cellx2000"
                      r"\cellx3000 x\cell\cell 3\cell\row\pard"), ("x |  | 3",), ()),
    ("gap.csv", "Item,2025,2024\nSales,5,4\nDepreciation,,(12)\n", ("Depreciation |  | (12)",), ()),
    ("boxed.txt", BOXED, ("Bolt |  | 12", "Nut | 4"), ("+--",)),
    ("columns.txt", COLUMNS, ("Bolts M10 |  | 80 | 12",), ()),
    ("plant.log", "\n".join(LOG), (f"\n{LOG[2]}\n", LOG[-1]), ()),
    ("log.pdf", pdf(LOG, "Courier"), (f"\n{LOG[2]}\n",), ()),
    ("chat.eml", mail("09:01 Bo: Where is the key?\n09:02 Ann: Second drawer.\n"), ("\n09:02 Ann: Second drawer.",), ()),
    ("address.html", html("<p>Harbour office<br>12 Quay Road<br>4410 Hald</p>"), ("\n12 Quay Road\n",), ()),
    ("break.md", "| a | b |\n|---|---|\n| x<br/>y | z |\n", (), ("xy",)),
    ("divided.txt", DIVIDED, ("examination", "cardiomyopathy"), ()),
    ("divided.pdf", pdf(DIVIDED.splitlines()), ("examination", "cardiomyopathy"), ()),
    ("divided.html", html("<p>cardio&shy;myopathy</p>"), ("cardiomyopathy",), ()),
    ("struck.html", html("<p>It costs <del>85</del> <strike>78</strike> 72 euros.</p>"), ("72 euros",), ("85", "78")),
    ("struck.rtf", rtf(r"It costs {\strike 85} {\striked1 80} 72 euros"), ("72 euros",), ("85", "80")),
    ("struck.docx", word_file(paragraph("costs ", run("85", "<w:dstrike/>"), run("72", '<w:strike w:val="0"/>'))),
     ("72",), ("85",)),
    ("moscow.txt", "\u041e\u0442\u0447\u0451\u0442 \u043e \u043f\u0440\u043e\u0432\u0435\u0440\u043a\u0435".encode("koi8-r"),
     ("\u041e\u0442\u0447\u0451\u0442 \u043e \u043f\u0440\u043e\u0432\u0435\u0440\u043a\u0435",), ()),
    ("formula.md", "Moment $q*L^2/8$ and $x_1*y_2$.\n", ("$q*L^2/8$", "$x_1*y_2$"), ()),
    ("letters.html", html("<ol type=A start=3><li>Charlie<li value=9>India</ol><ol type=i><li>one<li>two</ol>"),
     ("C. Charlie", "I. India", "ii. two"), ()),
    ("hyphens.pdf", pdf(["The report on COVID-", "19 was read by the Franco-", "German board for 2024-", "2025."]),
     ("COVID-19", "Franco-German", "2024-2025"), ()),
    ("side.pdf", side_text(90), ("open daily.", "Boats go at nine and at five.", "Form seven of the harbour"), ()),
    ("side-down.pdf", side_text(-90), ("open daily.", "Dogs are welcome.", "Form seven of the harbour"), ()),
    ("style.md", "<style>p {color: red}</style>\n\n<div>Smith &amp; Sons 40 &deg;C</div>\n<!-- note -->\n",
     ("Smith & Sons 40 \u00b0C",), ("color", "note")),
]  # fmt: skip


@pytest.mark.parametrize(("name", "content", "has", "lacks"), KINDS, ids=[each[0] for each in KINDS])
def test_a_kind_is_read_in_another_format(
    tmp_path: Path, name: str, content: str | bytes, has: tuple[str, ...], lacks: tuple[str, ...]
) -> None:
    data = content.encode() if isinstance(content, str) else content
    found = Found(read(tmp_path, data, media.sniff(name, data[: media.HEAD_BYTES]), name=name))
    for text in has:
        assert text in found.text
    for text in lacks:
        assert text not in found.text
