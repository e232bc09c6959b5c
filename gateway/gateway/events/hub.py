"""One look at the store for all who watch a knowledge base, however many they are.

Memory holds which documents changed, never what they are: that is read when it is shown, so that nobody is shown a
document that was deleted, replaced or relabelled meanwhile, by this process or another.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from atoll.domain.document import Change, Document
from atoll.domain.ids import DocumentUid, KbUid, TenantId
from atoll.domain.reader import Reader
from atoll.errors import AtollError
from atoll.ports.changes import Changes

_log = logging.getLogger(__name__)

_POLL_SECONDS = 0.4
#: Changes that are looked for at a time, and rows that are read to be shown.
_PAGE = 200
_SHOWN = 50
#: Documents whose change is remembered for those who watch; whoever falls behind further reads from the store.
_RECENT = 1000


@dataclass(frozen=True, slots=True)
class Shown:
    """What a watcher is told: a document as it is now, or None when it is gone."""

    number: int
    uid: DocumentUid
    document: Document | None


class Hub:
    """Follows the changes of one knowledge base."""

    def __init__(self, changes: Changes, tenant: TenantId, kb: KbUid) -> None:
        self._changes = changes
        self._everything = Reader(tenant, kb)
        self._recent: dict[tuple[DocumentUid, frozenset[str] | None], Change] = {}
        self._floor = 0
        self._moved = asyncio.Event()
        self.latest: int | None = None
        self.watchers = 0

    async def begin(self) -> int:
        """Return the change number to watch from: of the latest change."""
        if self.latest is None:
            latest = await self._changes.latest(self._everything)
            if self.latest is None:  # nobody else began meanwhile
                self.latest = self._floor = latest
        return self.latest

    async def after(self, since: int, reader: Reader) -> tuple[int, tuple[Shown, ...]]:
        """Return what the reader is told of the changes after ``since``, in order, and up to which number that is."""
        changes = await self._known_after(since, reader)
        if not changes:
            return since, ()
        documents = {
            document.id: document
            for document in await self._changes.among(reader, list({change.document for change in changes}))
        }
        shown = tuple(
            Shown(change.number, change.document, documents.get(change.document))
            for change in changes
            # A document that changed and is gone departs with a number of its own; one that left for some and is
            # there for this reader has changed with a number of its own.
            if change.is_departure != (change.document in documents)
        )
        return changes[-1].number, shown

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
            found: tuple[Change, ...] = ()
            try:
                found = await self._changes.after(self._everything, await self.begin(), limit=_PAGE)
                self._add(found)
            except AtollError as error:
                _log.warning("changes are late: %s", error.message)
            except Exception:  # noqa: BLE001 - the outermost boundary of this work, which has to go on
                _log.exception("changes are late")
            if len(found) < _PAGE:
                await asyncio.sleep(_POLL_SECONDS)

    async def _known_after(self, since: int, reader: Reader) -> list[Change]:
        if self.latest is None or since < self._floor:
            return list(await self._changes.after(reader, since, limit=_SHOWN))
        later = (change for change in self._recent.values() if change.number > since and reader.sees(change.labels))
        return [change for change, _ in zip(later, range(_SHOWN), strict=False)]

    def _add(self, found: tuple[Change, ...]) -> None:
        for change in found:
            # The latest change of a document alone, at the end: the order of memory is that of numbers. A departure is
            # told to those who held the labels of then, who may be others at the next one.
            key = change.document, change.labels if change.is_departure else None
            self._recent.pop(key, None)
            self._recent[key] = change
            if len(self._recent) > _RECENT:
                self._floor = self._recent.pop(next(iter(self._recent))).number
        if found:
            self.latest = found[-1].number
            self._moved.set()
            self._moved = asyncio.Event()


class Hubs:
    """The hubs of the knowledge bases that someone watches."""

    def __init__(self, changes: Changes) -> None:
        self._changes = changes
        self._hubs: dict[KbUid, tuple[Hub, asyncio.Task[None]]] = {}

    @asynccontextmanager
    async def watch(self, reader: Reader) -> AsyncIterator[Hub]:
        """Give the hub of the reader's knowledge base; it stops with its last watcher."""
        kb = reader.kb
        if kb not in self._hubs:
            hub = Hub(self._changes, reader.tenant, kb)
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
