"""Turns pages into multi-vectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from atoll.domain.page_vectors import PageEmbedderCard, PageFailure, PageInput, PageQuery, PageVectors


class PageEmbedder(Protocol):
    """A late-interaction model. Callers decide about retries; an embedder never waits for a busy server."""

    @property
    def connections(self) -> int:
        """How many connections to the server were made: when there are more, another model may run there."""
        ...

    async def describe(self) -> PageEmbedderCard:
        """Return the model's name, size and fingerprint, and whether it wants images or lines.

        Raises:
            DependencyDown, ModelReplyInvalid: as for ``embed_pages``.
        """
        ...

    async def embed_pages(self, pages: Sequence[PageInput]) -> list[PageVectors | PageFailure]:
        """Return one result a page, in order; an embedder whose card says ``from_passages`` makes none.

        Raises:
            DependencyDown: the server is away or overloaded; ``retry_after_seconds`` is what it asked for.
            ModelReplyInvalid: the server's answer is not what was asked for.
            BadInput: the server refuses the request as a whole.
        """
        ...

    async def embed_queries(self, texts: Sequence[str]) -> list[PageQuery]:
        """Return each query as vectors, with the fingerprint of the model that made them.

        Raises:
            DependencyDown, ModelReplyInvalid, BadInput: as for ``embed_pages``.
        """
        ...
