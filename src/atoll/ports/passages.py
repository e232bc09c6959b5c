"""What a search reads from the record store: the only source of text, and only of visible documents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from atoll.domain.evidence import Filters
from atoll.domain.ids import DocumentUid, PassageId
from atoll.domain.page import Box
from atoll.domain.passage import Passage
from atoll.domain.reader import Reader

#: Filters that match more documents than this are refused: an index cannot be asked for so many at once.
MAX_FILTERED_DOCUMENTS = 4096


@dataclass(frozen=True, slots=True)
class SearchScope:
    """A knowledge base at the start of a search.

    ``passages`` are those that the reader sees, ``include`` the documents that the filters leave (None: no filter);
    ``hidden_points`` says how many points of invisible documents the index may hold, as the room that lists are fetched
    with. ``gaps`` names the derived collections that a worker found incomplete and is making again.
    """

    revision: int
    language: str
    passages: int
    include: tuple[DocumentUid, ...] | None
    hidden_points: int
    gaps: tuple[str, ...] = ()


class Passages(Protocol):
    """Reads of the query pipeline. Each is one round trip."""

    async def scope(self, reader: Reader, filters: Filters) -> SearchScope:
        """Read revision and language, and resolve the filters.

        Raises:
            NotFound: the knowledge base is gone.
            BadInput: the filters match more than ``MAX_FILTERED_DOCUMENTS`` documents; the message says how many.
        """
        ...

    async def visible(self, reader: Reader, documents: Sequence[DocumentUid]) -> tuple[int, dict[DocumentUid, str]]:
        """Return the revision, and the names of those of ``documents`` that the reader sees, in one snapshot."""
        ...

    async def hydrate(self, reader: Reader, passages: Sequence[PassageId]) -> dict[PassageId, Passage]:
        """Return the passages, text included, as far as they are visible now."""
        ...

    async def of_document(
        self, reader: Reader, document: DocumentUid, *, after: int, limit: int
    ) -> tuple[Passage, ...]:
        """Return passages with an ordinal above ``after``, in order. Raises NotFound for an invisible document."""
        ...

    async def of_page(
        self, reader: Reader, document: DocumentUid, page: int
    ) -> tuple[tuple[PassageId, tuple[Box, ...]], ...]:
        """Return ids and boxes of the passages that cover something of a page. Raises NotFound."""
        ...
