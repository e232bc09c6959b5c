"""A deterministic embedder without a model: hashed bags of words."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from atoll.domain.embedding import EmbedderCard, InputType, TokenSpans

_TOKEN = re.compile(r"\w+|[^\w\s]")
#: Dimensions that a word touches.
_POSITIONS = 8
_KNOWN_WORDS = 1 << 16


class MemoryEmbedder:
    """Texts that share words have a high cosine; the same text always has the same vector."""

    def __init__(self, *, dimensions: int = 384, max_tokens: int = 256) -> None:
        self._dimensions = dimensions
        self._max_tokens = max_tokens
        self.connections = 1

    async def describe(self) -> EmbedderCard:
        """See ``atoll.ports.embedder.Embedder``."""
        return self.card

    async def embed(self, texts: Sequence[str], *, input_type: InputType) -> NDArray[np.float32]:
        """See ``atoll.ports.embedder.Embedder``; queries and documents are treated alike."""
        del input_type
        return self.vectors(texts)

    async def tokenize(self, texts: Sequence[str]) -> list[TokenSpans]:
        """See ``atoll.ports.embedder.Embedder``; words and punctuation marks are tokens."""
        return [self.spans(text) for text in texts]

    @property
    def card(self) -> EmbedderCard:
        """What ``describe`` answers."""
        return EmbedderCard(
            model="hashed-words",
            dimensions=self._dimensions,
            max_tokens=self._max_tokens,
            text_tokens=self._max_tokens,
            fingerprint=f"hashed-words-{self._dimensions}",
        )

    def vectors(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return unit rows of shape ``(len(texts), dimensions)``; a text without words gets the first axis."""
        rows = np.zeros((len(texts), self._dimensions), dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            for word in _TOKEN.findall(text.casefold()):
                positions, signs = _word(word, self._dimensions)
                np.add.at(row, positions, signs)
        rows[~rows.any(axis=1), 0] = 1.0
        unit: NDArray[np.float32] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        return unit

    def spans(self, text: str) -> TokenSpans:
        """Return where the words and punctuation marks of ``text`` end."""
        return TokenSpans(tuple(match.end() for match in _TOKEN.finditer(text)))


@lru_cache(maxsize=_KNOWN_WORDS)
def _word(word: str, dimensions: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    digest = hashlib.blake2b(word.encode(), digest_size=4 * _POSITIONS).digest()
    numbers = np.frombuffer(digest, dtype="<u4").astype(np.int64)
    return (numbers >> 1) % dimensions, np.where(numbers & 1, 1.0, -1.0).astype(np.float32)
