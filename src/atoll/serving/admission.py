"""How many requests of each lane may be inside the server at a time.

A request thread waits while its job is in the queue. Bounding each lane below the number of threads keeps threads
free for the other lane, for health checks and for refusals, whatever floods the server.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from atoll.serving.errors import Overloaded
from atoll.serving.queue import Lane


class Admission:
    """Counts requests inside, by lane."""

    def __init__(self, limits: Mapping[Lane, int], retry_after_seconds: Callable[[Lane], float]) -> None:
        self._limits = limits
        self._retry_after_seconds = retry_after_seconds
        self._inside: dict[Lane, int] = dict.fromkeys(Lane, 0)
        self._lock = threading.Lock()

    @contextmanager
    def slot(self, lane: Lane) -> Iterator[None]:
        """Hold one of the lane's places.

        Raises:
            Overloaded: all are taken; says when to come back.
        """
        with self._lock:
            if self._inside[lane] >= self._limits[lane]:
                raise Overloaded(
                    f"{self._inside[lane]} {lane} requests are being answered, which is the limit",
                    self._retry_after_seconds(lane),
                )
            self._inside[lane] += 1
        try:
            yield
        finally:
            with self._lock:
                self._inside[lane] -= 1
