"""Bounds of one process: requests in flight by subject, uploads and drawings in flight over all subjects."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from atoll.domain.ids import Subject
from atoll.errors import QuotaExceeded

_RETRY_SECONDS = 1.0
#: Uploads that may wait for their turn, for each one that may run.
_WAITING_PER_RUNNING = 4
_MAX_WAIT_SECONDS = 20.0


class Slots:
    """How many things of one kind each subject may have open at a time."""

    def __init__(self, per_subject: int, what: str, *, total: int | None = None) -> None:
        self._per_subject = per_subject
        self._what = what
        self._total = total
        self._open: Counter[Subject] = Counter()

    @contextmanager
    def hold(self, subject: Subject) -> Iterator[None]:
        """Hold one slot. Raises QuotaExceeded when none is free."""
        full = self._total is not None and self._open.total() >= self._total
        if full or self._open[subject] >= self._per_subject:
            raise QuotaExceeded(f"too many {self._what} at a time; wait for some to end", _RETRY_SECONDS)
        self._open[subject] += 1
        try:
            yield
        finally:
            self._open[subject] -= 1
            if not self._open[subject]:
                del self._open[subject]


class Gate:
    """Lets a number through at a time; a few more wait a bounded while, the rest are sent away."""

    def __init__(self, width: int, what: str, *, max_wait_seconds: float = _MAX_WAIT_SECONDS) -> None:
        self._semaphore = asyncio.Semaphore(width)
        self._room = width * (1 + _WAITING_PER_RUNNING)
        self._what = what
        self._max_wait_seconds = max_wait_seconds
        self._inside = 0

    @asynccontextmanager
    async def enter(self) -> AsyncIterator[None]:
        """Be one of those inside. Raises QuotaExceeded when there is no room or no turn in time."""
        if self._inside >= self._room:
            raise QuotaExceeded(f"too many {self._what} at a time; try again soon", _RETRY_SECONDS)
        self._inside += 1
        try:
            try:
                async with asyncio.timeout(self._max_wait_seconds):
                    await self._semaphore.acquire()
            except TimeoutError as error:
                raise QuotaExceeded(f"too many {self._what} at a time; try again soon", _RETRY_SECONDS) from error
            try:
                yield
            finally:
                self._semaphore.release()
        finally:
            self._inside -= 1
