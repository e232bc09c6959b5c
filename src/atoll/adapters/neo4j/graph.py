"""What retrieval reads of the graph, on Neo4j.

Records are what costs in the driver, and round trips: every read is one statement that returns columns, one record
for all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from neo4j import Record

from atoll.adapters.neo4j.database import Database, Transaction
from atoll.adapters.neo4j.statements import load
from atoll.adapters.neo4j.transitions import reading
from atoll.domain.entity import EntityName, Mention
from atoll.domain.ids import DocumentUid, EntityId, PassageId, RelationId
from atoll.domain.reader import Reader
from atoll.ports.graph import MOST_COUNTED, Annotations, GraphScope, Incidence, Neighbourhood, Reach, Stated
from atoll.records.rows import contents as rows
from atoll.records.rows.values import vectors

_NEIGHBOURHOOD, _IN_SIGHT, _SHARED, _ANNOTATIONS, _STATED = load(
    "graph", "neighbourhood", "neighbourhood_in_sight", "shared", "annotations", "stated"
)


class Neo4jGraph:
    """Port ``Graph``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def neighbourhood(
        self,
        scope: GraphScope,
        seeds: Sequence[PassageId],
        *,
        entities: Sequence[EntityId] = (),
        keys: Sequence[str] = (),
        reach: Reach,
    ) -> Neighbourhood:
        """Return the entities asked for and the passages one step further."""

        async def work(transaction: Transaction) -> Neighbourhood:
            near = await transaction.one(
                _IN_SIGHT if scope.reader.is_restricted else _NEIGHBOURHOOD,
                **_values(scope),
                seeds=list(dict.fromkeys(seeds)),
                entities=list(dict.fromkeys(entities)),
                keys=list(dict.fromkeys(keys)),
                vectors=reach.vectors,
                blank=b"",
                max_df=reach.max_df,
                max_passages=reach.max_passages,
                most_counted=MOST_COUNTED,
            )
            assert near is not None, "an aggregation returns one record"
            return _neighbourhood(near, reach)

        return await self._database.read(work)

    async def shared(self, reader: Reader, entities: Sequence[EntityId]) -> frozenset[EntityId]:
        """Return those that two passages in sight mention."""

        async def work(transaction: Transaction) -> frozenset[EntityId]:
            record = await transaction.one(_SHARED, **reading(reader), entities=list(entities))
            assert record is not None, "an aggregation returns one record"
            return frozenset(map(EntityId, record["ids"]))

        return await self._database.read(work)

    async def annotations(self, scope: GraphScope, passages: Sequence[PassageId]) -> Annotations:
        """Return what was found in the visible ones of ``passages``."""

        async def work(transaction: Transaction) -> Annotations:
            record = await transaction.one(_ANNOTATIONS, **_values(scope), passages=list(dict.fromkeys(passages)))
            assert record is not None, "an aggregation returns one record"
            mentions = {
                PassageId(id_): tuple(sorted((rows.mention(PassageId(id_), each) for each in found), key=_by_place))
                for id_, _, _, found, _ in record["found"]
            }
            stated = [_stated(each) for *_, found in record["found"] for each in found]
            stated.sort(key=lambda each: (-each.assertion.weight, each.id))
            names = {DocumentUid(uid): name for _, uid, name, _, _ in record["found"]}
            return Annotations(mentions, tuple(stated), names)

        return await self._database.read(work)

    async def stated(self, scope: GraphScope, relations: Sequence[RelationId]) -> Annotations:
        """Return the assertions that visible passages make."""

        async def work(transaction: Transaction) -> Annotations:
            record = await transaction.one(_STATED, **_values(scope), relations=list(relations))
            assert record is not None, "an aggregation returns one record"
            names = {DocumentUid(uid): name for *_, uid, name in record["found"]}
            return Annotations({}, tuple(map(_stated, record["found"])), names)

        return await self._database.read(work)


def _values(scope: GraphScope) -> dict[str, object]:
    include = None if scope.include is None else list(scope.include)
    return {**reading(scope.reader), "include": include}


def _neighbourhood(near: Record, reach: Reach) -> Neighbourhood:
    row_of = {entity: row for row, entity in enumerate(near["ids"])}
    seeds = near["found"]
    followed = np.zeros(len(row_of), np.bool_)
    followed[[row_of[entity] for entity in near["followed"]]] = True
    return Neighbourhood(
        seeds=tuple(PassageId(id_) for id_, *_ in seeds),
        headings=tuple(tuple(headings) for _, headings, _, _ in seeds),
        seed_mentions=_incidence([each[2] for each in seeds], [each[3] for each in seeds], row_of),
        entities=tuple(EntityName(EntityId(id_), key) for id_, key in zip(near["ids"], near["keys"], strict=True)),
        df=np.array(near["df"], np.int64),
        followed=followed,
        entity_vectors=vectors(near["entity_vectors"]) if reach.vectors else None,
        passages=tuple(map(PassageId, near["passages"])),
        documents=tuple(map(DocumentUid, near["documents"])),
        names=dict(zip(map(DocumentUid, near["documents"]), near["names"], strict=True)),
        passage_vectors=vectors(near["passage_vectors"]) if reach.vectors else None,
        mentions=_incidence(near["entities"], near["tfs"], row_of),
    )


def _incidence(entities: Sequence[Sequence[str]], tfs: Sequence[Sequence[int]], row_of: Mapping[str, int]) -> Incidence:
    """Return the columns of mentions that are given as one list of entities and one of occurrences a passage.

    An entity that another transaction made while the statement ran may not be known, and is left out.
    """
    triples = [
        (passage, row_of[entity], tf)
        for passage, (found, counts) in enumerate(zip(entities, tfs, strict=True))
        for entity, tf in zip(found, counts, strict=True)
        if entity in row_of
    ]
    columns = np.array(triples, np.int64).reshape(-1, 3)
    return Incidence(passage=columns[:, 0], entity=columns[:, 1], tf=columns[:, 2])


def _by_place(mention: Mention) -> tuple[tuple[int, int], EntityId]:
    return mention.span, mention.entity


def _stated(row: Sequence[Any]) -> Stated:
    id_, found, head_key, tail_key, document, _ = row
    assertion = rows.assertion(found)
    return Stated(
        id=RelationId(id_),
        assertion=assertion,
        head=EntityName(assertion.head, head_key),
        tail=EntityName(assertion.tail, tail_key),
        document=DocumentUid(document),
    )
