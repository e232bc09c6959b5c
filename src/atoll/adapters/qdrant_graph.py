"""The index of passages, and beside it the collections of entities and of assertions."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray
from qdrant_client import AsyncQdrantClient, models

from atoll.adapters.qdrant import UPSERT_POINTS, QdrantIndex, passages_schema
from atoll.adapters.qdrant_calls import SCORE_DIGITS, TIE_ROOM, Schema, among, equals
from atoll.domain.ids import DocumentUid, EntityId, KbUid, RelationId
from atoll.domain.vectors import EntityHit, EntityPoint, RelationHit, RelationPoint
from atoll.ports.graph import GraphScope

_VECTOR = "dense"


def graph_schemas(fingerprint: str, dimensions: int) -> tuple[Schema, Schema]:
    """Return the schemas of the entities and of the assertions of one embedding."""
    dense = {_VECTOR: passages_schema(fingerprint, dimensions).dense[_VECTOR]}
    return (
        Schema(f"entities_{fingerprint}", dense, {"kb": True}),
        Schema(f"relations_{fingerprint}", dense, {"kb": True, "document_uid": False, "labels": False}),
    )


class QdrantGraphIndex(QdrantIndex):
    """``VectorIndex`` and ``GraphIndex`` over one client."""

    def __init__(
        self, client: AsyncQdrantClient, *, fingerprint: str, dimensions: int, timeout_seconds: float = 20.0
    ) -> None:
        super().__init__(client, fingerprint=fingerprint, dimensions=dimensions, timeout_seconds=timeout_seconds)
        self._entities, self._relations = graph_schemas(fingerprint, dimensions)

    def _schemas(self) -> list[Schema]:
        return [*super()._schemas(), self._entities, self._relations]

    async def upsert_graph(self, entities: Sequence[EntityPoint], relations: Sequence[RelationPoint]) -> None:
        """Write the points in requests of at most ``UPSERT_POINTS``."""
        await self._write(self._entities, [_point(each, {"kb": each.kb}) for each in entities])
        await self._write(
            self._relations,
            [
                _point(each, {"kb": each.kb, "document_uid": each.document_uid, "labels": list(each.labels)})
                for each in relations
            ],
        )

    async def delete_graph(self, kb: KbUid, entities: Sequence[EntityId], documents: Sequence[DocumentUid]) -> None:
        """Remove the points of the entities and of the documents."""
        for start in range(0, len(entities), UPSERT_POINTS):
            chosen = models.HasIdCondition(has_id=list(entities[start : start + UPSERT_POINTS]))
            await self._remove(self._entities, models.Filter(must=[equals("kb", kb), chosen]))
        if documents:
            await self._remove(
                self._relations, models.Filter(must=[equals("kb", kb), among("document_uid", list(documents))])
            )

    async def relabel(self, kb: KbUid, document: DocumentUid, labels: Sequence[str]) -> None:
        """Change the payload of the document's passages and assertions; entities have no labels."""
        await super().relabel(kb, document, labels)
        await self._calls.relabel(self._relations.name, kb, document, labels)

    async def nearest_entities(self, kb: KbUid, query: NDArray[np.float32], limit: int) -> list[EntityHit]:
        """Search the entities of a knowledge base."""
        points = await self._nearest(self._entities, query, models.Filter(must=[equals("kb", kb)]), limit)
        return [EntityHit(EntityId(point), score) for point, score in points]

    async def nearest_relations(self, scope: GraphScope, query: NDArray[np.float32], limit: int) -> list[RelationHit]:
        """Search the assertions that the scope sees."""
        must: list[models.Condition] = [equals("kb", scope.reader.kb)]
        if scope.include is not None:
            must.append(among("document_uid", list(scope.include)))
        must_not: list[models.Condition] | None = None
        if scope.reader.labels is not None:  # no label outside the scope, rather than one inside: all must be held
            outside = models.MatchExcept(**{"except": sorted(scope.reader.labels)})
            must_not = [models.FieldCondition(key="labels", match=outside)]
        points = await self._nearest(self._relations, query, models.Filter(must=must, must_not=must_not), limit)
        return [RelationHit(RelationId(point), score) for point, score in points]

    async def count_graph(self, kb: KbUid) -> tuple[int, int]:
        """Count exactly."""
        return await self._counted(self._entities, kb), await self._counted(self._relations, kb)

    async def _write(self, schema: Schema, points: Sequence[models.PointStruct]) -> None:
        for start in range(0, len(points), UPSERT_POINTS):
            batch = points[start : start + UPSERT_POINTS]
            await self._calls.write(schema, partial(self._client.upsert, schema.name, batch, wait=True))

    async def _remove(self, schema: Schema, where: models.Filter) -> None:
        await self._calls.remove(schema.name, models.FilterSelector(filter=where))

    async def _nearest(
        self, schema: Schema, query: NDArray[np.float32], where: models.Filter, limit: int
    ) -> list[tuple[str, float]]:
        async with self._calls.reading(schema.name):
            answer = await self._client.query_points(
                schema.name,
                query=query.tolist(),
                using=_VECTOR,
                query_filter=where,
                limit=limit + TIE_ROOM,
                with_payload=False,
            )
        found = [(str(point.id), round(point.score, SCORE_DIGITS)) for point in answer.points]
        return sorted(found, key=lambda each: (-each[1], each[0]))[:limit]

    async def _counted(self, schema: Schema, kb: KbUid) -> int:
        async with self._calls.reading(schema.name):
            answer = await self._client.count(schema.name, models.Filter(must=[equals("kb", kb)]), exact=True)
        return answer.count


def _point(point: EntityPoint | RelationPoint, payload: dict[str, object]) -> models.PointStruct:
    return models.PointStruct(id=point.id, vector={_VECTOR: point.dense.tolist()}, payload=payload)
