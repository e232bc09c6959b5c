"""The embedding server's routes."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from flask import Flask, Response
from numpy.typing import NDArray

from atoll.errors import BadInput, NotAvailable
from atoll.serving.admission import Admission
from atoll.serving.drain import Lifecycle
from atoll.serving.errors import Unready
from atoll.serving.http import blame, client_gone, create_app, json_body, json_response
from atoll.serving.metrics import Metrics, Phase
from atoll.serving.queue import Lane, TokenQueue
from atoll.serving.server import REQUEST_THREADS
from embeddings.pairing import Pair
from embeddings.schemas import EmbeddingsBody, EncodingFormat, InputType, TokenizeBody, read, read_rerank
from embeddings.tokenizing import MAX_CHARACTERS, Text

if TYPE_CHECKING:  # torch loads in the background, so that /health answers at once
    from embeddings.cross_encoder import LoadedCrossEncoder
    from embeddings.model import LoadedModel, Vectors

#: A request without ``input_type`` and at most so many texts is somebody waiting.
INTERACTIVE_TEXTS = 2
#: Request threads each lane may hold; the rest answers health checks and refusals.
LANE_REQUESTS = {Lane.QUERY: REQUEST_THREADS * 3 // 8, Lane.DOCUMENT: REQUEST_THREADS // 2}
MAX_BODY_BYTES = 4 * 1024 * 1024
#: Longest stay of a request in the queue and the model.
ANSWER_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Limits:
    """What one request, one batch and each lane may hold."""

    max_request_texts: int
    max_batch_tokens: int
    queue_tokens: Mapping[Lane, int]

    def as_dict(self) -> dict[str, object]:
        """Return the limits as ``/info`` shows them."""
        return {
            "max_request_texts": self.max_request_texts,
            "max_text_characters": MAX_CHARACTERS,
            "max_body_bytes": MAX_BODY_BYTES,
            "max_batch_tokens": self.max_batch_tokens,
            "queue_tokens": {lane.value: tokens for lane, tokens in self.queue_tokens.items()},
            "concurrent_requests": {lane.value: requests for lane, requests in LANE_REQUESTS.items()},
        }


@dataclass(slots=True)
class Service:
    """What the routes work with.

    ``model``, and ``ranker`` where there is a cross-encoder, appear when they are loaded; ``card`` is what ``/info``
    says.
    """

    queue: TokenQueue[Text | Pair, Vectors]
    admission: Admission
    metrics: Metrics
    lifecycle: Lifecycle
    limits: Limits
    model: LoadedModel | None = None
    ranker: LoadedCrossEncoder | None = None
    card: Mapping[str, object] | None = None

    def require_model(self) -> LoadedModel:
        """Return the model.

        Raises:
            Unready: it is still loading, or the process is draining.
        """
        self.lifecycle.require_ready()
        if self.model is None:
            raise Unready("the model is still loading; try again in a few seconds")
        return self.model


def build(service: Service, *, name: str, allowed_hosts: Collection[str], token: str | None) -> Flask:
    """Return the application."""
    app = create_app(
        "embeddings",
        lifecycle=service.lifecycle,
        metrics=service.metrics,
        info=lambda: service.card or {},
        allowed_hosts=allowed_hosts,
        token=token,
        max_body_bytes=MAX_BODY_BYTES,
    )
    for lane in Lane:
        service.metrics.watch_queue(lane, partial(service.queue.waiting_tokens, lane))

    @app.post("/v1/embeddings")
    def embeddings() -> Response:
        return _embed(service, name)

    @app.post("/v1/tokenize")
    def tokenize() -> Response:
        return _tokenize(service, name)

    @app.post("/v1/rerank")
    def rerank() -> Response:
        return _rerank(service)

    return app


def _embed(service: Service, name: str) -> Response:
    model = service.require_model()
    body = read(EmbeddingsBody, json_body(), max_texts=service.limits.max_request_texts)
    if body.dimensions is not None and body.dimensions > model.dimensions:
        blame("dimensions")
        raise BadInput(f"dimensions: {body.dimensions} asked, the model has {model.dimensions}")
    spans = body.checked_spans()
    if spans is not None and not model.forward.has_spans:
        blame("spans")
        raise BadInput("spans: this model pools in a way of its own; its texts have no vectors of parts")
    lane = _lane(body)
    with service.admission.slot(lane):
        with service.metrics.timed(Phase.PREPARE):
            prepared = model.tokenizer.prepare(
                body.input, input_type=body.input_type, truncate=body.truncate, spans=spans
            )
        job = service.queue.submit(prepared.weighed, lane, abandoned=client_gone())
        found = job.outcome(ANSWER_SECONDS)
    with service.metrics.timed(Phase.FINISH):
        headers = {"X-Truncated": str(prepared.truncated)} if prepared.truncated else {}
        return json_response(_reply(found, body, name, prepared.tokens), headers=headers)


def _lane(body: EmbeddingsBody) -> Lane:
    if body.input_type is None:
        return Lane.QUERY if len(body.input) <= INTERACTIVE_TEXTS else Lane.DOCUMENT
    return Lane.QUERY if body.input_type is InputType.QUERY else Lane.DOCUMENT


def _reply(found: Sequence[Vectors], body: EmbeddingsBody, name: str, tokens: int) -> dict[str, object]:
    rows = np.stack([vectors[0] for vectors in found])
    if body.dimensions is not None and body.dimensions < rows.shape[1]:
        rows = rows[:, : body.dimensions]
        rows = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), np.finfo(np.float32).tiny)
    write = _base64 if body.encoding_format is EncodingFormat.BASE64 else _numbers
    data: list[dict[str, object]] = [
        {"object": "embedding", "index": at, "embedding": write(row)} for at, row in enumerate(rows)
    ]
    if body.spans is not None:
        for row, vectors in zip(data, found, strict=True):
            row |= {"mean": write(vectors[1]), "spans": write(vectors[2:])}
    return {
        "object": "list",
        "data": data,
        "model": name,
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    }


def _numbers(vectors: NDArray[np.float32]) -> object:
    return np.ascontiguousarray(vectors)


def _base64(vectors: NDArray[np.float32]) -> object:
    return base64.b64encode(np.ascontiguousarray(vectors, dtype="<f4").tobytes()).decode("ascii")


def _rerank(service: Service) -> Response:
    """Answer the documents' places in the request, the most relevant first; equal ones keep their order."""
    service.lifecycle.require_ready()
    ranker = service.ranker
    if ranker is None:
        raise NotAvailable(
            "this server has no cross-encoder; put one under models/ and set ATOLL_RERANKER__MODEL_DIR to its folder"
        )
    body = read_rerank(json_body(), max_documents=service.limits.max_request_texts)
    with service.admission.slot(Lane.QUERY):
        with service.metrics.timed(Phase.PREPARE):
            prepared = ranker.tokenizer.prepare(body.query, body.documents, truncate=body.truncate)
        job = service.queue.submit(prepared.weighed, Lane.QUERY, abandoned=client_gone())
        scores = [float(score[0]) for score in job.outcome(ANSWER_SECONDS)]
    with service.metrics.timed(Phase.FINISH):
        order = sorted(range(len(scores)), key=lambda at: -scores[at])[: body.top_n]
        results: list[dict[str, object]] = [{"index": at, "relevance_score": scores[at]} for at in order]
        if body.return_documents:
            results = [
                {**row, "document": {"text": body.documents[at]}} for row, at in zip(results, order, strict=True)
            ]
        headers = {"X-Truncated": str(prepared.truncated)} if prepared.truncated else {}
        usage = {"prompt_tokens": prepared.tokens, "total_tokens": prepared.tokens}
        return json_response({"model": ranker.name, "results": results, "usage": usage}, headers=headers)


def _tokenize(service: Service, name: str) -> Response:
    """Answer token counts without special tokens and prompts, which are told apart, and offsets in code points."""
    model = service.require_model()
    body = read(TokenizeBody, json_body(), max_texts=service.limits.max_request_texts)
    with service.admission.slot(Lane.DOCUMENT), service.metrics.timed(Phase.PREPARE):
        spans = model.tokenizer.spans(body.input, offsets=body.offsets)
    data: list[dict[str, object]] = []
    for at, (tokens, offsets) in enumerate(spans):
        row: dict[str, object] = {"index": at, "tokens": tokens}
        if body.offsets:
            row["offsets"] = offsets
        data.append(row)
    return json_response({"object": "list", "data": data, "model": name, **window(model)})


def window(model: LoadedModel) -> dict[str, object]:
    """Return what a text has to share the model's window with."""
    return {
        "max_tokens": model.tokenizer.max_tokens,
        "special_tokens": model.tokenizer.special_tokens,
        "prompt_tokens": {kind.value: model.tokenizer.prompt_tokens(kind) for kind in InputType},
    }


def build_service(
    *, lifecycle: Lifecycle, limits: Limits, workers: int, clock: Callable[[], float] = time.monotonic
) -> Service:
    """Return a service without a model."""
    metrics = Metrics(clock)
    queue: TokenQueue[Text | Pair, Vectors] = TokenQueue(
        limits_tokens=limits.queue_tokens,
        batch_tokens=limits.max_batch_tokens,
        workers=workers,
        clock=clock,
        on_drop=lambda: metrics.failure("dropped"),
    )
    return Service(
        queue=queue,
        admission=Admission(LANE_REQUESTS, queue.retry_after_seconds),
        metrics=metrics,
        lifecycle=lifecycle,
        limits=limits,
    )
