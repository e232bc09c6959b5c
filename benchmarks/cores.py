"""Who used the machine's cores while something was measured, and a neighbour that burns one."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Used:
    """Cores that a process used while it was watched."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._started, self._ticks = time.monotonic(), _ticks(pid)

    def cores(self) -> float:
        """Return the mean since the start."""
        seconds = (_ticks(self._pid) - self._ticks) / os.sysconf("SC_CLK_TCK")
        return seconds / (time.monotonic() - self._started)


def _ticks(pid: int) -> int:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


class Foreign:
    """Cores kept busy by processes other than the server, its client and the neighbour while it is watched."""

    def __init__(self, pids: list[int]) -> None:
        self._pids = [os.getpid(), *pids]
        self._started, self._busy, self._own = time.monotonic(), self._machine(), self._mine()

    def cores(self) -> float:
        """Return the mean since the start."""
        others = (self._machine() - self._busy) - (self._mine() - self._own)
        return max(0.0, others / os.sysconf("SC_CLK_TCK") / (time.monotonic() - self._started))

    @staticmethod
    def _machine() -> int:
        user, nice, system, *_ = map(int, Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:])
        return user + nice + system

    def _mine(self) -> int:
        return sum(map(_ticks, self._pids))


@contextmanager
def busy_neighbour() -> Iterator[int]:
    """Burn one core in another process."""
    process = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield process.pid
    finally:
        process.kill()
        process.wait()
