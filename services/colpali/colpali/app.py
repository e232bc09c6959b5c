"""The page-image server's routes."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from flask import Flask, Response

from atoll.errors import AtollError, BadInput, NotAvailable
from atoll.serving.admission import Admission
from atoll.serving.drain import Lifecycle
from atoll.serving.errors import Unready, reply_to
from atoll.serving.http import blame, client_gone, create_app, json_body, json_response, validated
from atoll.serving.metrics import Metrics, Phase
from atoll.serving.queue import Lane, TokenQueue
from atoll.serving.server import REQUEST_THREADS
from colpali.backend import Backend, Line, PageBackend, SourcePage, Vectors
from colpali.images import decode
from colpali.schemas import (
    MAX_LINES,
    MAX_REQUEST_QUERIES,
    PageBody,
    PagesBody,
    QueriesBody,
    failure_reply,
    page_reply,
    query_reply,
)

#: Requests of each lane at a time. A request of pages holds its decoded images, so that few of them bound the memory.
LANE_REQUESTS = {Lane.QUERY: REQUEST_THREADS * 3 // 8, Lane.DOCUMENT: 4}
MAX_BODY_BYTES = 64 * 1024 * 1024
#: Tokens of queries that may wait, and in one forward pass.
QUERY_QUEUE_TOKENS, QUERY_BATCH_TOKENS = 16_384, 1_024
#: Longest stay of a request in the queue and the model.
ANSWER_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Limits:
    """What one request, one batch of pages and the queue of pages may hold."""

    max_request_pages: int
    max_pixels: int
    max_batch_tokens: int
    queue_tokens: int

    def as_dict(self) -> dict[str, object]:
        """Return the limits as ``/info`` shows them."""
        return {
            "max_request_pages": self.max_request_pages,
            "max_request_queries": MAX_REQUEST_QUERIES,
            "max_pixels": self.max_pixels,
            "max_lines": MAX_LINES,
            "max_body_bytes": MAX_BODY_BYTES,
            "max_batch_tokens": self.max_batch_tokens,
            "queue_tokens": self.queue_tokens,
            "concurrent_requests": {lane.value: requests for lane, requests in LANE_REQUESTS.items()},
        }


@dataclass(slots=True)
class Service:
    """What the routes work with. ``backend`` appears when it is loaded; ``card`` is what ``/info`` says.

    Pages and queries have a queue each, so that a question does not wait for the seconds that a page takes.
    """

    pages: TokenQueue[Any, Vectors]
    queries: TokenQueue[Any, Vectors]
    admission: Admission
    metrics: Metrics
    lifecycle: Lifecycle
    limits: Limits
    backend: Backend[Any] | None = None
    card: Mapping[str, object] | None = None

    def require_backend(self) -> Backend[Any]:
        """Return the backend.

        Raises:
            Unready: it is still loading, or the process is draining.
        """
        self.lifecycle.require_ready()
        if self.backend is None:
            raise Unready("the model is still loading; try again in a few seconds")
        return self.backend

    def require_page_backend(self) -> PageBackend[Any, Any]:
        """Return the backend.

        Raises:
            Unready: as for ``require_backend``.
            NotAvailable: it makes no pages.
        """
        backend = self.require_backend()
        if not isinstance(backend, PageBackend):
            raise NotAvailable(
                f"{backend.card.backend} makes no pages here: their lines have the vectors of the passages' own pass "
                "(spans of /v1/embeddings)"
            )
        return backend


def build(service: Service, *, allowed_hosts: Collection[str], token: str | None) -> Flask:
    """Return the application."""
    app = create_app(
        "colpali",
        lifecycle=service.lifecycle,
        metrics=service.metrics,
        info=lambda: service.card or {},
        allowed_hosts=allowed_hosts,
        token=token,
        max_body_bytes=MAX_BODY_BYTES,
    )
    service.metrics.watch_queue(Lane.DOCUMENT, partial(service.pages.waiting_tokens, Lane.DOCUMENT))
    service.metrics.watch_queue(Lane.QUERY, partial(service.queries.waiting_tokens, Lane.QUERY))

    @app.post("/v1/pages")
    def pages() -> Response:
        return _embed_pages(service)

    @app.post("/v1/queries")
    def queries() -> Response:
        return _embed_queries(service)

    return app


def _embed_pages(service: Service) -> Response:
    backend = service.require_page_backend()
    with service.admission.slot(Lane.DOCUMENT):
        body = validated(PagesBody, json_body())
        if len(body.pages) > service.limits.max_request_pages:
            blame("pages")
            raise BadInput(
                f"pages: {len(body.pages)} pages, the limit is {service.limits.max_request_pages}; "
                "send several requests"
            )
        replies: list[dict[str, object]] = [{} for _ in body.pages]
        sound: dict[int, tuple[Any, int]] = {}
        with service.metrics.timed(Phase.PREPARE):
            for at, page in enumerate(body.pages):
                try:
                    sound[at] = backend.prepare_page(_source(page, service.limits))
                except BadInput as error:
                    replies[at] = _failed(service, at, error)
        job = service.pages.submit(list(sound.values()), Lane.DOCUMENT, abandoned=client_gone()) if sound else None
        rows = job.outcome(ANSWER_SECONDS) if job is not None else []
        with service.metrics.timed(Phase.FINISH):
            for (at, (prepared, _)), raw in zip(sound.items(), rows, strict=True):
                try:
                    replies[at] = page_reply(at, backend.finish_page(prepared, raw))
                except AtollError as error:
                    replies[at] = _failed(service, at, error)
            return json_response({"object": "list", "data": replies, "model": backend.card.model})


def _source(page: PageBody, limits: Limits) -> SourcePage:
    image = decode(page.image, max_pixels=limits.max_pixels) if page.image is not None else None
    return SourcePage(page.width, page.height, tuple(Line(line.text, line.box) for line in page.lines), image)


def _failed(service: Service, index: int, error: AtollError) -> dict[str, object]:
    reply = reply_to(error)
    service.metrics.failure(reply.reason)
    return failure_reply(index, reply)


def _embed_queries(service: Service) -> Response:
    backend = service.require_backend()
    with service.admission.slot(Lane.QUERY):
        body = validated(QueriesBody, json_body())
        with service.metrics.timed(Phase.PREPARE):
            prepared = [backend.prepare_query(text) for text in body.queries]
        rows = service.queries.submit(prepared, Lane.QUERY, abandoned=client_gone()).outcome(ANSWER_SECONDS)
        with service.metrics.timed(Phase.FINISH):
            data = [query_reply(at, vectors) for at, vectors in enumerate(rows)]
            card = backend.card
            reply = {
                "object": "list",
                "data": data,
                "model": card.model,
                "fingerprint": card.fingerprint,
                "needs_images": card.needs_images,
            }
            return json_response(reply)


def build_service(*, lifecycle: Lifecycle, limits: Limits, clock: Callable[[], float] = time.monotonic) -> Service:
    """Return a service without a backend."""
    metrics = Metrics(clock)

    def queue(lane: Lane, *, limit_tokens: int, batch_tokens: int) -> TokenQueue[Any, Vectors]:
        return TokenQueue(
            limits_tokens={**dict.fromkeys(Lane, 0), lane: limit_tokens},
            batch_tokens=batch_tokens,
            workers=1,
            clock=clock,
            on_drop=lambda: metrics.failure("dropped"),
        )

    pages = queue(Lane.DOCUMENT, limit_tokens=limits.queue_tokens, batch_tokens=limits.max_batch_tokens)
    queries = queue(Lane.QUERY, limit_tokens=QUERY_QUEUE_TOKENS, batch_tokens=QUERY_BATCH_TOKENS)
    return Service(
        pages=pages,
        queries=queries,
        admission=Admission(
            LANE_REQUESTS,
            lambda lane: (queries if lane is Lane.QUERY else pages).retry_after_seconds(lane),
        ),
        metrics=metrics,
        lifecycle=lifecycle,
        limits=limits,
    )
