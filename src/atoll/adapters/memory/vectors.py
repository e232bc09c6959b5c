"""An exact vector index in memory, with the formulas of the real one."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from atoll.domain.ids import DocumentUid, KbUid, PassageId
from atoll.domain.vectors import Hit, PassagePoint, SparseVector, VectorSearch

_DECIMALS = 5


class MemoryVectorIndex:
    """Implements ``VectorIndex`` by looking at every point."""

    def __init__(self) -> None:
        self._points: dict[PassageId, PassagePoint] = {}

    async def prepare(self) -> None:
        """See ``atoll.ports.vectors.VectorIndex``; there is nothing to prepare."""

    async def upsert(self, points: Sequence[PassagePoint]) -> None:
        """See ``atoll.ports.vectors.VectorIndex``."""
        self._points.update((point.id, point) for point in points)

    async def delete(self, kb: KbUid, documents: Sequence[DocumentUid]) -> None:
        """See ``atoll.ports.vectors.VectorIndex``."""
        gone = [point.id for point in self._of(kb) if point.document_uid in set(documents)]
        for passage in gone:
            del self._points[passage]

    async def relabel(self, kb: KbUid, document: DocumentUid, labels: Sequence[str]) -> None:
        """See ``atoll.ports.index_labels.IndexLabels``."""
        own = [point for point in self._of(kb) if point.document_uid == document]
        self._points.update((point.id, replace(point, labels=tuple(labels))) for point in own)

    async def search(self, searches: Sequence[VectorSearch]) -> list[list[Hit]]:
        """See ``atoll.ports.vectors.VectorIndex``."""
        return [self._answer(search) for search in searches]

    async def count(self, kb: KbUid, documents: Sequence[DocumentUid] | None = None) -> int:
        """See ``atoll.ports.vectors.VectorIndex``."""
        return sum(1 for point in self._of(kb) if documents is None or point.document_uid in documents)

    async def points(
        self, kb: KbUid | None, *, start: PassageId | None, limit: int
    ) -> tuple[list[PassageId], PassageId | None]:
        """See ``atoll.ports.vectors.VectorUpkeep``."""
        ids = sorted(each.id for each in self._points.values() if kb in (None, each.kb) and each.id >= (start or ""))
        return ids[:limit], ids[limit] if len(ids) > limit else None

    async def discard(self, points: Sequence[PassageId]) -> None:
        """See ``atoll.ports.vectors.VectorUpkeep``."""
        for point in points:
            self._points.pop(point, None)

    async def retire(self) -> list[str]:
        """See ``atoll.ports.vectors.VectorUpkeep``."""
        return []

    def _of(self, kb: KbUid) -> list[PassagePoint]:
        return [point for point in self._points.values() if point.kb == kb]

    def _answer(self, search: VectorSearch) -> list[Hit]:
        points = self._of(search.reader.kb)
        query = search.query
        scored = (
            self._lexical([point for point in points if search.reader.sees(point.labels)], query)
            if isinstance(query, SparseVector)
            else ((point, float(point.dense @ query)) for point in points)
        )
        hits = [
            Hit(point.id, point.document_uid, round(score, _DECIMALS))
            for point, score in scored
            if _matches(point, search)
        ]
        return sorted(hits, key=lambda hit: (-hit.score, hit.id))[: search.limit]

    @staticmethod
    def _lexical(points: Sequence[PassagePoint], query: SparseVector) -> Iterable[tuple[PassagePoint, float]]:
        found: Counter[int] = Counter()
        for point in points:
            found.update(point.sparse.indices.tolist())
        idf = {term: math.log1p((len(points) - count + 0.5) / (count + 0.5)) for term, count in found.items()}
        for point in points:
            common, at, asked = np.intersect1d(point.sparse.indices, query.indices, return_indices=True)
            if common.size:
                weights = [idf[term] for term in common.tolist()]
                yield point, float(np.sum(point.sparse.values[at] * query.values[asked] * weights))


def _matches(point: PassagePoint, search: VectorSearch) -> bool:
    return (
        search.reader.sees(point.labels)
        and (search.include_documents is None or point.document_uid in search.include_documents)
        and point.document_uid not in search.exclude_documents
    )
