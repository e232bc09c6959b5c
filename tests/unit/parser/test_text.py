from __future__ import annotations

import pytest

from atoll.domain.block import BROKEN, JOINED, Block, BlockKind, Cell, Line, Row, Source
from atoll.domain.page import Box, Page
from atoll.domain.parsed import ParsedDocument, ParseWarning, Skipped
from parser.decoding import decode
from parser.text import flowing, hides_characters, preformatted


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Café in Zürich, naïve façade", "latin-1"),
        ("“Smart quotes” – and dashes… €5", "cp1252"),
        ("Größe und Übermaß: die Straße ist schön", "utf-8"),
        ("Größe", "utf-8-sig"),
        ("Größe", "utf-16"),
        ("Plain ASCII without a mark", "utf-16-le"),
        ("Море синее, корабль", "utf-16-be"),
        ("Größe", "utf-32"),
        ("Море синее, корабль белый. Все люди рождаются свободными.", "cp1251"),
        ("Zażółć gęślą jaźń, proszę bardzo. Wszyscy ludzie rodzą się wolni i równi.", "cp1250"),
        ("日本語の文章です。これは長い文章で、", "shift_jis"),
        ("中文简体：这是一个很长的段落，用来检查", "gb18030"),
        ("바다는 파랗고 배는 하얗습니다. 이것은", "euc_kr"),
        ("日本語の文章です。これは長い文章で、", "euc_jp"),
        ("日本語の文章です。これは長い文章で、\n", "utf-16-le"),
        ("中文简体：这是一个很长的段落，用来检查", "utf-16-be"),
        ("Отчёт о проверке насосной станции номер семь. Давление в норме.", "cp866"),
        ("Отчёт о проверке насосной станции", "koi8_r"),
        ("Отчёт о проверке насосной станции", "mac_cyrillic"),
        ("Le café est fermé le 14 août. Responsable : André Lefèvre.", "mac_roman"),
        ("Le café est fermé le 14 août. Responsable : André Lefèvre.", "cp850"),
        ("El señor Núñez llegó mañana a la estación número tres, ¿verdad?", "mac_roman"),
        ("Größe und Übermaß: die Straße ist schön", "cp437"),
        ("Árvíztűrő tükörfúrógép, köszönöm szépen.", "cp1250"),
        ("Příliš žluťoučký kůň úpěl ďábelské ódy.", "iso8859_2"),
        ("Öğleden sonra güneş ışığı çok güçlüydü.", "cp1254"),
        ("Η θάλασσα είναι γαλάζια και το πλοίο λευκό.", "cp1253"),
        ("Temperature 40 °C ± 2 K", "cp1252"),
    ],
)
def test_text_is_decoded_without_being_told_how(text: str, encoding: str) -> None:
    assert decode(text.encode(encoding)).text == text


def test_a_declared_encoding_is_believed_before_a_guess() -> None:
    assert decode("שלום".encode("cp1255"), "windows-1255") == ("שלום", "cp1255", False)
    assert decode("é".encode("cp1252"), "no-such-encoding") == ("é", "cp1252", True)


def test_any_bytes_are_decoded() -> None:
    assert decode(bytes(range(256)) * 3).text
    assert decode(b"\xff\xfe\x00").text is not None


def test_text_is_normalised_and_cleaned() -> None:
    assert flowing("e\u0301 a\u00a0 \t b\x07\x1b") == "\u00e9 a b"
    assert flowing("one\r\n\r\ntwo\u2028three") == "one\ntwo\nthree"
    assert flowing("pass\u00adword \u200eLRM \ufeffBOM") == "password LRM BOM"
    assert preformatted("\n\tif x:\n\t\ty\n\n") == "    if x:\n        y"


@pytest.mark.parametrize("hidden", ["\u202e", "\u2066", "\u200b", "\u2060", "\U000e0041", "\U000e0101"])
def test_characters_that_hide_something_are_removed_and_told(hidden: str) -> None:
    assert hides_characters(f"pay{hidden}load")
    assert flowing(f"pay{hidden}load") == "payload"


@pytest.mark.parametrize("honest", ["\u200c", "\u200d", "\u00ad", "\ufe0f", "\u200f"])
def test_honest_invisible_characters_raise_no_alarm(honest: str) -> None:
    assert not hides_characters(f"a{honest}b")


def test_a_parsed_document_survives_json() -> None:
    box = Box(1.0, 2.0, 3.5, 4.0)
    lines = (Line("a", 1, box, JOINED, (0, -4), ("a-b",)), Line("b", 1, box, BROKEN, source=Source.OCR, is_seen=False))
    cell = Cell(lines, 1, 2, 3, is_header=True, box=box, address="B7", value="1", formula="=A1")
    blocks = (
        Block(BlockKind.HEADING, lines, 2),
        Block(BlockKind.LIST_ITEM, lines, label="a)"),
        Block(BlockKind.TABLE, (), rows=(Row((cell, Cell((), 4)), True), Row(())), caption=lines[:1], sheet="S"),
    )
    document = ParsedDocument(
        "T",
        (Page(1, 10, 20), Page(2, 10, 20, "iv")),
        blocks,
        (ParseWarning("w", "m", 1), ParseWarning("v", "n")),
        (Skipped("no_ink", 1, box, "unseen"), Skipped("hidden", None, None, "x")),
    )
    assert ParsedDocument.from_json(document.to_json()) == document


@pytest.mark.parametrize(
    "value",
    [
        None,
        {},
        {"title": None, "pages": [[1]], "blocks": [], "warnings": [], "skipped": []},
        {"title": None, "pages": [[1, 1, ""]], "blocks": [["nonsense", 0, "", []]], "warnings": [], "skipped": []},
        {
            "title": None,
            "pages": [[1, 1, ""]],
            "blocks": [["code", 0, "", [["x", 2, 0, 0, 1, 1, 0]]]],
            "warnings": [],
            "skipped": [],
        },
    ],
)
def test_what_is_no_parsed_document_is_refused(value: object) -> None:
    with pytest.raises(ValueError):
        ParsedDocument.from_json(value)


def test_a_blocks_text_goes_on_from_line_to_line_as_the_page_shows() -> None:
    box = Box(0, 0, 1, 1)
    lines = (Line("http://a/", 1, box, JOINED), Line("b c", 1, box, BROKEN), Line("d", 1, box), Line("e", 1, box))
    assert Block(BlockKind.PARAGRAPH, lines).text == "http://a/b c\nd e"


def test_a_tables_rows_have_a_slot_for_each_column_and_merged_cells_stand_in_each_of_their_rows() -> None:
    def cell(text: str, column: int, columns: int = 1, rows: int = 1) -> Cell:
        return Cell((Line(text, 1, Box(0, 0, 1, 1)),), column, columns, rows)

    rows = (
        Row((cell("Week", 0, 1, 2), cell("On call", 1, 2)), True),
        Row((cell("Team", 1), cell("Name", 2)), True),
        Row((cell("31", 0, 1, 2), cell("Storage", 1), cell("Eva", 2))),
        Row((cell("Network", 1),)),
        Row((cell("32", 0), cell("all teams", 1, 2))),
    )
    table = Block(BlockKind.TABLE, (), rows=rows, caption=(Line("Table 1", 1, Box(0, 0, 1, 1)),))
    assert table.text.split("\n") == [
        "Table 1",
        "Week | On call | ",
        "Week | Team | Name",
        "31 | Storage | Eva",
        "31 | Network | ",
        "32 | all teams | ",
    ]
