"""How long a role has been silent: a hung process is ended, one that is only busy is left to its work."""

from __future__ import annotations

import time
from collections.abc import Callable

from atoll.local import pids

#: A probe that a busy process leaves unanswered counts this part of one: it may be silent ten times as long.
BUSY_WEIGHT = 0.1
#: Busy is who used this part of one core since the probe before.
_BUSY_SHARE = 0.05


class Silence:
    """Counts the probes in a row that one process left unanswered.

    Args:
        limit: unanswered probes after which the process counts as hung.
        worked_seconds: processor time that a process has used so far, None when it cannot be told.
    """

    def __init__(
        self,
        limit: int,
        *,
        worked_seconds: Callable[[int], float | None] = pids.worked_seconds,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limit = limit
        self._worked_seconds = worked_seconds
        self._clock = clock
        self._count = 0.0
        self._seen: tuple[float, float] | None = None

    def broken(self) -> None:
        """Note that the process answered."""
        self._count, self._seen = 0.0, None

    def goes_on(self, pid: int) -> None:
        """Note that process ``pid`` left a probe unanswered."""
        now, worked = self._clock(), self._worked_seconds(pid)
        self._count += BUSY_WEIGHT if self._is_busy(pid, now, worked) else 1.0
        self._seen = None if worked is None else (now, worked)

    @property
    def is_too_long(self) -> bool:
        """Whether the process is hung."""
        return round(self._count, 3) >= self._limit

    def _is_busy(self, pid: int, now: float, worked: float | None) -> bool:
        if pids.waits_for_disk(pid):
            return True  # killing it would not end the wait
        if worked is None or self._seen is None:
            return False
        since, before = self._seen
        return now > since and (worked - before) / (now - since) >= _BUSY_SHARE
