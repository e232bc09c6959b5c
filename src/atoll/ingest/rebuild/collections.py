"""Rebuilding derived vector collections from the record store: no model, no pause, and again as often as one likes.

A collection is compared document by document and only what differs is written, so that a rebuild that was stopped goes
on where it was, and small damage is mended quickly. Points of documents that are hidden meanwhile are taken back.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from atoll.domain.ids import KbUid
from atoll.errors import Conflict, DependencyDown
from atoll.ports.index_source import IndexedKb, IndexSource


@dataclass(frozen=True, slots=True)
class Progress:
    """How far one collection of one knowledge base is: points looked at, of how many, written and removed."""

    collection: str
    kb: str
    seen: int
    total: int
    written: int = 0
    removed: int = 0


class DerivedCollection(Protocol):
    """A collection whose points can be made from what the record store holds."""

    async def bounds(self, kb: IndexedKb) -> tuple[int, int]:
        """Return how many points it must hold at least and may hold at most."""
        ...

    async def prepare(self) -> None:
        """Make the collection if it is not there."""
        ...

    async def count(self, kb: KbUid) -> int:
        """Return how many points it holds."""
        ...

    def refill(self, kb: IndexedKb, *, everything: bool) -> AsyncIterator[tuple[int, int]]:
        """Write what is missing, or ``everything``; yield after each batch how many points were seen and written."""
        ...

    async def sweep(self, kb: KbUid | None) -> int:
        """Remove points that nothing in the record store stands for; return how many."""
        ...


class Reindex:
    """All derived collections of an installation, by name.

    Args:
        source: what they are made from.
        collections: name -> collection.
        embedding: what names the model whose vectors the collections are made for.
    """

    def __init__(self, source: IndexSource, collections: Mapping[str, DerivedCollection], *, embedding: str) -> None:
        self._source = source
        self._collections = collections
        self._embedding = embedding

    async def check(self) -> list[tuple[str, IndexedKb]]:
        """Return the collections and knowledge bases whose number of points cannot be right; searches are told.

        Raises:
            Conflict: stored vectors are of another embedding model.
            DependencyDown: the index is away.
        """
        await self._check_embedding()
        before = await self._source.kbs()
        counts = {
            (name, kb.uid): await self._count(collection, kb.uid)
            for name, collection in self._collections.items()
            for kb in before
        }
        # The two stores are not read in one moment: a count is wrong only if it was at neither end of the look.
        after = {kb.uid: kb for kb in await self._source.kbs()}
        wrong = []
        for name, collection in self._collections.items():
            for kb in before:
                if kb.uid in after:
                    bounds = (*await collection.bounds(kb), *await collection.bounds(after[kb.uid]))
                    if not min(bounds) <= counts[name, kb.uid] <= max(bounds):
                        wrong.append((name, after[kb.uid]))
        for kb in after.values():
            gaps = tuple(sorted(name for name, each in wrong if each.uid == kb.uid))
            if gaps != kb.gaps:
                await self._source.note_gaps(kb.uid, gaps)
        return wrong

    async def rebuild(
        self, *, kb_name: str | None = None, only: tuple[str, KbUid] | None = None, everything: bool = False
    ) -> AsyncIterator[Progress]:
        """Rebuild all collections, those of one knowledge base's name, or ``only`` one; yield the progress.

        Raises:
            Conflict: stored vectors are of another embedding model.
            DependencyDown: the index is away; what was done stays done.
        """
        await self._check_embedding()
        kbs = [
            kb for kb in await self._source.kbs() if kb_name in (None, kb.name) and (only is None or kb.uid == only[1])
        ]
        for name, collection in self._collections.items():
            if only is not None and name != only[0]:
                continue
            await collection.prepare()
            for kb in kbs:
                async for progress in self._rebuild(name, collection, kb, everything=everything):
                    yield progress
            if kb_name is None and only is None:
                # Points of knowledge bases that are gone belong to none of those above.
                yield Progress(name, "*", 0, 0, removed=await collection.sweep(None))

    async def _rebuild(
        self, name: str, collection: DerivedCollection, kb: IndexedKb, *, everything: bool
    ) -> AsyncIterator[Progress]:
        seen = written = 0
        async for looked_at, changed in collection.refill(kb, everything=everything):
            seen, written = seen + looked_at, written + changed
            yield Progress(name, kb.name, seen, max(seen, kb.visible), written)
        removed = await collection.sweep(kb.uid)
        yield Progress(name, kb.name, seen, seen, written, removed)

    async def _check_embedding(self) -> None:
        stored = await self._source.embedding(self._embedding)
        if stored != self._embedding:
            raise Conflict(
                f"stored vectors are of the embedding {stored} and the embedding server runs {self._embedding}; "
                "configure the model that they were made with, or delete the documents and ingest them again"
            )

    async def _count(self, collection: DerivedCollection, kb: KbUid) -> int:
        try:
            return await collection.count(kb)
        except DependencyDown:
            await collection.prepare()  # it may have been lost; away is away
            return await collection.count(kb)
