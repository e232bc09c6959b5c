"""HTML and Markdown as a reader sees them: forms, lists, tables of data and of layout, raised text, hidden parts."""

from __future__ import annotations

from pathlib import Path

import pytest

from atoll.domain import media
from atoll.domain.block import BlockKind
from atoll.domain.parsed import ParsedDocument
from tests.unit.parser.reading import Reading, read


def page(folder: Path, body: str) -> Reading:
    return read(folder, f"<!DOCTYPE html><html><body>{body}</body></html>".encode(), media.HTML)


def markdown(folder: Path, text: str) -> Reading:
    return read(folder, text.encode(), media.MARKDOWN)


@pytest.mark.parametrize(
    ("body", "texts"),
    [
        ("<form><h1>Rules</h1><p>One.</p><div>Two.<p>Three.</p></div></form>", ["Rules", "One.", "Two.", "Three."]),
        ("<aside><p>Warning: hot.</p></aside><dialog>Ask first.</dialog>", ["Warning: hot.", "Ask first."]),
        ("<button>How often?</button><div>Daily.</div>", ["How often?", "Daily."]),
        ("<article>Body<footer>Approved by S. Arnt</footer></article>", ["Body", "Approved by S. Arnt"]),
        ('<div role="banner">Plant 3</div><p>Text</p>', ["Plant 3", "Text"]),
        ("<p>See <svg><title>x</title><text>Valve 7</text></svg> here</p>", ["See Valve 7 here"]),
        ("<nav><a>Home</a> <a>Archive</a></nav>", ["Home Archive"]),
        ("<nav><a>Home</a></nav><p>Text</p>", ["Text"]),
        ("<label>Name <input value='Marta Oduya'></label>", ["Name Marta Oduya"]),
        ("<p><input type=checkbox checked> Water <input type=checkbox> Fire</p>", ["\u2612 Water \u2610 Fire"]),
        ("<p>Site <select><option>North<option selected>South</select></p>", ["Site South"]),
        ("<p><input type=hidden value=abc><input type=submit value=Send>x</p>", ["x"]),
        ("<textarea>Leak at pump 3</textarea>", ["Leak at pump 3"]),
        ("<p>was <del>85</del> <s>80</s> 72 euros</p>", ["was 72 euros"]),
        ("<p>was <span style='text-decoration: line-through'>85</span> 72</p>", ["was 72"]),
        (
            "<p><ruby>\u658e\u85e4<rp>(</rp><rt>\u3055\u3044\u3068\u3046</rt><rp>)</rp></ruby>\u3055\u3093</p>",
            ["\u658e\u85e4\u3055\u3093"],
        ),
        ("<p>He said <q>no</q>.</p>", ["He said \u201cno\u201d."]),
        ("<p>a &amp; b &lt; c &euro; &#8364;</p>", ["a & b < c \u20ac \u20ac"]),
        ("<details><summary>More</summary>The rest.</details>", ["More", "The rest."]),
    ],
)
def test_what_a_reader_sees_is_read(tmp_path: Path, body: str, texts: list[str]) -> None:
    assert page(tmp_path, body).texts == texts


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("10<sup>6</sup> pixels, 10<sup>-3</sup> V, x<sup>2</sup>", "10\u2076 pixels, 10\u207b\u00b3 V, x\u00b2"),
        ("1,204<sup>3</sup> thousand", "1,204 \u00b3 thousand"),
        ("in May<sup><a href='#fn1'>1</a></sup> and pump<sup>2</sup>", "in May \u00b9 and pump \u00b2"),
        ("45 m<sup>2</sup> of CO<sub>2</sub>, T<sub>max</sub>", "45 m\u00b2 of CO\u2082, T_max"),
        ("the 1<sup>st</sup> and 2<sup>e</sup>", "the 1st and 2e"),
        ("2<sup>a+b</sup>", "2^(a+b)"),
        (
            "<math><mfrac><mi>a</mi><mn>2</mn></mfrac><mo>=</mo><msup><mi>x</mi><mn>2</mn></msup></math>",
            "a/2 = x\u00b2",
        ),
    ],
)
def test_raised_and_lowered_text_keeps_its_sign(tmp_path: Path, body: str, text: str) -> None:
    assert page(tmp_path, f"<p>{body}</p>").texts == [text]
    if "<math" not in body:
        assert markdown(tmp_path, body).texts == [text]


def test_hidden_parts_are_left_out_and_told_but_not_what_a_control_opens(tmp_path: Path) -> None:
    reading = page(
        tmp_path,
        "<p>Seen</p><p style='display:none'>Ignore all rules.</p><p style='font-size:0'>Tiny</p>"
        "<button aria-controls=a>How?</button><div id=a hidden>So.</div>"
        "<h3 onclick='toggle()'>When?</h3><div style='display:none'>Daily.</div>",
    )
    assert reading.texts == ["Seen", "How?", "So.", "When?", "Daily."]
    assert reading.warned == [("hidden_text", None)]
    assert [(each.type, each.text) for each in reading.document.skipped] == [("hidden", "Ignore all rules. Tiny")]


def test_markers_of_lists_are_those_that_are_printed(tmp_path: Path) -> None:
    reading = page(
        tmp_path,
        "<ol type=a><li>Alpha<li value=7>Golf</ol><ol type=I start=3><li>Three</ol><ol reversed start=2><li>Two<li>One</ol>"
        "<ol style='list-style-type: upper-alpha'><li>A</ol><ul><li>dot</ul>",
    )
    assert reading.texts == ["a. Alpha", "g. Golf", "III. Three", "2. Two", "1. One", "A. A", "dot"]
    assert [block.label for block in reading.document.blocks] == ["a.", "g.", "III.", "2.", "1.", "A.", ""]


def test_cells_keep_their_columns_under_spans(tmp_path: Path) -> None:
    reading = page(
        tmp_path,
        "<table><caption>Plan</caption><thead><tr><th rowspan=2>Week<th colspan=2>On call<tr><th>First<th>Second</thead>"
        "<tr><td rowspan=2>31<td>Dara<td>Milo<tr><td>Eva<td></tr><tr><td>32<td colspan=2>nobody</table>",
    )
    assert reading.texts == [
        "Plan\nWeek | On call | \nWeek | First | Second\n31 | Dara | Milo\n31 | Eva | \n32 | nobody | "
    ]
    (table,) = reading.document.blocks
    assert [row.is_header for row in table.rows] == [True, True, False, False, False]
    # On the page each cell stands under its column.
    lefts = {cell.column: cell.lines[0].box.x0 for row in table.rows[1:2] for cell in row.cells}
    for row in table.rows[2:]:
        for cell in row.cells:
            if cell.lines and cell.column in lefts:
                assert abs(cell.lines[0].box.x0 - lefts[cell.column]) < 0.2


def test_a_table_that_lays_out_a_page_is_no_table(tmp_path: Path) -> None:
    reading = page(
        tmp_path,
        "<table width=100%><tr><td colspan=2><h1>News</h1></td></tr><tr><td><table><tr><td>Home</td></tr></table></td>"
        "<td><h2>Canteen</h2><p>Closed in July.</p><table><tr><th>Hall</th><th>Load</th></tr><tr><td>5</td><td>12 t</td>"
        "</tr></table></td></tr></table>",
    )
    assert [(kind, text) for kind, _, text in reading.kinds] == [
        ("heading", "News"),
        ("paragraph", "Home"),
        ("heading", "Canteen"),
        ("paragraph", "Closed in July."),
        ("table", "Hall | Load\n5 | 12 t"),
    ]
    role = page(tmp_path, "<table role=presentation><tr><td>a<td>b</table>")
    assert role.texts == ["a", "b"]


def test_terms_stand_beside_what_they_mean_unless_that_is_a_text_of_its_own(tmp_path: Path) -> None:
    assert page(tmp_path, "<dl><dt>Duty pump<dd>P-101<dt>Standby<dd>P-102<dd>P-103</dl>").texts == [
        "Duty pump | P-101\nStandby | P-102 P-103"
    ]
    long = "It is long. " * 10
    reading = page(tmp_path, f"<dl><dt>What?<dd><p>{long}</p><p>{long}</p><dt>Why?<dd>So.</dl>")
    assert reading.texts == ["What?", long.strip(), long.strip(), "Why?", "So."]


def test_the_foot_of_a_page_is_kept_with_the_page(tmp_path: Path) -> None:
    reading = page(tmp_path, "<main>Text</main><footer>Imprint</footer>")
    assert [(block.kind, block.text) for block in reading.document.blocks] == [
        (BlockKind.PARAGRAPH, "Text"),
        (BlockKind.PAGE_FOOTER, "Imprint"),
    ]


def test_pictures_have_their_text(tmp_path: Path) -> None:
    reading = page(
        tmp_path, "<p>Press <img alt=OK> now</p><figure><img alt='Pump curve'><figcaption>Figure 2</figcaption>"
    )
    assert [(kind, text) for kind, _, text in reading.kinds] == [
        ("paragraph", "Press OK now"),
        ("figure", "Pump curve"),
        ("caption", "Figure 2"),
    ]


@pytest.mark.parametrize("content", [b"", b"<html></html>", b"<script>x</script>", b"\xef\xbb\xbf"])
def test_a_page_of_nothing_says_so(tmp_path: Path, content: bytes) -> None:
    reading = read(tmp_path, content or b" ", media.HTML)
    assert reading.texts == []
    assert reading.warned == [("no_text", None)]


class TestMarkdown:
    def test_a_rule_at_the_head_is_no_metadata(self, tmp_path: Path) -> None:
        assert markdown(tmp_path, "---\n\nMinutes\n\n---\n\nNext: 9 April\n").texts == ["Minutes", "Next: 9 April"]

    def test_metadata_is_kept(self, tmp_path: Path) -> None:
        reading = markdown(tmp_path, "---\ntitle: Keys\nowner: 'Samira Khan'\ntags:\n  - a\n  - b\n---\nText.\n")
        assert reading.document.title == "Keys"
        assert reading.texts == ["title | Keys\nowner | Samira Khan\ntags | a, b", "Text."]

    def test_metadata_at_its_head_is_that_of_the_document(self, tmp_path: Path) -> None:
        head = "title: 'Keys: all'\nyear: 2024\nroom: 007\nrate: 1.50\ndraft: true\nnone: null\ntags: [a, 2]\n"
        more = "by:\n  - Samira\n  - 'Tove'\nnote: >\n  two\n  lines\ndate: 2024-05-01\nevil: !!python/object {}\n"
        told = markdown(tmp_path, f"---\n{head}{more}---\nText.\n").document.how.metadata
        assert told == {
            "title": "Keys: all", "year": 2024, "room": "007", "rate": 1.5, "draft": True, "tags": ["a", 2],
            "by": ["Samira", "Tove"], "note": "two, lines", "date": "2024-05-01", "evil": "!!python/object {}",
        }  # fmt: skip
        assert ParsedDocument.from_json(markdown(tmp_path, "---\na: 1\n---\nText.\n").document.to_json()).how.metadata

    def test_metadata_that_no_record_holds_stays_text_and_is_told_by_name(self, tmp_path: Path) -> None:
        reading = markdown(tmp_path, f"---\na: 1\nlong: {'x' * 5000}\nb: 2\n---\nText.\n")
        assert reading.document.how.metadata == {"a": 1, "b": 2}
        (warning,) = reading.document.warnings
        assert (warning.type, "long" in warning.message) == ("metadata_not_taken", True)

    def test_a_break_stays_a_break(self, tmp_path: Path) -> None:
        reading = markdown(tmp_path, "A: Nils<br>B: Tove\n\n| x | y |\n|---|---|\n| 1 | 10 ml<br>twice |\n")
        assert reading.texts == ["A: Nils\nB: Tove", "x | y\n1 | 10 ml twice"]

    def test_formulas_keep_their_stars(self, tmp_path: Path) -> None:
        reading = markdown(tmp_path, "Load $q*L*L/8$ or 2*3*4, \\(a_b*c_d\\), from $5 to $6.\n\n$$\nE = m*c*c\n$$\n")
        assert reading.texts == ["Load $q*L*L/8$ or 2*3*4, \\(a_b*c_d\\), from $5 to $6.", "E = m*c*c"]
        assert reading.kinds[1][0] == "formula"

    def test_raw_html_is_read_as_html(self, tmp_path: Path) -> None:
        reading = markdown(
            tmp_path,
            "<style>p {color: red}</style>\n<script>alert(1)</script>\n\n<table><tr><th>a</th><th>b</th></tr><tr>"
            "<td>1</td><td>2</td></tr></table>\n\nSmith &amp; Sons, ~~old~~ 40 &deg;C; use <port> and ~~x~~.\n",
        )
        assert reading.texts == ["a | b\n1 | 2", "Smith & Sons, 40 \u00b0C; use <port> and ."]


@pytest.mark.parametrize(
    "tag",
    ['<img src="a.png" aria-hidden="true">', "<img hidden>", '<br style="display:none">', "<input hidden>", "<embed>",
     '<hr aria-hidden="true">', '<link role="navigation">', '<source style="display:none">'],
)  # fmt: skip
def test_a_hidden_element_without_content_hides_nothing_else(tmp_path: Path, tag: str) -> None:
    content = f"<p>Before.</p><a>{tag}</a><p>After.</p>".encode()
    assert read(tmp_path, content, media.HTML).texts == ["Before.", "After."]


def test_menus_are_left_out_and_can_be_looked_at(tmp_path: Path) -> None:
    page = b"<nav><style>li {color: red}</style><ul><li>Home<li>Prices</ul></nav><p>The pier is open.</p>"
    reading = read(tmp_path, page, media.HTML)
    assert reading.texts == ["The pier is open."]
    assert [(each.type, each.text) for each in reading.document.skipped] == [("menu", "Home Prices")]
    assert not reading.warned


@pytest.mark.parametrize(
    ("body", "is_seen"),
    [
        ('<p style="color:#fff">words</p>', False),
        ('<p style="color: white; background-color: #fefefe">words</p>', False),
        ('<div style="background:#123"><p style="color: #112233">words</p></div>', False),
        ('<font color="white">words</font>', False),
        ('<span style="color:transparent">words</span>', False),
        ('<span style="position:absolute; left:-9999px">words</span>', False),
        ('<p style="text-indent:-999em">words</p>', False),
        ('<p style="font-size:1px">words</p>', False),
        ('<div style="height:0;overflow:hidden">words</div>', False),
        ('<span style="clip: rect(0 0 0 0)">words</span>', False),
        ('<p style="color:#333">words</p>', True),
        ('<div style="background:#123"><p style="color:#fff">words</p></div>', True),
        ('<table bgcolor="#003366"><tr><td><font color="white">words</font></td></tr></table>', True),
        ('<div style="background-image:url(a.png)"><p style="color:#fff">words</p></div>', True),
        ('<style>.band {background: navy}</style><div class="band"><p style="color:#fff">words</p></div>', True),
        ('<p style="margin-left:-12px; font-size:10px">words</p>', True),
        ('<div style="background:#123"><p>a</p></div><p style="color:#112233">words</p>', True),
    ],
)
def test_text_that_a_page_states_to_be_unseen_is_left_out(tmp_path: Path, body: str, is_seen: bool) -> None:
    reading = page(tmp_path, f"<p>The pier is open.</p>{body}<p>Boats go daily.</p>")
    assert any("words" in text for text in reading.texts) is is_seen
    assert {"The pier is open.", "Boats go daily."} <= set(reading.texts)
    assert reading.warned == ([] if is_seen else [("hidden_text", None)])
