"""What every collection on Qdrant's protocol needs: a client, its errors as ours, schemas and filters.

Speak gRPC to a real Qdrant: over REST it answers some 40 ms late on a kept connection, because it leaves Nagle's
algorithm on. The local server speaks REST only.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import grpc  # type: ignore[import-untyped]
import httpx
from qdrant_client import AsyncQdrantClient, models
from qdrant_client.common.client_exceptions import ResourceExhaustedResponse
from qdrant_client.http.exceptions import ResponseHandlingException, UnexpectedResponse

from atoll.adapters.http_session import FAULTS, HttpSession, hung_up
from atoll.domain.ids import DocumentUid, KbUid
from atoll.domain.page_vectors import PageSearch
from atoll.domain.reader import Reader
from atoll.domain.vectors import VectorSearch
from atoll.errors import AtollError, DependencyDown, IndexMissing

#: Fetched past the limit, so that it is we who decide which of equal scores is cut off.
TIE_ROOM = 16
#: Digits of a score that do not depend on the order in which a server adds up float32.
SCORE_DIGITS = 5

_SHOWN_BYTES = 300
#: Times that a request is sent when the server hangs up. Points are written and removed by id: all may be repeated.
_ATTEMPTS = 2
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
    keywords: dict[str, bool]
    sparse: dict[str, models.SparseVectorParams] = field(default_factory=dict)


class _Client(AsyncQdrantClient):
    """The official client, which sends what it has put together by our own session: three times as fast."""

    def __init__(self, *, headers: dict[str, str] | None, timeout_seconds: float, **options: Any) -> None:
        super().__init__(headers=headers, timeout=max(1, round(timeout_seconds)), **options)
        self._session = HttpSession(headers=headers, timeout_seconds=timeout_seconds, max_connections=64)
        self.http.client.add_middleware(self._sent)

    async def _sent(self, request: httpx.Request, _: Any) -> httpx.Response:
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                reply = await self._session.exchange(request.method, str(request.url), request.content or None)
            except FAULTS as error:
                if attempt == _ATTEMPTS or not hung_up(error):
                    raise ResponseHandlingException(error) from error
            else:
                return httpx.Response(reply.status, headers=dict(reply.headers), content=reply.content, request=request)
        raise AssertionError("the loop returns or raises")

    async def close(self, grpc_grace: float | None = None, **options: Any) -> None:
        await self._session.aclose()
        await super().close(grpc_grace, **options)


def connected(
    url: str, *, api_key: str | None, prefer_grpc: bool, grpc_port: int, timeout_seconds: float
) -> AsyncQdrantClient:
    """Return a client of the server at ``url``; nothing is sent before the first call."""
    return _Client(
        url=url,
        prefer_grpc=prefer_grpc,
        grpc_port=grpc_port,
        # As a header: the client's own argument warns of plain HTTP, which is what a loopback or Compose net has.
        headers=None if api_key is None else {"api-key": api_key},
        timeout_seconds=timeout_seconds,
        check_compatibility=False,
    )


class QdrantCalls:
    """Calls to one server, bounded in time, and what all collections do alike."""

    def __init__(self, client: AsyncQdrantClient, timeout_seconds: float) -> None:
        self._client = client
        self._timeout_seconds = timeout_seconds
        #: Called when a write found its collection gone and made it again.
        self.on_made: Callable[[], None] = _nothing

    @contextlib.asynccontextmanager
    async def calling(self) -> AsyncIterator[None]:
        """Bound the body in time and translate its errors."""
        with translated():
            async with asyncio.timeout(self._timeout_seconds):
                yield

    @contextlib.asynccontextmanager
    async def reading(self, name: str) -> AsyncIterator[None]:
        """Call for a collection. Raises IndexMissing when it is not there, also in the client's local mode."""
        try:
            async with self.calling():
                yield
        except DependencyDown:
            raise
        except AtollError as error:
            if await self._exists(name):
                raise
            raise IndexMissing(_LOST) from error

    async def write(self, schema: Schema, send: Callable[[], Awaitable[object]]) -> None:
        """Send a write; a collection that is gone is made and the write sent again.

        Nothing is remembered of what was made: the server may have lost it since, whoever made it.
        """
        try:
            async with self.reading(schema.name):
                await send()
        except IndexMissing:
            await self.prepare(schema)
            async with self.calling():
                await send()
            self.on_made()

    async def remove(self, name: str, points: models.FilterSelector | models.PointIdsList) -> None:
        """Remove points; from a collection that is gone they are gone."""
        with contextlib.suppress(IndexMissing):
            async with self.reading(name):
                await self._client.delete(name, points, wait=True)

    async def drop(self, name: str) -> None:
        """Remove a collection; again is a no-op."""
        with contextlib.suppress(IndexMissing):
            async with self.calling():
                await self._client.delete_collection(name)

    async def relabel(self, name: str, kb: KbUid, document: DocumentUid, labels: Sequence[str]) -> None:
        """Give a document's points other labels; one that is gone is filled again with the labels of that time."""
        where = models.Filter(must=[equals("kb", kb), equals("document_uid", document)])
        with contextlib.suppress(IndexMissing):
            async with self.reading(name):
                await self._client.set_payload(name, payload={"labels": list(labels)}, points=where, wait=True)

    async def prepare(self, schema: Schema) -> None:
        """Create a collection and its payload indexes, which must exist before the first point does."""
        if not await self._exists(schema.name):
            try:
                async with self.calling():
                    await self._client.create_collection(
                        schema.name, vectors_config=schema.dense, sparse_vectors_config=schema.sparse
                    )
            except AtollError:
                if not await self._exists(schema.name):  # otherwise another process was faster
                    raise
        for name, tenant in schema.keywords.items():
            async with self.calling():
                await self._client.create_payload_index(
                    schema.name,
                    name,
                    field_schema=models.KeywordIndexParams(type=models.KeywordIndexType.KEYWORD, is_tenant=tenant),
                    wait=True,
                )

    async def names(self) -> frozenset[str]:
        """Return the names of all collections."""
        async with self.calling():
            answer = await self._client.get_collections()
        return frozenset(each.name for each in answer.collections)

    async def _exists(self, name: str) -> bool:
        async with self.calling():
            return await self._client.collection_exists(name)


def _nothing() -> None:
    """Tell nobody."""


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
            raise IndexMissing(_LOST) from error
        if error.status_code in _RETRYABLE_STATUSES:
            raise DependencyDown(f"the vector store failed with status {error.status_code}") from error
        said = error.content[:_SHOWN_BYTES].decode(errors="replace")
        raise AtollError(f"the vector store refused a request: {error.status_code} {said}") from error
    except grpc.aio.AioRpcError as error:
        if error.code() is grpc.StatusCode.NOT_FOUND:
            raise IndexMissing(_LOST) from error
        if error.code() in _RETRYABLE_CODES:
            raise DependencyDown(f"the vector store does not answer: {error.code().name}") from error
        raise AtollError(f"the vector store refused a request: {error.code().name} {error.details()}") from error
    except ValueError as error:
        raise AtollError(f"the vector store refused a request: {error}") from error


def _reason(error: Exception) -> str:
    source = error.source if isinstance(error, ResponseHandlingException) else error
    # The HTTP client ends its words with the settings of a TLS that is not there, and the address once more.
    return str(source).partition(" ssl:")[0] or type(source).__name__


def scope(search: VectorSearch | PageSearch) -> models.Filter:
    """Return the filter of a search: its knowledge base, documents and labels."""
    must: list[models.Condition] = [equals("kb", search.reader.kb)]
    must_not = _out_of_sight(search.reader)
    if search.include_documents is not None:
        must.append(among("document_uid", search.include_documents))
    if search.exclude_documents:
        must_not.append(among("document_uid", search.exclude_documents))
    return models.Filter(must=must, must_not=must_not or None)


def in_sight(reader: Reader) -> models.Filter:
    """Return the filter of all that a reader sees of its knowledge base."""
    return models.Filter(must=[equals("kb", reader.kb)], must_not=_out_of_sight(reader) or None)


def _out_of_sight(reader: Reader) -> list[models.Condition]:
    if reader.labels is None:
        return []
    # No label outside those held, rather than one inside: all must be held.
    outside = models.MatchExcept(**{"except": sorted(reader.labels)})
    return [models.FieldCondition(key="labels", match=outside)]


def equals(key: str, value: str) -> models.FieldCondition:
    """Return the condition that a payload field holds ``value``."""
    return models.FieldCondition(key=key, match=models.MatchValue(value=value))


def among(key: str, values: Sequence[str]) -> models.FieldCondition:
    """Return the condition that a payload field holds one of ``values``."""
    return models.FieldCondition(key=key, match=models.MatchAny(any=list(values)))
