"""One look at the store for all who watch a knowledge base, however many they are."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from atoll.domain.document import Document
from atoll.domain.ids import KbUid, TenantId
from atoll.domain.reader import Reader
from atoll.errors import AtollError
from atoll.ports.catalogue import Catalogue

_log = logging.getLogger(__name__)

_POLL_SECONDS = 0.4
_PAGE = 200
#: Changes kept for those who watch; whoever falls behind further reads from the store.
_RECENT = 1000


class Hub:
    """Follows the changes of one knowledge base."""

    def __init__(self, catalogue: Catalogue, tenant: TenantId, kb: KbUid) -> None:
        self._catalogue = catalogue
        self._everything = Reader(tenant, kb)
        self._recent: deque[Document] = deque(maxlen=_RECENT)
        self._floor = 0
        self._moved = asyncio.Event()
        self.latest: int | None = None
        self.watchers = 0

    async def begin(self) -> int:
        """Return the change number to watch from: of the latest change."""
        if self.latest is None:
            found = await self._catalogue.changes(self._everything, since=None, limit=1)
            if self.latest is None:  # nobody else began meanwhile
                self.latest = self._floor = found[0].changed_seq if found else 0
        return self.latest

    async def after(self, since: int, reader: Reader) -> tuple[Document, ...]:
        """Return visible changes after ``since``, in order; at most a page of them."""
        if self.latest is not None and since >= self._floor:
            return tuple(each for each in self._recent if each.changed_seq > since and reader.sees(each.labels))
        return await self._catalogue.changes(reader, since=since, limit=_PAGE)

    async def wait(self, since: int, timeout_seconds: float) -> None:
        """Return when there may be changes after ``since``, or after the timeout."""
        if self.latest is not None and self.latest > since:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_seconds):
                await self._moved.wait()

    async def follow(self) -> None:
        """Look for changes until cancelled."""
        while True:
            try:
                since = await self.begin()
                found = await self._catalogue.changes(self._everything, since=since, limit=_PAGE)
                self._add(found)
            except AtollError as error:
                _log.warning("changes are late: %s", error.message)
                found = ()
            if len(found) < _PAGE:
                await asyncio.sleep(_POLL_SECONDS)

    def _add(self, found: tuple[Document, ...]) -> None:
        for document in found:
            if len(self._recent) == _RECENT:
                self._floor = self._recent[0].changed_seq
            self._recent.append(document)
        if found:
            self.latest = found[-1].changed_seq
            self._moved.set()
            self._moved = asyncio.Event()


class Hubs:
    """The hubs of the knowledge bases that someone watches."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._hubs: dict[KbUid, tuple[Hub, asyncio.Task[None]]] = {}

    @asynccontextmanager
    async def watch(self, reader: Reader) -> AsyncIterator[Hub]:
        """Give the hub of the reader's knowledge base; it stops with its last watcher."""
        kb = reader.kb
        if kb not in self._hubs:
            hub = Hub(self._catalogue, reader.tenant, kb)
            self._hubs[kb] = hub, asyncio.create_task(hub.follow())
        hub, task = self._hubs[kb]
        hub.watchers += 1
        try:
            yield hub
        finally:
            hub.watchers -= 1
            if not hub.watchers:
                del self._hubs[kb]
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
