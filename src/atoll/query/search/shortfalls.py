"""What a search goes without because something that it leans on is away or not whole: its readers are told."""

from __future__ import annotations

from atoll.domain.answer import Caution
from atoll.ports.passages import SearchScope
from atoll.query.search.modes import Retriever

EMBEDDER_AWAY = Caution(
    "embedder_away", "searched by words and names only: the embedding server did not answer; ask again in a moment"
)
PAGES_AWAY = Caution("pages_away", "searched without page images: the page-image server did not answer")

#: Name of a derived collection -> which retrievers use it, and what a search without it is.
_COLLECTIONS = {
    "passages": (
        {Retriever.DENSE, Retriever.SPARSE},
        "some texts may be missing: the index of passages is being made again",
    ),
    "pages": ({Retriever.PAGES}, "some page images may be missing: the index of pages is being made again"),
    "entities": ({Retriever.AROUND}, "some names may be missing: the index of entities is being made again"),
    "relations": ({Retriever.AROUND}, "some statements may be missing: the index of relations is being made again"),
}


def index_incomplete(collection: str) -> Caution:
    """Return the warning that a derived collection, by its name, is gone or not whole."""
    return Caution("index_incomplete", _COLLECTIONS[collection][1])


class Shortfalls:
    """Gathers the cautions of one search, each once, in the order in which they came."""

    def __init__(self) -> None:
        self._warnings: dict[Caution, None] = {}

    def add(self, *cautions: Caution) -> None:
        """Add cautions."""
        self._warnings.update(dict.fromkeys(cautions))

    def note_gaps(self, scope: SearchScope, wanted: frozenset[Retriever]) -> None:
        """Add what the record store knows to be missing from the collections that a search uses."""
        for collection in scope.gaps:
            if collection in _COLLECTIONS and _COLLECTIONS[collection][0] & wanted:
                self.add(index_incomplete(collection))

    def all(self) -> tuple[Caution, ...]:
        """Return the warnings so far."""
        return tuple(self._warnings)
