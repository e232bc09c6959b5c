"""Looking whether the derived collections are what they should be, beside all other work."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence

from atoll.errors import AtollError
from atoll.ingest.rebuild.collections import Reindex
from atoll.ports.index_source import IndexedKb

logger = logging.getLogger(__name__)

#: Looks in a row while something differs; the last one finds nothing, and searches are told that all is whole again.
_ROUNDS = 3


class IndexWatch:
    """Looks now and then whether the index is what it should be, and mends it beside everything else.

    Args:
        reindex: what checks and rebuilds.
        every_seconds: how long to wait from one look's end to the next.
        retire: removes what an earlier version kept in the index, once today's index is whole.
    """

    def __init__(
        self, reindex: Reindex, *, every_seconds: float, retire: Callable[[], Awaitable[Sequence[str]]]
    ) -> None:
        self._reindex = reindex
        self._retire = retire
        self._every_seconds = every_seconds
        self._not_before = 0.0
        self._again = False
        self._task: asyncio.Task[None] | None = None

    def look(self) -> None:
        """Start a look if one is due and none is under way; returns at once."""
        if (self._task is None or self._task.done()) and time.monotonic() >= self._not_before:
            self._task = asyncio.create_task(self._mend())

    def hurry(self) -> None:
        """Look at once, and once more if a look is under way: a collection was found gone."""
        self._not_before, self._again = 0.0, True
        self.look()

    async def _mend(self) -> None:
        self._again = False
        try:
            for _ in range(_ROUNDS):
                wrong = await self._reindex.check()
                for collection, kb in wrong:
                    await self._rebuild(collection, kb)
                if not wrong:
                    await self._clear()
                    break
        except AtollError as error:
            logger.warning("the vector index could not be checked: %s", error)
        finally:
            self._not_before = 0.0 if self._again else time.monotonic() + self._every_seconds

    async def _clear(self) -> None:
        if removed := await self._retire():
            logger.warning("removed what an earlier version kept in the vector store: %s", ", ".join(removed))

    async def _rebuild(self, collection: str, kb: IndexedKb) -> None:
        """Rebuild one collection; the others do not wait for one that cannot be."""
        logger.warning("the index %s of %s differs from the record store; rebuilding it", collection, kb.uid)
        try:
            done = [progress async for progress in self._reindex.rebuild(only=(collection, kb.uid))][-1]
        except AtollError as error:
            logger.warning("the index %s of %s could not be rebuilt: %s", collection, kb.uid, error)
        else:
            logger.warning("rebuilt %s: %d points written, %d removed", collection, done.written, done.removed)
