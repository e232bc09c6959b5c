"""The embedding server as the text-lines backend needs it."""

from __future__ import annotations

import base64
import binascii
import time
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import httpx
import numpy as np

from atoll.errors import DependencyDown, StartRefused
from atoll.serving.errors import ModelFailed
from colpali.backend import Vectors

#: Attempts when the connection breaks: a server that restarts resets connections which were kept open.
ATTEMPTS = 2
_CONNECT_SECONDS = 5.0
_POLL_SECONDS = 0.5


class EmbeddingClient:
    """Atoll's embedding server at ``url``; safe to call from several threads."""

    def __init__(self, *, url: str, token: str | None, timeout_seconds: float) -> None:
        self._url = url
        self._client = httpx.Client(
            base_url=url.rstrip("/").removesuffix("/v1"),
            headers={"Authorization": f"Bearer {token}"} if token else {},
            timeout=httpx.Timeout(timeout_seconds, connect=min(_CONNECT_SECONDS, timeout_seconds)),
            trust_env=False,  # no proxy stands between two processes of one installation
        )

    def wait_for_info(self, timeout_seconds: float) -> Mapping[str, Any]:
        """Return what the server says of itself, once it is ready: the two are started side by side.

        Raises:
            StartRefused: it does not become ready in time, or is not Atoll's.
        """
        until = time.monotonic() + timeout_seconds
        while True:
            try:
                info = self._exchange("GET", "/info").json()
            except DependencyDown as error:
                if time.monotonic() > until:
                    raise StartRefused(f"{error.message}; start the embedding server at {self._url} first") from error
                time.sleep(_POLL_SECONDS)
            except (ModelFailed, ValueError) as error:
                raise StartRefused(
                    f"{self._url} is not an embedding server of Atoll; set ATOLL_EMBEDDINGS__URL to one"
                ) from error
            else:
                if {"model", "dimensions", "weights_sha256", "spans"} <= info.keys():
                    if not info["spans"]:
                        raise StartRefused(
                            f"{info['model']} makes no vectors of tokens, of which text-lines makes those of lines; "
                            "choose another embedding model, or ATOLL_PAGES__BACKEND=colpali"
                        )
                    return dict(info)
                raise StartRefused(
                    f"{self._url}/info names no weights; set ATOLL_EMBEDDINGS__URL to Atoll's own server"
                )

    def embed_queries(
        self, texts: Sequence[str], words: Sequence[Sequence[tuple[int, int]]]
    ) -> list[tuple[Vectors, Vectors]]:
        """Return for each question its vector, (dimensions,), and those of its words, (words, dimensions).

        Questions longer than the model's window are cut there.

        Raises:
            DependencyDown: the server is away or overloaded.
            ModelFailed: its answer is not what was asked for.
        """
        body = {
            "input": list(texts), "spans": words, "encoding_format": "base64", "input_type": "query", "truncate": True,
        }  # fmt: skip
        reply = self._exchange("POST", "/v1/embeddings", body)
        try:
            data = sorted(reply.json()["data"], key=lambda row: int(row["index"]))
            found = [(_floats(row["embedding"]), _floats(row["spans"])) for row in data]
            rows = [(whole, parts.reshape(-1, len(whole))) for whole, parts in found]
        except (KeyError, TypeError, ValueError, binascii.Error) as error:
            raise ModelFailed(f"the embedding server's answer has another shape ({type(error).__name__})") from error
        if [len(parts) for _, parts in rows] != list(map(len, words)):
            raise ModelFailed("the embedding server gave vectors of other texts or words than were asked for")
        return rows

    def _exchange(self, method: str, path: str, body: Mapping[str, object] | None = None) -> httpx.Response:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                reply = self._client.request(method, path, json=body)
            except httpx.TimeoutException as error:
                raise DependencyDown("the embedding server did not answer in time") from error
            except httpx.TransportError as error:
                if attempt == ATTEMPTS:
                    raise DependencyDown(f"the embedding server is away ({type(error).__name__})") from error
            else:
                return _checked(reply)
        raise AssertionError("the loop returns or raises")


def _checked(reply: httpx.Response) -> httpx.Response:
    status = HTTPStatus(reply.status_code)
    if status is HTTPStatus.OK:
        return reply
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.TOO_MANY_REQUESTS} or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        retry_after = reply.headers.get("Retry-After", "")
        raise DependencyDown(
            f"the embedding server answered {status} {status.phrase}",
            float(retry_after) if retry_after.isdigit() else 1.0,
        )
    raise ModelFailed(f"the embedding server refused with {status} {status.phrase}")


def _floats(content: str) -> Vectors:
    return np.frombuffer(base64.b64decode(content), dtype="<f4")
