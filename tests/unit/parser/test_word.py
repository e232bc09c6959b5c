"""What Word prints and its file does not plainly say: numbers, boxes, fields, notes, formulas, merged cells."""

from __future__ import annotations

from pathlib import Path

import pytest

from atoll.domain import media
from atoll.errors import DocumentUnreadable
from tests.support.word_files import MACROS, TEMPLATE, cell, paragraph, run, table, word_file
from tests.unit.parser.reading import Reading, read

LEVELS = (
    '<w:abstractNum w:abstractNumId="1">'
    '<w:lvl w:ilvl="0"><w:start w:val="1"/><w:numFmt w:val="decimal"/><w:lvlText w:val="%1."/></w:lvl>'
    '<w:lvl w:ilvl="1"><w:start w:val="1"/><w:numFmt w:val="decimal"/><w:lvlText w:val="%1.%2"/></w:lvl>'
    '<w:lvl w:ilvl="2"><w:start w:val="1"/><w:numFmt w:val="lowerLetter"/><w:lvlText w:val="(%3)"/></w:lvl>'
    '<w:lvl w:ilvl="3"><w:start w:val="1"/><w:numFmt w:val="upperRoman"/><w:lvlText w:val="Part %4"/></w:lvl>'
    '</w:abstractNum><w:abstractNum w:abstractNumId="2"><w:lvl w:ilvl="0"><w:start w:val="1"/>'
    '<w:numFmt w:val="bullet"/><w:lvlText w:val="\uf0b7"/></w:lvl></w:abstractNum>'
    '<w:num w:numId="7"><w:abstractNumId w:val="1"/></w:num><w:num w:numId="8"><w:abstractNumId w:val="2"/></w:num>'
    '<w:num w:numId="9"><w:abstractNumId w:val="1"/><w:lvlOverride w:ilvl="0"><w:startOverride w:val="5"/>'
    "</w:lvlOverride></w:num>"
)
RUBY = (
    "<w:ruby><w:rt><w:r><w:t>\u3055\u3044\u3068\u3046</w:t></w:r></w:rt><w:rubyBase><w:r><w:t>\u658e\u85e4</w:t></w:r>"
    "</w:rubyBase></w:ruby>"
)
CHOICE = (
    '<w:ffData><w:ddList><w:result w:val="1"/><w:listEntry w:val="no"/><w:listEntry w:val="yes"/></w:ddList></w:ffData>'
)
HEADING = '<w:style w:type="paragraph" w:styleId="H1"><w:name w:val="heading 1"/></w:style>'


def word(folder: Path, body: str, media_type: str = media.DOCX, **parts: str) -> Reading:
    return read(folder, word_file(body, parts), media_type)


def numbered(text: str, level: int, list_: int = 7, more: str = "") -> str:
    numbering = f'<w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="{list_}"/></w:numPr>'
    return paragraph(text, properties=more + numbering)


def test_automatic_numbers_are_counted_as_word_counts_them(tmp_path: Path) -> None:
    heading = '<w:pStyle w:val="H1"/>'
    body = (
        numbered("Scope", 0, more=heading)
        + numbered("covers", 1)
        + numbered("not fuel", 1)
        + numbered("Payment", 0, more=heading)
        + numbered("is due", 1)
        + numbered("a fee", 2)
        + numbered("interest", 2)
        + numbered("deep", 3)
        + numbered("notice", 1)
        + numbered("dot", 0, 8)
        + numbered("again", 0, 9)
        + numbered("plain", 0, 0)
    )
    reading = word(tmp_path, body, numbering=LEVELS, styles=HEADING)
    assert reading.texts == [
        "1. Scope", "1.1 covers", "1.2 not fuel", "2. Payment", "2.1 is due", "(a) a fee", "(b) interest",
        "Part I deep", "2.2 notice", "dot", "5. again", "plain",
    ]  # fmt: skip
    assert [block.kind.value for block in reading.document.blocks][:2] == ["heading", "list_item"]
    assert reading.document.blocks[5].label == "(a)"


def test_numbers_that_styles_bring(tmp_path: Path) -> None:
    tied = LEVELS.replace('<w:lvl w:ilvl="0">', '<w:lvl w:ilvl="0"><w:pStyle w:val="H1"/>', 1)
    styles = HEADING.replace("</w:style>", '<w:pPr><w:numPr><w:numId w:val="7"/></w:numPr></w:pPr></w:style>')
    body = paragraph("Scope", properties='<w:pStyle w:val="H1"/>') + paragraph(
        "Payment", properties='<w:pStyle w:val="H1"/>'
    )
    assert word(tmp_path, body, numbering=tied, styles=styles).texts == ["1. Scope", "2. Payment"]


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (("10", run("6", '<w:vertAlign w:val="superscript"/>'), " sensors"), "10\u2076 sensors"),
        (("1,204", run("3", '<w:vertAlign w:val="superscript"/>'), " euros"), "1,204 \u00b3 euros"),
        (("CO", run("2", '<w:vertAlign w:val="subscript"/>')), "CO\u2082"),
        (("10", run("6", '<w:position w:val="8"/>')), "10\u2076"),
        ((run("85 ", "<w:strike/>"), "72 euros"), "72 euros"),
        ((run("85 ", '<w:dstrike w:val="1"/>'), run("72", '<w:strike w:val="0"/>')), "72"),
        (("seen", run(" shown", '<w:vanish w:val="0"/>'), run(" too", '<w:vanish w:val="false"/>')), "seen shown too"),
        (("<w:del><w:r><w:delText>old</w:delText></w:r></w:del>", "<w:ins><w:r><w:t>new</w:t></w:r></w:ins>"), "new"),
        (('<w:r><w:sym w:font="Symbol" w:char="F0B3"/></w:r>', " 65"), "\u2265 65"),
        ((run("\uf0b1", '<w:rFonts w:ascii="Symbol"/>'), "2 K"), "\u00b12 K"),
        (('<w:r><w:sym w:font="Wingdings" w:char="F0A8"/></w:r>', " hot"), "\u2610 hot"),
        (('<w:r><w:sym w:font="Wingdings" w:char="F0FE"/></w:r>', " cold"), "\u2611 cold"),
        (("QM", "<w:r><w:noBreakHyphen/></w:r>", "2291"), "QM-2291"),
        (("a", "<w:r><w:tab/></w:r>", "b", "<w:r><w:br/></w:r>", "c"), "a b\nc"),
        (("See ", '<w:fldSimple w:instr=" REF x "><w:r><w:t>Figure 7</w:t></w:r></w:fldSimple>'), "See Figure 7"),
        (("<w:sdt><w:sdtContent><w:r><w:t>\u2612</w:t></w:r></w:sdtContent></w:sdt>", " yes"), "\u2612 yes"),
        (("<w:smartTag><w:r><w:t>Oslo</w:t></w:r></w:smartTag>", "<w:hyperlink><w:r><w:t>!</w:t></w:r></w:hyperlink>"), "Oslo!"),
        (
            (RUBY,),
            "\u658e\u85e4",
        ),
    ],
)  # fmt: skip
def test_a_runs_text_is_what_is_printed(tmp_path: Path, content: tuple[str, ...], text: str) -> None:
    assert word(tmp_path, paragraph(*content)).texts == [text]


def field(code: str, result: str = "", data: str = "") -> str:
    shown = f'<w:r><w:fldChar w:fldCharType="separate"/></w:r>{run(result)}' if result else ""
    return (
        f'<w:r><w:fldChar w:fldCharType="begin">{data}</w:fldChar></w:r><w:r><w:instrText>{code}</w:instrText></w:r>'
        f'{shown}<w:r><w:fldChar w:fldCharType="end"/></w:r>'
    )


@pytest.mark.parametrize(
    ("code", "result", "data", "text"),
    [
        ("FORMCHECKBOX", "", '<w:ffData><w:checkBox><w:default w:val="0"/></w:checkBox></w:ffData>', "\u2610 Hot work"),
        ("FORMCHECKBOX", "", "<w:ffData><w:checkBox><w:checked/></w:checkBox></w:ffData>", "\u2612 Hot work"),
        ("FORMTEXT", "Marta", "<w:ffData><w:textInput/></w:ffData>", "Marta Hot work"),
        (
            "FORMDROPDOWN",
            "",
            CHOICE,
            "yes Hot work",
        ),
        ("DATE", "4 May", "", "4 May Hot work"),
        ("PAGE", "17", "", "Hot work"),
    ],
)
def test_fields_show_their_results_and_forms_their_state(
    tmp_path: Path, code: str, result: str, data: str, text: str
) -> None:
    assert word(tmp_path, paragraph(field(code, result, data), " Hot work")).texts == [text]


BOX = "<w:txbxContent>{}</w:txbxContent>"
DRAWN = (
    "<w:r><mc:AlternateContent><mc:Choice Requires='wps'><w:drawing><wp:inline><wp:docPr id='1' name='x'/><a:graphic>"
    "<a:graphicData><wps:wsp><wps:txbx>{0}</wps:txbx></wps:wsp></a:graphicData></a:graphic></wp:inline></w:drawing>"
    "</mc:Choice><mc:Fallback><w:pict><v:shape><v:textbox>{0}</v:textbox></v:shape></w:pict></mc:Fallback>"
    "</mc:AlternateContent></w:r>"
).format(BOX.format(paragraph("Turn handle K-14.")))


def test_a_box_is_read_once_in_the_body_and_in_a_cell(tmp_path: Path) -> None:
    old = f"<w:r><w:pict><v:shape><v:textbox>{BOX.format(paragraph('Old box'))}</v:textbox></v:shape></w:pict></w:r>"
    body = paragraph("Before", DRAWN) + paragraph(old) + table(cell("left") + cell(paragraph("right", DRAWN)))
    assert word(tmp_path, body).texts == ["Before", "Turn handle K-14.", "Old box", "left | right Turn handle K-14."]


def test_pictures_and_charts(tmp_path: Path) -> None:
    picture = "<w:r><w:drawing><wp:inline><wp:docPr id='1' name='x' descr='Pump curve'/></wp:inline></w:drawing></w:r>"
    chart = '<w:r><w:drawing><wp:inline><wp:docPr id="2" name="c"/><c:chart r:id="rId0"/></wp:inline></w:drawing></w:r>'
    points = '<c:strCache><c:pt idx="0"><c:v>{}</c:v></c:pt><c:pt idx="1"><c:v>{}</c:v></c:pt></c:strCache>'
    series = (
        "<c:chart><c:title><c:tx><c:rich><a:p><a:r><a:t>Load</a:t></a:r></a:p></c:rich></c:tx></c:title><c:plotArea>"
        "<c:ser><c:tx><c:strRef><c:strCache><c:pt idx='0'><c:v>2025</c:v></c:pt></c:strCache></c:strRef></c:tx>"
        f"<c:cat><c:strRef>{points.format('Hall 5', 'Hall 6')}</c:strRef></c:cat>"
        f"<c:val><c:numRef>{points.format('12', '0.30000000000000004')}</c:numRef></c:val></c:ser></c:plotArea></c:chart>"
    )
    reading = word(tmp_path, paragraph(picture) + paragraph(chart), chart=series)
    assert [(kind, text) for kind, _, text in reading.kinds] == [
        ("figure", "Pump curve"),
        ("table", "Load\n | 2025\nHall 5 | 12\nHall 6 | 0.3"),
    ]


def test_notes_stand_apart_with_the_number_that_is_printed(tmp_path: Path) -> None:
    body = paragraph(
        "Sales of 1,204",
        '<w:r><w:footnoteReference w:id="2"/></w:r>',
        " units",
        '<w:r><w:endnoteReference w:id="3"/></w:r>',
    ) + paragraph("Next")
    footnotes = f'<w:footnote w:id="0" w:type="separator">{paragraph("x")}</w:footnote><w:footnote w:id="2">{paragraph("In Tartu.")}</w:footnote>'
    endnotes = f'<w:endnote w:id="3">{paragraph("See annex.")}</w:endnote>'
    reading = word(tmp_path, body, footnotes=footnotes, endnotes=endnotes)
    assert [(kind, text) for kind, _, text in reading.kinds] == [
        ("paragraph", "Sales of 1,204 \u00b9 units i"),
        ("footnote", "1 In Tartu."),
        ("paragraph", "Next"),
        ("footnote", "i See annex."),
    ]


def test_page_headers_and_footers_are_read_once_without_page_numbers(tmp_path: Path) -> None:
    header = paragraph("Document no. QM-2291-B")
    footer = paragraph("Page ", field("PAGE", "3"), " of ", field("NUMPAGES", "9")) + paragraph(
        "Valid until 31 March 2027"
    )
    assert word(tmp_path, paragraph("Preheat."), header=header, footer=footer).texts == [
        "Document no. QM-2291-B", "Preheat.", "Valid until 31 March 2027",
    ]  # fmt: skip


def test_formulas(tmp_path: Path) -> None:
    def m(tag: str, *content: str) -> str:
        return f"<m:{tag}>{''.join(content)}</m:{tag}>"

    def t(text: str) -> str:
        return f"<m:r><m:t>{text}</m:t></m:r>"

    power = m("sSup", m("e", t("L")), m("sup", t("2")))
    formula = m("oMath", t("M="), m("f", m("num", t("q"), power), m("den", t("8"))))
    root = m("oMath", m("rad", m("deg"), m("e", t("a+b"))), t("="), m("sSub", m("e", t("x")), m("sub", t("i"))))
    reading = word(tmp_path, paragraph("The moment is ", formula, ".") + paragraph(root))
    assert [(kind, text) for kind, _, text in reading.kinds] == [
        ("paragraph", "The moment is M=qL\u00b2/8."),
        ("formula", "\u221a(a+b)=x_i"),
    ]


def test_merged_cells_stand_under_their_columns(tmp_path: Path) -> None:
    begin, goes_on, two = '<w:vMerge w:val="restart"/>', "<w:vMerge/>", '<w:gridSpan w:val="2"/>'
    body = table(
        cell("Site", begin) + cell("Spring", two) + cell("Autumn", two),
        cell("", goes_on) + cell("Flow") + cell("Bar") + cell("Flow") + cell("Bar"),
        cell("Norrvik", begin) + cell("410") + cell("6.1") + cell("395") + cell("5.8"),
        cell("", goes_on) + cell("402") + cell("") + cell("388") + cell("5.5"),
        '<w:tr><w:trPr><w:gridBefore w:val="2"/></w:trPr>' + cell("7.7") + cell("1144") + cell("") + "</w:tr>",
        '<w:tr><w:trPr><w:del w:id="1"/></w:trPr>' + cell("gone") * 5 + "</w:tr>",
    )
    reading = word(tmp_path, body)
    assert reading.texts[0].split("\n") == [
        "Site | Spring |  | Autumn | ",
        "Site | Flow | Bar | Flow | Bar",
        "Norrvik | 410 | 6.1 | 395 | 5.8",
        "Norrvik | 402 |  | 388 | 5.5",
        " |  | 7.7 | 1144 | ",
    ]
    assert [row.is_header for row in reading.document.blocks[0].rows] == [True, True, False, False, False]


def test_tables_in_tables_titles_and_lists_in_cells(tmp_path: Path) -> None:
    inner = table(cell("Tab1") + cell("Tab2"), cell("A") + cell("1"))
    body = table(
        cell("Crane inspection", '<w:gridSpan w:val="2"/>'),
        cell("Part") + cell("Steps"),
        cell("Hook") + cell(numbered("look", 0) + numbered("turn", 0)),
        cell("Rope") + cell(paragraph("see below") + inner),
    )
    reading = word(tmp_path, body, numbering=LEVELS)
    assert reading.texts == [
        "Crane inspection\nPart | Steps\nHook | 1. look 2. turn\nRope | see below",
        "Tab1 | Tab2\nA | 1",
    ]


def test_a_table_of_one_column_lays_out_a_page(tmp_path: Path) -> None:
    assert word(tmp_path, table(cell(paragraph("One") + paragraph("Two")))).texts == ["One", "Two"]


def test_a_drop_cap_and_a_deleted_paragraph_end_belong_to_what_follows(tmp_path: Path) -> None:
    body = (
        paragraph("T", properties='<w:framePr w:dropCap="drop" w:lines="3"/>')
        + paragraph("he bearing")
        + paragraph("first ", properties='<w:rPr><w:del w:id="1"/></w:rPr>')
        + paragraph("second")
    )
    assert word(tmp_path, body).texts == ["The bearing", "firstsecond"]


def test_hidden_text_is_left_out_and_told(tmp_path: Path) -> None:
    styles = '<w:style w:type="character" w:styleId="X"><w:name w:val="x"/><w:rPr><w:vanish/></w:rPr></w:style>'
    body = paragraph("seen ", run("secret", "<w:vanish/>"), run("more", '<w:rStyle w:val="X"/>'))
    reading = word(tmp_path, body, styles=styles)
    assert reading.texts == ["seen"]
    assert reading.warned == [("hidden_text", None)]
    assert [each.text for each in reading.document.skipped] == ["secret more"]


SHADED = '<w:shd w:val="clear" w:fill="{}"/>'
WHITE = '<w:color w:val="FFFFFF"/>'


@pytest.mark.parametrize(
    ("content", "is_seen"),
    [
        (run("words", WHITE), False),
        (run("words", '<w:color w:val="FDFDFD"/>'), False),
        (run("words", '<w:sz w:val="2"/>'), False),
        (run("words", WHITE + SHADED.format("FFFFFF")), False),
        (run("words", '<w:color w:val="000000"/><w:highlight w:val="black"/>'), False),
        (run("words", '<w:rStyle w:val="Pale"/>'), False),
        (run("words", '<w:color w:val="auto"/>'), True),
        (run("words", '<w:color w:val="333333"/>'), True),
        (run("words", '<w:sz w:val="12"/>'), True),
        (run("words", WHITE + SHADED.format("1F3864")), True),
        (run("words", WHITE + '<w:highlight w:val="darkBlue"/>'), True),
        (f"<w:pPr>{SHADED.format('1F3864')}</w:pPr>" + run("words", WHITE), True),
        ('<w:pPr><w:pStyle w:val="Band"/></w:pPr>' + run("words", WHITE), True),
    ],
)
def test_text_of_the_papers_colour_or_of_no_size_is_not_seen(tmp_path: Path, content: str, is_seen: bool) -> None:
    styles = (
        f'<w:style w:type="character" w:styleId="Pale"><w:name w:val="p"/><w:rPr>{WHITE}</w:rPr></w:style>'
        '<w:style w:type="paragraph" w:styleId="Band"><w:name w:val="b"/><w:pPr>'
        f"{SHADED.format('1F3864')}</w:pPr></w:style>"
    )
    reading = word(tmp_path, paragraph("The pier is open. ") + f"<w:p>{content}</w:p>", styles=styles)
    assert ("words" in reading.texts) is is_seen
    assert reading.warned == ([] if is_seen else [("hidden_text", None)])


@pytest.mark.parametrize(
    ("look", "cell", "is_seen"),
    [
        ('<w:tblPr><w:tblStyle w:val="Grid"/></w:tblPr>', "", True),
        ("", f"<w:tcPr>{SHADED.format('1F3864')}</w:tcPr>", True),
        ("", "", False),
    ],
)
def test_white_text_in_a_table_is_seen_where_its_style_may_paint_the_cell(
    tmp_path: Path, look: str, cell: str, is_seen: bool
) -> None:
    head = f"<w:tr><w:tc>{cell}<w:p>{run('words', WHITE)}</w:p></w:tc><w:tc>{paragraph('Flow')}</w:tc></w:tr>"
    body = f"<w:tr><w:tc>{paragraph('North')}</w:tc><w:tc>{paragraph('12')}</w:tc></w:tr>"
    reading = word(tmp_path, f"<w:tbl>{look}{head}{body}</w:tbl>")
    assert ("words" in reading.texts[0]) is is_seen


@pytest.mark.parametrize("content_type", [MACROS, TEMPLATE])
def test_macro_files_and_templates_are_read(tmp_path: Path, content_type: str) -> None:
    content = word_file(paragraph("Fill in."), content_type=content_type)
    assert read(tmp_path, content, media.sniff("form.docm", content[: media.HEAD_BYTES])).texts == ["Fill in."]


def test_strict_files_are_read(tmp_path: Path) -> None:
    content = word_file(numbered("Scope", 0) + table(cell("a") + cell("b")), {"numbering": LEVELS}, strict=True)
    assert read(tmp_path, content, media.DOCX).texts == ["1. Scope", "a | b"]


def test_an_encrypted_document_says_what_to_do(tmp_path: Path) -> None:
    locked = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504) + "EncryptedPackage".encode("utf-16-le")
    with pytest.raises(DocumentUnreadable, match="take its password off"):
        read(tmp_path, locked, media.DOCX)
