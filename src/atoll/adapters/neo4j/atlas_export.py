"""The whole graph in batches, on Neo4j."""

from __future__ import annotations

from neo4j import Record

from atoll.adapters.neo4j import rows
from atoll.adapters.neo4j.database import Database, Transaction
from atoll.adapters.neo4j.sight import TYPES, VISIBLE, at_one_revision, card
from atoll.adapters.neo4j.transitions import labels_of
from atoll.domain.ids import EntityId, PassageId
from atoll.domain.reader import Reader
from atoll.ports.atlas import AssertionBatch, CoOccurrence, NodeBatch, TogetherBatch

# An index gives its order only to a statement that names all its properties, the knowledge base included.
_NODES = (
    f"MATCH (e:Entity {{kb: $kb}}) WHERE e.id > $after WITH e ORDER BY e.kb, e.id {TYPES}"
    "WITH e, types WHERE size(types) > 0 WITH e, types ORDER BY e.kb, e.id LIMIT $limit "
    "RETURN collect([e.id, e.key, types]) AS found"
)
# Head by head in the order of ids, and no further than to the limit.
_TOGETHER = (
    "MATCH (h:Entity {kb: $kb}) WHERE h.id >= $head WITH h ORDER BY h.kb, h.id "
    f"CALL (h) {{ MATCH (h)<-[:MENTIONS]-(p)-[:OF]->(d) WHERE {VISIBLE} "
    "MATCH (p)-[:MENTIONS]->(t) WHERE t.id > h.id AND (h.id > $head OR t.id > $tail) "
    "RETURN t.id AS tail, count(*) AS n } "
    "WITH h, tail, n ORDER BY h.kb, h.id, tail LIMIT $limit RETURN collect([h.id, tail, n]) AS found"
)
_ASSERTIONS = (
    "MATCH (a:Assertion {kb: $kb}) WHERE a.passage >= $passage AND (a.passage > $passage OR a.ordinal > $ordinal) "
    f"MATCH (a)-[:STATED_IN]->()-[:OF]->(d) WHERE {VISIBLE} "
    f"WITH a ORDER BY a.kb, a.passage, a.ordinal LIMIT $limit {rows.ENDS}"
    f"WITH a, h, t ORDER BY a.passage, a.ordinal RETURN collect({rows.ASSERTION}) AS found"
)


class Neo4jAtlasExport:
    """Port ``AtlasExport``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def nodes(self, reader: Reader, *, after: EntityId | None, limit: int) -> NodeBatch:
        """Read entities in the order of their ids."""
        revision, record = await self._batch(_NODES, reader, after=after or "", limit=limit)
        cards = (card(EntityId(id_), key, types) for id_, key, types in record["found"])
        return NodeBatch(revision, tuple(cards))

    async def together(self, reader: Reader, *, after: tuple[EntityId, EntityId] | None, limit: int) -> TogetherBatch:
        """Read co-occurrences."""
        head, tail = after or ("", "")
        revision, record = await self._batch(_TOGETHER, reader, head=head, tail=tail, limit=limit)
        return TogetherBatch(revision, tuple(CoOccurrence(*each) for each in record["found"]))

    async def assertions(self, reader: Reader, *, after: tuple[PassageId, int] | None, limit: int) -> AssertionBatch:
        """Read assertions."""
        passage, ordinal = after or ("", -1)
        revision, record = await self._batch(_ASSERTIONS, reader, passage=passage, ordinal=ordinal, limit=limit)
        return AssertionBatch(revision, tuple(map(rows.assertion, record["found"])))

    async def _batch(self, statement: str, reader: Reader, **values: object) -> tuple[int, Record]:
        async def work(transaction: Transaction, revision: int) -> tuple[int, Record]:
            record = await transaction.one(statement, kb=reader.kb, labels=labels_of(reader.labels), **values)
            assert record is not None, "an aggregation returns one record"
            return revision, record

        return await at_one_revision(self._database, reader.kb, work)
