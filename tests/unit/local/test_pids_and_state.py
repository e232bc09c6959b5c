from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from atoll.local import control, pids, state
from atoll.local.state import Phase, RoleName, RoleState, Row, StackState


def test_a_zombie_is_dead() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as child:
        identity = pids.identify(child.pid)
        deadline = time.monotonic() + 10
        while pids.identify(child.pid) is not None and time.monotonic() < deadline:
            time.sleep(0.02)
        assert (Path("/proc") / str(child.pid)).exists()  # not reaped yet
        assert pids.identify(child.pid) is None
        assert identity is None or not identity.alive


def test_a_pid_with_another_start_time_is_another_process() -> None:
    own = pids.identify(os.getpid())
    assert own is not None
    assert own.alive
    assert not pids.Identity(own.pid, own.start_ticks - 1).alive
    assert pids.session_of(pids.Identity(own.pid, own.start_ticks - 1)) == []
    assert pids.name(own.pid)
    assert (pids.rss_bytes(own.pid) or 0) > 1_000_000
    assert pids.rss_bytes(2**22 + 1) is None


def test_state_is_read_as_it_was_written(tmp_path: Path) -> None:
    row = Row(RoleName.GATEWAY, RoleState.RUNNING, pid=1, start_ticks=2, address="http://x", token_file="/k")
    written = StackState(pids.boot_id(), Phase.RUNNING, "http://x", (row,), reason="why")
    state.write(tmp_path, written)
    assert state.read(tmp_path) == written
    (tmp_path / state.STATE_FILE).write_text('{"rows": [{"nonsense": 1}]}')
    assert state.read(tmp_path) is None
    (tmp_path / state.STATE_FILE).write_text("{")
    assert state.read(tmp_path) is None


def test_the_lock_has_one_holder(tmp_path: Path) -> None:
    with state.lock(tmp_path) as first:
        assert first
        with state.lock(tmp_path, wait_seconds=0.1) as second:
            assert not second
    with state.lock(tmp_path) as again:
        assert again


def test_leftovers_of_another_boot_are_left_alone(tmp_path: Path) -> None:
    own = pids.identify(os.getpid())
    assert own is not None
    row = Row(RoleName.QUEUE, RoleState.RUNNING, pid=own.pid, start_ticks=own.start_ticks)
    state.write(tmp_path, StackState("another boot", Phase.RUNNING, "", (row,)))
    assert state.end_leftovers(tmp_path) == []


def test_what_nobody_asked_for_is_not_configured_and_what_somebody_did_is_stopped(tmp_path: Path) -> None:
    def told(*rows: Row) -> dict[str, str]:
        state.write(tmp_path, StackState(pids.boot_id(), Phase.STOPPED, "", rows))
        body = control.status(tmp_path, "http://127.0.0.1:9")
        return {row["role"]: row["state"] for row in body["processes"]}

    nothing = told()
    assert (nothing["watch"], nothing["chat"], nothing["gateway"]) == ("not configured", "not configured", "stopped")
    assert told(Row(RoleName.WATCH, RoleState.STOPPED, address="file:///srv/papers"))["watch"] == "stopped"
    assert told(Row(RoleName.WATCH, RoleState.NOT_CONFIGURED))["watch"] == "not configured"
