"""The shared cases of misread documents, through parser and chunking: what is found, and what must not be."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from atoll.adapters.memory.embedder import MemoryEmbedder
from atoll.domain import media
from atoll.domain.ids import DocumentUid
from atoll.ingest.cutting import chunk, indexing_text
from atoll.ingest.strands import strands
from tests.unit.parser.reading import Reading, read

CASES = Path(__file__).parents[4] / "shared" / "cases"
EMBEDDER = MemoryEmbedder()


class Found:
    """A document as it is read and cut."""

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        found = strands(reading.document.blocks)
        ends = [EMBEDDER.spans(each.text).ends for each in found]
        self.passages = chunk(
            DocumentUid("d" * 32), found, ends, window_tokens=256, chunk_tokens=1200, overlap_tokens=100
        ).passages
        self.text = "\n".join(passage.text for passage in self.passages)
        self.searched = "\n".join(map(indexing_text, self.passages))
        self.kinds = {block.kind.value for block in reading.document.blocks}
        self.warned = [kind for kind, _ in reading.warned]

    def row(self, text: str) -> list[str]:
        """The cells of the first row that holds a text."""
        return next(line for line in self.text.split("\n") if text in line).split(" | ")

    def column(self, row: str, name: str) -> str:
        """What stands in a row under a column's name."""
        for passage in self.passages:
            layout = passage.layout
            for table in layout.tables if layout else ():
                for each in table.rows:
                    if row in passage.text[each.start : each.end] and not each.is_header:
                        at = table.columns.index(name)
                        cells = [cell for cell in each.cells if cell.column == at]
                        return passage.text[cells[0].start : cells[0].end] if cells else ""
        raise AssertionError(f"there is no row with {row}")


def has(*texts: str) -> Callable[[Found], None]:
    def check(found: Found) -> None:
        for text in texts:
            assert text in found.text, text

    return check


def lacks(*patterns: str) -> Callable[[Found], None]:
    def check(found: Found) -> None:
        for pattern in patterns:
            assert not re.search(pattern, found.text), pattern

    return check


def once(*texts: str) -> Callable[[Found], None]:
    def check(found: Found) -> None:
        for text in texts:
            assert found.text.count(text) == 1, text

    return check


def warns(found: Found) -> None:
    assert found.warned


def cell(row: str, column: str, value: str) -> Callable[[Found], None]:
    def check(found: Found) -> None:
        assert found.column(row, column) == value

    return check


def row(*cells: str) -> Callable[[Found], None]:
    def check(found: Found) -> None:
        assert " | ".join(cells) in found.text.split("\n")

    return check


def headings(*names: str) -> Callable[[Found], None]:
    def check(found: Found) -> None:
        read_as = [block.text for block in found.reading.document.blocks if block.kind.value == "heading"]
        assert set(names) <= set(read_as)

    return check


EXPECTED: dict[str, list[Callable[[Found], None]]] = {
    "F02a": [has("A rental car may cost at most 70 euros a day.")],
    "F02c": [has("above 200 rpm", "How often is the rotor replaced?", "Approved by Dr. Selma Arnt on 4 May 2026.")],
    "F03a": [has("10\u2076 sensors"), lacks("106 sensors", "1,2043")],
    "F03b": [has("10\u2076 pixels", "10\u207b\u00b3 volts", "4,310 \u00b2 units"), lacks("106 pixels", "10-3 volts")],
    "F04a": [has("Marta Oduya", "HV-330-8812", "2,480"), row("Water damage", "\u2612"), row("Fire damage", "\u2610")],
    "F05a": [has("the loading ramp is closed until the railing is fixed")],
    "F05c": [row("owner", "Samira Khan"), row("effective", "2026-02-01")],
    "F06a": [row("31", "Storage", "Eva", "Noor"), cell("Storage", "First", "Eva")],
    "F06c": [cell("Total", "Autumn Flow (l/min)", "1144"), row("Norrvik", "402", "6.0", "388", "5.5")],
    "F06e": [cell("Bracket type 2 ", "Stock", "103"), cell("Bracket type 2 ", "Ordered", ""),
             cell("Bracket type 2 ", "Price EUR", "2.50")],
    "F06f": [cell("Loss of cooling water because of frost", "Due", "15 October 2026"),
             cell("Loss of cooling water because of frost", "Owner", "Bo Aalto")],
    "F06g": [cell("Bolts M10", "Bergen", "80"), cell("Bolts M10", "Tromso", "12"), cell("Bolts M10", "Oslo", "")],
    "F07a": [row("2026-03-01 11:21:00 ERROR pump 3 tripped: bearing temperature 104 C")],
    "F07c": [row("[09:05] Mona: It is in my drawer, second from the top")],
    "F11a": [has("2.2 Rent is due on the fifth working day.", "3.1 Either side may end")],
    "F11b": [once("Emergency valve: turn handle K-14 clockwise.", "Nozzle size is 0.65 gallons per hour.")],
    "F11c": [has("locker 31", "Thursdays")],
    "F11e": [has("QM-2291-B", "Rita Holm", "31 March 2027")],
    "F11g": [has("M=42.5 kNm")],
    "F11j": [has("QM-2291-B")],
    "F12": [has("10 ml twice a day", "Shift A: Nils\nShift B: Tove")],
    "F13a": [has("cardiomyopathy", "examination", "prescribed")],
    "F14": [headings("Canteen", "Parking", "Jubilee"), row("Hall 5", "12 t")],
    "F15a": [has("after the bearing temperature")],
    "F15c": [has("paid in time.", "for 3,150 euros is dismissed")],
    "F18a": [has("72 euros"), lacks("85 euros")],
    "F19a": [has("Le caf\u00e9 est ferm\u00e9 le 14 ao\u00fbt")],
    "F19c": [has("\u041e\u0442\u0447\u0451\u0442 \u043e \u043f\u0440\u043e\u0432\u0435\u0440\u043a\u0435"), warns],
    "F21": [has("$q*L*L/8$")],
    "F22": [has("a. Alpha step", "g. Golf step")],
    "V1": [has("The pump runs at 40 bar."), lacks("90 bar", "Outside"), warns],
    "V2": [has("COVID-19", "Franco-German", "ISO-9001", "2024-2025")],
    "V3a": [warns],
    "V3b": [has("define")],
    "V4": [row("left", "right BOX")],
    "V5": [has("Smith & Sons supply valve 7; keep it below 40 \u00b0C."), lacks("color", "alert")],
    "V6": [row("", "B2", "C2")],
}  # fmt: skip


def cases() -> dict[str, str]:
    """The cases of reading by their id, each with its file."""
    if not CASES.is_dir():
        return {}
    found = json.loads((CASES / "cases.json").read_text())
    return {each["id"]: each["file"] for each in found if each["issue"] == 6 and each["file"]}


@pytest.mark.parametrize("case", sorted(EXPECTED))
def test_a_case_is_read_as_a_person_reads_it(tmp_path: Path, case: str) -> None:
    if not CASES.is_dir():
        pytest.skip(f"the shared cases are not here: {CASES}")
    path = CASES / cases()[case]
    content = path.read_bytes()
    found = Found(read(tmp_path, content, media.sniff(path.name, content[: media.HEAD_BYTES]), name=path.name))
    for check in EXPECTED[case]:
        check(found)


def test_every_case_of_reading_is_checked() -> None:
    if not CASES.is_dir():
        pytest.skip(f"the shared cases are not here: {CASES}")
    assert cases().keys() == EXPECTED.keys()


@pytest.mark.parametrize(
    ("content", "media_type"),
    [(b" \n", media.TEXT), (b"\xef\xbb\xbf", media.TEXT), (b"<html></html>", media.HTML), (b"---\n", media.MARKDOWN)],
)
def test_a_reading_that_gives_no_text_says_so(tmp_path: Path, content: bytes, media_type: str) -> None:
    found = Found(read(tmp_path, content, media_type))
    assert not found.passages
    assert found.warned
