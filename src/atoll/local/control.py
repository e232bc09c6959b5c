"""What the command line does with the local stack: run it, start it in the background, look at it, stop it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from atoll import files
from atoll import logs as structured_logs
from atoll.errors import AtollError, DependencyDown, StartRefused, StorageFull
from atoll.local import logs, pids, plan, room, state
from atoll.local.probes import Answer, http_answer
from atoll.local.state import Phase, RoleName, RoleState, Row, StackState
from atoll.local.supervisor import Supervisor, only_one
from atoll.settings import Settings

SUPERVISOR_COMMAND = (sys.executable, "-P", "-m", "atoll.local")
#: Longest orderly stop: two layers of roles with their grace, and room for a slow machine.
STOP_SECONDS = 30.0
_POLL_SECONDS = 0.1


def supervise(settings: Settings) -> None:
    """Run the local stack in this process until it is told to stop.

    Raises:
        StartRefused: another supervisor runs, a port is taken, or a role would not start.
        StorageFull: the disk has no room for a start.
    """
    structured_logs.configure(settings.log_level)
    run_dir = settings.run_dir.absolute()
    with only_one(run_dir):
        try:
            room.require(settings.data_dir)
            stack = plan.plan(settings)
        except (StartRefused, StorageFull) as refusal:
            _tell_refusal(run_dir, settings.gateway.address, refusal)
            raise
        Supervisor(stack).run()


def start(run_dir: Path, logs_dir: Path, command: Sequence[str] = SUPERVISOR_COMMAND) -> subprocess.Popen[bytes] | None:
    """Start a supervisor in the background unless one runs; return it, or None."""
    files.private_folder(run_dir)
    files.private_folder(logs_dir)
    deadline = time.monotonic() + STOP_SECONDS
    while locked := _locked(run_dir):
        if not _stopping(run_dir) or time.monotonic() >= deadline:
            break
        time.sleep(_POLL_SECONDS)
    if locked:
        return None
    descriptor = logs.open_log(logs_dir / f"{RoleName.SUPERVISOR}.log")
    try:
        return subprocess.Popen(  # noqa: S603 - our own module, no shell
            command, stdin=subprocess.DEVNULL, stdout=descriptor, stderr=descriptor, start_new_session=True
        )
    finally:
        os.close(descriptor)


def await_ready(
    run_dir: Path,
    address: str,
    supervisor: subprocess.Popen[bytes] | None,
    *,
    timeout_seconds: float,
    on_change: Callable[[Row], None],
) -> None:
    """Wait until the gateway says that it is ready, telling of each role as it changes.

    Raises:
        StartRefused: the stack did not start; the message is the role's own line.
        DependencyDown: it is not ready in time.
    """
    ready = http_answer(f"{address}/health/ready")
    deadline = time.monotonic() + timeout_seconds
    shown: dict[str, str] = {}
    while time.monotonic() < deadline:
        ended = supervisor is not None and supervisor.poll() is not None
        if ended and _locked(run_dir):  # somebody else's `up` was quicker: its stack is the one to wait for
            supervisor, ended = None, False
        current = state.read(run_dir)
        if supervisor is not None and current is not None and not _written_by(current, supervisor.pid):
            current = None  # the state of an earlier stack
        if current is not None and current.phase == Phase.RUNNING and ready() is Answer.READY:
            return
        for row in current.rows if current else ():
            if row.state != shown.get(row.role):
                shown[row.role] = row.state
                on_change(row)
        if ended:
            reason = current.reason if current and current.phase == Phase.REFUSED else None
            raise StartRefused(reason or "the supervisor ended; see `atoll logs supervisor`")
        time.sleep(_POLL_SECONDS)
    missing = [f"{role} ({what})" for role, what in shown.items() if what not in _FINE]
    raise DependencyDown(
        f"not ready after {timeout_seconds:.0f} s: {', '.join(missing) or 'the gateway'}; see `atoll logs`"
    )


def is_up(run_dir: Path) -> bool:
    """Whether a supervisor holds the data directory, whatever its roles do."""
    return run_dir.is_dir() and _locked(run_dir)


def stop(run_dir: Path) -> bool:
    """Stop everything that runs in a data directory and wait for it; return whether anything ran.

    Raises:
        StartRefused: a process could not be ended.
    """
    if not run_dir.is_dir():
        return False
    ran = _locked(run_dir)
    current = state.read(run_dir)
    row = current.row(RoleName.SUPERVISOR) if current else None
    if ran and row is not None and row.identity is not None and row.identity.alive:
        _end_supervisor(row.identity)
    with state.lock(run_dir, STOP_SECONDS) as held:
        if not held:
            raise StartRefused(f"another process holds {run_dir}; try again")
        left = state.end_leftovers(run_dir)
        _mark_stopped(run_dir)
    if left:
        raise StartRefused(f"could not end pid {', '.join(str(member.pid) for member in left)}; end them by hand")
    return ran


def address_of(run_dir: Path, default: str) -> str:
    """Return the gateway's address as the running stack tells it."""
    current = state.read(run_dir)
    return current.address if current else default


def status(run_dir: Path, address: str) -> dict[str, Any]:
    """Return the body of `atoll status --json`: readiness by asking the gateway, processes by asking the kernel.

    Whoever answers at the address of a stack whose own gateway does not run is somebody else's.
    """
    current = state.read(run_dir)
    living = current is not None and current.boot_id == pids.boot_id()
    rows = {row.role: row for row in current.rows} if current else {}
    supervisor = rows.get(RoleName.SUPERVISOR)
    supervised = living and supervisor is not None and supervisor.alive
    listed = [*RoleName, *(name for name in rows if name not in set(RoleName))]
    processes = [
        _status_row(rows.get(name, Row(name, RoleState.STOPPED)), living=living, supervised=supervised)
        for name in listed
    ]
    if current is not None and living:
        address = current.address
    gateway = rows.get(RoleName.GATEWAY)
    ours = supervised and gateway is not None and gateway.alive
    ready = ours and http_answer(f"{address}/health/ready")() is Answer.READY
    return {"ready": ready, "address": address, "processes": processes}


_FINE = frozenset({RoleState.RUNNING, RoleState.EXTERNAL, RoleState.NOT_CONFIGURED})
#: Roles that a stack has only where somebody asks for them.
_OPTIONAL = frozenset({RoleName.CHAT, RoleName.WATCH})
#: States that outlive the supervisor.
_WITHOUT_PROCESS = frozenset({RoleState.EXTERNAL, RoleState.NOT_CONFIGURED, RoleState.REFUSED})


def _status_row(row: Row, *, living: bool, supervised: bool) -> dict[str, Any]:
    alive = living and row.alive
    was_asked_for = row.role not in _OPTIONAL or row.address is not None
    gone = RoleState.STOPPED if was_asked_for else RoleState.NOT_CONFIGURED
    between = supervised and row.pid is None
    told = row.state if alive or between or row.state in _WITHOUT_PROCESS else gone
    return {
        "role": str(row.role),
        "pid": row.pid if alive else None,
        "state": str(told),
        "restarts": row.restarts,
        "address": row.address,
        "token_file": row.token_file,
        "rss_bytes": pids.rss_bytes(row.pid) if alive and row.pid else None,
    }


def _end_supervisor(supervisor: pids.Identity) -> None:
    """Ask, then kill: the kernel takes the children along in either case."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(supervisor.pid, signal.SIGTERM)
        os.kill(supervisor.pid, signal.SIGCONT)
    pids.end(pids.await_death([supervisor], STOP_SECONDS), STOP_SECONDS)


def _mark_stopped(run_dir: Path) -> None:
    current = state.read(run_dir)
    if current is not None:
        rows = tuple(
            row if row.state in _WITHOUT_PROCESS else Row(row.role, RoleState.STOPPED, address=row.address)
            for row in current.rows
        )
        # On a full disk the old state stays: its pids are dead, which is what everybody asks.
        with contextlib.suppress(OSError):
            state.write(run_dir, StackState(current.boot_id, Phase.STOPPED, current.address, rows))


def _tell_refusal(run_dir: Path, address: str, refusal: AtollError) -> None:
    own = pids.identify(os.getpid())
    row = Row(
        RoleName.SUPERVISOR,
        RoleState.STOPPED,
        pid=own.pid if own else None,
        start_ticks=own.start_ticks if own else None,
    )
    with contextlib.suppress(OSError):  # a full disk; the log has the message too
        state.write(run_dir, StackState(pids.boot_id(), Phase.REFUSED, address, (row,), refusal.message))


def _written_by(current: StackState, pid: int) -> bool:
    row = current.row(RoleName.SUPERVISOR)
    return row is not None and row.pid == pid


def _stopping(run_dir: Path) -> bool:
    current = state.read(run_dir)
    return current is not None and current.phase in {Phase.STOPPING, Phase.STOPPED, Phase.REFUSED}


def _locked(run_dir: Path) -> bool:
    with state.lock(run_dir) as free:
        return not free
