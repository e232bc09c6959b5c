"""Who is read next: what takes long may not hold up what does not.

A document takes long by expectation, because its file is large, or as it turns out, because its child has run for so
long already. Documents that take long leave one place to those that do not, and where as many as there are places take
long after all, there is one place more for the others.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

#: From this size on a file is expected to take long.
LONG_BYTES = 8 * 2**20
#: A child that has run for so long takes long.
LONG_SECONDS = 15.0


class Reading(Protocol):
    """A request and, once it runs, when it began (by the monotonic clock)."""

    bytes: int
    started: float | None


T = TypeVar("T", bound=Reading)


@dataclass(slots=True)
class Lane(Generic[T]):
    """Requests of one operation; ``places`` children run at a time, and one more while all of them take long."""

    places: int
    running: set[T] = field(default_factory=set)
    waiting: deque[T] = field(default_factory=deque)

    def start_next(self, now: float) -> T | None:
        """Move the next request that may start from ``waiting`` to ``running``; None when none may."""
        for call in self.waiting:
            if self._may_start(call, now):
                self.waiting.remove(call)
                call.started = now
                self.running.add(call)
                return call
        return None

    def forget(self, call: T) -> None:
        """Take a request out, wherever it is."""
        self.running.discard(call)
        if call in self.waiting:
            self.waiting.remove(call)

    def _may_start(self, call: T, now: float) -> bool:
        long = sum(_takes_long(each, now) for each in self.running)
        if call.bytes >= LONG_BYTES:
            return len(self.running) < self.places and long < max(1, self.places - 1)
        if long >= self.places:
            return len(self.running) <= self.places
        return len(self.running) < self.places


def _takes_long(call: Reading, now: float) -> bool:
    return call.bytes >= LONG_BYTES or (call.started is not None and now - call.started >= LONG_SECONDS)
