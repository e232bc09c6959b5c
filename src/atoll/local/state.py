"""What the supervisor tells the command line: one small file, replaced whole at every change."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

from filelock import FileLock, Timeout

from atoll import files
from atoll.local import pids
from atoll.local.pids import Identity

STATE_FILE = "state.json"
_LOCK_FILE = "supervisor.lock"


class RoleName(StrEnum):
    """Every role of the local stack, in the order in which `atoll status` lists them."""

    SUPERVISOR = "supervisor"
    GATEWAY = "gateway"
    WORKER = "worker"
    PARSER = "parser"
    EMBEDDINGS = "embeddings"
    PAGES = "pages"
    CHAT = "chat"
    VECTORS = "vectors"
    QUEUE = "queue"
    WATCH = "watch"


class RoleState(StrEnum):
    """Where a role stands."""

    WAITING = "waiting"  # for the roles that it needs
    STARTING = "starting"  # runs, has not answered yet
    RUNNING = "running"  # answered
    UNRESPONSIVE = "unresponsive"  # runs, answered once, does not now
    RESTARTING = "restarting"  # died; the next start is due within seconds
    REFUSED = "refused"  # would not start; the reason says why
    STOPPED = "stopped"
    EXTERNAL = "external"  # somebody else's server
    NOT_CONFIGURED = "not configured"


class Phase(StrEnum):
    """Where the whole stack stands."""

    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    STOPPED = "stopped"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Row:
    """One role, as the supervisor last saw it; ``reason`` is the last line that a role which died had to say."""

    role: str
    state: str
    pid: int | None = None
    start_ticks: int | None = None
    restarts: int = 0
    address: str | None = None
    token_file: str | None = None
    reason: str | None = None

    @property
    def identity(self) -> Identity | None:
        """The process, if it was ever started."""
        if self.pid is None or self.start_ticks is None:
            return None
        return Identity(self.pid, self.start_ticks)

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return self.identity is not None and self.identity.alive


@dataclass(frozen=True, slots=True)
class StackState:
    """The content of the state file."""

    boot_id: str
    phase: str
    address: str
    rows: tuple[Row, ...]
    reason: str | None = None

    def row(self, role: str) -> Row | None:
        """Return a role's row."""
        return next((row for row in self.rows if row.role == role), None)


def write(run_dir: Path, state: StackState) -> None:
    """Replace the state file."""
    files.write(run_dir / STATE_FILE, json.dumps(asdict(state), indent=1).encode(), mode=files.PRIVATE)


def read(run_dir: Path) -> StackState | None:
    """Return the last state that was written, or None when there is none that can be read."""
    try:
        content = json.loads((run_dir / STATE_FILE).read_text(encoding="utf-8"))
        rows = tuple(Row(**row) for row in content.pop("rows"))
        return StackState(rows=rows, **content)
    except (FileNotFoundError, ValueError, TypeError, KeyError):
        return None


def end_leftovers(run_dir: Path, seconds: float = 5.0) -> list[Identity]:
    """End what an earlier supervisor left behind, by pid and start time; return what could not be ended.

    To be called with the lock held: then no supervisor lives, and every process it recorded is an orphan.
    """
    state = read(run_dir)
    if state is None or state.boot_id != pids.boot_id():
        return []
    orphans = [
        member
        for row in state.rows
        if row.role != RoleName.SUPERVISOR and row.identity is not None
        for member in pids.session_of(row.identity)
    ]
    return pids.end(orphans, seconds)


@contextlib.contextmanager
def lock(run_dir: Path, wait_seconds: float = 0.0) -> Iterator[bool]:
    """Hold the data directory's one lock; yield whether it was got within ``wait_seconds``.

    The kernel lets go of it when the holder dies, however it dies; children never inherit it.
    """
    held = FileLock(run_dir / _LOCK_FILE, timeout=wait_seconds, mode=files.PRIVATE, fallback_to_soft=False)
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(held.acquire())
        except Timeout:
            got = False
        else:
            got = True
        yield got
