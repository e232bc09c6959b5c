"""Turns pages into multi-vectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from atoll.domain.page_vectors import PageEmbedderCard, PageFailure, PageInput, PageVectors


class PageEmbedder(Protocol):
    """A late-interaction model. Callers decide about retries; an embedder never waits for a busy server."""

    async def describe(self) -> PageEmbedderCard:
        """Return the model's name, size and fingerprint, and whether it wants images or lines.

        Raises:
            DependencyDown, ModelReplyInvalid: as for ``embed_pages``.
        """
        ...

    async def embed_pages(self, pages: Sequence[PageInput]) -> list[PageVectors | PageFailure]:
        """Return one result a page, in order.

        Raises:
            DependencyDown: the server is away or overloaded; ``retry_after_seconds`` is what it asked for.
            ModelReplyInvalid: the server's answer is not what was asked for.
            BadInput: the server refuses the request as a whole.
        """
        ...

    async def embed_queries(self, texts: Sequence[str]) -> list[NDArray[np.float32]]:
        """Return the unit vectors of each query, shape (count, dimensions); a page's score is their MaxSim.

        Raises:
            DependencyDown, ModelReplyInvalid, BadInput: as for ``embed_pages``.
        """
        ...
