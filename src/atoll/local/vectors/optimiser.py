"""Optimising beside the server: the engine's ``optimise`` blocks every thread of its process for seconds.

So it happens in a child process, on a copy: the shard is flushed and copied while its writes wait, the child optimises
the copy while the server goes on answering and remembers its writes, these are applied to the copy again, and then
``collection.json`` names the copy. A crash before that leaves the old shard, which holds every write; after it, the new
one, which does too.
"""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from atoll.local.vectors.copies import copy_tree, disk_bytes, sync_tree
from atoll.local.vectors.engine import Change, Engine, Shard
from atoll.local.vectors.lanes import EngineThread, Lane
from atoll.local.vectors.store import ChangeLog, Collection, Store, current_generation, weight

log = logging.getLogger(__name__)

_LOOK_SECONDS = 0.2
_RETRY_SECONDS = 60.0
_ROOM_FACTOR = 4  # the copy, its optimised segments, and as much again for everybody else


@dataclass(frozen=True, slots=True)
class OptimiserLimits:
    """When a shard is optimised, and when an attempt is given up.

    ``points``: so many changed points start it; below, a flat scan is exact and fast. ``remembered_points``: past so
    many writes during an attempt it is given up and tried again later.
    """

    points: int = 30_000
    remembered_points: int = 20_000
    child_seconds: float = 1_800.0


class Abandoned(Exception):
    """An attempt that is given up; nothing is lost, the old shard holds everything."""


class Optimiser:
    """Optimises one collection at a time, as a task of the event loop."""

    def __init__(self, store: Store, engine: Engine, thread: EngineThread, limits: OptimiserLimits) -> None:
        self._store = store
        self._engine = engine
        self._thread = thread
        self._limits = limits
        self._resting: dict[str, float] = {}
        self._stopping = False

    def due(self, collection: Collection) -> bool:
        """Say whether enough has changed to optimise the collection."""
        return collection.changed_points >= self._limits.points

    def stop(self) -> None:
        """Let ``run`` end soon, giving up an attempt. Never cancel it: a swap may be under way on the engine thread."""
        self._stopping = True

    async def run(self) -> None:
        """Optimise what is due until stopped."""
        while not self._stopping:
            await asyncio.sleep(_LOOK_SECONDS)
            for collection in self._store.all():
                if self.due(collection) and time.monotonic() >= self._resting.get(collection.name, 0.0):
                    await self._attempt(collection)

    async def _attempt(self, collection: Collection) -> None:
        generation = collection.generation + 1
        folder = collection.shard_folder(generation)
        started = time.monotonic()
        collection.optimising = True
        try:
            await self._optimise(collection, folder, generation)
        except Exception as error:  # noqa: BLE001 - the task's outermost boundary; the engine raises bare Exception
            self._resting[collection.name] = time.monotonic() + _RETRY_SECONDS
            log.warning(
                "optimising %s was given up, next attempt in %.0f s: %s", collection.name, _RETRY_SECONDS, error
            )
        else:
            log.info("optimised %s in %.1f s", collection.name, time.monotonic() - started)
        finally:
            collection.optimising = False
            collection.recorder = None
            if current_generation(collection.folder) != generation:  # what the next start would open, whatever failed
                await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    async def _optimise(self, collection: Collection, folder: Path, generation: int) -> None:
        previous = collection.shard_folder(collection.generation)
        await self._copy(collection, previous, folder)
        await self._run_child(collection, folder)
        shard = await self._thread.run(Lane.UPKEEP, lambda: self._engine.load(folder, collection.config))
        try:
            replayed = await self._replay(collection, shard, folder)
            await self._swap(collection, shard, generation, replayed)
        finally:
            if collection.shard is not shard:
                await self._thread.run(Lane.UPKEEP, shard.close)
        await asyncio.to_thread(shutil.rmtree, previous, ignore_errors=True)

    async def _copy(self, collection: Collection, source: Path, target: Path) -> None:
        """Copy the shard while no write changes it, and remember the writes from then on."""
        async with collection.writing:
            self._check(collection)
            await self._thread.run(Lane.WRITE, collection.flush)
            needed = _ROOM_FACTOR * await asyncio.to_thread(disk_bytes, source)
            if shutil.disk_usage(source).free < needed:
                raise Abandoned(f"the disk has less than the {needed >> 20} MiB free that it takes")
            await asyncio.to_thread(shutil.rmtree, target, ignore_errors=True)
            await asyncio.to_thread(copy_tree, source, target)
            collection.recorder = ChangeLog(self._limits.remembered_points)

    async def _run_child(self, collection: Collection, folder: Path) -> None:
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "atoll.local.vectors.optimise", str(folder), str(os.getpid())),
            stdin=asyncio.subprocess.DEVNULL,
        )
        deadline = time.monotonic() + self._limits.child_seconds
        try:
            while child.returncode is None:
                self._check(collection)
                if time.monotonic() > deadline:
                    raise Abandoned(f"it took longer than {self._limits.child_seconds:.0f} s")
                await _ended(child, _LOOK_SECONDS)
        finally:
            if child.returncode is None:
                child.kill()
                await child.wait()
        if child.returncode != 0:
            raise Abandoned(f"the optimising child ended with status {child.returncode}")

    async def _replay(self, collection: Collection, shard: Shard, folder: Path) -> int:
        """Apply the remembered writes, one at a time so that searches pass between them; return their points."""
        replayed = 0
        while changes := await self._thread.run(Lane.UPKEEP, lambda: self._remembered(collection)):
            for change in changes:
                await self._thread.run(Lane.UPKEEP, lambda change=change: shard.apply(change))  # type: ignore[misc]
                replayed += weight(change)
        await self._thread.run(Lane.UPKEEP, shard.flush)
        await asyncio.to_thread(sync_tree, folder)
        return replayed

    async def _swap(self, collection: Collection, shard: Shard, generation: int, replayed: int) -> None:
        async with collection.writing:

            def swap() -> None:
                last = self._remembered(collection)
                for change in last:
                    shard.apply(change)
                shard.flush()
                collection.swap(shard, generation, replayed + sum(map(weight, last)))

            await self._thread.run(Lane.UPKEEP, swap)

    def _remembered(self, collection: Collection) -> list[Change]:
        """Return the writes since the last call; runs on the engine thread, as the writes do."""
        self._check(collection)
        assert collection.recorder is not None
        return collection.recorder.take()

    def _check(self, collection: Collection) -> None:
        if self._stopping:
            raise Abandoned("the server is stopping")
        if collection.dropped:
            raise Abandoned("the collection was removed")
        if self._store.is_lost():
            raise Abandoned("its files were removed or replaced")
        if collection.recorder is not None and collection.recorder.full:
            raise Abandoned("too many writes came meanwhile")


async def _ended(child: asyncio.subprocess.Process, seconds: float) -> None:
    try:
        await asyncio.wait_for(child.wait(), seconds)
    except TimeoutError:
        return
