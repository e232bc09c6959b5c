"""Turns texts into vectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from atoll.domain.embedding import CharacterSpan, EmbedderCard, InputType, SpannedVectors, TokenSpans


class Embedder(Protocol):
    """An embedding model. Callers decide about retries; an embedder never waits for a busy server."""

    @property
    def connections(self) -> int:
        """How many connections to the server were made: when there are more, another model may run there."""
        ...

    async def describe(self) -> EmbedderCard:
        """Return the model's name, sizes and fingerprint.

        Raises:
            DependencyDown, ModelReplyInvalid: as for ``embed``.
        """
        ...

    async def embed(self, texts: Sequence[str], *, input_type: InputType) -> NDArray[np.float32]:
        """Return an array of shape ``(len(texts), dimensions)`` of unit rows in the order of ``texts``.

        Raises:
            DependencyDown: the server is away or overloaded; ``retry_after_seconds`` is what it asked for.
            ModelReplyInvalid: the server's answer is not what was asked for.
            BadInput: the server refuses a text.
        """
        ...

    async def embed_spans(
        self, texts: Sequence[str], spans: Sequence[Sequence[CharacterSpan]], *, input_type: InputType
    ) -> SpannedVectors:
        """Return the vectors of ``texts`` and of parts of each, ``spans``, from one pass.

        Raises:
            NotAvailable: the model has none for parts; its card says so.
            DependencyDown, ModelReplyInvalid, BadInput: as for ``embed``.
        """
        ...

    async def tokenize(self, texts: Sequence[str]) -> list[TokenSpans]:
        """Return the tokens of each text, enough to cut it into windows without calling again.

        Raises:
            DependencyDown, ModelReplyInvalid: as for ``embed``.
        """
        ...
