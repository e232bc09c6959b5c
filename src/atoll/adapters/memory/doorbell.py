"""A doorbell within one process, for tests and tools that run the pipeline themselves."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from atoll.domain.ids import DocumentUid


class MemoryDoorbell:
    """Port ``Doorbell``; ``rings`` holds what was rung for and not yet taken."""

    def __init__(self) -> None:
        self.rings: deque[DocumentUid] = deque()

    async def ring(self, documents: Sequence[DocumentUid]) -> None:
        """Remember the rings in order."""
        self.rings.extend(documents)

    async def waiting(self) -> int:
        """Return how many rings were not taken."""
        return len(self.rings)
