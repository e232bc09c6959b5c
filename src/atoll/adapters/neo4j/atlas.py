"""Looking at the graph on Neo4j: one statement a view, which returns one record."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from neo4j import Record

from atoll.adapters.neo4j.database import Database, Transaction
from atoll.adapters.neo4j.sight import at_one_revision, card
from atoll.adapters.neo4j.statements import load
from atoll.adapters.neo4j.transitions import reading
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
from atoll.records.rows import contents as rows

_RANKED, _RANKED_IN_SIGHT, _ENTITY, _AROUND, _BETWEEN, _CENSUS = load(
    "atlas", "ranked", "ranked_in_sight", "entity", "around", "between", "census"
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
            return await transaction.one(_ENTITY, **reading(reader), entity=entity, listed=LISTED, sampled=SAMPLED)

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
            record = await transaction.one(_CENSUS, **reading(reader))
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
            record = await transaction.one(statement, **reading(reader), **values)
            assert record is not None, "an aggregation returns one record"
            return record

        return await at_one_revision(self._database, reader.kb, work)


def _entity_list(found: Sequence[tuple[str, str, Any]], limit: int, *, cut: bool = False) -> EntityList:
    """Return a list of entities from those found, of which there is one too many when there are more."""
    cards = tuple(card(EntityId(id_), key, types) for id_, key, types in found[:limit])
    return EntityList(cards, truncated=cut or len(found) > limit)
