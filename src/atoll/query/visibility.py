"""What of the index's lists the reader may see. The index is only a hint; the record store decides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from atoll.domain.ids import DocumentUid
from atoll.domain.vectors import Hit, VectorSearch
from atoll.query.fuse import DEPTH
from atoll.query.reads import SearchReads


@dataclass(frozen=True, slots=True)
class Seen:
    """Hits in documents that are visible in one snapshot of the record store, and the names of these documents.

    ``hidden`` are the documents that fell out. ``short`` says that a list lost so many hits that visible passages
    may be missing from its first `DEPTH`.
    """

    revision: int
    lists: Mapping[str, list[Hit]]
    names: Mapping[DocumentUid, str]
    hidden: frozenset[DocumentUid]
    short: bool


async def see(reads: SearchReads, searches: Mapping[str, VectorSearch], lists: Mapping[str, list[Hit]]) -> Seen:
    """Ask the record store once for all hits of all lists."""
    documents = dict.fromkeys(hit.document_uid for hits in lists.values() for hit in hits)
    revision, names = await reads.visible(list(documents))
    visible = {name: [hit for hit in hits if hit.document_uid in names] for name, hits in lists.items()}
    return Seen(
        revision,
        visible,
        names,
        frozenset(documents.keys() - names.keys()),
        any(len(visible[name]) < DEPTH and len(lists[name]) >= search.limit for name, search in searches.items()),
    )
