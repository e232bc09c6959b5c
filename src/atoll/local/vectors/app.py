"""The routes: the part of Qdrant's REST API that its official client uses for Atoll.

Every answer has Qdrant's shape: ``{"result", "status": "ok", "time"}``, or ``{"status": {"error"}, "time"}``.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from atoll.local.vectors import values, wire
from atoll.local.vectors.engine import Change, Found
from atoll.local.vectors.guard import Guard
from atoll.local.vectors.lanes import EngineThread, Lane
from atoll.local.vectors.optimiser import Optimiser
from atoll.local.vectors.rejections import NotServed, Overloaded, Rejection
from atoll.local.vectors.schema import collection_config, described, keyword_index
from atoll.local.vectors.store import Collection, Store

log = logging.getLogger(__name__)

#: The version of Qdrant whose protocol is followed.
PROTOCOL_VERSION = "1.19.0"
_FLUSH_SECONDS = 5.0
_COMPLETED = {"operation_id": 0, "status": "completed"}
_DEFAULT_PAGE = 10

#: What a route does with a request and its body.
Action = Callable[[Request, bytes], Awaitable[Any]]


class VectorApi:
    """The routes over a store, an engine thread and an optimiser."""

    def __init__(self, store: Store, thread: EngineThread, optimiser: Optimiser, guard: Guard) -> None:
        self._store = store
        self._thread = thread
        self._optimiser = optimiser
        self._guard = guard

    def app(self) -> Starlette:
        """Return the ASGI application; its lifespan opens no shard, the caller has done so, and closes them all."""
        collection = "/collections/{name}"
        routes = [
            self._route("GET", "/", self._version),
            self._route("GET", "/collections", self._list),
            self._route("GET", collection, self._describe),
            self._route("PUT", collection, self._create),
            self._route("DELETE", collection, self._delete),
            self._route("GET", f"{collection}/exists", self._exists),
            self._route("PUT", f"{collection}/index", self._index),
            self._route("PUT", f"{collection}/points", self._upsert),
            self._route("POST", f"{collection}/points", self._retrieve),
            self._route("POST", f"{collection}/points/delete", self._delete_points),
            self._route("POST", f"{collection}/points/payload", self._set_payload),
            self._route("POST", f"{collection}/points/query", self._query),
            self._route("POST", f"{collection}/points/query/batch", self._query_batch),
            self._route("POST", f"{collection}/points/count", self._count),
            self._route("POST", f"{collection}/points/scroll", self._scroll),
            *(self._route("GET", path, self._health) for path in ("/healthz", "/livez", "/readyz")),
            Route("/{path:path}", self._endpoint(self._not_served), methods=["GET", "POST", "PUT", "PATCH", "DELETE"]),
        ]
        return Starlette(routes=routes, lifespan=self._lifespan)

    @contextlib.asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        optimising = asyncio.create_task(self._optimiser.run())
        flushing = asyncio.create_task(self._flush_regularly())
        yield
        self._optimiser.stop()
        flushing.cancel()
        await asyncio.wait([optimising, flushing])
        await self._thread.run(Lane.UPKEEP, self._store.close)
        await asyncio.to_thread(self._thread.stop)

    async def _flush_regularly(self) -> None:
        """Bound what a power loss takes, and what the next start replays, to some seconds of writes, as Qdrant does."""
        while True:
            await asyncio.sleep(_FLUSH_SECONDS)
            if self._store.is_lost():
                # Removed files stay readable for who holds them open, and hide that nothing is kept. The supervisor
                # starts this server anew, on what lies there now, and a worker fills in from the record store what is
                # missing. At once and without a flush: that would write into files which somebody else put there.
                log.critical("the files of a collection were removed or replaced; ending")
                logging.shutdown()
                os._exit(1)
            for collection in self._store.all():
                try:
                    await self._flush(collection)
                except Exception:  # the task's outermost boundary; the engine raises bare Exception
                    log.exception("flushing %s failed", collection.name)

    async def _flush(self, collection: Collection) -> None:
        async with collection.writing:
            if collection.unflushed and not collection.dropped:
                await self._thread.run(Lane.UPKEEP, collection.flush)

    # From HTTP to an action and back

    def _route(self, method: str, path: str, action: Action) -> Route:
        return Route(path, self._endpoint(action), methods=[method])

    def _endpoint(self, action: Action) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            started = time.perf_counter()
            try:
                self._guard.check(request)
                async with self._guard.body(request) as content:
                    result = await action(request, content)
            except Rejection as rejection:
                return _refused(rejection, time.perf_counter() - started)
            except ClientDisconnect:
                return Response(status_code=400)
            except Exception:  # the outermost boundary; the engine raises bare Exception
                log.exception("%s %s failed", request.method, request.url.path)
                return _answer(500, {"status": {"error": "Service internal error; see the vector server's log"}})
            if isinstance(result, Response):
                return result
            return _answer(200, {"result": result, "status": "ok", "time": time.perf_counter() - started})

        return endpoint

    async def _read(self, request: Request, read: Callable[[Collection], Any]) -> Any:
        collection = self._collection(request)
        return await self._thread.run(Lane.READ, lambda: read(collection.existing()))

    async def _write(self, request: Request, change: Callable[[Collection], Change]) -> dict[str, Any]:
        """Parse, then apply: two turns of the engine thread, so that a search waits for one of them at most."""
        collection = self._collection(request)
        parsed = await self._thread.run(Lane.WRITE, lambda: change(collection))
        async with collection.writing:
            await self._thread.run(Lane.WRITE, lambda: collection.existing().apply(parsed))
        return _COMPLETED

    def _collection(self, request: Request) -> Collection:
        return self._store.get(request.path_params["name"])

    # Service

    async def _version(self, _request: Request, _content: bytes) -> Response:
        title = {"title": "qdrant - vector search engine", "version": PROTOCOL_VERSION, "commit": None}
        return _answer(200, title)

    async def _health(self, request: Request, _content: bytes) -> Response:
        if request.url.path != "/readyz":
            return PlainTextResponse("healthz check passed")
        optimising = [collection.name for collection in self._store.all() if collection.optimising]
        state = f"; optimising {', '.join(optimising)}" if optimising else ""
        return PlainTextResponse(f"all shards are ready{state}")

    async def _not_served(self, request: Request, _content: bytes) -> Any:
        raise NotServed(f"{request.method} {request.url.path}")

    # Collections

    async def _list(self, _request: Request, _content: bytes) -> Any:
        return {"collections": [{"name": collection.name} for collection in self._store.all()]}

    async def _exists(self, request: Request, _content: bytes) -> Any:
        return {"exists": request.path_params["name"] in self._store}

    async def _describe(self, request: Request, _content: bytes) -> Any:
        collection = self._collection(request)
        due = self._optimiser.due(collection)
        status = "yellow" if collection.optimising else "grey" if due else "green"
        figures = await self._read(request, lambda collection: collection.shard.figures())
        return described(collection.spec, collection.config, figures, status=status)

    async def _create(self, request: Request, content: bytes) -> Any:
        spec = values.body(content)
        config = collection_config(spec)
        name = request.path_params["name"]
        await self._thread.run(Lane.WRITE, lambda: self._store.create(name, spec, config))
        return True

    async def _delete(self, request: Request, _content: bytes) -> Any:
        name = request.path_params["name"]
        if name not in self._store:
            return False
        async with self._store.get(name).writing:
            await self._thread.run(Lane.WRITE, lambda: self._store.delete(name))
        return True

    async def _index(self, request: Request, content: bytes) -> Any:
        return await self._write(request, lambda _: keyword_index(values.body(content)))

    # Points

    async def _upsert(self, request: Request, content: bytes) -> Any:
        return await self._write(request, lambda collection: wire.upsert(values.body(content), collection.config))

    async def _delete_points(self, request: Request, content: bytes) -> Any:
        return await self._write(request, lambda _: wire.deletion(values.body(content)))

    async def _set_payload(self, request: Request, content: bytes) -> Any:
        return await self._write(request, lambda _: wire.payload_change(values.body(content)))

    async def _query(self, request: Request, content: bytes) -> Any:
        def read(collection: Collection) -> Any:
            (hits,) = collection.shard.query([wire.query(values.body(content), collection.config)])
            return {"points": [_scored(hit) for hit in hits]}

        return await self._read(request, read)

    async def _query_batch(self, request: Request, content: bytes) -> Any:
        def read(collection: Collection) -> Any:
            queries = wire.queries(values.body(content), collection.config)
            found = collection.shard.query(queries) if queries else []
            return [{"points": [_scored(hit) for hit in hits]} for hits in found]

        return await self._read(request, read)

    async def _count(self, request: Request, content: bytes) -> Any:
        def read(collection: Collection) -> Any:
            given = values.fields(values.body(content), "count", {"filter", "exact"})
            where = wire.where_filter(given["filter"]) if "filter" in given else None
            return {"count": collection.shard.count(where)}

        return await self._read(request, read)

    async def _scroll(self, request: Request, content: bytes) -> Any:
        def read(collection: Collection) -> Any:
            served = {"filter", "offset", "limit", "with_payload", "with_vector"}
            given = values.fields(values.body(content), "scroll", served)
            points, following = collection.shard.scroll(
                wire.where_filter(given["filter"]) if "filter" in given else None,
                values.point_id(given["offset"], "offset") if "offset" in given else None,
                values.whole(given.get("limit", _DEFAULT_PAGE), "limit", 1, wire.MAX_LIMIT),
                wire.selection(given, payload=True),
            )
            return {"points": [_record(point) for point in points], "next_page_offset": following}

        return await self._read(request, read)

    async def _retrieve(self, request: Request, content: bytes) -> Any:
        def read(collection: Collection) -> Any:
            given = values.fields(values.body(content), "retrieve", {"ids", "with_payload", "with_vector"})
            listed = values.items(values.required(given, "retrieve", "ids"), "ids", wire.MAX_LIMIT)
            ids = [values.point_id(item, "ids") for item in listed]
            return [_record(point) for point in collection.shard.retrieve(ids, wire.selection(given, payload=True))]

        return await self._read(request, read)


def _record(point: Found) -> dict[str, Any]:
    return {"id": point.id, "payload": point.payload, "vector": point.vectors}


def _scored(point: Found) -> dict[str, Any]:
    return {**_record(point), "score": point.score, "version": point.version}


def _answer(status: int, content: Any, headers: dict[str, str] | None = None) -> Response:
    return Response(orjson.dumps(content), status, headers, media_type="application/json")


def _refused(rejection: Rejection, seconds: float) -> Response:
    headers = {"Retry-After": "1"} if isinstance(rejection, Overloaded) else None
    return _answer(rejection.status, {"status": {"error": rejection.message}, "time": seconds}, headers)
