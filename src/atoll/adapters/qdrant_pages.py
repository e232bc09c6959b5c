"""The index of pages on Qdrant's protocol: one collection a page model, every page a multi-vector.

A small knowledge base is searched exactly. In a large one the pages are first chosen by their pooled rows and columns,
which are few, and then ranked exactly; no graph is built over the full multi-vectors, where a single insertion would
cost as much as millions of comparisons.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from qdrant_client import AsyncQdrantClient, models

from atoll.adapters.qdrant_calls import SCORE_DIGITS, TIE_ROOM, QdrantCalls, Schema, among, connected, equals, scope
from atoll.domain.artefact import UNKEYED
from atoll.domain.ids import DocumentUid, KbUid
from atoll.domain.page_vectors import PageHit, PagePoint, PageSearch

#: Pages of a knowledge base up to which every page is compared exactly.
EXACT_PAGES = 2_000
#: Pages that each of rows and columns brings to the exact comparison, and how many times the limit at least.
PREFETCHED, PREFETCHED_FACTOR = 200, 2
#: Numbers in one upsert, as JSON well below a server's 32 MiB.
UPSERT_NUMBERS = 600_000
#: How long a knowledge base's number of pages is believed: it only decides how it is searched.
_COUNT_SECONDS = 30.0
_COUNTED_KBS = 1_024
_PREFIX = "pages_"
#: Digits of the model's fingerprint in a collection's name.
_NAME_DIGITS = 12
_FULL, _ROWS, _COLS = "full", "rows", "cols"


class QdrantPageIndex:
    """``PageIndex`` over the official client, which stays open until ``close``."""

    def __init__(
        self, client: AsyncQdrantClient, *, timeout_seconds: float = 20.0, exact_pages: int = EXACT_PAGES
    ) -> None:
        self._client = client
        self._calls = QdrantCalls(client, timeout_seconds)
        self._exact_pages = exact_pages
        self._counts: OrderedDict[tuple[str, KbUid], tuple[float, int]] = OrderedDict()

    @classmethod
    def connect(
        cls,
        url: str,
        *,
        api_key: str | None,
        prefer_grpc: bool = False,
        grpc_port: int = 6334,
        timeout_seconds: float = 20.0,
    ) -> Self:
        """Return an index on the server at ``url``; nothing is sent before the first call."""
        client = connected(
            url, api_key=api_key, prefer_grpc=prefer_grpc, grpc_port=grpc_port, timeout_seconds=timeout_seconds
        )
        return cls(client, timeout_seconds=timeout_seconds)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    def when_made(self, tell: Callable[[], None]) -> None:
        """Call ``tell`` when a write found its collection gone and made it again."""
        self._calls.on_made = tell

    async def upsert(self, fingerprint: str, points: Sequence[PagePoint]) -> None:
        """Write the pages in requests of at most ``UPSERT_NUMBERS``."""
        if not points:
            return
        schema = pages_schema(fingerprint, points[0].vectors.vectors.shape[1])
        for part in _parts(points):
            batch = [_point(point) for point in part]
            await self._calls.write(schema, partial(self._client.upsert, schema.name, batch, wait=True))

    async def delete(self, kb: KbUid, documents: Sequence[DocumentUid]) -> None:
        """Remove the pages of the documents from every collection."""
        if not documents:
            return
        where = models.Filter(must=[equals("kb", kb), among("document_uid", documents)])
        for name in await self._collections():
            await self._calls.remove(name, models.FilterSelector(filter=where))

    async def relabel(self, kb: KbUid, document: DocumentUid, labels: Sequence[str]) -> None:
        """Change the payload of the document's pages in every collection."""
        for name in await self._collections():
            await self._calls.relabel(name, kb, document, labels)

    async def search(self, search: PageSearch) -> list[PageHit]:
        """Search exactly, or exactly among what rows and columns find."""
        if not len(search.query.vectors):
            return []
        name = pages_schema(search.query.fingerprint, search.query.vectors.shape[1]).name
        query = _weighted(search.query.vectors).tolist()
        where = scope(search)
        prefetch: list[models.Prefetch] | None = None
        if await self._pages_of(name, search.reader.kb) > self._exact_pages:
            limit = max(PREFETCHED, PREFETCHED_FACTOR * search.limit)
            prefetch = [
                models.Prefetch(query=models.NearestQuery(nearest=query), using=using, filter=where, limit=limit)
                for using in (_ROWS, _COLS)
            ]
        async with self._calls.reading(name):
            answer = await self._client.query_points(
                name,
                query=models.NearestQuery(nearest=query),
                using=_FULL,
                prefetch=prefetch,
                query_filter=where,
                limit=search.limit + TIE_ROOM,
                with_payload=["document_uid", "page", "passages", "key"],
            )
        return _hits(answer.points, search.limit)

    async def count(self, kb: KbUid, documents: Sequence[DocumentUid] | None = None) -> int:
        """Count exactly, over every collection."""
        return sum([await self._count(name, kb, documents) for name in await self._collections()])

    async def _count(self, name: str, kb: KbUid, documents: Sequence[DocumentUid] | None = None) -> int:
        must: list[models.Condition] = [equals("kb", kb)]
        if documents is not None:
            must.append(among("document_uid", documents))
        async with self._calls.reading(name):
            answer = await self._client.count(name, models.Filter(must=must), exact=True)
        return answer.count

    async def _pages_of(self, name: str, kb: KbUid) -> int:
        """Return about how many pages a knowledge base has."""
        at, count = self._counts.pop((name, kb), (-_COUNT_SECONDS, 0))
        if time.monotonic() - at >= _COUNT_SECONDS:
            at, count = time.monotonic(), await self._count(name, kb)
        self._counts[(name, kb)] = at, count
        while len(self._counts) > _COUNTED_KBS:
            self._counts.popitem(last=False)
        return count

    async def _collections(self) -> list[str]:
        return sorted(name for name in await self._calls.names() if name.startswith(_PREFIX))


def pages_schema(fingerprint: str, dimensions: int) -> Schema:
    """Return the schema of the pages of one model.

    Vectors are of length 1 and compared by dot product, so that a row of a query may carry a weight.
    """

    def multi(**options: Any) -> models.VectorParams:
        return models.VectorParams(
            size=dimensions,
            distance=models.Distance.DOT,
            multivector_config=models.MultiVectorConfig(comparator=models.MultiVectorComparator.MAX_SIM),
            datatype=models.Datatype.FLOAT16,
            **options,
        )

    pooled = models.HnswConfigDiff(m=0, payload_m=16)
    return Schema(
        name=f"{_PREFIX}{fingerprint[:_NAME_DIGITS]}",
        dense={
            _FULL: multi(hnsw_config=models.HnswConfigDiff(m=0), on_disk=True),
            _ROWS: multi(hnsw_config=pooled),
            _COLS: multi(hnsw_config=pooled),
        },
        keywords={"kb": True, "document_uid": False, "labels": False},
    )


def _parts(points: Sequence[PagePoint]) -> Iterator[list[PagePoint]]:
    """Yield runs of pages that fit one request."""
    part: list[PagePoint] = []
    numbers = 0
    for point in points:
        size = sum(each.size for each in (point.vectors.vectors, point.vectors.rows, point.vectors.cols))
        if part and numbers + size > UPSERT_NUMBERS:
            yield part
            part, numbers = [], 0
        part.append(point)
        numbers += size
    if part:
        yield part


def _point(point: PagePoint) -> models.PointStruct:
    vectors = point.vectors
    return models.PointStruct(
        id=point.id,
        vector={_FULL: vectors.vectors.tolist(), _ROWS: vectors.rows.tolist(), _COLS: vectors.cols.tolist()},
        payload={
            "kb": point.kb,
            "document_uid": point.document_uid,
            "labels": list(point.labels),
            "page": point.page,
            "passages": list(point.passages),
            "key": point.key,
        },
    )


def _weighted(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return each different row once, as long as it came often: the MaxSim stays the same and costs less."""
    if len(rows) == 1:
        return rows
    different, times = np.unique(rows, axis=0, return_counts=True)
    weighted: NDArray[np.float32] = different * times[:, np.newaxis].astype(np.float32)
    return weighted


def _hits(points: Sequence[models.ScoredPoint], limit: int) -> list[PageHit]:
    hits = []
    for point in points:
        assert point.payload is not None
        hits.append(
            PageHit(
                document_uid=point.payload["document_uid"],
                page=point.payload["page"],
                score=round(point.score, SCORE_DIGITS),
                passages=tuple(point.payload["passages"]),
                key=point.payload.get("key", UNKEYED),  # an earlier version wrote none
            )
        )
    hits.sort(key=lambda hit: (-hit.score, hit.document_uid, hit.page))
    return hits[:limit]
