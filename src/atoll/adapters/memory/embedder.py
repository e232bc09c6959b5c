"""A deterministic embedder without a model: hashed bags of words."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from atoll.domain.embedding import CharacterSpan, EmbedderCard, InputType, SpannedVectors, TokenSpans

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

    async def embed_spans(
        self, texts: Sequence[str], spans: Sequence[Sequence[CharacterSpan]], *, input_type: InputType
    ) -> SpannedVectors:
        """See ``atoll.ports.embedder.Embedder``."""
        del input_type
        return self.spanned(texts, spans)

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
            has_spans=True,
        )

    def vectors(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return unit rows of shape ``(len(texts), dimensions)``; a text without words gets the first axis."""
        rows = self._means(texts)
        rows[~rows.any(axis=1), 0] = 1.0
        unit: NDArray[np.float32] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        return unit

    def spanned(self, texts: Sequence[str], spans: Sequence[Sequence[CharacterSpan]]) -> SpannedVectors:
        """Return the vectors of texts and of their parts; a part without words has the mean of its text."""
        means = self._means(texts)
        parts = [self._means([text[start:end] for start, end in of]) for text, of in zip(texts, spans, strict=True)]
        for rows, mean in zip(parts, means, strict=True):
            rows[~rows.any(axis=1)] = mean
        return SpannedVectors(self.vectors(texts), means, parts)

    def _means(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the mean of each text's words, zero for a text without words."""
        rows = np.zeros((len(texts), self._dimensions), dtype=np.float32)
        words = [_TOKEN.findall(text.casefold()) for text in texts]
        for row, of in zip(rows, words, strict=True):
            for word in of:
                positions, signs = _word(word, self._dimensions)
                np.add.at(row, positions, signs)
        counts = np.array([max(1, len(of)) for of in words], dtype=np.float32)
        means: NDArray[np.float32] = rows / counts[:, None]
        return means

    def spans(self, text: str) -> TokenSpans:
        """Return where the words and punctuation marks of ``text`` end."""
        return TokenSpans(tuple(match.end() for match in _TOKEN.finditer(text)))


@lru_cache(maxsize=_KNOWN_WORDS)
def _word(word: str, dimensions: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    digest = hashlib.blake2b(word.encode(), digest_size=4 * _POSITIONS).digest()
    numbers = np.frombuffer(digest, dtype="<u4").astype(np.int64)
    return (numbers >> 1) % dimensions, np.where(numbers & 1, 1.0, -1.0).astype(np.float32)
