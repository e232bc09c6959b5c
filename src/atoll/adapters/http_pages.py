"""Our page-image server."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from atoll.adapters.model_server import ModelServer, shape
from atoll.domain.page_vectors import PageEmbedderCard, PageFailure, PageInput, PageQuery, PageVectors

#: Requests of one ``embed_pages`` in flight: the next pages are decoded while the model sees these.
CONCURRENT_REQUESTS = 2
#: The server's own limits: queries in one request and characters of each, lines of a page and characters of each.
#: What is longer is cut: its beginning says what it is about.
REQUEST_QUERIES, QUERY_CHARACTERS = 32, 4_096
PAGE_LINES, LINE_CHARACTERS = 2_000, 8_192
#: How far a row may be from length 1: float16 has three digits.
_UNIT_TOLERANCE = 0.01
T = TypeVar("T")


class HttpPageEmbedder(ModelServer):
    """Implements ``PageEmbedder``; ``batch_pages`` is the number of pages in one request."""

    def __init__(
        self, *, url: str, token: str | None = None, batch_pages: int = 4, timeout_seconds: float = 300.0
    ) -> None:
        super().__init__("page-image server", url=url, token=token, timeout_seconds=timeout_seconds)
        self._batch_pages = batch_pages

    async def describe(self) -> PageEmbedderCard:
        """See ``atoll.ports.pages.PageEmbedder``."""
        info = await self._document("GET", "/info")
        with shape("/info"):
            return PageEmbedderCard(
                model=str(info["model"]),
                dimensions=int(info["dimensions"]),
                fingerprint=str(info["fingerprint"]),
                weights=str(info["weights_sha256"]),
                needs_images=bool(info["needs_images"]),
                needs_lines=bool(info["needs_lines"]),
                from_passages=bool(info["from_passages"]),
            )

    async def embed_pages(self, pages: Sequence[PageInput]) -> list[PageVectors | PageFailure]:
        """See ``atoll.ports.pages.PageEmbedder``."""
        parts = _parts(pages, self._batch_pages)
        results = await self.each(parts, self._pages_request, at_once=CONCURRENT_REQUESTS)
        return [result for part in results for result in part]

    async def embed_queries(self, texts: Sequence[str]) -> list[PageQuery]:
        """See ``atoll.ports.pages.PageEmbedder``."""
        found: list[PageQuery] = []
        for part in _parts(texts, REQUEST_QUERIES):
            reply = await self._document("POST", "/v1/queries", {"queries": [text[:QUERY_CHARACTERS] for text in part]})
            with shape("/v1/queries"):
                fingerprint, sees = str(reply["fingerprint"]), bool(reply["needs_images"])
                found.extend(
                    PageQuery(fingerprint, _vectors(row, "vectors").astype(np.float32), sees=sees)
                    for row in _rows(reply, len(part))
                )
        return found

    async def _pages_request(self, pages: Sequence[PageInput]) -> list[PageVectors | PageFailure]:
        reply = await self._document("POST", "/v1/pages", {"pages": [_page_body(page) for page in pages]})
        with shape("/v1/pages"):
            return [_page(row) for row in _rows(reply, len(pages))]

    async def _document(self, method: str, path: str, body: Mapping[str, object] | None = None) -> Any:
        return self.document(await self.exchange(method, path, body), path)


def _parts(items: Sequence[T], size: int) -> list[Sequence[T]]:
    return [items[start : start + size] for start in range(0, len(items), size)]


def _page_body(page: PageInput) -> dict[str, object]:
    return {
        "width": page.page.width,
        "height": page.page.height,
        "image": base64.b64encode(page.image).decode("ascii") if page.image is not None else None,
        "lines": [{"text": line.text[:LINE_CHARACTERS], "box": tuple(line.box)} for line in page.lines[:PAGE_LINES]],
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
    columns, rows = int(row["grid"][0]), int(row["grid"][1])
    if len(vectors) != int(row["count"]) or len(vectors) != columns * rows:
        raise ValueError(f"{len(vectors)} vectors for a grid of {columns} x {rows}")
    return PageVectors(vectors, _vectors(row, "rows"), _vectors(row, "cols"), (columns, rows), None)


def _vectors(row: Any, name: str) -> NDArray[np.float16]:
    """Read base64 of little-endian float16 rows, and check that they are unit vectors."""
    content = base64.b64decode(row[name], validate=True)
    vectors = np.frombuffer(content, dtype="<f2").reshape(-1, int(row["dimensions"]))
    norms = np.linalg.norm(vectors.astype(np.float32), axis=1)
    if not (np.abs(norms - 1) <= _UNIT_TOLERANCE).all():  # false for NaN too
        raise ValueError(f"a vector in {name!r} is not of length 1")
    return vectors.astype(np.float16, copy=False)
