"""A page embedder without a model: a vector a line by the hashed words of the embedder in memory."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from atoll.adapters.memory.embedder import MemoryEmbedder
from atoll.domain.page_vectors import PageEmbedderCard, PageFailure, PageInput, PageQuery, PageVectors
from atoll.errors import NotAvailable


class MemoryPageEmbedder:
    """Implements ``PageEmbedder``: a question's words find the lines that hold them.

    With ``from_passages`` it makes no pages, and ``weights`` must be those of the embedder of passages.
    """

    def __init__(
        self,
        *,
        dimensions: int = 64,
        needs_images: bool = False,
        weights: str = "hashed-lines",
        from_passages: bool = False,
    ) -> None:
        self._embedder = MemoryEmbedder(dimensions=dimensions)
        self.connections = 1
        self.card = PageEmbedderCard(
            model="hashed-lines",
            dimensions=dimensions,
            fingerprint=f"hashed-lines-{dimensions}",
            weights=weights,
            needs_images=needs_images,
            needs_lines=not from_passages,
            from_passages=from_passages,
        )

    async def describe(self) -> PageEmbedderCard:
        """See ``atoll.ports.pages.PageEmbedder``."""
        return self.card

    async def embed_pages(self, pages: Sequence[PageInput]) -> list[PageVectors | PageFailure]:
        """See ``atoll.ports.pages.PageEmbedder``."""
        if self.card.from_passages:
            raise NotAvailable("pages are made of the vectors of passages")
        return [self._page(page) for page in pages]

    async def embed_queries(self, texts: Sequence[str]) -> list[PageQuery]:
        """See ``atoll.ports.pages.PageEmbedder``."""
        return [
            PageQuery(
                self.card.fingerprint,
                self._embedder.vectors(text.split()).astype(np.float32),
                sees=self.card.needs_images,
            )
            for text in texts
        ]

    def _page(self, page: PageInput) -> PageVectors:
        vectors = np.zeros((0, self.card.dimensions), dtype=np.float16)
        if page.lines:
            vectors = self._embedder.vectors([line.text for line in page.lines]).astype(np.float16)
        return PageVectors(vectors, vectors, vectors, None, tuple(line.box for line in page.lines))
