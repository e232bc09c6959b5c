"""An exact index of pages in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from atoll.domain.ids import DocumentUid, KbUid, PageId
from atoll.domain.page_vectors import PageHit, PagePoint, PageSearch
from atoll.errors import IndexMissing

_DECIMALS = 5


class MemoryPageIndex:
    """Implements ``PageIndex`` by looking at every page."""

    def __init__(self) -> None:
        self._points: dict[tuple[str, PageId], PagePoint] = {}
        self._models: set[str] = set()

    async def upsert(self, fingerprint: str, points: Sequence[PagePoint]) -> None:
        """See ``atoll.ports.page_index.PageIndex``."""
        self._models.update([fingerprint] if points else [])
        self._points.update(((fingerprint, point.id), point) for point in points)

    async def delete(self, kb: KbUid, documents: Sequence[DocumentUid]) -> None:
        """See ``atoll.ports.page_index.PageIndex``."""
        gone = [key for key, point in self._points.items() if point.kb == kb and point.document_uid in documents]
        for key in gone:
            del self._points[key]

    async def relabel(self, kb: KbUid, document: DocumentUid, labels: Sequence[str]) -> None:
        """See ``atoll.ports.index_labels.IndexLabels``."""
        own = {at: each for at, each in self._points.items() if each.kb == kb and each.document_uid == document}
        self._points.update((at, replace(each, labels=tuple(labels))) for at, each in own.items())

    async def search(self, search: PageSearch) -> list[PageHit]:
        """See ``atoll.ports.page_index.PageIndex``."""
        if not len(search.query.vectors):
            return []
        if search.query.fingerprint not in self._models:
            raise IndexMissing("no page of this model was written")
        hits = [
            PageHit(point.document_uid, point.page, _max_sim(search, point), point.passages, point.key)
            for (fingerprint, _), point in self._points.items()
            if fingerprint == search.query.fingerprint and _matches(point, search)
        ]
        return sorted(hits, key=lambda hit: (-hit.score, hit.document_uid, hit.page))[: search.limit]

    async def count(self, kb: KbUid, documents: Sequence[DocumentUid] | None = None) -> int:
        """See ``atoll.ports.page_index.PageIndex``."""
        own = [point for point in self._points.values() if point.kb == kb]
        return sum(1 for point in own if documents is None or point.document_uid in documents)


def _max_sim(search: PageSearch, point: PagePoint) -> float:
    similarities = search.query.vectors @ point.vectors.vectors.astype(np.float32).T
    return round(float(similarities.max(axis=1).sum()), _DECIMALS)


def _matches(point: PagePoint, search: PageSearch) -> bool:
    return (
        point.kb == search.reader.kb
        and search.reader.sees(point.labels)
        and (search.include_documents is None or point.document_uid in search.include_documents)
        and point.document_uid not in search.exclude_documents
    )
