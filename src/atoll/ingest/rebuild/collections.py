"""Rebuilding derived vector collections from the record store: no model, no pause, and again as often as one likes.

A collection is compared document by document and only what differs is written, so that a rebuild that was stopped goes
on where it was, and small damage is mended quickly. Points of documents that are hidden meanwhile are taken back.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from atoll.domain.ids import DocumentUid, KbUid, PassageId
from atoll.domain.vectors import PassagePoint
from atoll.errors import AtollError, Conflict, DependencyDown
from atoll.ingest.cutting import indexing_text
from atoll.ingest.workshop import BATCH_PASSAGES
from atoll.ports.index_labels import IndexLabels
from atoll.ports.index_source import IndexedDocument, IndexedKb, IndexedPassages, IndexSource
from atoll.ports.sparse import SparseEncoder
from atoll.ports.vectors import VectorIndex, VectorUpkeep

logger = logging.getLogger(__name__)

_BATCH_DOCUMENTS = 128
_BATCH_POINTS = 4096
#: Looks in a row while something differs; the last one finds nothing, and searches are told that all is whole again.
_ROUNDS = 3


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


class Counted(Protocol):
    """An index that counts the points of documents."""

    async def count(self, kb: KbUid, documents: Sequence[DocumentUid] | None = None) -> int:
        """Return the exact number."""
        ...


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


async def documents_of(source: IndexSource, kb: KbUid) -> AsyncIterator[Sequence[IndexedDocument]]:
    """Yield the visible documents of a knowledge base in batches."""
    after: DocumentUid | None = None
    while documents := await source.documents(kb, after=after, limit=_BATCH_DOCUMENTS):
        after = documents[-1].uid
        yield documents


async def differing(index: Counted, kb: KbUid, points: Mapping[DocumentUid, int]) -> frozenset[DocumentUid]:
    """Return the documents that have another number of points in the index than in ``points``."""
    held = await index.count(kb, list(points))
    if held == sum(points.values()):
        return frozenset()
    if held == 0:
        return frozenset(uid for uid, number in points.items() if number)
    return frozenset([uid for uid, number in points.items() if await index.count(kb, [uid]) != number])


async def overtaken(
    index: IndexLabels, source: IndexSource, kb: KbUid, written: Mapping[DocumentUid, Sequence[str]]
) -> list[DocumentUid]:
    """Return the documents that were deleted or replaced while their points were written, with the labels ``written``.

    Their purge may have looked for points before these were there, so that whoever wrote them takes them back. A
    document that is deleted after this look finds them. For the same reason the points of documents that have other
    labels by now get these.
    """
    if not written:
        return []
    visible = await source.visible(kb, list(written))
    for uid, labels in written.items():
        if uid in visible and set(visible[uid]) != set(labels):
            await index.relabel(kb, uid, visible[uid])
    return [uid for uid in written if uid not in visible]


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


class IndexWatch:
    """Looks now and then whether the index is what it should be, and mends it beside everything else.

    Args:
        reindex: what checks and rebuilds.
        every_seconds: how long to wait from one look's end to the next.
    """

    def __init__(self, reindex: Reindex, *, every_seconds: float) -> None:
        self._reindex = reindex
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
                    break
        except AtollError as error:
            logger.warning("the vector index could not be checked: %s", error)
        finally:
            self._not_before = 0.0 if self._again else time.monotonic() + self._every_seconds

    async def _rebuild(self, collection: str, kb: IndexedKb) -> None:
        """Rebuild one collection; the others do not wait for one that cannot be."""
        logger.warning("the index %s of %s differs from the record store; rebuilding it", collection, kb.uid)
        try:
            done = [progress async for progress in self._reindex.rebuild(only=(collection, kb.uid))][-1]
        except AtollError as error:
            logger.warning("the index %s of %s could not be rebuilt: %s", collection, kb.uid, error)
        else:
            logger.warning("rebuilt %s: %d points written, %d removed", collection, done.written, done.removed)
