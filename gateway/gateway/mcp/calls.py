"""One call of a tool at work: how far it is, and what ends it early."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Any, TypeVar

from anyio import CancelScope

from atoll.errors import DependencyDown

T = TypeVar("T")

#: What a request's state holds for its calls: who was let in, and an event that is set when the peer goes away.
ACCESS, LEFT = "mcp_access", "mcp_left"

#: Progress is told at most so often while there is news, and so often while there is none: a client that waits for an
#: answer with its own limit must hear that somebody is at work.
_NEWS_SECONDS = 0.25
_BEAT_SECONDS = 5.0

#: Sends progress: how many notices there were, their unknown total, and words.
Report = Callable[[float, float | None, str | None], Awaitable[None]]


class PeerLeft(Exception):
    """Raised when nobody waits for the call any more."""


class Progress:
    """What a call says of itself; `tell` never waits, the newest words win."""

    def __init__(self) -> None:
        self._words: str | None = None
        self._news = asyncio.Event()

    def tell(self, words: str) -> None:
        """Say how far the work is."""
        self._words = words
        self._news.set()

    async def send(self, report: Report) -> None:
        """Report news and, without any, signs of life; until cancelled."""
        notices = 0
        while True:
            # Not `wait_for`: before Python 3.12 it loses a cancellation that comes together with news.
            with suppress(TimeoutError):
                async with asyncio.timeout(_BEAT_SECONDS):
                    await self._news.wait()
            self._news.clear()
            notices += 1
            await report(notices, None, self._words)
            await asyncio.sleep(_NEWS_SECONDS)


async def supervised(
    work: Coroutine[Any, Any, T], *, progress: Progress, report: Report, left: asyncio.Event, seconds: float
) -> T:
    """Return what the work returns.

    The work is a task of its own that is cancelled once and then awaited: a cancelled call leaves nothing behind
    that still searches or writes.

    Raises:
        PeerLeft: the peer went away first.
        DependencyDown: the time was over first.
    """
    working = asyncio.ensure_future(work)
    reporting = asyncio.ensure_future(progress.send(report))
    leaving = asyncio.ensure_future(left.wait())
    try:
        await asyncio.wait({working, leaving}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            return working.result()
        if leaving.done():
            raise PeerLeft
        raise DependencyDown(f"there was no answer within {seconds:.0f} s (ATOLL_MCP__CALL_SECONDS)")
    finally:
        with CancelScope(shield=True):
            for task in (working, reporting, leaving):
                task.cancel()
            await asyncio.gather(working, reporting, leaving, return_exceptions=True)
