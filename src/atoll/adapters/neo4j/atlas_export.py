"""The whole graph in batches, on Neo4j."""

from __future__ import annotations

from neo4j import Record

from atoll.adapters.neo4j.database import Database, Transaction
from atoll.adapters.neo4j.sight import at_one_revision, card
from atoll.adapters.neo4j.statements import load
from atoll.adapters.neo4j.transitions import reading
from atoll.domain.ids import EntityId, PassageId
from atoll.domain.reader import Reader
from atoll.ports.atlas import AssertionBatch, CoOccurrence, NodeBatch, TogetherBatch
from atoll.records.rows import contents as rows

_NODES, _TOGETHER, _ASSERTIONS = load("atlas_export", "nodes", "together", "assertions")


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
            record = await transaction.one(statement, **reading(reader), **values)
            assert record is not None, "an aggregation returns one record"
            return revision, record

        return await at_one_revision(self._database, reader.kb, work)
