"""Plain text: which line ends stay, tables in columns, words divided at line ends, encodings."""

from __future__ import annotations

from pathlib import Path

import pytest

from atoll.domain import media
from tests.unit.parser.reading import Reading, read

PROSE = """\
Anyone who brings dangerous goods to a ferry must declare them on form DG-4 at
least 24 hours before the sailing. Explosives need 72 hours. The declaration is
made by the shipper and not by the driver."""


def text(folder: Path, content: str) -> Reading:
    return read(folder, content.encode(), media.TEXT)


@pytest.mark.parametrize(
    "lines",
    [
        ["2026-03-01 08:00 INFO pump 1 started and runs well", "2026-03-01 09:07 WARN pump 3 vibration 7.1 mm/s seen"],
        ["[09:02] Ida: Who has the key for the roof?", "[09:05] Mona: It is in my drawer, second from the top"],
        ["interface eth0", "mtu 1500", "interface eth1", "mtu 9000"],
        ["Halvorsen Crane Hire", "12 Harbour Road", "Port Ellery"],
        ["- open the valve", "- wait for the pressure to settle at four bar or more", "- close it"],
        ["a line that is far longer than anybody would set it " * 4, "and another one of that length or more " * 5],
        ["server.host = alpha.example.org and its port", "server.timeout = 30 seconds after the last request came"],
    ],
)
def test_lines_that_are_meant_stay_lines(tmp_path: Path, lines: list[str]) -> None:
    assert text(tmp_path, "\n".join(lines)).texts == ["\n".join(line.strip() for line in lines)]


def test_wrapped_prose_flows_and_its_short_last_lines_stay(tmp_path: Path) -> None:
    assert text(tmp_path, f"1. Who must tell us\n{PROSE}").texts == [
        f"1. Who must tell us\n{PROSE.replace(chr(10), ' ')}"
    ]


def test_a_word_divided_at_a_line_end_is_whole_and_its_other_spelling_is_searched(tmp_path: Path) -> None:
    reading = text(
        tmp_path,
        "The patient was referred to the clinic of the university because a cardiomyo-\n"
        "pathy was suspected after the first examination in the house of Franco-\n"
        "German friends, where he had been since the outbreak of the virus COVID-\n"
        "19 in the spring of that year, and where in- and outpatients were seen by a\n"
        "doctor.",
    )
    (found,) = reading.texts
    assert "a cardiomyopathy was" in found
    assert "Franco-German" in found
    assert "COVID-19" in found
    assert "in- and outpatients" in found
    assert reading.document.blocks[0].lines[0].spellings == ("cardiomyo-pathy",)


def test_columns_are_a_table_with_empty_cells(tmp_path: Path) -> None:
    reading = text(
        tmp_path,
        "Stock list\n\nItem            Oslo    Bergen  Tromso\nBolts M8        410     120     35\n"
        "Bolts M10               80      12\nWashers         900             60\n",
    )
    assert reading.texts == [
        "Stock list",
        "Item | Oslo | Bergen | Tromso\nBolts M8 | 410 | 120 | 35\nBolts M10 |  | 80 | 12\nWashers | 900 |  | 60",
    ]
    assert [row.is_header for row in reading.document.blocks[1].rows] == [True, False, False, False]


def test_columns_by_tabs_under_a_title(tmp_path: Path) -> None:
    assert text(tmp_path, "Port list\nName\tPort\tMTU\nuplink\teth0\t1500\nlab\teth1\t9000").texts == [
        "Port list",
        "Name | Port | MTU\nuplink | eth0 | 1500\nlab | eth1 | 9000",
    ]


@pytest.mark.parametrize("content", [b" \n\t\n", b"\xef\xbb\xbf", "\u200b\u2060\n".encode()])
def test_a_file_of_nothing_says_so(tmp_path: Path, content: bytes) -> None:
    reading = read(tmp_path, content, media.TEXT)
    assert reading.texts == []
    assert reading.document.warnings


@pytest.mark.parametrize(
    ("content", "encoding", "warned"),
    [
        ("Le café est fermé le 14 août. Responsable : André", "mac_roman", ["encoding_guessed"]),
        ("Отчёт о проверке насосной станции", "cp866", ["encoding_guessed"]),
        ("Größe", "utf-8", []),
        ("日本語の文章です。これは長い文章で、", "utf-16-le", ["encoding_guessed"]),
    ],
)
def test_a_guessed_encoding_is_told(tmp_path: Path, content: str, encoding: str, warned: list[str]) -> None:
    reading = read(tmp_path, content.encode(encoding), media.TEXT)
    assert reading.texts == [content]
    assert [kind for kind, _ in reading.warned] == warned


def test_lost_bytes_are_told(tmp_path: Path) -> None:
    reading = read(tmp_path, "ä".encode() * 40_000 + b"\xff and more text", media.TEXT)
    assert [kind for kind, _ in reading.warned] == ["undecodable"]
