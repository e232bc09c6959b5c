"""What of the index's lists the reader may see. The index is only a hint; the record store decides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from atoll.domain.ids import DocumentUid, PassageId, passage_id
from atoll.domain.page_vectors import PageHit
from atoll.domain.vectors import Hit, VectorSearch
from atoll.query.rank.fuse import DEPTH, Ranked
from atoll.query.retrieve.pages import PAGE_DEPTH
from atoll.query.search.read_budget import ReadBudget


@dataclass(frozen=True, slots=True)
class Seen:
    """Hits in documents that are visible in one snapshot of the record store, and the names of these documents.

    ``hidden`` are the documents that fell out. ``short`` says that a list lost so many hits that visible passages
    may be missing from its first `DEPTH`, or visible pages from the first `PAGE_DEPTH`. ``rarity`` is that of the
    question's words, by their place among its parts.
    """

    revision: int
    lists: Mapping[str, list[Hit]]
    names: Mapping[DocumentUid, str]
    hidden: frozenset[DocumentUid]
    short: bool
    pages: Sequence[PageHit] = ()
    rarity: Mapping[int, float] = field(default_factory=dict)

    def documents_of(self, ranking: Sequence[Ranked], most: int) -> list[DocumentUid]:
        """Return the first ``most`` documents of a ranking of these lists, in its order."""
        document_of = {hit.id: hit.document_uid for hits in self.lists.values() for hit in hits}
        return list(islice(dict.fromkeys(document_of[ranked.id] for ranked in ranking), most))

    def openings_of(self, ranking: Sequence[Ranked], most: int) -> list[PassageId]:
        """Return the first passage of each of the first ``most`` documents: what all of a document is about."""
        return [passage_id(document, 0) for document in self.documents_of(ranking, most)]


async def see(
    reads: ReadBudget,
    searches: Mapping[str, VectorSearch],
    lists: Mapping[str, list[Hit]],
    pages: Sequence[PageHit] = (),
    pages_limit: int = 0,
) -> Seen:
    """Ask the record store once for all hits of all lists, and of the list of pages, fetched with ``pages_limit``.

    Lists that are not of ``searches`` are only to be counted: they are never too short.
    """
    documents = dict.fromkeys(hit.document_uid for hits in lists.values() for hit in hits)
    documents |= dict.fromkeys(hit.document_uid for hit in pages)
    revision, names = await reads.visible(list(documents))
    visible = {name: [hit for hit in hits if hit.document_uid in names] for name, hits in lists.items()}
    visible_pages = [hit for hit in pages if hit.document_uid in names]
    short = any(len(visible[name]) < DEPTH and len(lists[name]) >= search.limit for name, search in searches.items())
    short_pages = len(visible_pages) < PAGE_DEPTH and len(pages) >= pages_limit > 0
    return Seen(
        revision, visible, names, frozenset(documents.keys() - names.keys()), short or short_pages, visible_pages
    )
