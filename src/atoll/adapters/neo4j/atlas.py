"""Looking at the graph on Neo4j: one statement a view, which returns one record."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from neo4j import Record

from atoll.adapters.neo4j import rows
from atoll.adapters.neo4j.database import Database, Transaction
from atoll.adapters.neo4j.sight import TYPES, VISIBLE, at_one_revision, card
from atoll.adapters.neo4j.transitions import labels_of
from atoll.domain.ids import DocumentUid, EntityId
from atoll.domain.reader import Reader
from atoll.errors import NotFound
from atoll.ports.atlas import (
    LISTED,
    PASSAGES_LOOKED_AT,
    SAMPLED,
    CoOccurrence,
    EntityDetail,
    EntityList,
    GraphCensus,
    Links,
)

_NAMED = "($text IS NULL OR e.key CONTAINS $text)"


def _listed(entities: str, order: str) -> str:
    """Return the statement that lists the entities ``e`` of a pattern; types are counted no further than to the limit.

    An index gives its order only to a statement that names all its properties, the knowledge base included.
    """
    return (
        f"{entities} ORDER BY {order} {TYPES}"
        "WITH * WHERE size(types) > 0 AND ($type IS NULL OR types[0][0] = $type) "
        f"WITH * ORDER BY {order} LIMIT $limit RETURN collect([e.id, e.key, types]) AS found"
    )


# Who sees everything sees what the counter counts.
_RANKED = _listed(f"MATCH (e:Entity {{kb: $kb}}) WHERE e.df > 0 AND {_NAMED} WITH e", "e.kb DESC, e.df DESC, e.key")
_RANKED_IN_SIGHT = _listed(
    f"MATCH (d:Document {{kb: $kb}})<-[:OF]-()-[:MENTIONS]->(e) WHERE {VISIBLE} AND {_NAMED} WITH e, count(*) AS rank",
    "rank DESC, e.key",
)

# Followed once, looked at four times: an entity in thousands of passages is no rare one.
_ENTITY = (
    f"MATCH (e:Entity {{id: $entity, kb: $kb}})<-[m:MENTIONS]-(p)-[:OF]->(d) WHERE {VISIBLE} "
    "WITH e, collect([m, p, d]) AS seen "
    "CALL (seen) { UNWIND seen AS each WITH each[0].type AS type, count(*) AS n ORDER BY n DESC, type "
    "RETURN collect([type, n]) AS types } "
    "CALL (seen) { UNWIND seen AS each WITH each[0].surface AS surface, count(*) AS n ORDER BY n DESC, surface "
    "RETURN collect([surface, n])[..$listed] AS surfaces, count(*) AS surface_count } "
    "CALL (seen) { UNWIND seen AS each WITH each[2] AS d, count(*) AS n ORDER BY n DESC, d.uid "
    "RETURN collect([d.uid, n, d.name])[..$listed] AS documents, count(*) AS document_count } "
    "CALL (seen) { UNWIND seen AS each WITH each[0] AS m, each[1] AS p, each[2] AS d "
    f"ORDER BY m.tf DESC, p.id LIMIT $sampled RETURN collect([{rows.PASSAGE}, d.name]) AS sample }} "
    "RETURN e.key AS key, types, surfaces, surface_count, documents, document_count, sample"
)

# The passages in sight that mention these entities, of each as many as are looked at, and whether there are more.
_LOOKED_AT = (
    "CALL () { UNWIND $entities AS id MATCH (e:Entity {id: id, kb: $kb}) "
    f"CALL (e) {{ MATCH (e)<-[:MENTIONS]-(p)-[:OF]->(d) WHERE {VISIBLE} "
    "WITH p ORDER BY p.id LIMIT $looked_at + 1 RETURN collect(p) AS found } "
    "RETURN collect(found[..$looked_at]) AS lists, coalesce(max(size(found)), 0) > $looked_at AS cut } "
    "CALL (lists) { UNWIND lists AS each UNWIND each AS p RETURN collect(DISTINCT p) AS passages } "
)
_AROUND = (
    f"{_LOOKED_AT}"
    "CALL (passages) { UNWIND passages AS p MATCH (p)-[:MENTIONS]->(e) "
    "WITH e, count(*) AS shared WHERE NOT e.id IN $entities WITH e, shared ORDER BY shared DESC, e.key LIMIT $limit "
    f"{TYPES}WITH e, shared, types ORDER BY shared DESC, e.key RETURN collect([e.id, e.key, types]) AS found }} "
    "RETURN found, cut"
)
_BETWEEN = (
    f"{_LOOKED_AT}"
    "CALL (passages) { UNWIND passages AS p MATCH (p)-[:MENTIONS]->(e) WHERE e.id IN $entities "
    "WITH p, collect(e.id) AS members UNWIND members AS head UNWIND members AS tail "
    "WITH head, tail WHERE head < tail WITH head, tail, count(*) AS n ORDER BY n DESC, head, tail LIMIT $limit "
    "RETURN collect([head, tail, n]) AS pairs } "
    f"CALL (passages) {{ UNWIND passages AS p MATCH (p)<-[:STATED_IN]-(a:Assertion) {rows.ENDS}"
    "WHERE h.id IN $entities AND t.id IN $entities "
    "WITH a, h, t ORDER BY a.weight DESC, a.passage, a.ordinal LIMIT $limit "
    f"RETURN collect({rows.ASSERTION}) AS assertions }} "
    "RETURN pairs, assertions, cut"
)

_CENSUS = (
    f"CALL () {{ MATCH (d:Document {{kb: $kb}}) WHERE {VISIBLE} "
    "RETURN count(d) AS documents, sum(d.passages) AS passages } "
    f"CALL () {{ MATCH (d:Document {{kb: $kb}})<-[:OF]-()-[m:MENTIONS]->(e) WHERE {VISIBLE} "
    "WITH e, m.type AS type, count(*) AS n ORDER BY n DESC, type "
    "WITH e, head(collect(type)) AS type, sum(n) AS mentions "
    "WITH type, count(*) AS entities, sum(mentions) AS mentions ORDER BY entities DESC, type "
    "RETURN collect([type, entities]) AS types, sum(mentions) AS mentions } "
    "CALL () { MATCH (d:Document {kb: $kb})<-[:OF]-()<-[:STATED_IN]-(a) "
    f"WHERE {VISIBLE} RETURN count(a) AS assertions }} "
    "RETURN documents, passages, types, mentions, assertions"
)


class Neo4jAtlas:
    """Port ``Atlas``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def entities(self, reader: Reader, *, text: str | None, type_: str | None, limit: int) -> EntityList:
        """List entities, those of most passages first."""
        record = await self._view(
            _RANKED if reader.labels is None else _RANKED_IN_SIGHT,
            reader,
            text=None if text is None else text.lower(),
            type=type_,
            limit=limit + 1,
        )
        return _entity_list(record["found"], limit)

    async def entity(self, reader: Reader, entity: EntityId) -> EntityDetail:
        """Return one entity."""

        async def work(transaction: Transaction, _: int) -> Record | None:
            return await transaction.one(_ENTITY, **_scope(reader), entity=entity, listed=LISTED, sampled=SAMPLED)

        record = await at_one_revision(self._database, reader.kb, work)
        if record is None:
            raise NotFound(f"there is no entity {entity} in this knowledge base")
        shown = card(entity, record["key"], record["types"])
        sample = [(rows.passage(passage), name) for passage, name in record["sample"]]
        counts = (len(record["types"]), record["surface_count"], record["document_count"])
        return EntityDetail(
            card=shown,
            types=dict(record["types"][:LISTED]),
            surfaces=dict(record["surfaces"]),
            document_count=record["document_count"],
            documents={DocumentUid(uid): count for uid, count, _ in record["documents"]},
            names={DocumentUid(uid): name for uid, _, name in record["documents"]}
            | {passage.document: name for passage, name in sample},
            sample=tuple(passage for passage, _ in sample),
            truncated=max(counts) > LISTED or shown.passages > len(sample),
        )

    async def around(self, reader: Reader, entities: Sequence[EntityId], *, limit: int) -> EntityList:
        """Return the entities that share the most passages with these."""
        record = await self._joined(_AROUND, reader, entities, limit)
        return _entity_list(record["found"], limit, cut=record["cut"])

    async def between(self, reader: Reader, entities: Sequence[EntityId], *, limit: int) -> Links:
        """Return what joins these entities."""
        record = await self._joined(_BETWEEN, reader, entities, limit)
        pairs, assertions = record["pairs"], record["assertions"]
        return Links(
            together=tuple(CoOccurrence(head, tail, passages) for head, tail, passages in pairs[:limit]),
            assertions=tuple(map(rows.assertion, assertions[:limit])),
            truncated=record["cut"] or max(len(pairs), len(assertions)) > limit,
        )

    async def census(self, reader: Reader) -> GraphCensus:
        """Count everything."""

        async def work(transaction: Transaction, revision: int) -> GraphCensus:
            record = await transaction.one(_CENSUS, **_scope(reader))
            assert record is not None, "an aggregation returns one record"
            types = dict(record["types"])
            return GraphCensus(
                revision=revision,
                documents=record["documents"],
                passages=record["passages"],
                entities=sum(types.values()),
                mentions=record["mentions"],
                assertions=record["assertions"],
                types=types,
            )

        return await at_one_revision(self._database, reader.kb, work)

    async def _joined(self, statement: str, reader: Reader, entities: Sequence[EntityId], limit: int) -> Record:
        return await self._view(
            statement, reader, entities=list(entities), looked_at=PASSAGES_LOOKED_AT, limit=limit + 1
        )

    async def _view(self, statement: str, reader: Reader, **values: object) -> Record:
        async def work(transaction: Transaction, _: int) -> Record:
            record = await transaction.one(statement, **_scope(reader), **values)
            assert record is not None, "an aggregation returns one record"
            return record

        return await at_one_revision(self._database, reader.kb, work)


def _scope(reader: Reader) -> dict[str, object]:
    return {"kb": reader.kb, "labels": labels_of(reader.labels)}


def _entity_list(found: Sequence[tuple[str, str, Any]], limit: int, *, cut: bool = False) -> EntityList:
    """Return a list of entities from those found, of which there is one too many when there are more."""
    cards = tuple(card(EntityId(id_), key, types) for id_, key, types in found[:limit])
    return EntityList(cards, truncated=cut or len(found) > limit)
