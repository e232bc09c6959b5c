"""Questions that are being answered: each in a task of its own, so that it can be waited for in time and given up.

A client that waits no longer asks again, some up to twelve times, and not all of them close the first connection. The
same question of the same reader that comes while it is being answered joins the answer; when nobody waits any more the
work ends, and with it the chat model's.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Hashable
from contextlib import aclosing, asynccontextmanager, suppress

from anyio import CancelScope

from atoll.domain.evidence import Filters
from atoll.domain.ids import Subject
from atoll.domain.reader import Reader
from atoll.errors import AtollError, DependencyDown
from atoll.ports.passages import Passages
from atoll.query.service import AskService, EvidenceFound, QueryRequest, StreamEvent

_log = logging.getLogger(__name__)

#: How long a question waits for the evidence of another one that it might share.
_JOIN_SECONDS = 1.0


class Run:
    """One question being answered. Whoever waits for it reads its events by number, at their own pace."""

    def __init__(self, events: AsyncGenerator[StreamEvent, None]) -> None:
        self.waiting = 0
        self._events: list[StreamEvent] = []
        self._ended = False
        self._error: Exception | None = None
        self._news = asyncio.Event()
        self._task = asyncio.create_task(self._work(events))

    async def event(self, at: int, seconds: float) -> StreamEvent | None:
        """Return an event, or None when it did not come in time. Raises what answering raised."""
        deadline = asyncio.get_running_loop().time() + max(0.0, seconds)
        while len(self._events) <= at:
            if self._ended:
                raise self._error or DependencyDown("the answer broke off; ask again")
            try:
                async with asyncio.timeout_at(deadline):
                    await self._news.wait()
            except TimeoutError:
                return None
        return self._events[at]

    async def stop(self) -> None:
        """End the work, with what it has open."""
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    async def _work(self, events: AsyncGenerator[StreamEvent, None]) -> None:
        try:
            async with aclosing(events):
                async for event in events:
                    self._events.append(event)
                    self._tell()
        except Exception as error:  # noqa: BLE001 - it is raised again to everybody who waits
            self._error = error
        finally:
            self._ended = True
            self._tell()

    def _tell(self) -> None:
        news, self._news = self._news, asyncio.Event()
        news.set()


class Runs:
    """All questions that this process answers for clients of OpenAI's API."""

    def __init__(self, ask: AskService, passages: Passages) -> None:
        self._ask = ask
        self._passages = passages
        self._running: dict[Hashable, Run] = {}

    @asynccontextmanager
    async def answering(self, request: QueryRequest, subject: Subject) -> AsyncIterator[Run]:
        """Answer a question for as long as somebody waits for it."""
        key = (subject, request.reader, request.query, request.mode, request.history, request.answer_tokens)
        run = await self._joined(key, request.reader)
        if run is None:
            run = self._running[key] = Run(self._ask.stream(request))
            run.waiting = 1
        try:
            yield run
        finally:
            await self._leave(key, run)

    async def _joined(self, key: Hashable, reader: Reader) -> Run | None:
        """Return the run of the same question if its evidence is of now or later, so that nothing deleted is told."""
        run = self._running.get(key)
        if run is None or reader.is_restricted:  # whoever is restricted is told no revision
            return None
        run.waiting += 1
        joins = False
        try:
            now = (await self._passages.scope(reader, Filters())).revision
            found = await run.event(0, _JOIN_SECONDS)
            joins = isinstance(found, EvidenceFound) and found.revision is not None and found.revision >= now
        except AtollError as error:
            _log.info("a question is asked anew: %s", error.type)
        finally:
            if not joins:
                await self._leave(key, run)
        return run if joins else None

    async def _leave(self, key: Hashable, run: Run) -> None:
        run.waiting -= 1
        if run.waiting:
            return
        if self._running.get(key) is run:
            del self._running[key]
        # A server that cancels whoever's client left does so at every wait; what is open must be closed undisturbed.
        with CancelScope(shield=True):
            await run.stop()
