"""Nearest passages: a derived index that can be rebuilt from the record store at any time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from atoll.domain.ids import DocumentUid, KbUid, PassageId
from atoll.domain.vectors import Hit, PassagePoint, VectorSearch
from atoll.ports.index_labels import IndexLabels


class VectorIndex(IndexLabels, Protocol):
    """Stores passage vectors and finds the nearest. Every method raises DependencyDown when the index is away."""

    async def prepare(self) -> None:
        """Make the index ready for use. May run twice, also at the same time in two processes."""
        ...

    async def upsert(self, points: Sequence[PassagePoint]) -> None:
        """Write the points, replacing those of the same id; they survive the death of the index's process."""
        ...

    async def delete(self, kb: KbUid, documents: Sequence[DocumentUid]) -> None:
        """Remove every point of ``documents``; what is not there is not an error."""
        ...

    async def search(self, searches: Sequence[VectorSearch]) -> list[list[Hit]]:
        """Answer all searches in one round trip, best first, ties by id; an unknown knowledge base has no hits.

        Raises:
            IndexMissing: the index is gone. Writes make it again, and a worker fills it.
        """
        ...

    async def count(self, kb: KbUid, documents: Sequence[DocumentUid] | None = None) -> int:
        """Return the exact number of points of a knowledge base, or of some of its documents."""
        ...


class VectorUpkeep(Protocol):
    """Looking through the index itself, for what should not be in it. Raises DependencyDown as ``VectorIndex`` does."""

    async def points(
        self, kb: KbUid | None, *, start: PassageId | None, limit: int
    ) -> tuple[list[PassageId], PassageId | None]:
        """Return ids of points from ``start`` on, of one knowledge base or of all, and where to go on, if there is."""
        ...

    async def discard(self, points: Sequence[PassageId]) -> None:
        """Remove points by id; what is not there is not an error."""
        ...

    async def retire(self) -> list[str]:
        """Remove what the index keeps of earlier ways to make it, and return the names of that.

        Nothing reads or deletes points there any more, so what a deleted document left in it would stay for ever.
        """
        ...
