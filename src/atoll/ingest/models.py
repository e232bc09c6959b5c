"""What the model servers say about themselves: asked at the start, and again when a connection was made anew."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Generic, Protocol, TypeVar

from atoll.domain.embedding import EmbedderCard
from atoll.domain.page_vectors import PageEmbedderCard
from atoll.ports.embedder import Embedder
from atoll.ports.pages import PageEmbedder

C = TypeVar("C")


class _Server(Protocol):
    @property
    def connections(self) -> int: ...


class Models:
    """The cards of the embedder and of the page embedder, which another model may have replaced at a reconnection."""

    def __init__(self, embedder: Embedder, page_embedder: PageEmbedder | None) -> None:
        self._text = _Card(embedder, embedder.describe)
        self._pages = None if page_embedder is None else _Card(page_embedder, page_embedder.describe)

    async def text(self) -> EmbedderCard:
        """Return the embedder's card. Raises DependencyDown when it has to be asked and is away."""
        return await self._text.current()

    async def pages(self) -> PageEmbedderCard | None:
        """Return the page embedder's card, None without one. Raises DependencyDown as for ``text``."""
        return None if self._pages is None else await self._pages.current()

    @property
    def known_text(self) -> EmbedderCard | None:
        """What the embedder said last; nobody is asked."""
        return self._text.known

    @property
    def known_pages(self) -> PageEmbedderCard | None:
        """What the page embedder said last; nobody is asked."""
        return None if self._pages is None else self._pages.known

    @property
    def has_pages(self) -> bool:
        """Whether pages are embedded."""
        return self._pages is not None


class _Card(Generic[C]):
    def __init__(self, server: _Server, describe: Callable[[], Awaitable[C]]) -> None:
        self._server = server
        self._describe = describe
        self._connections = -1
        self.known: C | None = None

    async def current(self) -> C:
        if self.known is None or self._server.connections != self._connections:
            self.known = await self._describe()
            self._connections = self._server.connections
        return self.known
