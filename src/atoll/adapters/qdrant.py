"""The vector index on Qdrant's protocol: the local vector server and a real Qdrant alike, without a branch.

Speak gRPC to a real Qdrant: over REST it answers some 40 ms late on a kept connection, because it leaves Nagle's
algorithm on. The local server speaks REST only.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Self

import grpc  # type: ignore[import-untyped]
import httpx
from qdrant_client import AsyncQdrantClient, models
from qdrant_client.common.client_exceptions import ResourceExhaustedResponse
from qdrant_client.http.exceptions import ResponseHandlingException, UnexpectedResponse

from atoll.domain.ids import DocumentUid, KbUid, PassageId
from atoll.domain.vectors import Hit, PassagePoint, SparseVector, VectorSearch
from atoll.errors import AtollError, DependencyDown

#: Points in one request: small enough that searches pass between two of them.
UPSERT_POINTS = 256
#: Fetched past the limit, so that it is we who decide which of equal scores is cut off.
TIE_ROOM = 16
#: Digits of a score that do not depend on the order in which a server adds up float32.
SCORE_DIGITS = 5

_SHOWN_BYTES = 300
#: Nothing but a collection can be missing. A worker makes it again and fills it from the record store.
_LOST = "the vector store has no such collection (any more); it is being rebuilt"
_RETRYABLE_STATUSES = {408, 429, 500, 502, 503, 504, 507}
_RETRYABLE_CODES = {
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
    grpc.StatusCode.ABORTED,
    grpc.StatusCode.CANCELLED,
    grpc.StatusCode.INTERNAL,
    grpc.StatusCode.UNKNOWN,
}


@dataclass(frozen=True, slots=True)
class Schema:
    """A collection as Atoll wants it: its named vectors and its keyword indexes (True: the tenant)."""

    name: str
    dense: dict[str, models.VectorParams]
    sparse: dict[str, models.SparseVectorParams]
    keywords: dict[str, bool]


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


#: Kept connections are dropped before uvicorn's five seconds are over, so that none is used while it closes.
_LIMITS = httpx.Limits(max_connections=64, max_keepalive_connections=16, keepalive_expiry=3.0)


class QdrantIndex:
    """``VectorIndex`` over the official client, which stays open until ``close``."""

    def __init__(
        self, client: AsyncQdrantClient, *, fingerprint: str, dimensions: int, timeout_seconds: float = 20.0
    ) -> None:
        self._client = client
        self._passages = passages_schema(fingerprint, dimensions)
        self._timeout_seconds = timeout_seconds

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
        client = AsyncQdrantClient(
            url=url,
            prefer_grpc=prefer_grpc,
            grpc_port=grpc_port,
            # As a header: the client's own argument warns of plain HTTP, which is what a loopback or Compose net has.
            headers=None if api_key is None else {"api-key": api_key},
            timeout=max(1, round(timeout_seconds)),
            check_compatibility=False,
            # On loopback the client would open a connection a call, because a real Qdrant answers late on kept ones
            # over REST; that is what gRPC is for, and our own server does not.
            limits=_LIMITS,
        )
        return cls(client, fingerprint=fingerprint, dimensions=dimensions, timeout_seconds=timeout_seconds)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def prepare(self) -> None:
        """Create the collection and its payload indexes, which must exist before the first point does."""
        await self._prepare(self._passages)

    async def _prepare(self, schema: Schema) -> None:
        if not await self._exists(schema.name):
            try:
                async with self._calling():
                    await self._client.create_collection(
                        schema.name, vectors_config=schema.dense, sparse_vectors_config=schema.sparse
                    )
            except AtollError:
                if not await self._exists(schema.name):  # otherwise another process was faster
                    raise
        for field, tenant in schema.keywords.items():
            async with self._calling():
                await self._client.create_payload_index(
                    schema.name,
                    field,
                    field_schema=models.KeywordIndexParams(type=models.KeywordIndexType.KEYWORD, is_tenant=tenant),
                    wait=True,
                )

    async def _exists(self, name: str) -> bool:
        async with self._calling():
            return await self._client.collection_exists(name)

    async def upsert(self, points: Sequence[PassagePoint]) -> None:
        """Write the points in requests of at most ``UPSERT_POINTS``."""
        for start in range(0, len(points), UPSERT_POINTS):
            batch = [_point(point) for point in points[start : start + UPSERT_POINTS]]
            async with self._calling():
                await self._client.upsert(self._passages.name, batch, wait=True)

    async def delete(self, kb: KbUid, documents: Sequence[DocumentUid]) -> None:
        """Remove the points of the documents."""
        if not documents:
            return
        where = models.Filter(must=[_is("kb", kb), _among("document_uid", documents)])
        async with self._calling():
            await self._client.delete(self._passages.name, models.FilterSelector(filter=where), wait=True)

    async def search(self, searches: Sequence[VectorSearch]) -> list[list[Hit]]:
        """Answer all searches in one round trip."""
        if not searches:
            return []
        async with self._calling():
            answers = await self._client.query_batch_points(
                self._passages.name, [_request(search) for search in searches]
            )
        return [_hits(answer.points, search.limit) for answer, search in zip(answers, searches, strict=True)]

    async def count(self, kb: KbUid, documents: Sequence[DocumentUid] | None = None) -> int:
        """Count exactly."""
        must: list[models.Condition] = [_is("kb", kb)]
        if documents is not None:
            must.append(_among("document_uid", documents))
        async with self._calling():
            answer = await self._client.count(self._passages.name, models.Filter(must=must), exact=True)
        return answer.count

    async def points(
        self, kb: KbUid | None, *, start: PassageId | None, limit: int
    ) -> tuple[list[PassageId], PassageId | None]:
        """Scroll through the ids."""
        where = None if kb is None else models.Filter(must=[_is("kb", kb)])
        async with self._calling():
            found, following = await self._client.scroll(
                self._passages.name, where, limit=limit, offset=start, with_payload=False, with_vectors=False
            )
        return [PassageId(str(point.id)) for point in found], None if following is None else PassageId(str(following))

    async def discard(self, points: Sequence[PassageId]) -> None:
        """Remove points by id."""
        if not points:
            return
        async with self._calling():
            await self._client.delete(self._passages.name, models.PointIdsList(points=list(points)), wait=True)

    @contextlib.asynccontextmanager
    async def _calling(self) -> Any:
        with translated():
            async with asyncio.timeout(self._timeout_seconds):
                yield


@contextlib.contextmanager
def translated() -> Iterator[None]:
    """Turn the client's errors into ours: whatever may go away by itself is DependencyDown.

    The client has no common root for its errors, and its local mode raises ValueError where a server answers 4xx.
    """
    try:
        yield
    except ResourceExhaustedResponse as error:
        raise DependencyDown("the vector store is overloaded", float(error.retry_after_s)) from error
    except (ResponseHandlingException, TimeoutError) as error:
        raise DependencyDown(f"the vector store does not answer: {_reason(error)}") from error
    except UnexpectedResponse as error:
        if error.status_code == httpx.codes.NOT_FOUND:
            raise DependencyDown(_LOST) from error
        if error.status_code in _RETRYABLE_STATUSES:
            raise DependencyDown(f"the vector store failed with status {error.status_code}") from error
        said = error.content[:_SHOWN_BYTES].decode(errors="replace")
        raise AtollError(f"the vector store refused a request: {error.status_code} {said}") from error
    except grpc.aio.AioRpcError as error:
        if error.code() is grpc.StatusCode.NOT_FOUND:
            raise DependencyDown(_LOST) from error
        if error.code() in _RETRYABLE_CODES:
            raise DependencyDown(f"the vector store does not answer: {error.code().name}") from error
        raise AtollError(f"the vector store refused a request: {error.code().name} {error.details()}") from error
    except ValueError as error:
        raise AtollError(f"the vector store refused a request: {error}") from error


def _reason(error: Exception) -> str:
    source = error.source if isinstance(error, ResponseHandlingException) else error
    return str(source) or type(source).__name__


def _point(point: PassagePoint) -> models.PointStruct:
    return models.PointStruct(
        id=point.id,
        vector={"dense": point.dense.tolist(), "bm25": _sparse(point.sparse)},
        payload={"kb": point.kb, "document_uid": point.document_uid, "labels": list(point.labels)},
    )


def _sparse(vector: SparseVector) -> models.SparseVector:
    return models.SparseVector(indices=vector.indices.tolist(), values=vector.values.tolist())


def _request(search: VectorSearch) -> models.QueryRequest:
    lexical = isinstance(search.query, SparseVector)
    vector: Any = _sparse(search.query) if isinstance(search.query, SparseVector) else search.query.tolist()
    return models.QueryRequest(
        query=models.NearestQuery(nearest=vector),
        using="bm25" if lexical else "dense",
        filter=_scope(search),
        params=_idf_of(search.kb) if lexical else None,
        limit=search.limit + TIE_ROOM,
        with_payload=["document_uid"],
    )


def _scope(search: VectorSearch) -> models.Filter:
    must: list[models.Condition] = [_is("kb", search.kb)]
    must_not: list[models.Condition] = []
    if search.include_documents is not None:
        must.append(_among("document_uid", search.include_documents))
    if search.exclude_documents:
        must_not.append(_among("document_uid", search.exclude_documents))
    if search.label_scope is not None:  # no label outside the scope, rather than one inside: all must be held
        outside = models.MatchExcept(**{"except": sorted(search.label_scope)})
        must_not.append(models.FieldCondition(key="labels", match=outside))
    return models.Filter(must=must, must_not=must_not or None)


def _idf_of(kb: KbUid) -> models.SearchParams:
    """Count term rarity in one knowledge base only: what others hold must not move a score."""
    return models.SearchParams(idf=models.IdfCorpusParams(corpus=models.Filter(must=[_is("kb", kb)])))


def _is(key: str, value: str) -> models.FieldCondition:
    return models.FieldCondition(key=key, match=models.MatchValue(value=value))


def _among(key: str, values: Sequence[str]) -> models.FieldCondition:
    return models.FieldCondition(key=key, match=models.MatchAny(any=list(values)))


def _hits(points: Sequence[models.ScoredPoint], limit: int) -> list[Hit]:
    hits = [
        Hit(PassageId(str(point.id)), DocumentUid(_payload(point)["document_uid"]), round(point.score, SCORE_DIGITS))
        for point in points
    ]
    hits.sort(key=lambda hit: (-hit.score, hit.id))
    return hits[:limit]


def _payload(point: models.ScoredPoint) -> dict[str, Any]:
    assert point.payload is not None
    return point.payload
