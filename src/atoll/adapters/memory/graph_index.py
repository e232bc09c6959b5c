"""Exact indexes of passages, entities and assertions in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from atoll.adapters.memory.vectors import MemoryVectorIndex
from atoll.domain.ids import DocumentUid, EntityId, KbUid, RelationId
from atoll.domain.vectors import EntityHit, EntityPoint, RelationHit, RelationPoint
from atoll.ports.graph import GraphScope

_DECIMALS = 5


class MemoryGraphIndex(MemoryVectorIndex):
    """Implements ``VectorIndex`` and ``GraphIndex`` by looking at every point."""

    def __init__(self) -> None:
        super().__init__()
        self._entities: dict[EntityId, EntityPoint] = {}
        self._relations: dict[RelationId, RelationPoint] = {}

    async def upsert_graph(self, entities: Sequence[EntityPoint], relations: Sequence[RelationPoint]) -> None:
        """See ``atoll.ports.graph_index.GraphIndex``."""
        self._entities.update((point.id, point) for point in entities)
        self._relations.update((point.id, point) for point in relations)

    async def delete_graph(self, kb: KbUid, entities: Sequence[EntityId], documents: Sequence[DocumentUid]) -> None:
        """See ``atoll.ports.graph_index.GraphIndex``."""
        gone = set(entities)
        self._entities = {at: point for at, point in self._entities.items() if point.kb != kb or at not in gone}
        self._relations = {
            at: point
            for at, point in self._relations.items()
            if point.kb != kb or point.document_uid not in set(documents)
        }

    async def relabel(self, kb: KbUid, document: DocumentUid, labels: Sequence[str]) -> None:
        """See ``atoll.ports.index_labels.IndexLabels``; both passages and assertions."""
        await super().relabel(kb, document, labels)
        own = [point for point in self._relations.values() if point.kb == kb and point.document_uid == document]
        self._relations.update((point.id, replace(point, labels=tuple(labels))) for point in own)

    async def nearest_entities(self, kb: KbUid, query: NDArray[np.float32], limit: int) -> list[EntityHit]:
        """See ``atoll.ports.graph_index.GraphIndex``."""
        hits = [EntityHit(at, _score(point, query)) for at, point in self._entities.items() if point.kb == kb]
        return sorted(hits, key=lambda hit: (-hit.score, hit.id))[:limit]

    async def nearest_relations(self, scope: GraphScope, query: NDArray[np.float32], limit: int) -> list[RelationHit]:
        """See ``atoll.ports.graph_index.GraphIndex``."""
        hits = [RelationHit(at, _score(point, query)) for at, point in self._relations.items() if _seen(point, scope)]
        return sorted(hits, key=lambda hit: (-hit.score, hit.id))[:limit]

    async def count_graph(self, kb: KbUid) -> tuple[int, int]:
        """See ``atoll.ports.graph_index.GraphIndex``."""
        entities = sum(point.kb == kb for point in self._entities.values())
        return entities, sum(point.kb == kb for point in self._relations.values())


def _score(point: EntityPoint | RelationPoint, query: NDArray[np.float32]) -> float:
    return round(float(point.dense @ query), _DECIMALS)


def _seen(point: RelationPoint, scope: GraphScope) -> bool:
    return (
        point.kb == scope.reader.kb
        and scope.reader.sees(point.labels)
        and (scope.include is None or point.document_uid in scope.include)
    )
