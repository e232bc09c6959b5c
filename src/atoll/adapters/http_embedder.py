"""Our embedding server, or any other that speaks OpenAI's ``/v1/embeddings``."""

from __future__ import annotations

import asyncio
import base64
import binascii
import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from http import HTTPStatus
from itertools import pairwise
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx
import numpy as np
from numpy.typing import NDArray

from atoll.domain.embedding import EmbedderCard, InputType, TokenSpans
from atoll.errors import BadInput, DependencyDown, ModelReplyInvalid

#: Attempts when the connection breaks: a server that restarts resets connections which were kept open.
ATTEMPTS = 3
_PAUSE_SECONDS = 0.1
_CONNECT_SECONDS = 5.0
#: Characters in one request, well below the server's limit in bytes.
REQUEST_CHARACTERS = 500_000
#: Characters of one text in a tokenize request; longer texts go in pieces that end at white space.
PIECE_CHARACTERS = 50_000
#: A server that cannot tokenise: one token per so many UTF-8 bytes, which errs high for prose in every script.
FALLBACK_TOKEN_BYTES = 3
#: How far a row of our own server may be from length 1.
_UNIT_TOLERANCE = 0.01
#: Status -> a later attempt may succeed.
_AWAY = frozenset({401, 403, 408, 429, 502, 503, 504})
_ABSENT = frozenset({404, 405, 501})

_log = logging.getLogger(__name__)
T = TypeVar("T")
R = TypeVar("R")


class HttpEmbedder:
    """Implements ``Embedder``. Bound to the event loop that first uses it; connections stay open until ``aclose``.

    ``url`` may end in ``/v1`` or not. ``ours`` says that the server is Atoll's, which takes ``input_type`` and
    ``truncate``; another server gets nothing beyond OpenAI's fields. ``max_tokens`` is the window of a server
    that cannot tell. ``dimensions`` cuts vectors to a prefix.
    """

    def __init__(
        self,
        *,
        url: str,
        ours: bool = True,
        model: str = "local",
        token: str | None = None,
        dimensions: int | None = None,
        max_tokens: int = 256,
        request_texts: int = 64,
        concurrent_requests: int = 2,
        timeout_seconds: float = 60.0,
    ) -> None:
        self._ours = ours
        self._model = model
        self._asked_dimensions = dimensions
        self._known_dimensions = dimensions
        self._max_tokens = max_tokens
        self._request_texts = request_texts
        self._concurrent_requests = concurrent_requests
        self._client = httpx.AsyncClient(
            base_url=url.rstrip("/").removesuffix("/v1"),
            headers={"Authorization": f"Bearer {token}"} if token else {},
            timeout=httpx.Timeout(timeout_seconds, connect=min(_CONNECT_SECONDS, timeout_seconds)),
            limits=httpx.Limits(max_connections=concurrent_requests + 2),
            trust_env=False,  # no proxy stands between two processes of one installation
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def describe(self) -> EmbedderCard:
        """See ``atoll.ports.embedder.Embedder``. A server without ``/info`` is measured with one short text."""
        reply = await self._exchange("GET", "/info") if self._ours else None
        if reply is None or reply.status_code in _ABSENT:
            dimensions = int((await self.embed(["dimensions"], input_type=InputType.QUERY)).shape[1])
            return EmbedderCard(self._model, dimensions, self._max_tokens, self._max_tokens, self._model)
        info = _document(reply)
        with _Shape("/info"):
            spent = int(info["special_tokens"]) + int(info["prompt_tokens"][InputType.DOCUMENT.value])
            return EmbedderCard(
                model=str(info["model"]),
                dimensions=self._asked_dimensions or int(info["dimensions"]),
                max_tokens=int(info["max_tokens"]),
                text_tokens=int(info["max_tokens"]) - spent,
                fingerprint=str(info["weights_sha256"]),
            )

    async def embed(self, texts: Sequence[str], *, input_type: InputType) -> NDArray[np.float32]:
        """See ``atoll.ports.embedder.Embedder``. Our server cuts texts that are too long and says so; it is logged."""
        if not texts:
            return np.zeros((0, self._known_dimensions or 0), dtype=np.float32)
        parts = await self._each(self._requests(texts), lambda part: self._embed_request(part, input_type))
        if len({part.shape[1] for part in parts}) != 1:
            raise ModelReplyInvalid("the embedding server gave vectors of different lengths")
        return np.concatenate(parts)

    async def tokenize(self, texts: Sequence[str]) -> list[TokenSpans]:
        """See ``atoll.ports.embedder.Embedder``. A server without ``/v1/tokenize`` is replaced by an estimate."""
        pieces = [(at, start, end) for at, text in enumerate(texts) for start, end in _pieces(text)]
        cut = [texts[at][start:end] for at, start, end in pieces]
        parts = await self._each(self._requests(cut), self._tokenize_request) if cut else []
        ends: list[list[int]] = [[] for _ in texts]
        for (at, start, _), spans in zip(pieces, [spans for part in parts for spans in part], strict=True):
            ends[at].extend(start + end for end in spans.ends)
        return [TokenSpans(tuple(positions)) for positions in ends]

    def _requests(self, texts: Sequence[str]) -> list[Sequence[str]]:
        """Cut ``texts`` into runs that fit one request."""
        cuts, characters = [0], 0
        for at, text in enumerate(texts):
            if at > cuts[-1] and (at - cuts[-1] >= self._request_texts or characters + len(text) > REQUEST_CHARACTERS):
                cuts.append(at)
                characters = 0
            characters += len(text)
        return [texts[start:end] for start, end in pairwise([*cuts, len(texts)])]

    async def _each(self, requests: Sequence[T], send: Callable[[T], Awaitable[R]]) -> list[R]:
        """Send requests with bounded concurrency; the first failure cancels the rest."""
        turns = asyncio.Semaphore(self._concurrent_requests)

        async def in_turn(request: T) -> R:
            async with turns:
                return await send(request)

        # Whoever cancels a search may do so again and again until it ends. A task group passes on the first time only:
        # a second would break off the closing of a connection, which the pool then never gets back.
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(in_turn(request)) for request in requests]
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from None
        return [task.result() for task in tasks]

    async def _embed_request(self, texts: Sequence[str], input_type: InputType) -> NDArray[np.float32]:
        body: dict[str, object] = {"model": self._model, "input": list(texts), "encoding_format": "base64"}
        if self._asked_dimensions is not None:
            body["dimensions"] = self._asked_dimensions
        if self._ours:
            body |= {"input_type": input_type.value, "truncate": True}
        reply = await self._exchange("POST", "/v1/embeddings", body)
        if truncated := reply.headers.get("X-Truncated"):
            _log.warning("%s of %d texts were longer than the model's window and were cut", truncated, len(texts))
        rows = _rows(_document(reply), count=len(texts))
        self._known_dimensions = self._known_dimensions or rows.shape[1]
        if rows.shape[1] != self._known_dimensions:
            raise ModelReplyInvalid(
                f"the embedding server gave {rows.shape[1]} dimensions instead of {self._known_dimensions}"
            )
        return self._unit(rows)

    def _unit(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        norms = np.linalg.norm(rows, axis=1, keepdims=True)
        if not np.isfinite(norms).all() or not (norms > 0).all():
            raise ModelReplyInvalid("the embedding server gave a vector that is zero or not finite")
        if self._ours and (np.abs(norms - 1) > _UNIT_TOLERANCE).any():
            raise ModelReplyInvalid("the embedding server gave a vector that is not of length 1")
        unit: NDArray[np.float32] = rows / norms
        return unit

    async def _tokenize_request(self, texts: Sequence[str]) -> list[TokenSpans]:
        reply = await self._exchange("POST", "/v1/tokenize", {"input": list(texts), "offsets": True})
        if reply.status_code in _ABSENT:
            return [estimate(text) for text in texts]
        with _Shape("/v1/tokenize"):
            data = _document(reply)["data"]
            spans = [TokenSpans(tuple(int(end) for _, end in row["offsets"])) for row in data]
        if len(spans) != len(texts):
            raise ModelReplyInvalid(f"/v1/tokenize gave {len(spans)} results for {len(texts)} texts")
        return spans

    async def _exchange(self, method: str, path: str, body: Mapping[str, object] | None = None) -> httpx.Response:
        """Send one request and translate its status; 404, 405 and 501 are the caller's to judge."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                reply = await self._client.request(method, path, json=body)
            except httpx.TimeoutException as error:
                raise DependencyDown(f"the embedding server did not answer {path} in time") from error
            except httpx.TransportError as error:
                if attempt == ATTEMPTS:
                    raise DependencyDown(f"the embedding server is away ({type(error).__name__})") from error
                await asyncio.sleep(_PAUSE_SECONDS * attempt)
            else:
                return _checked(reply, path)
        raise AssertionError("the loop returns or raises")


class _Shape:
    """Turns what goes wrong while a reply is taken apart into ``ModelReplyInvalid``."""

    def __init__(self, path: str) -> None:
        self._path = path

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, KeyError | TypeError | ValueError | IndexError | binascii.Error):
            raise ModelReplyInvalid(f"the answer to {self._path} has another shape: {error!r}"[:200]) from error


def _checked(reply: httpx.Response, path: str) -> httpx.Response:
    status = reply.status_code
    if status == HTTPStatus.OK or status in _ABSENT:
        return reply
    if status in _AWAY:
        raise DependencyDown(
            f"the embedding server answered {status} to {path}: {_message(reply)}", _retry_after_seconds(reply)
        )
    if status == HTTPStatus.BAD_REQUEST:
        raise BadInput(f"the embedding server refuses the texts: {_message(reply)}")
    raise ModelReplyInvalid(f"the embedding server answered {status} to {path}: {_message(reply)}")


def _document(reply: httpx.Response) -> Any:
    if reply.status_code != HTTPStatus.OK:
        raise ModelReplyInvalid(f"the embedding server has no {reply.request.url.path}; check its address")
    try:
        return reply.json()
    except ValueError as error:
        raise ModelReplyInvalid(f"the answer to {reply.request.url.path} is not JSON") from error


def _message(reply: httpx.Response) -> str:
    """Return OpenAI's error message; an error body may repeat a text, so nothing else of it is kept."""
    try:
        return str(reply.json()["error"]["message"])[:200]
    except (ValueError, KeyError, TypeError):
        return reply.reason_phrase


def _retry_after_seconds(reply: httpx.Response) -> float:
    try:
        return max(0.0, float(reply.headers["Retry-After"]))
    except (KeyError, ValueError):
        return 1.0


def _rows(document: Any, *, count: int) -> NDArray[np.float32]:
    with _Shape("/v1/embeddings"):
        data = sorted(document["data"], key=lambda row: int(row["index"]))
        if [int(row["index"]) for row in data] != list(range(count)):
            raise ModelReplyInvalid(f"/v1/embeddings gave {len(data)} vectors for {count} texts")
        rows = np.stack([_vector(row["embedding"]) for row in data])
        if rows.ndim != 2:  # noqa: PLR2004 - a row a text
            raise ValueError(f"vectors of shape {rows.shape[1:]}")
    return rows


def _vector(embedding: object) -> NDArray[np.float32]:
    """Read base64 of little-endian float32, or numbers from a server that knows no base64."""
    if isinstance(embedding, str):
        return np.frombuffer(base64.b64decode(embedding, validate=True), dtype="<f4").astype(np.float32)
    return np.asarray(embedding, dtype=np.float32)


def _pieces(text: str) -> Iterator[tuple[int, int]]:
    """Yield the bounds of pieces of at most ``PIECE_CHARACTERS``, cut after white space where there is any."""
    start = 0
    while len(text) - start > PIECE_CHARACTERS:
        end = start + PIECE_CHARACTERS
        while end > start and not text[end - 1].isspace():
            end -= 1
        if end == start:
            end = start + PIECE_CHARACTERS
        yield start, end
        start = end
    yield start, len(text)


def estimate(text: str) -> TokenSpans:
    """Return a token per ``FALLBACK_TOKEN_BYTES`` bytes of UTF-8, never more than one token a character."""
    ends: list[int] = []
    size = 0
    for position, character in enumerate(text, start=1):
        size += len(character.encode("utf-8", "surrogatepass"))
        if size >= FALLBACK_TOKEN_BYTES:
            ends.append(position)
            size = 0
    if size:
        ends.append(len(text))
    return TokenSpans(tuple(ends))
