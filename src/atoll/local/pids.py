"""Which processes live: a pid alone names nobody, because the kernel hands it out again; with its start time it does.

A zombie is dead: it holds no file, no port and no memory, and only waits for its parent to read the exit status.
"""

from __future__ import annotations

import contextlib
import os
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

_POLL_SECONDS = 0.05
_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
_DEAD = frozenset({psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD})
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


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
    return _BOOT_ID.read_text().strip()


def identify(pid: int) -> Identity | None:
    """Return the identity of a living process, or None."""
    try:
        process = psutil.Process(pid)
        if process.status() in _DEAD:
            return None
        # Since boot, not since 1970: the clock may be set while the process runs.
        seconds = process.create_time() - psutil.boot_time()
    except psutil.Error:
        return None
    return Identity(pid, round(seconds * _TICKS_A_SECOND))


def rss_bytes(pid: int) -> int | None:
    """Return the resident memory of a process, or None when it is gone."""
    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return None


def worked_seconds(pid: int) -> float | None:
    """Return the processor time that a process has used so far, or None when it is gone."""
    try:
        times = psutil.Process(pid).cpu_times()
    except psutil.Error:
        return None
    return float(times.user + times.system)


def waits_for_disk(pid: int) -> bool:
    """Whether a process sleeps in the kernel until a disk or another device answers."""
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_DISK_SLEEP)
    except psutil.Error:
        return False


def name(pid: int) -> str:
    """Return the command name of a process, or an empty string."""
    try:
        return str(psutil.Process(pid).name())
    except psutil.Error:
        return ""


def session_of(leader: Identity) -> list[Identity]:
    """Return the living processes of the session that ``leader`` opened, the leader included.

    The leader may be dead: while one member lives, the kernel gives the session's number to nobody else. If another
    process carries the pid by now, the session is over and nothing is returned.
    """
    current = identify(leader.pid)
    if current is not None and current != leader:
        return []
    members = [identify(pid) for pid in psutil.pids() if _session(pid) == leader.pid]
    return [member for member in members if member is not None and member.start_ticks >= leader.start_ticks]


def end(members: list[Identity], seconds: float) -> list[Identity]:
    """Kill processes and wait; return those that still live after ``seconds``."""
    for member in members:
        if member.alive:
            with contextlib.suppress(psutil.Error):
                psutil.Process(member.pid).kill()
    return await_death(members, seconds)


def await_death(members: list[Identity], seconds: float) -> list[Identity]:
    """Wait until processes are gone; return those that still live after ``seconds``."""
    deadline = time.monotonic() + seconds
    while (alive := [member for member in members if member.alive]) and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
    return alive


def listener(port: int) -> int | None:
    """Return the pid that listens on a TCP port, or None when it cannot be told (another user's, or nobody)."""
    try:
        connections = psutil.net_connections("tcp")
    except (psutil.Error, OSError):
        return None
    for connection in connections:
        if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port and connection.pid:
            return int(connection.pid)
    return None


def _session(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except OSError:
        return None
