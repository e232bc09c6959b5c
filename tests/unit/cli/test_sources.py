from __future__ import annotations

import os
from pathlib import Path

import pytest

from atoll.cli.sources import CountedFile, Skipped, Source, find
from atoll.errors import BadInput


def test_folders_are_read_in_order_without_hidden_files_and_links(tmp_path: Path) -> None:
    root = tmp_path / "root"
    for name in ("b/2.txt", "b/.git/config", "a.txt", "b/1.txt", ".hidden"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    (tmp_path / "outside.txt").write_text("outside")
    (root / "out.txt").symlink_to(tmp_path / "outside.txt")
    (root / "in.txt").symlink_to(root / "a.txt")
    (root / "up").symlink_to(tmp_path)
    os.mkfifo(root / "pipe")
    found = list(find([root]))
    assert [item.name for item in found if isinstance(item, Source)] == ["a.txt", "1.txt", "2.txt"]
    assert {(item.path.name, item.reason) for item in found if isinstance(item, Skipped)} == {
        ("out.txt", "a link, not followed"),
        ("in.txt", "a link, not followed"),
        ("up", "a link, not followed"),
        ("pipe", "not a file"),
    }


def test_what_is_named_is_taken_once(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a")
    (tmp_path / "link.txt").symlink_to(tmp_path / "a.txt")
    assert [item.path.name for item in find([tmp_path / "link.txt", tmp_path])] == ["link.txt", "link.txt"]
    assert [item.path.name for item in find([tmp_path / "a.txt", tmp_path / "a.txt"])] == ["a.txt"]


def test_a_file_that_became_a_link_is_not_sent(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "a.txt").symlink_to(tmp_path / "secret")
    with pytest.raises(BadInput, match="cannot be read"):
        CountedFile(Source(tmp_path / "a.txt", asked=False), lambda _: None)
    with CountedFile(Source(tmp_path / "a.txt", asked=True), lambda _: None) as file:
        assert file.read() == b"secret"


def test_reading_is_counted(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"12345")
    seen: list[int] = []
    with CountedFile(Source(tmp_path / "a", asked=True), seen.append) as file:
        assert file.size == 5
        while file.read(2):
            pass
    assert seen == [2, 4, 5, 5]


def test_a_pipe_is_refused_rather_than_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(BadInput, match="not a regular file"):
        CountedFile(Source(tmp_path / "pipe", asked=True), lambda _: None)


def test_names_that_are_not_utf_8_can_be_sent(tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.txt"))
    path.write_text("x")
    [found] = find([tmp_path])
    assert isinstance(found, Source)
    assert found.name == "caf\ufffd.txt"


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    gone = tmp_path / "gone.txt"
    [found] = find([gone])
    assert found == Skipped(gone, "cannot be read: No such file or directory", failed=True)
