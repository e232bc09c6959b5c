"""Our page-image server."""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx
import numpy as np
import orjson
from numpy.typing import NDArray

from atoll.domain.page import Box
from atoll.domain.page_vectors import PageEmbedderCard, PageFailure, PageInput, PageVectors
from atoll.errors import BadInput, DependencyDown, ModelReplyInvalid

#: Attempts when the connection breaks: a server that restarts resets connections which were kept open.
ATTEMPTS = 3
#: Requests of one ``embed_pages`` in flight: the next pages are decoded while the model sees these.
CONCURRENT_REQUESTS = 2
#: Queries in one request, the server's own limit.
REQUEST_QUERIES = 32
_PAUSE_SECONDS = 0.1
_CONNECT_SECONDS = 5.0
#: How far a row may be from length 1: float16 has three digits.
_UNIT_TOLERANCE = 0.01
#: Status -> a later attempt may succeed.
_AWAY = frozenset({401, 403, 408, 429, 502, 503, 504})
_REFUSED = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE})

T = TypeVar("T")


class HttpPageEmbedder:
    """Implements ``PageEmbedder``. Bound to the event loop that first uses it; connections stay open until ``aclose``.

    ``batch_pages`` is the number of pages in one request.
    """

    def __init__(
        self, *, url: str, token: str | None = None, batch_pages: int = 4, timeout_seconds: float = 300.0
    ) -> None:
        self._batch_pages = batch_pages
        self._client = httpx.AsyncClient(
            base_url=url.rstrip("/").removesuffix("/v1"),
            headers={"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {}),
            timeout=httpx.Timeout(timeout_seconds, connect=min(_CONNECT_SECONDS, timeout_seconds)),
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

    async def describe(self) -> PageEmbedderCard:
        """See ``atoll.ports.pages.PageEmbedder``."""
        info = await self._exchange("GET", "/info")
        with _shape("/info"):
            return PageEmbedderCard(
                model=str(info["model"]),
                dimensions=int(info["dimensions"]),
                fingerprint=str(info["fingerprint"]),
                needs_images=bool(info["needs_images"]),
                needs_lines=bool(info["needs_lines"]),
            )

    async def embed_pages(self, pages: Sequence[PageInput]) -> list[PageVectors | PageFailure]:
        """See ``atoll.ports.pages.PageEmbedder``."""
        turns = asyncio.Semaphore(CONCURRENT_REQUESTS)

        async def in_turn(part: Sequence[PageInput]) -> list[PageVectors | PageFailure]:
            async with turns:
                return await self._pages_request(part)

        try:
            async with asyncio.TaskGroup() as group:
                parts = [group.create_task(in_turn(part)) for part in _parts(pages, self._batch_pages)]
        except* (DependencyDown, ModelReplyInvalid, BadInput) as failed:
            raise _first(failed) from failed
        return [result for part in parts for result in part.result()]

    async def embed_queries(self, texts: Sequence[str]) -> list[NDArray[np.float32]]:
        """See ``atoll.ports.pages.PageEmbedder``."""
        found: list[NDArray[np.float32]] = []
        for part in _parts(texts, REQUEST_QUERIES):
            reply = await self._exchange("POST", "/v1/queries", {"queries": list(part)})
            with _shape("/v1/queries"):
                found.extend(_vectors(row, "vectors").astype(np.float32) for row in _rows(reply, len(part)))
        return found

    async def _pages_request(self, pages: Sequence[PageInput]) -> list[PageVectors | PageFailure]:
        reply = await self._exchange("POST", "/v1/pages", {"pages": [_page_body(page) for page in pages]})
        with _shape("/v1/pages"):
            return [_page(row) for row in _rows(reply, len(pages))]

    async def _exchange(self, method: str, path: str, body: Mapping[str, object] | None = None) -> Any:
        """Send one request and return the document it is answered with."""
        content = orjson.dumps(body) if body is not None else None
        for attempt in range(1, ATTEMPTS + 1):
            try:
                reply = await self._client.request(method, path, content=content)
            except httpx.TimeoutException as error:
                raise DependencyDown(f"the page-image server did not answer {path} in time") from error
            except httpx.TransportError as error:
                if attempt == ATTEMPTS:
                    raise DependencyDown(f"the page-image server is away ({type(error).__name__})") from error
                await asyncio.sleep(_PAUSE_SECONDS * attempt)
            else:
                return _document(reply, path)
        raise AssertionError("the loop returns or raises")


def _parts(items: Sequence[T], size: int) -> list[Sequence[T]]:
    return [items[start : start + size] for start in range(0, len(items), size)]


def _page_body(page: PageInput) -> dict[str, object]:
    return {
        "width": page.page.width,
        "height": page.page.height,
        "image": base64.b64encode(page.image).decode("ascii") if page.image is not None else None,
        "lines": [{"text": line.text, "box": tuple(line.box)} for line in page.lines],
    }


def _rows(document: Any, count: int) -> list[Any]:
    data = sorted(document["data"], key=lambda row: int(row["index"]))
    if [int(row["index"]) for row in data] != list(range(count)):
        raise ValueError(f"{len(data)} results for {count} inputs")
    return data


def _page(row: Any) -> PageVectors | PageFailure:
    if "error" in row:
        return PageFailure(str(row["error"]["message"]), str(row["error"]["code"]))
    vectors = _vectors(row, "vectors")
    grid = (int(row["grid"][0]), int(row["grid"][1])) if row["grid"] is not None else None
    regions = tuple(Box(*map(float, box)) for box in row["regions"]) if row["regions"] is not None else None
    places = grid[0] * grid[1] if grid is not None else len(regions or ())
    if len(vectors) != int(row["count"]) or len(vectors) != places:
        raise ValueError(f"{len(vectors)} vectors for {places} places")
    return PageVectors(vectors, _vectors(row, "rows"), _vectors(row, "cols"), grid, regions)


def _vectors(row: Any, name: str) -> NDArray[np.float16]:
    """Read base64 of little-endian float16 rows, and check that they are unit vectors."""
    content = base64.b64decode(row[name], validate=True)
    vectors = np.frombuffer(content, dtype="<f2").reshape(-1, int(row["dimensions"]))
    norms = np.linalg.norm(vectors.astype(np.float32), axis=1)
    if not (np.abs(norms - 1) <= _UNIT_TOLERANCE).all():  # false for NaN too
        raise ValueError(f"a vector in {name!r} is not of length 1")
    return vectors.astype(np.float16, copy=False)


@contextmanager
def _shape(path: str) -> Iterator[None]:
    """Turn what goes wrong while a reply is taken apart into ``ModelReplyInvalid``."""
    try:
        yield
    except (KeyError, TypeError, ValueError, IndexError, binascii.Error) as error:
        raise ModelReplyInvalid(f"the answer to {path} has another shape: {error!r}"[:200]) from error


def _document(reply: httpx.Response, path: str) -> Any:
    if reply.status_code == HTTPStatus.OK:
        try:
            return orjson.loads(reply.content)
        except orjson.JSONDecodeError as error:
            raise ModelReplyInvalid(f"the answer to {path} is not JSON") from error
    said = f"the page-image server answered {reply.status_code} to {path}: {_message(reply)}"
    if reply.status_code in _AWAY:
        raise DependencyDown(said, _retry_after_seconds(reply))
    if reply.status_code in _REFUSED:
        raise BadInput(said)
    raise ModelReplyInvalid(said)


def _message(reply: httpx.Response) -> str:
    """Return the error object's message; nothing else of a body that may repeat a text is kept."""
    try:
        return str(reply.json()["error"]["message"])[:200]
    except (ValueError, KeyError, TypeError):
        return reply.reason_phrase


def _retry_after_seconds(reply: httpx.Response) -> float:
    try:
        return max(0.0, float(reply.headers["Retry-After"]))
    except (KeyError, ValueError):
        return 1.0


def _first(failed: BaseExceptionGroup[Any]) -> BaseException:
    """Return one of the errors that came together; callers know single errors only."""
    first = failed.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first
