"""Telling workers that there may be work. May lose every ring: the ledger knows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from atoll.domain.ids import DocumentUid


class Doorbell(Protocol):
    """Rings for documents."""

    async def ring(self, documents: Sequence[DocumentUid]) -> None:
        """Ring once for each document. Raises DependencyDown when the broker is away."""
        ...

    async def waiting(self) -> int:
        """Return how many rings nobody has heard yet. Raises DependencyDown."""
        ...
