"""What the kernel says about processes: Linux `/proc`, read directly.

A pid alone names nobody, because the kernel hands it out again; a pid with its start time does. A zombie is dead:
it holds no file, no port and no memory, and only waits for its parent to read the exit status.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_DEAD = frozenset("ZX")
_POLL_SECONDS = 0.05
# Positions in /proc/<pid>/stat after the command, which may itself hold spaces and parentheses.
_STATE, _SESSION, _START = 0, 3, 19


@dataclass(frozen=True, slots=True)
class Identity:
    """A process that cannot be mistaken for another one; ``start_ticks`` counts clock ticks since boot."""

    pid: int
    start_ticks: int

    @property
    def alive(self) -> bool:
        """Whether this very process runs (stopped counts, a zombie does not)."""
        return identify(self.pid) == self


def boot_id() -> str:
    """Return what tells this boot of the machine from every other one."""
    return (_PROC / "sys/kernel/random/boot_id").read_text().strip()


def identify(pid: int) -> Identity | None:
    """Return the identity of a living process, or None."""
    fields = _stat(pid)
    return None if fields is None or fields[_STATE] in _DEAD else Identity(pid, int(fields[_START]))


def rss_bytes(pid: int) -> int | None:
    """Return the resident memory of a process, or None when it is gone."""
    try:
        resident = int((_PROC / str(pid) / "statm").read_text().split()[1])
    except (OSError, IndexError):
        return None
    return resident * os.sysconf("SC_PAGE_SIZE")


def name(pid: int) -> str:
    """Return the command name of a process, or an empty string."""
    try:
        return (_PROC / str(pid) / "comm").read_text().strip()
    except OSError:
        return ""


def session_of(leader: Identity) -> list[Identity]:
    """Return the living processes of the session that ``leader`` opened, the leader included.

    The leader may be dead: while one member lives, the kernel gives the session's number to nobody else. If another
    process carries the pid by now, the session is over and nothing is returned.
    """
    current = identify(leader.pid)
    if current is not None and current != leader:
        return []
    return [
        member for member, session in _sessions() if session == leader.pid and member.start_ticks >= leader.start_ticks
    ]


def end(members: list[Identity], seconds: float) -> list[Identity]:
    """Kill processes and wait; return those that still live after ``seconds``."""
    for member in members:
        if member.alive:
            with contextlib.suppress(ProcessLookupError):
                os.kill(member.pid, signal.SIGKILL)
    return await_death(members, seconds)


def await_death(members: list[Identity], seconds: float) -> list[Identity]:
    """Wait until processes are gone; return those that still live after ``seconds``."""
    deadline = time.monotonic() + seconds
    while (alive := [member for member in members if member.alive]) and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
    return alive


def listener(port: int) -> int | None:
    """Return the pid that listens on a TCP port, or None when it cannot be told (another user's, or nobody)."""
    sockets = {f"socket:[{inode}]" for inode in _listening(port)}
    if not sockets:
        return None
    for pid in _pids():
        with contextlib.suppress(OSError):
            for descriptor in (_PROC / str(pid) / "fd").iterdir():
                if str(descriptor.readlink()) in sockets:
                    return pid
    return None


def _listening(port: int) -> Iterator[str]:
    for table in ("net/tcp", "net/tcp6"):
        with contextlib.suppress(OSError):
            for line in (_PROC / table).read_text().splitlines()[1:]:
                fields = line.split()
                if fields[3] == "0A" and int(fields[1].rsplit(":", 1)[1], 16) == port:
                    yield fields[9]


def _pids() -> list[int]:
    return [int(entry.name) for entry in _PROC.iterdir() if entry.name.isdigit()]


def _sessions() -> Iterator[tuple[Identity, int]]:
    for pid in _pids():
        fields = _stat(pid)
        if fields is not None and fields[_STATE] not in _DEAD:
            yield Identity(pid, int(fields[_START])), int(fields[_SESSION])


def _stat(pid: int) -> list[str] | None:
    try:
        text = (_PROC / str(pid) / "stat").read_text()
    except (OSError, UnicodeDecodeError):
        return None
    return text.rpartition(")")[2].split()
