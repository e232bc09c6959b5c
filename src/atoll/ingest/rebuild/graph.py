"""The derived collections of entities and of assertions, made again from stored vectors.

A point too many costs a look into the record store and nothing else, so that only what is missing is looked for.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from typing import Protocol

import numpy as np

from atoll.domain.ids import EntityId, KbUid, RelationId
from atoll.domain.vectors import EntityPoint, RelationPoint
from atoll.ingest.rebuild.differences import overtaken
from atoll.ingest.rebuild.expected import QUIET_SECONDS, Expected
from atoll.ports.graph_index import GraphIndex
from atoll.ports.index_source import IndexedKb, IndexSource
from atoll.ports.vectors import VectorIndex

_BATCH = 256


class _Index(VectorIndex, GraphIndex, Protocol):
    """A vector index with its graph collections."""


class EntityCollection:
    """``DerivedCollection`` of the entities that two visible passages mention."""

    def __init__(self, source: IndexSource, index: _Index) -> None:
        self._source = source
        self._index = index

    async def bounds(self, kb: IndexedKb) -> tuple[int, int]:
        """Return how many points there must and may be."""
        return kb.entities, sys.maxsize

    async def prepare(self) -> None:
        """Make the collection."""
        await self._index.prepare()

    async def count(self, kb: KbUid) -> int:
        """Count."""
        return (await self._index.count_graph(kb))[0]

    async def refill(self, kb: IndexedKb, *, everything: bool) -> AsyncIterator[tuple[int, int]]:
        """Write all points, unless there are enough of them."""
        if not everything and await self.count(kb.uid) >= kb.entities:
            yield kb.entities, 0
            return
        after: EntityId | None = None
        while (batch := await self._source.entities(kb.uid, after=after, limit=_BATCH)).entities:
            after = batch.entities[-1]
            pairs = zip(batch.entities, batch.vectors.astype(np.float32), strict=True)
            await self._index.upsert_graph([EntityPoint(entity, kb.uid, vector) for entity, vector in pairs], [])
            yield len(batch.entities), len(batch.entities)

    async def sweep(self, kb: KbUid | None) -> int:
        """Leave points too many where they are."""
        del kb
        return 0


class RelationCollection:
    """``DerivedCollection`` of what visible passages state."""

    def __init__(self, source: IndexSource, index: _Index, *, quiet_seconds: float = QUIET_SECONDS) -> None:
        self._source = source
        self._index = index
        self._expected = Expected(source.count_relations, quiet_seconds=quiet_seconds)

    async def bounds(self, kb: IndexedKb) -> tuple[int, int]:
        """Return how many points there must and may be."""
        return max(int(kb.has_relations), await self._expected.least(kb)), sys.maxsize

    async def prepare(self) -> None:
        """Make the collection."""
        await self._index.prepare()

    async def count(self, kb: KbUid) -> int:
        """Count."""
        points = (await self._index.count_graph(kb))[1]
        self._expected.counted(kb, points)
        return points

    async def refill(self, kb: IndexedKb, *, everything: bool) -> AsyncIterator[tuple[int, int]]:
        """Write all points; they are upserts, and how many there should be is not known beforehand."""
        del everything
        self._expected.rebuilt(kb.uid)
        after: RelationId | None = None
        while (batch := await self._source.relations(kb.uid, after=after, limit=_BATCH)).relations:
            after = batch.relations[-1]
            columns = zip(batch.relations, batch.documents, batch.labels, batch.vectors.astype(np.float32), strict=True)
            points = [RelationPoint(relation, kb.uid, *rest) for relation, *rest in columns]
            await self._index.upsert_graph([], points)
            # As for passages: a document that was deleted meanwhile takes its points with it.
            written_to = dict(zip(batch.documents, batch.labels, strict=True))
            gone = await overtaken(self._index, self._source, kb.uid, written_to)
            await self._index.delete_graph(kb.uid, [], gone)
            yield len(points), len(points)

    async def sweep(self, kb: KbUid | None) -> int:
        """Leave points too many where they are."""
        del kb
        return 0
