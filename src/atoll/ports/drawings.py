"""Pictures of pages that were drawn once. Each belongs to its document and goes with it (``Blobs.remove``)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from atoll.domain.ids import DocumentUid, KbUid


@dataclass(frozen=True, slots=True)
class DrawingKey:
    """Which picture: that of a document, under a name of letters, digits and ``-`` that says how it was drawn."""

    kb: KbUid
    document: DocumentUid
    name: str


class Drawings(Protocol):
    """Keeps pictures; any may be dropped, because it can be drawn again."""

    async def put(self, key: DrawingKey, image: bytes) -> bool:
        """Keep a picture whole, and return True; False when its document was removed meanwhile. Raises StorageFull."""
        ...

    async def get(self, key: DrawingKey) -> bytes | None:
        """Return a picture, or None."""
        ...

    async def drop(self, key: DrawingKey) -> None:
        """Forget a picture; again is a no-op."""
        ...

    async def all(self) -> Sequence[tuple[DrawingKey, int]]:
        """Return what is kept, with the bytes of each, oldest first."""
        ...
