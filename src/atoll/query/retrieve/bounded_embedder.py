"""The embedder as a question uses it: within the time that a reader waits, and replaceable by nothing.

A question that cannot be embedded is searched by its words and names. Its vector is all zeros: near nothing, so that
whatever adds meaning to a score adds nothing.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from atoll.domain.embedding import CharacterSpan, EmbedderCard, InputType, SpannedVectors, TokenSpans
from atoll.errors import DependencyDown
from atoll.ports.embedder import Embedder

#: How long the embedding server is left alone once it did not answer in time; one that refuses is asked each time.
AWAY_SECONDS = 5.0

T = TypeVar("T")

_log = logging.getLogger(__name__)


class BoundedEmbedder:
    """Implements ``Embedder``: ``embed`` gives zeros where the server does not answer within ``seconds``.

    Args:
        embedder: what is asked.
        dimensions: length of its vectors.
        seconds: the longest wait.
    """

    def __init__(
        self, embedder: Embedder, *, dimensions: int, seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._embedder = embedder
        self._dimensions = dimensions
        self._seconds = seconds
        self._clock = clock
        self._away_until = -float("inf")

    @property
    def connections(self) -> int:
        """See ``atoll.ports.embedder.Embedder``."""
        return self._embedder.connections

    async def describe(self) -> EmbedderCard:
        """See ``atoll.ports.embedder.Embedder``; not replaceable. Raises DependencyDown when it takes too long."""
        return await self._in_time(self._embedder.describe)

    async def embed(self, texts: Sequence[str], *, input_type: InputType) -> NDArray[np.float32]:
        """Return (len(texts), dimensions): unit vectors, or zeros for all of them."""
        nothing: NDArray[np.float32] = np.zeros((len(texts), self._dimensions), dtype=np.float32)
        if self._clock() < self._away_until:
            return nothing
        try:
            async with asyncio.timeout(self._seconds):
                return await self._embedder.embed(texts, input_type=input_type)
        except TimeoutError:
            self._away_until = self._clock() + AWAY_SECONDS
            _log.warning("the embedding server did not answer within %g s; searching by words", self._seconds)
        except DependencyDown as error:
            _log.warning("searching by words: %s", error.message)
        return nothing

    async def embed_spans(
        self, texts: Sequence[str], spans: Sequence[Sequence[CharacterSpan]], *, input_type: InputType
    ) -> SpannedVectors:
        """See ``atoll.ports.embedder.Embedder``; not replaceable. Raises DependencyDown when it takes too long."""
        return await self._in_time(lambda: self._embedder.embed_spans(texts, spans, input_type=input_type))

    async def tokenize(self, texts: Sequence[str]) -> list[TokenSpans]:
        """See ``atoll.ports.embedder.Embedder``; not replaceable. Raises DependencyDown when it takes too long."""
        return await self._in_time(lambda: self._embedder.tokenize(texts))

    async def _in_time(self, ask: Callable[[], Awaitable[T]]) -> T:
        said = f"the embedding server did not answer within {self._seconds:g} s"
        if self._clock() < self._away_until:
            raise DependencyDown(said)
        try:
            async with asyncio.timeout(self._seconds):
                return await ask()
        except TimeoutError as error:
            self._away_until = self._clock() + AWAY_SECONDS
            raise DependencyDown(said) from error
