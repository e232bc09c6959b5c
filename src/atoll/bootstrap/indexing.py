"""What rebuilds the derived vector collections."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from atoll.adapters.qdrant_graph import QdrantGraphIndex
from atoll.adapters.qdrant_pages import QdrantPageIndex
from atoll.bootstrap.clients import embedder, page_index, sparse, vectors
from atoll.bootstrap.stores import artefacts, records
from atoll.domain.embedding import EmbedderCard
from atoll.ingest.rebuild.collections import DerivedCollection, Reindex
from atoll.ingest.rebuild.graph import EntityCollection, RelationCollection
from atoll.ingest.rebuild.pages import PageCollection
from atoll.ingest.rebuild.passages import PassageCollection
from atoll.ports.artefacts import Artefacts
from atoll.ports.record_store import RecordStore
from atoll.settings import Settings


def reindex(
    store: RecordStore, index: QdrantGraphIndex, pages: QdrantPageIndex, outputs: Artefacts, card: EmbedderCard
) -> Reindex:
    """Return what rebuilds the derived vector collections."""
    passages = PassageCollection(store.index_source, index, sparse(), dimensions=card.dimensions)
    collections: dict[str, DerivedCollection] = {
        "passages": passages,
        "entities": EntityCollection(store.index_source, index),
        "relations": RelationCollection(store.index_source, index),
        "pages": PageCollection(store.index_source, pages, outputs),
    }
    return Reindex(store.index_source, collections, embedding=f"{card.fingerprint} {card.dimensions}")


@asynccontextmanager
async def rebuilding(settings: Settings) -> AsyncIterator[Reindex]:
    """Open what `atoll reindex` works with, and close it in the end."""
    store = records(settings)
    embedding = embedder(settings)
    try:
        card = await embedding.describe()
        index, pages = vectors(settings, card), page_index(settings)
        try:
            yield reindex(store, index, pages, artefacts(settings), card)
        finally:
            await index.close()
            await pages.close()
    finally:
        await embedding.aclose()
        await store.aclose()
