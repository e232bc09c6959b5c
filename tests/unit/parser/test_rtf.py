"""Rich Text Format: text in every encoding, structure, tables, notes, hidden text, and bad files."""

from __future__ import annotations

from pathlib import Path

import pytest

from atoll.domain import media
from atoll.errors import DocumentUnreadable
from tests.unit.parser.reading import Reading, read

HEAD = (
    r"{\rtf1\ansi\ansicpg1252\deff0{\fonttbl{\f0\fnil\fcharset0 Arial;}{\f1\fcharset204 Arial;}{\f2\fcharset128 MS;}}"
)


def rtf(folder: Path, body: str) -> Reading:
    content = (HEAD + body + "}").encode("ascii")
    assert media.sniff("any", content) == media.RTF
    return read(folder, content, media.RTF)


def test_letters_of_every_kind(tmp_path: Path) -> None:
    reading = rtf(
        tmp_path,
        r"Gr\'fc\'dfe {\f1 \'cf\'f0\'e8} {\f2 \'93\'fa} \u8364 ? \uc2\u26085 xx\uc1 \u-10179?\u-8704? \emdash  a\~b\{c\}\\\par"
        "\nnext\\line line\\tab end",
    )
    assert reading.texts == [
        "Gr\u00fc\u00dfe \u041f\u0440\u0438 \u65e5 \u20ac \u65e5\U0001f600 \u2014 a b{c}\\",
        "next\nline end",
    ]


def test_headings_lists_and_signs(tmp_path: Path) -> None:
    reading = rtf(
        tmp_path,
        r"{\info{\title Harbour}{\author Nobody}}{\stylesheet{\s1 heading;}}\pard\outlinelevel1 {\b Lights}\par"
        r"\pard{\listtext 1.\tab}first\par{\pntext\'b7\tab}second\par\pard It holds 10{\super 6} cells, {\strike 85 }72{\v secret}."
        r"{\*\unknown dropped}{\pict\wmetafile8 0102}\par{\field{\*\fldinst HYPERLINK}{\fldrslt shown}}\par",
    )
    assert reading.kinds == [
        ("heading", 2, "Lights"), ("list_item", 0, "1. first"), ("list_item", 0, "second"),
        ("paragraph", 0, "It holds 10\u2076 cells, 72."), ("paragraph", 0, "shown"),
    ]  # fmt: skip
    assert reading.document.title == "Harbour"
    assert [kind for kind, _ in reading.warned] == ["hidden_text", "part_not_read"]


def test_tables_with_merged_cells(tmp_path: Path) -> None:
    reading = rtf(
        tmp_path,
        r"before\par\trowd\trhdr\cellx1000\clmgf\cellx2000\clmrg\cellx3000\pard\intbl Port\cell Flow\cell\cell\row"
        r"\trowd\clvmgf\cellx1000\cellx2000\cellx3000\pard\intbl Ellery\cell 4\cell two\par lines\cell\row"
        r"\trowd\clvmrg\cellx1000\cellx2000\cellx3000\pard\intbl\cell 6\cell 7\cell\row\pard after\par",
    )
    assert reading.texts == ["before", "Port | Flow | \nEllery | 4 | two lines\nEllery | 6 | 7", "after"]
    assert reading.document.blocks[1].rows[0].is_header


def test_notes_margins_and_boxes(tmp_path: Path) -> None:
    reading = rtf(
        tmp_path,
        r"{\header Order 17\par}{\footer Page {\field{\*\fldinst PAGE}{\fldrslt}}\par}See{\super\chftn}{\footnote\pard{\super\chftn} The note.}"
        r" it.\par{\shp{\*\shpinst{\sp{\sn pos}{\sv 12}}{\shptxt In a box.\par}}}",
    )
    assert [text for _, _, text in reading.kinds] == ["Order 17", "See \u00b9 it.", "1 The note.", "In a box."]


def test_bad_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(DocumentUnreadable, match="no RTF"):
        read(tmp_path, b"words", media.RTF)
    with pytest.raises(DocumentUnreadable, match="too deeply"):
        read(tmp_path, b"{\\rtf1" + b"{" * 100_000, media.RTF)
    cut = read(tmp_path, b"{\\rtf1 kept {\\b words", media.RTF)
    assert cut.texts == ["kept words"]
    assert cut.warned == [("cut_off", None)]
    wide = (
        b"{\\rtf1\\trowd"
        + b"".join(b"\\cellx%d" % n for n in range(5000))
        + b"\\intbl x"
        + b"\\cell" * 5000
        + b"\\row}"
    )
    assert read(tmp_path, wide, media.RTF).texts
    assert read(tmp_path, b"{\\rtf1 a\\bin99999999999 b}", media.RTF).texts == ["a"]
