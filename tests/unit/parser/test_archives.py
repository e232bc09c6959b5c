"""Archives, structured data and source code."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from atoll.domain import media
from atoll.errors import DocumentTooLarge, DocumentUnreadable
from parser.limits import ContentLimits
from tests.unit.parser.reading import read
from tests.unit.parser.test_sheets import sheet

TAR, GZIP, JSON, XML = "application/x-tar", "application/gzip", "application/json", "application/xml"


def zipped(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


def tarred(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
        link = tarfile.TarInfo("link.txt")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    return out.getvalue()


MEMBERS = {
    "minutes/may.txt": b"The shed costs 400 euros.",
    "../../slip.md": b"# Slipped",
    "stock.xlsx": sheet(["Part", "Count"], ["Rope", 3]),
    "__MACOSX/._may.txt": b"left behind",
    "plan.pdf": b"%PDF-1.7",
    "blob.bin": b"\x00\x01",
}
TEXTS = [
    "minutes/may.txt",
    "The shed costs 400 euros.",
    "../../slip.md",
    "Slipped",
    "stock.xlsx",
    "Part | Count\nRope | 3",
]


@pytest.mark.parametrize(
    ("content", "media_type"),
    [(zipped(MEMBERS), media.ZIP), (tarred(MEMBERS), TAR), (gzip.compress(tarred(MEMBERS)), GZIP)],
    ids=["zip", "tar", "tgz"],
)
def test_members_are_sections_under_their_paths(tmp_path: Path, content: bytes, media_type: str) -> None:
    name = {media.ZIP: "a.zip", TAR: "a.tar", GZIP: "a.tgz"}[media_type]
    assert media.sniff(name, content[: media.HEAD_BYTES]) == media_type
    reading = read(tmp_path, content, media_type)
    assert reading.texts == TEXTS
    assert sorted(warning.message.split(" ")[0] for warning in reading.document.warnings) == ["blob.bin", "plan.pdf"]


def test_a_packed_file_is_read_under_its_name(tmp_path: Path) -> None:
    out = io.BytesIO()
    with gzip.GzipFile("prices.csv", "wb", fileobj=out) as file:
        file.write(b"Part,Price\nRope,3\n")
    assert read(tmp_path, out.getvalue(), GZIP).texts == ["prices.csv", "Part | Price\nRope | 3"]


def test_bombs_and_damage_are_named(tmp_path: Path) -> None:
    for content, media_type in (
        (zipped({"a.txt": bytes(40_000_000)}), media.ZIP),
        (gzip.compress(bytes(40_000_000)), GZIP),
    ):
        with pytest.raises(DocumentTooLarge, match="bomb"):
            read(tmp_path, content, media_type)
    many = {f"{n}.txt": b"x" for n in range(30)}
    for content, media_type in ((zipped(many), media.ZIP), (tarred(many), TAR)):
        with pytest.raises(DocumentTooLarge, match=r"members|entries"):
            read(tmp_path, content, media_type, limits=ContentLimits(archive_entries=20))
    with pytest.raises(DocumentUnreadable, match="damaged"):
        read(tmp_path, gzip.compress(bytes(range(256)) * 20)[:150], GZIP)
    with pytest.raises(DocumentUnreadable, match="no tar archive"):
        read(tmp_path, b"words", TAR)
    nested = b"innermost"
    for depth in range(8):
        nested = zipped({f"{depth}.zip" if depth else "a.txt": nested})
    reading = read(tmp_path, nested, media.ZIP)
    assert "innermost" not in reading.texts
    assert reading.warned == [("member_not_read", None)]


def test_every_member_that_was_passed_over_can_be_asked_for(tmp_path: Path) -> None:
    members = {f"{number}.mov": b"\0\1" for number in range(60)}
    skipped = read(tmp_path, zipped({"a.txt": b"words", **members}), media.ZIP).document.skipped
    assert [each.type for each in skipped] == ["member_not_read"] * 60
    assert skipped[59].text.startswith("59.mov was not read: ")


class TestStructured:
    def test_records_are_rows_and_fields_names_with_values(self, tmp_path: Path) -> None:
        content = b"""{"title": "Ports", "open": true, "depths": [4.50, 12],
            "ports": [{"name": "Ellery", "flow": 5}, {"name": "Grimholm", "berths": 1e3}], "owner": {"name": "Ida"}}"""
        assert read(tmp_path, content, JSON).texts == [
            "title | Ports\nopen | true\ndepths | 4.50, 12",
            "ports\nname | flow | berths\nEllery | 5 | \nGrimholm |  | 1e3",
            "owner\nname | Ida",
        ]

    def test_lines_of_json(self, tmp_path: Path) -> None:
        content = b'{"at": "09:30", "what": "start"}\n\n{"at": "10:00", "what": "stop"}\n'
        assert read(tmp_path, content, JSON).texts == ["at | what\n09:30 | start\n10:00 | stop"]

    def test_json_that_is_none_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(DocumentUnreadable, match="line 1"):
            read(tmp_path, b'{"a": ', JSON)
        with pytest.raises(DocumentUnreadable, match="line 2"):
            read(tmp_path, b'{"a": 1}\nwords\n', JSON)
        with pytest.raises(DocumentUnreadable, match="too deeply"):
            read(tmp_path, b"[" * 100_000 + b"]" * 100_000, JSON)

    def test_xml_records_and_marked_text(self, tmp_path: Path) -> None:
        content = b"""<?xml version="1.0" encoding="iso-8859-1"?><list year="2026"><port id="1"><name>Ellery</name><flow>5</flow>
            </port><port id="2"><name>Gr\xfcnholm</name></port><note>Tide is <b>very</b> high.</note></list>"""
        reading = read(tmp_path, content, XML)
        assert reading.texts == [
            "year | 2026\nnote | Tide is very high.", "port\nid | name | flow\n1 | Ellery | 5\n2 | Gr\u00fcnholm | ",
        ]  # fmt: skip
        assert reading.document.how.encoding == "iso-8859-1"

    def test_xml_expands_no_entities(self, tmp_path: Path) -> None:
        content = (
            b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd"><!ENTITY y "yyyy">]><a><b>&x;&y;</b><c>kept</c></a>'
        )
        text = "\n".join(read(tmp_path, content, XML).texts)
        assert "kept" in text
        assert "root" not in text
        with pytest.raises(DocumentUnreadable, match="no XML"):
            read(tmp_path, b"<a><b></a>", XML)
        with pytest.raises(DocumentUnreadable, match="no XML"):
            read(tmp_path, b"<a>" * 5000 + b"</a>" * 5000, XML)


def test_source_code_keeps_its_lines(tmp_path: Path) -> None:
    content = b"def area(r):\n    # of a circle\n\n    return 3.14 * r ** 2\n"
    assert media.sniff("area.py", content) == media.SOURCE
    reading = read(tmp_path, content, media.SOURCE)
    assert reading.kinds == [("code", 0, "def area(r):\n    # of a circle\n    return 3.14 * r ** 2")]
    long = read(tmp_path, "\n".join(f"key_{n} = {n}" for n in range(150)).encode(), media.SOURCE)
    assert len(long.texts) == 3
