"""Collections on disk: one folder each, and in it the file that says which shard is the current one.

::

    collections/<name>/collection.json    the body the collection was created with, and the current shard's folder
    collections/<name>/shard-000001/      the engine's files

``collection.json`` is the only truth. It is replaced atomically, last at creation and first at removal, so that
whatever a crash leaves beside it is rubbish that the next start removes. Every method runs on the engine thread.
"""

from __future__ import annotations

import asyncio
import logging
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import orjson

from atoll import files
from atoll.errors import StartRefused
from atoll.local.vectors.engine import Change, CollectionConfig, Engine, Shard, Upsert
from atoll.local.vectors.rejections import BadRequest, CollectionExists, NoCollection
from atoll.local.vectors.schema import collection_config

log = logging.getLogger(__name__)

_NAME = re.compile(r"[A-Za-z0-9_-]{1,200}")
_TRUTH = "collection.json"


class ChangeLog:
    """The writes since a shard was copied, in order, up to a number of points."""

    def __init__(self, max_points: int) -> None:
        self._changes: list[Change] = []
        self._room = max_points
        self.full = False

    def add(self, change: Change) -> None:
        """Remember a change; past the bound everything is dropped and ``full`` says so."""
        self._room -= weight(change)
        if self._room < 0:
            self.full = True
            self._changes = []
        if not self.full:
            self._changes.append(change)

    def take(self) -> list[Change]:
        """Return what was remembered since the last call."""
        taken, self._changes = self._changes, []
        return taken


def weight(change: Change) -> int:
    """Return how many points a change counts for."""
    return len(change.points) if isinstance(change, Upsert) else 1


class Collection:
    """One open collection."""

    def __init__(
        self,
        folder: Path,
        spec: Mapping[str, Any],
        config: CollectionConfig,
        shard: Shard,
        generation: int,
        changed: int,
    ) -> None:
        self.folder = folder
        self._place = _place(folder)
        self.spec = spec
        self.config = config
        self.shard = shard
        self.generation = generation
        #: Points written or removed since the shard was last optimised: what the decision to optimise again rests on.
        self.changed_points = changed
        #: Its holder may write, or may rely on nothing being written.
        self.writing = asyncio.Lock()
        self.unflushed = False
        self.dropped = False
        self.optimising = False
        self.recorder: ChangeLog | None = None

    @property
    def name(self) -> str:
        """The collection's name."""
        return self.folder.name

    def is_in_place(self) -> bool:
        """Whether the folder that was opened is the one that lies there now, and names a shard."""
        return _place(self.folder) == self._place and (self.folder / _TRUTH).exists()

    def existing(self) -> Self:
        """Return the collection unless it was removed while the caller waited for its turn. Raises NoCollection."""
        if self.dropped:
            raise NoCollection(self.name)
        return self

    def shard_folder(self, generation: int) -> Path:
        """Return the folder of a generation of the shard."""
        return self.folder / f"shard-{generation:06d}"

    def apply(self, change: Change) -> None:
        """Write to the shard and, while a copy of it is being optimised, remember the change for the copy."""
        before = self.shard.figures().points
        self.shard.apply(change)
        if self.recorder is not None:
            self.recorder.add(change)
        self.changed_points += max(weight(change), before - self.shard.figures().points)
        self.unflushed = True

    def flush(self) -> None:
        """Write everything to disk."""
        self.unflushed = False
        self.shard.flush()

    def swap(self, shard: Shard, generation: int, changed: int) -> None:
        """Go over to an optimised shard that holds every change; the old folder is no longer needed."""
        write_truth(self.folder, self.spec, generation, shard.figures().points - changed)
        old, self.shard, self.generation, self.changed_points = self.shard, shard, generation, changed
        old.close()


def write_truth(folder: Path, spec: Mapping[str, Any], generation: int, optimised_points: int) -> None:
    """Write ``collection.json``, the commit of creation and swap."""
    truth = {"spec": spec, "generation": generation, "optimised_points": optimised_points}
    files.write(folder / _TRUTH, orjson.dumps(truth))


def _place(folder: Path) -> tuple[int, int] | None:
    """Return what tells this folder from another one at the same path; None when there is none."""
    try:
        status = folder.stat()
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino


def current_generation(folder: Path) -> int:
    """Return the generation that a start would open."""
    return int(orjson.loads((folder / _TRUTH).read_bytes())["generation"]) if (folder / _TRUTH).exists() else 0


class Store:
    """All collections of a data directory."""

    def __init__(self, directory: Path, engine: Engine) -> None:
        self._root = directory / "collections"
        self._engine = engine
        self._place: tuple[int, int] | None = None
        self._open: dict[str, Collection] = {}

    def open(self) -> None:
        """Open every collection and remove what crashes left behind.

        Raises:
            StartRefused: a collection cannot be read.
        """
        self._root.mkdir(parents=True, exist_ok=True)
        self._place = _place(self._root)
        for folder in sorted(self._root.iterdir()):
            if (folder / _TRUTH).is_file():
                self._open[folder.name] = self._load(folder)
            else:
                log.info("removing the unfinished collection %s", folder.name)
                shutil.rmtree(folder)

    def _load(self, folder: Path) -> Collection:
        try:
            truth = orjson.loads((folder / _TRUTH).read_bytes())
            current = folder / f"shard-{truth['generation']:06d}"
            for leftover in folder.iterdir():
                if leftover.is_dir() and leftover != current:
                    log.info("removing the leftover %s of %s", leftover.name, folder.name)
                    shutil.rmtree(leftover)
            config = collection_config(truth["spec"])
            shard = self._engine.load(current, config)
        except Exception as error:  # the engine raises bare Exception
            raise StartRefused(
                f"{folder} cannot be read ({error}); remove it and run `atoll reindex`, which needs no model"
            ) from error
        changed = max(0, shard.figures().points - truth["optimised_points"])
        return Collection(folder, truth["spec"], config, shard, truth["generation"], changed)

    def __contains__(self, name: str) -> bool:
        return name in self._open

    def get(self, name: str) -> Collection:
        """Return an open collection. Raises NoCollection."""
        if name not in self._open:
            raise NoCollection(name)
        return self._open[name]

    def all(self) -> list[Collection]:
        """Return the open collections, by name."""
        return [self._open[name] for name in sorted(self._open)]

    def create(self, name: str, spec: Mapping[str, Any], config: CollectionConfig) -> None:
        """Make an empty collection. Raises CollectionExists, BadRequest for a name that is not a plain word."""
        if not _NAME.fullmatch(name):
            raise BadRequest("a collection's name is made of at most 200 letters, digits, `_` and `-`")
        if name in self._open:
            raise CollectionExists(name)
        folder = self._root / name
        shutil.rmtree(folder, ignore_errors=True)  # what a failed creation or removal left
        folder.mkdir()
        shard = self._engine.create(folder / "shard-000001", config)
        shard.flush()
        write_truth(folder, spec, 1, 0)
        files.sync(self._root)
        self._open[name] = Collection(folder, spec, config, shard, 1, 0)

    def delete(self, name: str) -> None:
        """Remove a collection. Raises NoCollection."""
        collection = self.get(name)
        collection.dropped = True
        del self._open[name]
        (collection.folder / _TRUTH).unlink()
        files.sync(collection.folder)
        collection.shard.close()
        # A copy that is being optimised goes with its folder; what its optimiser writes meanwhile is removed at start.
        shutil.rmtree(collection.folder, ignore_errors=True)

    def is_lost(self) -> bool:
        """Whether somebody removed the files or put others there: what is written from now on would be for nothing."""
        return _place(self._root) != self._place or any(not each.is_in_place() for each in self._open.values())

    def flush(self) -> None:
        """Write every changed collection to disk."""
        for collection in self._open.values():
            if collection.unflushed:
                collection.flush()

    def close(self) -> None:
        """Flush and close every collection."""
        for collection in self._open.values():
            collection.shard.close()
        self._open.clear()
