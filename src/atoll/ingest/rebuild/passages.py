"""The collection of passages, made from stored vectors and texts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Protocol

import numpy as np

from atoll.domain.ids import KbUid, PassageId
from atoll.domain.vectors import PassagePoint
from atoll.errors import Conflict
from atoll.ingest.cutting import indexing_text
from atoll.ingest.rebuild.differences import differing, documents_of, overtaken
from atoll.ingest.workshop import BATCH_PASSAGES
from atoll.ports.index_source import IndexedDocument, IndexedKb, IndexedPassages, IndexSource
from atoll.ports.sparse import SparseEncoder
from atoll.ports.vectors import VectorIndex, VectorUpkeep

_BATCH_POINTS = 4096


class _Index(VectorIndex, VectorUpkeep, Protocol):
    """The whole of a vector index."""


class PassageCollection:
    """``DerivedCollection`` of passages: stored vectors, and BM25 made again from the text."""

    def __init__(self, source: IndexSource, index: _Index, sparse: SparseEncoder, *, dimensions: int) -> None:
        self._source = source
        self._index = index
        self._sparse = sparse
        self._dimensions = dimensions

    async def bounds(self, kb: IndexedKb) -> tuple[int, int]:
        """Return how many points there must and may be."""
        return kb.visible, kb.visible + kb.hidden

    async def prepare(self) -> None:
        """Make the collection."""
        await self._index.prepare()

    async def count(self, kb: KbUid) -> int:
        """Count."""
        return await self._index.count(kb)

    async def refill(self, kb: IndexedKb, *, everything: bool) -> AsyncIterator[tuple[int, int]]:
        """Write the points of documents whose number of points is another."""
        async for documents in documents_of(self._source, kb.uid):
            points = {each.uid: each.passages for each in documents}
            wanted = points if everything else await differing(self._index, kb.uid, points)
            chosen = [each for each in documents if each.uid in wanted]
            intact = sum(each.passages for each in documents) - sum(each.passages for each in chosen)
            if intact:
                yield intact, 0
            for document in chosen:
                async for written in self._write(kb, document):
                    yield written, written
            written_to = {each.uid: each.labels for each in chosen}
            await self._index.delete(kb.uid, await overtaken(self._index, self._source, kb.uid, written_to))

    async def sweep(self, kb: KbUid | None) -> int:
        """Remove points without a passage."""
        removed = 0
        start: PassageId | None = None
        while True:
            points, start = await self._index.points(kb, start=start, limit=_BATCH_POINTS)
            known = await self._source.known(points)
            strays = [point for point in points if point not in known]
            await self._index.discard(strays)
            removed += len(strays)
            if start is None:
                return removed

    async def _write(self, kb: IndexedKb, document: IndexedDocument) -> AsyncIterator[int]:
        after = -1
        while True:
            batch = await self._source.passages(kb.uid, document.uid, after=after, limit=BATCH_PASSAGES)
            if not batch.passages:
                return
            if batch.vectors.shape[1] != self._dimensions:
                raise Conflict(
                    f"stored vectors have {batch.vectors.shape[1]} dimensions and the embedding model makes "
                    f"{self._dimensions}; configure the model that they were made with"
                )
            await self._index.upsert(await asyncio.to_thread(self._points, kb, document, batch))
            after = batch.passages[-1].ordinal
            yield len(batch.passages)

    def _points(self, kb: IndexedKb, document: IndexedDocument, batch: IndexedPassages) -> list[PassagePoint]:
        return [
            PassagePoint(
                id=passage.id,
                kb=kb.uid,
                document_uid=document.uid,
                labels=document.labels,
                dense=vector.astype(np.float32),
                sparse=self._sparse.encode_passage(indexing_text(passage), kb.language),
            )
            for passage, vector in zip(batch.passages, batch.vectors, strict=True)
        ]
