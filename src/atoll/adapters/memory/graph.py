"""The graph of a knowledge base in which nothing was ever found."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from atoll.domain.ids import EntityId, PassageId, RelationId
from atoll.domain.reader import Reader
from atoll.ports.graph import Annotations, GraphScope, Incidence, Neighbourhood, Reach

_NOTHING = np.array([], np.int64)


class EmptyGraph:
    """Implements ``Graph`` for passages without mentions."""

    async def neighbourhood(
        self,
        scope: GraphScope,
        seeds: Sequence[PassageId],
        *,
        entities: Sequence[EntityId] = (),
        keys: Sequence[str] = (),
        reach: Reach,
    ) -> Neighbourhood:
        """See ``atoll.ports.graph.Graph``."""
        del scope, entities, keys
        vectors = np.zeros((0, 0), np.float16) if reach.vectors else None
        nowhere = Incidence(_NOTHING, _NOTHING, _NOTHING)
        return Neighbourhood(
            seeds=tuple(seeds),
            headings=((),) * len(seeds),
            seed_mentions=nowhere,
            entities=(),
            df=_NOTHING,
            followed=_NOTHING.astype(np.bool_),
            entity_vectors=vectors,
            passages=(),
            documents=(),
            names={},
            passage_vectors=vectors,
            mentions=nowhere,
        )

    async def shared(self, reader: Reader, entities: Sequence[EntityId]) -> frozenset[EntityId]:
        """See ``atoll.ports.graph.Graph``."""
        del reader, entities
        return frozenset()

    async def annotations(self, scope: GraphScope, passages: Sequence[PassageId]) -> Annotations:
        """See ``atoll.ports.graph.Graph``."""
        del scope
        return Annotations(dict.fromkeys(passages, ()), (), {})

    async def stated(self, scope: GraphScope, relations: Sequence[RelationId]) -> Annotations:
        """See ``atoll.ports.graph.Graph``."""
        del scope, relations
        return Annotations({}, (), {})
