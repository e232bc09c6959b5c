from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from atoll import files

TOP = Path(__file__).parents[2]


def test_a_file_is_replaced_whole_with_the_mode_that_was_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("open to all")
    path.chmod(0o644)
    before = os.umask(0o077)
    try:
        files.write(path, b"private", mode=files.PRIVATE)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        files.write(path, b"readable", mode=files.READABLE)
        assert stat.S_IMODE(path.stat().st_mode) == 0o644
        files.write(path, b"by the umask")
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    finally:
        os.umask(before)
    assert path.read_bytes() == b"by the umask"
    assert [each.name for each in tmp_path.iterdir()] == ["key"]


def test_who_holds_the_old_file_open_goes_on_reading_it(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    files.write(path, b"old")
    with path.open("rb") as reader:
        files.write(path, b"the new one is longer")
        assert reader.read() == b"old"


_TOO_LARGE = """
import resource, signal, sys
from pathlib import Path
from atoll import files
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (64, 64))
files.write(Path(sys.argv[1]), b"x" * 100)
"""


def test_a_write_that_fails_half_way_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "lock.json"
    files.write(path, b"old")
    done = subprocess.run([sys.executable, "-c", _TOO_LARGE, path], capture_output=True, text=True, check=False)
    assert "OSError" in done.stderr
    assert path.read_bytes() == b"old"
    assert [each.name for each in tmp_path.iterdir()] == ["lock.json"]
    with pytest.raises(FileNotFoundError):
        files.write(tmp_path / "removed" / "x", b"")
    assert not (tmp_path / "removed").exists()


def test_drafts_of_killed_writers_are_swept_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a[1].json"
    files.write(path, b"whole")
    with files.draft(path) as left:
        left.write_bytes(b"half")
        (tmp_path / "b.json.12345678.tmp").write_bytes(b"somebody else's")
        files.sweep_drafts(path)
        assert sorted(each.name for each in tmp_path.iterdir()) == ["a[1].json", "b.json.12345678.tmp"]


def test_missing_parents_of_a_private_folder_are_private_and_what_is_there_keeps_its_mode(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    made = files.private_folder(tmp_path / "a" / "b")
    assert [stat.S_IMODE(each.stat().st_mode) for each in (made, made.parent, tmp_path)] == [0o700, 0o700, 0o755]
    made.chmod(0o755)
    assert stat.S_IMODE(files.private_folder(made).stat().st_mode) == 0o755


def test_there_is_one_way_to_write_a_whole_file_and_one_to_hold_a_lock() -> None:
    """Nine writers and three locks stood here once, and no two of them kept the same promise."""
    another = re.compile(r"\bmkstemp\b|\bos\.(replace|rename)\(|\bflock\(|\bfcntl\b")
    sources = [
        path
        for folder in ("src", "gateway", "services")
        for path in (TOP / folder).rglob("*.py")
        if path != TOP / "src/atoll/files.py" and another.search(path.read_text(encoding="utf-8"))
    ]
    assert sources == []
    synced = {
        path.relative_to(TOP).as_posix()
        for folder in ("src", "gateway", "services")
        for path in (TOP / folder).rglob("*.py")
        if "os.fsync(" in path.read_text(encoding="utf-8")
    }
    assert synced == {"src/atoll/files.py", "src/atoll/adapters/file_blobs.py"}  # an upload is a stream, not a content
