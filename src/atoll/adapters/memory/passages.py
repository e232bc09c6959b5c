"""One knowledge base of visible passages in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from atoll.domain.evidence import Filters
from atoll.domain.ids import DocumentUid, PassageId
from atoll.domain.page import Box
from atoll.domain.passage import Passage, on_page
from atoll.domain.reader import Reader
from atoll.errors import NotAvailable, NotFound
from atoll.ports.passages import SearchScope


class MemoryPassages:
    """Implements ``Passages`` for passages that never change and that everyone may see; it knows no filters."""

    def __init__(self, passages: Sequence[Passage], names: Mapping[DocumentUid, str], *, language: str = "en") -> None:
        self._passages = {passage.id: passage for passage in passages}
        self._names = names
        self._language = language

    async def scope(self, reader: Reader, filters: Filters) -> SearchScope:
        """See ``atoll.ports.passages.Passages``."""
        del reader
        if not filters.is_empty:
            raise NotAvailable("passages in memory cannot be filtered")
        return SearchScope(1, self._language, len(self._passages), None, 0)

    async def visible(self, reader: Reader, documents: Sequence[DocumentUid]) -> tuple[int, dict[DocumentUid, str]]:
        """See ``atoll.ports.passages.Passages``."""
        del reader
        return 1, {at: self._names[at] for at in documents if at in self._names}

    async def hydrate(self, reader: Reader, passages: Sequence[PassageId]) -> dict[PassageId, Passage]:
        """See ``atoll.ports.passages.Passages``."""
        del reader
        return {at: self._passages[at] for at in passages if at in self._passages}

    async def of_document(
        self, reader: Reader, document: DocumentUid, *, after: int, limit: int
    ) -> tuple[Passage, ...]:
        """See ``atoll.ports.passages.Passages``."""
        del reader
        if document not in self._names:
            raise NotFound("no such document")
        own = [passage for passage in self._passages.values() if passage.document == document]
        return tuple(sorted((p for p in own if p.ordinal > after), key=lambda p: p.ordinal)[:limit])

    async def of_page(
        self, reader: Reader, document: DocumentUid, page: int
    ) -> tuple[tuple[PassageId, tuple[Box, ...]], ...]:
        """See ``atoll.ports.passages.Passages``."""
        own = await self.of_document(reader, document, after=-1, limit=len(self._passages))
        return on_page((passage for passage in own if passage.page in {page - 1, page}), page)
