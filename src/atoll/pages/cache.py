"""Drawn pages that are kept, below a total size."""

from __future__ import annotations

from collections import OrderedDict

from atoll.ports.drawings import DrawingKey, Drawings


class PageCache:
    """Keeps drawn pages below a total size; the least recently used go first."""

    def __init__(self, drawings: Drawings, max_bytes: int) -> None:
        self._drawings = drawings
        self._max_bytes = max_bytes
        self._sizes: OrderedDict[DrawingKey, int] = OrderedDict()
        self._total = 0

    async def adopt(self) -> None:
        """Count what earlier processes drew."""
        for key, size in await self._drawings.all():
            if key not in self._sizes:
                await self._note(key, size)

    async def get(self, key: DrawingKey) -> bytes | None:
        """Return a drawn page, or None."""
        image = await self._drawings.get(key)
        if image is None:
            self._forget(key)
        else:
            await self._note(key, len(image))
        return image

    async def put(self, key: DrawingKey, image: bytes) -> None:
        """Keep a drawn page; not if its document has been removed meanwhile."""
        if await self._drawings.put(key, image):
            await self._note(key, len(image))

    async def _note(self, key: DrawingKey, size: int) -> None:
        self._forget(key)
        self._sizes[key] = size
        self._total += size
        while self._total > self._max_bytes and self._sizes:
            oldest, oldest_size = self._sizes.popitem(last=False)
            self._total -= oldest_size
            await self._drawings.drop(oldest)

    def _forget(self, key: DrawingKey) -> None:
        self._total -= self._sizes.pop(key, 0)
