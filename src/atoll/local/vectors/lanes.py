"""The one thread that calls the engine, with a fast lane for reads.

Engine calls hold the interpreter lock, so more threads would not help; with one, the event loop stays free to accept,
refuse and time out, and a search overtakes the writes that wait.
"""

from __future__ import annotations

import asyncio
import itertools
import math
import queue
import threading
import time
from collections.abc import Callable
from enum import Enum
from typing import Any, TypeVar

from atoll.local.vectors.rejections import Overloaded

T = TypeVar("T")


class Lane(Enum):
    """How long a call may be overtaken, in seconds. Bounded, so that no lane ever starves another."""

    READ = 0.0
    WRITE = 0.05
    UPKEEP = 0.2


class EngineThread:
    """Runs calls one at a time, by the time of arrival plus what their lane adds to it."""

    def __init__(self, max_waiting: int) -> None:
        self._waiting: queue.PriorityQueue[tuple[float, int, Callable[[], None] | None]] = queue.PriorityQueue()
        self._max_waiting = max_waiting
        self._numbers = itertools.count()
        self._stopped = False
        self._thread = threading.Thread(target=self._work, name="engine", daemon=True)
        self._thread.start()

    async def run(self, lane: Lane, call: Callable[[], T]) -> T:
        """Return what ``call`` returns, run on the engine thread.

        Raises:
            Overloaded: as many calls wait as may wait. Upkeep is never refused: there is little of it, and it
                ends the overload.
        """
        if self._stopped or (lane is not Lane.UPKEEP and self._waiting.qsize() >= self._max_waiting):
            raise Overloaded(f"more than {self._max_waiting} requests wait for the engine; try again in a second")
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[T] = loop.create_future()

        def job() -> None:
            if answer.cancelled():
                return
            try:
                value = call()
            except BaseException as error:  # noqa: BLE001 - whatever it is belongs to the caller
                loop.call_soon_threadsafe(_fail, answer, error)
            else:
                loop.call_soon_threadsafe(_settle, answer, value)

        self._waiting.put((time.monotonic() + lane.value, next(self._numbers), job))
        return await answer

    def stop(self) -> None:
        """Finish what waits and end the thread."""
        self._stopped = True
        self._waiting.put((math.inf, next(self._numbers), None))
        self._thread.join()

    def _work(self) -> None:
        while True:
            _, _, job = self._waiting.get()
            if job is None:
                return
            job()


def _settle(answer: asyncio.Future[Any], value: Any) -> None:
    if not answer.done():
        answer.set_result(value)


def _fail(answer: asyncio.Future[Any], error: BaseException) -> None:
    if not answer.done():
        answer.set_exception(error)
