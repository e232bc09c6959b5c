"""The record store as one search may use it: in one knowledge base, for one reader, a bounded number of times."""

from __future__ import annotations

from collections.abc import Sequence

from atoll.domain.evidence import Filters
from atoll.domain.ids import DocumentUid, KbUid, PassageId
from atoll.domain.passage import Passage
from atoll.ports.catalogue import Labels
from atoll.ports.passages import Passages, SearchScope

#: Round trips of one question.
MAX_READS = 6
#: Times that a question is searched again because the ground moved under it.
MAX_RETRIES = 2
#: Round trips of a search once its scope is known: what is visible, and the texts.
_READS_OF_A_SEARCH = 2


class SearchReads:
    """Counts round trips and retries of one question."""

    def __init__(self, passages: Passages, kb: KbUid, labels: Labels, filters: Filters) -> None:
        self._passages = passages
        self._kb = kb
        self._labels = labels
        self._filters = filters
        self._retries_left = MAX_RETRIES
        self.left = MAX_READS

    async def scope(self) -> SearchScope:
        """Read revision and language and resolve the filters."""
        self._count()
        return await self._passages.scope(self._kb, self._labels, self._filters)

    async def visible(self, documents: Sequence[DocumentUid]) -> tuple[int, dict[DocumentUid, str]]:
        """Return the revision and the names of those of ``documents`` that are visible in it."""
        self._count()
        return await self._passages.visible(self._kb, self._labels, documents)

    async def hydrate(self, passages: Sequence[PassageId]) -> dict[PassageId, Passage]:
        """Return the passages that are visible now, with their text."""
        if not passages:
            return {}
        self._count()
        return await self._passages.hydrate(self._kb, self._labels, passages)

    def take_retry(self) -> bool:
        """Take one of the retries; False when none is left or too few round trips to finish it, scope included."""
        if self._retries_left == 0 or self.left < _READS_OF_A_SEARCH + 1:
            return False
        self._retries_left -= 1
        return True

    def _count(self) -> None:
        assert self.left > 0, "a question makes no more than MAX_READS round trips"
        self.left -= 1
