"""Pages by late interaction: a derived index that can be rebuilt from the documents' folders at any time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from atoll.domain.ids import DocumentUid, KbUid
from atoll.domain.page_vectors import PageHit, PagePoint, PageSearch
from atoll.ports.index_labels import IndexLabels


class PageIndex(IndexLabels, Protocol):
    """Stores pages as multi-vectors. Every method raises DependencyDown when the index is away.

    Vectors of different models lie apart. Deleting and counting need no model: they go over all that was ever stored.
    """

    async def upsert(self, fingerprint: str, points: Sequence[PagePoint]) -> None:
        """Write pages embedded by the model of that fingerprint, replacing those of the same id, durably."""
        ...

    async def delete(self, kb: KbUid, documents: Sequence[DocumentUid]) -> None:
        """Remove every page of ``documents``; what is not there is not an error."""
        ...

    async def search(self, search: PageSearch) -> list[PageHit]:
        """Return the pages with the highest MaxSim, best first, ties by document and page.

        Raises:
            IndexMissing: no page of the question's model was ever written, or the index has lost all of them.
        """
        ...

    async def count(self, kb: KbUid, documents: Sequence[DocumentUid] | None = None) -> int:
        """Return the exact number of pages of a knowledge base, or of some of its documents."""
        ...
