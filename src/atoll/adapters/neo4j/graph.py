"""What retrieval reads of the graph, on Neo4j.

Records are what costs in the driver, and round trips: every read is one statement that returns columns, one record
for all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from neo4j import Record

from atoll.adapters.neo4j import rows
from atoll.adapters.neo4j.database import Database, Transaction
from atoll.adapters.neo4j.transitions import labels_of
from atoll.domain.entity import EntityName, Mention
from atoll.domain.ids import DocumentUid, EntityId, PassageId, RelationId
from atoll.ports.graph import Annotations, GraphScope, Incidence, Neighbourhood, Reach, Stated

#: That document ``d`` is seen by the scope.
_SEEN = f"d.visible AND {rows.SEEN} AND ($include IS NULL OR d.uid IN $include)"

# What `Reach` says of the entities that are followed is decided in the statement: a second one would cost a round trip.
_NEIGHBOURHOOD = f"""
CALL () {{
  UNWIND range(0, size($seeds) - 1) AS at
  MATCH (p:Passage {{id: $seeds[at], kb: $kb}})-[:OF]->(d:Document) WHERE {_SEEN}
  WITH at, p ORDER BY at
  RETURN collect(p) AS seeds, collect([p.id, p.headings, COLLECT {{ MATCH (p)-[m:MENTIONS]->(e:Entity) RETURN e.id }},
         COLLECT {{ MATCH (p)-[m:MENTIONS]->(e:Entity) RETURN m.tf }}]) AS found
}}
CALL (seeds) {{
  CALL (seeds) {{
    UNWIND seeds AS p MATCH (p)-[:MENTIONS]->(e:Entity) RETURN e
    UNION UNWIND $entities AS id MATCH (e:Entity {{id: id, kb: $kb}}) RETURN e
    UNION UNWIND $keys AS key MATCH (e:Entity {{kb: $kb, key: key}}) RETURN e
  }}
  WITH DISTINCT e ORDER BY e.id
  RETURN collect(e) AS near, collect(e.id) AS ids, collect(e.key) AS keys, collect(e.df) AS df,
         collect(CASE WHEN $vectors THEN coalesce(e.vector, $blank) ELSE $blank END) AS entity_vectors
}}
CALL (near) {{
  UNWIND near AS e WITH e WHERE 1 <= e.df <= $max_df
  WITH e ORDER BY e.df, e.id
  WITH collect(e) AS rising
  WITH rising, reduce(taken = [0, 0], e IN rising |
    CASE WHEN taken[0] >= $max_passages THEN taken ELSE [taken[0] + e.df, taken[1] + 1] END)[1] AS count
  RETURN rising[..count] AS followed
}}
CALL (followed) {{
  UNWIND followed AS e MATCH (e)<-[m:MENTIONS]-(p:Passage)
  WITH p, collect(e.id) AS entities, collect(m.tf) AS tfs
  MATCH (p)-[:OF]->(d:Document) WHERE {_SEEN}
  WITH d, p, entities, tfs ORDER BY p.id
  RETURN collect(p.id) AS passages, collect(d.uid) AS documents, collect(d.name) AS names,
         collect(CASE WHEN $vectors THEN p.vector ELSE $blank END) AS passage_vectors,
         collect(entities) AS entities, collect(tfs) AS tfs
}}
RETURN found, ids, keys, df, entity_vectors, [e IN followed | e.id] AS followed,
       passages, documents, names, passage_vectors, entities, tfs
"""
_ASSERTION = f"[a.id, {rows.ASSERTION}, h.key, t.key, d.uid, d.name]"
_ANNOTATIONS = f"""
UNWIND range(0, size($passages) - 1) AS at
MATCH (p:Passage {{id: $passages[at], kb: $kb}})-[:OF]->(d:Document) WHERE {_SEEN}
WITH at, p, d ORDER BY at
RETURN collect([p.id, d.uid, d.name,
  COLLECT {{ MATCH (p)-[m:MENTIONS]->(e:Entity) RETURN {rows.MENTION} }},
  COLLECT {{ MATCH (p)<-[:STATED_IN]-(a:Assertion) {rows.ENDS} RETURN {_ASSERTION} }}]) AS found
"""
_STATED = f"""
UNWIND range(0, size($relations) - 1) AS at
MATCH (a:Assertion {{id: $relations[at], kb: $kb}})-[:STATED_IN]->(p:Passage)-[:OF]->(d:Document) WHERE {_SEEN}
{rows.ENDS} WITH at, a, p, d, h, t ORDER BY at
RETURN collect({_ASSERTION}) AS found
"""


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
                _NEIGHBOURHOOD,
                **_values(scope),
                seeds=list(dict.fromkeys(seeds)),
                entities=list(dict.fromkeys(entities)),
                keys=list(dict.fromkeys(keys)),
                vectors=reach.vectors,
                blank=b"",
                max_df=reach.max_df,
                max_passages=reach.max_passages,
            )
            assert near is not None, "an aggregation returns one record"
            return _neighbourhood(near, reach)

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
    return {"kb": scope.reader.kb, "labels": labels_of(scope.reader.labels), "include": include}


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
        entity_vectors=rows.vectors(near["entity_vectors"]) if reach.vectors else None,
        passages=tuple(map(PassageId, near["passages"])),
        documents=tuple(map(DocumentUid, near["documents"])),
        names=dict(zip(map(DocumentUid, near["documents"]), near["names"], strict=True)),
        passage_vectors=rows.vectors(near["passage_vectors"]) if reach.vectors else None,
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
