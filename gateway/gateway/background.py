"""Work beside the requests: ringing for documents, noting that keys were used, sweeping, measuring the embedder."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from typing import Any

from atoll.access.queries import Queries
from atoll.access.seals import Seals
from atoll.domain.ids import DocumentUid, KbUid, KeyId
from atoll.domain.principal import key_of
from atoll.domain.reading import older_line
from atoll.errors import AtollError
from gateway.dependencies import Dependencies

_log = logging.getLogger(__name__)

_MAX_RINGS = 10_000
_TOUCH_SECONDS = 30.0
_COUNT_SECONDS = 30.0
_SEAL_SECONDS = 60.0
_SWEEP_SECONDS = 60.0
#: How often it is seen to that the embedder's scale is known: at the start, and soon after another model came.
_MEASURE_SECONDS = 60.0


class Ringer:
    """Rings after the answer went out. A ring that is lost costs seconds: the reconciler finds the work."""

    def __init__(self, ports: Dependencies) -> None:
        self._doorbell = ports.doorbell
        self._waiting: asyncio.Queue[DocumentUid] = asyncio.Queue(_MAX_RINGS)

    def ring(self, documents: Sequence[DocumentUid]) -> None:
        """Ring soon; never waits and never fails."""
        with contextlib.suppress(asyncio.QueueFull):
            for document in documents:
                self._waiting.put_nowait(document)

    async def run(self) -> None:
        """Ring until cancelled."""
        while True:
            documents = [await self._waiting.get()]
            while not self._waiting.empty():
                documents.append(self._waiting.get_nowait())
            try:
                await self._doorbell.ring(documents)
            except AtollError as error:
                _log.warning("not rung for %d documents: %s", len(documents), error.message)
            except Exception:  # noqa: BLE001 - the outermost boundary of this work, which has to go on
                _log.exception("not rung for %d documents", len(documents))


class KeyUse:
    """Notes when keys were last used, in batches."""

    def __init__(self, ports: Dependencies) -> None:
        self._keys = ports.records.keys
        self._used: set[KeyId] = set()

    def note(self, subject: str) -> None:
        """Note that a subject, which may be no key, asked just now."""
        if (key := key_of(subject)) is not None:
            self._used.add(key)

    async def flush(self) -> None:
        """Write what was noted."""
        if self._used:
            used, self._used = self._used, set()
            try:
                await self._keys.touch(sorted(used))
            except BaseException:
                self._used |= used
                raise


async def sweep(ports: Dependencies) -> None:
    """Remove what uploads of dead processes left behind."""

    async def is_known(kb: KbUid, document: DocumentUid) -> bool:
        del kb
        return await ports.records.ledger.exists(document)

    if swept := await ports.blobs.sweep(is_known):
        _log.info("removed what %d abandoned uploads left", swept)


async def tell_older(ports: Dependencies) -> None:
    """Say in one line, at the start, how many documents an older pipeline read, if any."""
    try:
        if count := await ports.records.catalogue.older():
            _log.warning("%s", older_line(count))
    except AtollError as error:
        _log.warning("documents that an older pipeline read were not counted: %s", error.message)


@contextlib.asynccontextmanager
async def running(
    ports: Dependencies,
    ringer: Ringer,
    used: KeyUse,
    queries: Queries,
    seals: Seals,
    *features: Coroutine[Any, Any, None],
) -> AsyncIterator[None]:
    """Run all of it beside the block, and what features have to do beside it."""
    tasks = [
        *map(asyncio.create_task, features),
        asyncio.create_task(ringer.run()),
        asyncio.create_task(_every(_TOUCH_SECONDS, "noting when keys were used", used.flush)),
        asyncio.create_task(_every(_COUNT_SECONDS, "counting queries", queries.flush)),
        asyncio.create_task(_every(_SEAL_SECONDS, "sealing the audit trail", seals.seal)),
        asyncio.create_task(_every(_MEASURE_SECONDS, "measuring the embedding model", ports.ask.prepare)),
        asyncio.create_task(_every(_SWEEP_SECONDS, "sweeping abandoned uploads", lambda: sweep(ports))),
    ]
    for task in tasks:
        task.add_done_callback(_tell)
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for left in (used.flush, queries.flush):
            with contextlib.suppress(AtollError):
                await left()


def _tell(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()):
        _log.error("work beside the requests has ended", exc_info=error)


async def _every(seconds: float, name: str, work: Callable[[], Awaitable[None]]) -> None:
    while True:
        try:
            await work()
        except AtollError as error:
            _log.warning("%s is left for later: %s", name, error.message)
        except Exception:  # noqa: BLE001 - the outermost boundary of this work, which has to go on
            _log.exception("%s failed; it is tried again in %.0f s", name, seconds)
        await asyncio.sleep(seconds)
