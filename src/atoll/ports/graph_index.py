"""Nearest entities and assertions: derived indexes like that of passages, rebuilt from the record store at any time.

They are hints. A point too many costs a look into the record store, which alone decides what a reader sees.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from atoll.domain.ids import DocumentUid, EntityId, KbUid
from atoll.domain.vectors import EntityHit, EntityPoint, RelationHit, RelationPoint
from atoll.ports.graph import GraphScope
from atoll.ports.index_labels import IndexLabels


class GraphIndex(IndexLabels, Protocol):
    """Stores vectors of entities and assertions. Every method raises DependencyDown when the index is away."""

    async def upsert_graph(self, entities: Sequence[EntityPoint], relations: Sequence[RelationPoint]) -> None:
        """Write the points, replacing those of the same id; they survive the death of the index's process."""
        ...

    async def delete_graph(self, kb: KbUid, entities: Sequence[EntityId], documents: Sequence[DocumentUid]) -> None:
        """Remove the points of ``entities`` and every assertion of ``documents``; what is not there is no error."""
        ...

    async def nearest_entities(self, kb: KbUid, query: NDArray[np.float32], limit: int) -> list[EntityHit]:
        """Return the entities nearest to a unit vector of shape (dimensions,), best first, ties by id."""
        ...

    async def nearest_relations(self, scope: GraphScope, query: NDArray[np.float32], limit: int) -> list[RelationHit]:
        """Return the assertions nearest to a unit vector, within labels and documents of ``scope``, best first."""
        ...

    async def count_graph(self, kb: KbUid) -> tuple[int, int]:
        """Return the exact numbers of a knowledge base's entity points and relation points."""
        ...
