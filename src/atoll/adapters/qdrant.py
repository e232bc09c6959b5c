"""The index of passages on Qdrant's protocol: the local vector server and a real Qdrant alike, without a branch."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Self

from qdrant_client import AsyncQdrantClient, models

from atoll.adapters.qdrant_calls import (
    SCORE_DIGITS,
    TIE_ROOM,
    QdrantCalls,
    Schema,
    among,
    connected,
    equals,
    in_sight,
    scope,
)
from atoll.domain.ids import DocumentUid, KbUid, PassageId
from atoll.domain.reader import Reader
from atoll.domain.vectors import Hit, PassagePoint, SparseVector, VectorSearch

#: Points in one request: small enough that searches pass between two of them.
UPSERT_POINTS = 256


def passages_schema(fingerprint: str, dimensions: int) -> Schema:
    """Return the schema of the passages of one embedding; another embedding is another collection.

    No graph over all points (``m=0``), one in each knowledge base (``payload_m``): every search names its own.
    """
    return Schema(
        name=f"passages_{fingerprint}",
        dense={
            "dense": models.VectorParams(
                size=dimensions,
                distance=models.Distance.COSINE,
                hnsw_config=models.HnswConfigDiff(m=0, payload_m=16),
            )
        },
        sparse={"bm25": models.SparseVectorParams(modifier=models.Modifier.IDF)},
        keywords={"kb": True, "document_uid": False, "labels": False},
    )


#: The names that we give: a kind and a fingerprint. Whatever else a shared server holds is somebody else's.
_COLLECTION = re.compile(r"[a-z]+_[0-9a-f]{12}")


class QdrantIndex:
    """``VectorIndex`` over the official client, which stays open until ``close``."""

    def __init__(
        self, client: AsyncQdrantClient, *, fingerprint: str, dimensions: int, timeout_seconds: float = 20.0
    ) -> None:
        self._client = client
        self._passages = passages_schema(fingerprint, dimensions)
        self._calls = QdrantCalls(client, timeout_seconds)

    @classmethod
    def connect(
        cls,
        url: str,
        *,
        api_key: str | None,
        fingerprint: str,
        dimensions: int,
        prefer_grpc: bool = False,
        grpc_port: int = 6334,
        timeout_seconds: float = 20.0,
    ) -> Self:
        """Return an index on the server at ``url``; nothing is sent before the first call."""
        client = connected(
            url, api_key=api_key, prefer_grpc=prefer_grpc, grpc_port=grpc_port, timeout_seconds=timeout_seconds
        )
        return cls(client, fingerprint=fingerprint, dimensions=dimensions, timeout_seconds=timeout_seconds)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    def when_made(self, tell: Callable[[], None]) -> None:
        """Call ``tell`` when a write found its collection gone and made it again."""
        self._calls.on_made = tell

    async def missing(self) -> list[str]:
        """Return the collections that are not there, by their names without the embedding's."""
        there = await self._calls.names()
        return [schema.name.partition("_")[0] for schema in self._schemas() if schema.name not in there]

    async def retire(self) -> list[str]:
        """Remove the collections of the same kinds that bear another fingerprint."""
        own = {schema.name for schema in self._schemas()}
        kinds = {name.partition("_")[0] for name in own}
        found = [
            name
            for name in sorted(await self._calls.names() - own)
            if _COLLECTION.fullmatch(name) and name.partition("_")[0] in kinds
        ]
        for name in found:
            await self._calls.drop(name)
        return found

    def _schemas(self) -> list[Schema]:
        return [self._passages]

    async def prepare(self) -> None:
        """Create the collection and its payload indexes, which must exist before the first point does."""
        for schema in self._schemas():
            await self._calls.prepare(schema)

    async def upsert(self, points: Sequence[PassagePoint]) -> None:
        """Write the points in requests of at most ``UPSERT_POINTS``."""
        for start in range(0, len(points), UPSERT_POINTS):
            batch = [_point(point) for point in points[start : start + UPSERT_POINTS]]
            await self._calls.write(self._passages, partial(self._client.upsert, self._passages.name, batch, wait=True))

    async def delete(self, kb: KbUid, documents: Sequence[DocumentUid]) -> None:
        """Remove the points of the documents."""
        if not documents:
            return
        where = models.Filter(must=[equals("kb", kb), among("document_uid", documents)])
        await self._calls.remove(self._passages.name, models.FilterSelector(filter=where))

    async def relabel(self, kb: KbUid, document: DocumentUid, labels: Sequence[str]) -> None:
        """Change the payload of the document's points."""
        await self._calls.relabel(self._passages.name, kb, document, labels)

    async def search(self, searches: Sequence[VectorSearch]) -> list[list[Hit]]:
        """Answer all searches in one round trip."""
        if not searches:
            return []
        async with self._calls.reading(self._passages.name):
            answers = await self._client.query_batch_points(
                self._passages.name, [_request(search) for search in searches]
            )
        return [_hits(answer.points, search.limit) for answer, search in zip(answers, searches, strict=True)]

    async def count(self, kb: KbUid, documents: Sequence[DocumentUid] | None = None) -> int:
        """Count exactly."""
        must: list[models.Condition] = [equals("kb", kb)]
        if documents is not None:
            must.append(among("document_uid", documents))
        async with self._calls.reading(self._passages.name):
            answer = await self._client.count(self._passages.name, models.Filter(must=must), exact=True)
        return answer.count

    async def points(
        self, kb: KbUid | None, *, start: PassageId | None, limit: int
    ) -> tuple[list[PassageId], PassageId | None]:
        """Scroll through the ids."""
        where = None if kb is None else models.Filter(must=[equals("kb", kb)])
        async with self._calls.reading(self._passages.name):
            found, following = await self._client.scroll(
                self._passages.name, where, limit=limit, offset=start, with_payload=False, with_vectors=False
            )
        return [PassageId(str(point.id)) for point in found], None if following is None else PassageId(str(following))

    async def discard(self, points: Sequence[PassageId]) -> None:
        """Remove points by id."""
        if not points:
            return
        await self._calls.remove(self._passages.name, models.PointIdsList(points=list(points)))


def _point(point: PassagePoint) -> models.PointStruct:
    return models.PointStruct(
        id=point.id,
        vector={"dense": point.dense.tolist(), "bm25": _sparse(point.sparse)},
        payload={"kb": point.kb, "document_uid": point.document_uid, "labels": list(point.labels)},
    )


def _sparse(vector: SparseVector) -> models.SparseVector:
    return models.SparseVector(indices=vector.indices.tolist(), values=vector.values.tolist())


class _Request(models.QueryRequest):
    """A query that the client sends as it is.

    The client copies every query of a batch, number by number, before it turns what is no model yet into one.
    """

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        return self


def _request(search: VectorSearch) -> models.QueryRequest:
    lexical = isinstance(search.query, SparseVector)
    vector: Any = _sparse(search.query) if isinstance(search.query, SparseVector) else search.query.tolist()
    return _Request(
        query=models.NearestQuery(nearest=vector),
        using="bm25" if lexical else "dense",
        filter=scope(search),
        params=_idf_of(search.reader) if lexical else None,
        limit=search.limit + TIE_ROOM,
        with_payload=["document_uid"],
    )


def _idf_of(reader: Reader) -> models.SearchParams:
    """Count term rarity over what the reader sees: nothing else must move a score."""
    return models.SearchParams(idf=models.IdfCorpusParams(corpus=in_sight(reader)))


def _hits(points: Sequence[models.ScoredPoint], limit: int) -> list[Hit]:
    hits = []
    for point in points:
        assert point.payload is not None
        hits.append(Hit(PassageId(str(point.id)), point.payload["document_uid"], round(point.score, SCORE_DIGITS)))
    hits.sort(key=lambda hit: (-hit.score, hit.id))
    return hits[:limit]
