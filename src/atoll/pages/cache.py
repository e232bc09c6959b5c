"""Drawn pages on disk, each in its document's own folder, so that they go when the document goes."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from atoll import files


class PageCache:
    """Keeps drawn pages below a total size; the least recently used go first."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._sizes: OrderedDict[Path, int] = OrderedDict()
        self._total = 0

    async def adopt(self, pages: Sequence[tuple[Path, int]]) -> None:
        """Count what earlier processes drew: paths and sizes, oldest first."""
        for path, size in pages:
            if path not in self._sizes:
                await self._note(path, size)

    async def get(self, path: Path) -> bytes | None:
        """Return a drawn page, or None."""
        try:
            content = await asyncio.to_thread(path.read_bytes)
        except FileNotFoundError:
            self._forget(path)
            return None
        await self._note(path, len(content))
        return content

    async def put(self, path: Path, content: bytes) -> None:
        """Keep a drawn page; not if its document has been removed meanwhile."""
        if await asyncio.to_thread(_write, path, content):
            await self._note(path, len(content))

    async def _note(self, path: Path, size: int) -> None:
        self._forget(path)
        self._sizes[path] = size
        self._total += size
        while self._total > self._max_bytes and self._sizes:
            oldest, oldest_size = self._sizes.popitem(last=False)
            self._total -= oldest_size
            await asyncio.to_thread(oldest.unlink, missing_ok=True)

    def _forget(self, path: Path) -> None:
        self._total -= self._sizes.pop(path, 0)


def _write(path: Path, content: bytes) -> bool:
    try:
        # Not with parents: a removed document's folder must not come back.
        with suppress(FileExistsError):
            path.parent.mkdir()
        files.write(path, content)
    except FileNotFoundError:
        return False
    return True
