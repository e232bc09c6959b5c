"""Our embedding server with a cross-encoder, or any other that speaks Cohere's and Jina's ``/v1/rerank``."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from http import HTTPStatus

import orjson

from atoll.adapters.http_session import FAULTS, HttpSession, Reply
from atoll.errors import BadInput, DependencyDown, ModelReplyInvalid

#: A server that said it has no cross-encoder is not asked for so long: it may be started again with one.
ABSENT_SECONDS = 60.0
#: A server that did not answer is not asked for so long: every question would wait for it in vain.
AWAY_SECONDS = 10.0
_ABSENT = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.NOT_IMPLEMENTED})
_REFUSED = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNPROCESSABLE_ENTITY})
_AWAY = frozenset({401, 403, 408, 429, 502, 503, 504})


class HttpReranker:
    """Implements ``Reranker``. Bound to the event loop that first uses it; connections stay open until ``aclose``.

    ``url`` may end in ``/v1`` or not. ``ours`` says that the server is Atoll's, which cuts texts only when asked to.
    """

    def __init__(
        self,
        *,
        url: str,
        ours: bool = True,
        token: str | None = None,
        model: str = "local",
        timeout_seconds: float = 3.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ours = ours
        self._model = model
        self._clock = clock
        self._absent_until = self._away_until = -math.inf
        self._url = f"{url.rstrip('/').removesuffix('/v1')}/v1/rerank"
        self._http = HttpSession(
            headers={"Authorization": f"Bearer {token}"} if token else None, timeout_seconds=timeout_seconds
        )

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def relevance(self, question: str, texts: Sequence[str]) -> list[float] | None:
        """See ``atoll.ports.reranker.Reranker``."""
        if self._clock() < self._absent_until:
            return None
        if self._clock() < self._away_until:
            raise DependencyDown("the reranker did not answer a moment ago")
        if not texts:
            return []
        body: dict[str, object] = {"model": self._model, "query": question, "documents": list(texts)}
        if self._ours:
            body["truncate"] = True
        try:
            reply = await self._http.exchange("POST", self._url, orjson.dumps(body))
        except FAULTS as error:
            self._away_until = self._clock() + AWAY_SECONDS
            raise DependencyDown(f"the reranker did not answer ({type(error).__name__})") from error
        if reply.status in _ABSENT:
            self._absent_until = self._clock() + ABSENT_SECONDS
            return None
        return _relevance(reply, len(texts))


def _relevance(reply: Reply, count: int) -> list[float]:
    status = reply.status
    if status in _AWAY:
        raise DependencyDown(f"the reranker answered {status}")
    if status in _REFUSED:
        raise BadInput(f"the reranker refuses the texts ({status})")
    if status != HTTPStatus.OK:
        raise ModelReplyInvalid(f"the reranker answered {status}")
    try:
        scores = {int(row["index"]): float(row["relevance_score"]) for row in orjson.loads(reply.content)["results"]}
        ordered = [scores[at] for at in range(count)]
    except (ValueError, KeyError, TypeError) as error:
        raise ModelReplyInvalid(f"the answer to /v1/rerank has another shape: {error!r}"[:200]) from error
    if len(scores) != count or not all(map(math.isfinite, ordered)):
        raise ModelReplyInvalid(f"/v1/rerank gave {len(scores)} usable scores for {count} texts")
    return ordered
