"""A backup as one stream: what went in comes out, and nothing else can."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from atoll.backup.stream import pack, unpack
from atoll.errors import BadInput


def test_what_was_packed_comes_out(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "manifest.json").write_bytes(b"{}")
    (tmp_path / "a" / "b" / "file").write_bytes(bytes(range(256)) * 5000)
    stream = io.BytesIO()
    pack(tmp_path / "a", stream)
    stream.seek(0)
    unpack(stream, tmp_path / "out")
    assert (tmp_path / "out" / "b" / "file").read_bytes() == (tmp_path / "a" / "b" / "file").read_bytes()
    assert (tmp_path / "out" / "manifest.json").read_bytes() == b"{}"


@pytest.mark.parametrize("name", ["/etc/passwd", "../outside", "a/../../outside"])
def test_a_path_out_of_the_folder_is_refused(tmp_path: Path, name: str) -> None:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        archive.addfile(tarfile.TarInfo(name), io.BytesIO())
    stream.seek(0)
    with pytest.raises(BadInput, match="does not belong"):
        unpack(stream, tmp_path / "out")
    assert not (tmp_path / "outside").exists()


def test_a_link_is_refused(tmp_path: Path) -> None:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        link = tarfile.TarInfo("link")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    stream.seek(0)
    with pytest.raises(BadInput, match="does not belong"):
        unpack(stream, tmp_path / "out")


def test_what_is_no_stream_or_ends_early_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "file").write_bytes(b"x" * 100_000)
    stream = io.BytesIO()
    pack(tmp_path / "a", stream)
    for content in (b"no archive at all" * 100, stream.getvalue()[:50_000]):
        with pytest.raises(BadInput, match="no packed backup"):
            unpack(io.BytesIO(content), tmp_path / "out")
