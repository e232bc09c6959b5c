from __future__ import annotations

import os
from pathlib import Path

import pytest

from atoll.local import logs


def test_a_log_past_its_bound_moves_over_and_goes_on(tmp_path: Path) -> None:
    log = tmp_path / "role.log"
    descriptor = logs.open_log(log)
    with os.fdopen(descriptor, "wb", buffering=0) as writer:
        writer.write(b"a" * 90 + b"\nlast\n")
        logs.keep_small(log, max_bytes=100)
        assert log.stat().st_size == 96
        writer.write(b"b" * 10)
        logs.keep_small(log, max_bytes=100)
        assert log.stat().st_size == 0
        writer.write(b"goes on\n")
    assert log.read_bytes() == b"goes on\n"
    moved = tmp_path / "role.log.1"
    assert moved.stat().st_size == 100
    assert moved.read_bytes().endswith(b"last\n" + b"b" * 10)


def test_the_last_line_is_of_this_start(tmp_path: Path) -> None:
    log = tmp_path / "role.log"
    log.write_text("an old refusal\n")
    since = logs.size(log)
    assert logs.last_line(log, since) == ""
    with log.open("a") as file:
        file.write("starting\nno weights here\n\n")
    assert logs.last_line(log, since) == "no weights here"
    log.write_text("emptied since\n")
    assert logs.last_line(log, since) == "emptied since"


@pytest.mark.parametrize(("count", "expected"), [(0, []), (1, ["c"]), (9, ["a", "b", "c"])])
def test_tail(tmp_path: Path, count: int, expected: list[str]) -> None:
    log = tmp_path / "role.log"
    assert logs.tail(log, count) == []
    log.write_text("a\n\nb\nc\n")
    assert logs.tail(log, count) == expected
