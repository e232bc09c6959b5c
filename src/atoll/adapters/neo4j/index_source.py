"""What the vector index is rebuilt from, on Neo4j."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from atoll.adapters.neo4j.database import Database, Transaction
from atoll.adapters.neo4j.sight import at_one_revision
from atoll.adapters.neo4j.statements import load
from atoll.domain.ids import DocumentUid, EntityId, KbUid, PassageId, RelationId
from atoll.errors import NotFound
from atoll.ports.index_source import (
    IndexedDocument,
    IndexedEntities,
    IndexedKb,
    IndexedPassages,
    IndexedRelations,
)
from atoll.records.rows import contents as rows
from atoll.records.rows.documents import artefacts
from atoll.records.rows.values import vectors

(
    _NOTED,
    _NOTE,
    _KBS,
    _FIGURES,
    _NOTE_GAPS,
    _GAPS,
    _DOCUMENTS,
    _PASSAGES,
    _ENTITIES,
    _RELATIONS,
    _RELATION_COUNT,
    _VISIBLE,
    _KNOWN,
) = load(
    "index_source",
    "noted",
    "note",
    "kbs",
    "figures",
    "note_gaps",
    "gaps",
    "documents",
    "passages",
    "entities",
    "relations",
    "count_relations",
    "visible",
    "known",
)


class Neo4jIndexSource:
    """Port ``IndexSource``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def embedding(self, fingerprint: str) -> str:
        """Return the embedding that stored vectors are of."""

        async def read(transaction: Transaction) -> str | None:
            record = await transaction.one(_NOTED)
            return None if record is None else str(record["fingerprint"])

        async def note(transaction: Transaction) -> str:
            record = await transaction.one(_NOTE, fingerprint=fingerprint)
            assert record is not None, "it finds or makes one"
            return str(record["fingerprint"])

        noted = await self._database.read(read)
        return noted if noted == fingerprint else await self._database.write(note)

    async def kbs(self) -> tuple[IndexedKb, ...]:
        """Return all knowledge bases with their figures."""

        async def work(transaction: Transaction) -> list[str]:
            found = await transaction.all(_KBS)
            return [record["uid"] for record in found]

        looked_at = [await self._figures(KbUid(uid)) for uid in await self._database.read(work)]
        return tuple(kb for kb in looked_at if kb is not None)

    async def _figures(self, kb: KbUid) -> IndexedKb | None:
        async def work(transaction: Transaction, _: int) -> IndexedKb | None:
            record = await transaction.one(_FIGURES, kb=kb)
            if record is None:
                return None
            figures = record.data()
            return IndexedKb(uid=kb, gaps=tuple(figures.pop("gaps")), **figures)

        try:
            return await at_one_revision(self._database, kb, work)
        except NotFound:  # deleted meanwhile
            return None

    async def note_gaps(self, kb: KbUid, collections: Sequence[str]) -> None:
        """Note which collections are incomplete."""
        noted = sorted(collections) or None  # a property that is null is not there

        async def work(transaction: Transaction) -> None:
            await transaction.one(_NOTE_GAPS, kb=kb, noted=noted)

        await self._database.write(work)

    async def gaps(self) -> frozenset[str]:
        """Return the collections that are incomplete."""

        async def work(transaction: Transaction) -> frozenset[str]:
            found = await transaction.all(_GAPS)
            return frozenset(name for record in found for name in record["gaps"])

        return await self._database.read(work)

    async def documents(self, kb: KbUid, *, after: DocumentUid | None, limit: int) -> tuple[IndexedDocument, ...]:
        """Return visible documents in the order of their uids."""

        async def work(transaction: Transaction) -> tuple[IndexedDocument, ...]:
            record = await transaction.one(_DOCUMENTS, kb=kb, after=after or "", limit=limit)
            assert record is not None, "an aggregation returns one record"
            return tuple(
                IndexedDocument(DocumentUid(uid), tuple(labels), passages, artefacts(keys))
                for uid, labels, passages, keys in record["found"]
            )

        return await self._database.read(work)

    async def passages(self, kb: KbUid, document: DocumentUid, *, after: int, limit: int) -> IndexedPassages:
        """Return passages of a visible document with their vectors."""

        async def work(transaction: Transaction) -> IndexedPassages:
            record = await transaction.one(_PASSAGES, kb=kb, document=document, after=after, limit=limit)
            assert record is not None, "an aggregation returns one record"
            return IndexedPassages(
                passages=tuple(map(rows.passage, record["passages"])), vectors=vectors(record["vectors"])
            )

        return await self._database.read(work)

    async def entities(self, kb: KbUid, *, after: EntityId | None, limit: int) -> IndexedEntities:
        """Return entities that have a vector."""

        async def work(transaction: Transaction) -> IndexedEntities:
            record = await transaction.one(_ENTITIES, kb=kb, after=after or "", limit=limit)
            assert record is not None, "an aggregation returns one record"
            return IndexedEntities(tuple(map(EntityId, record["ids"])), vectors(record["vectors"]))

        return await self._database.read(work)

    async def relations(self, kb: KbUid, *, after: RelationId | None, limit: int) -> IndexedRelations:
        """Return assertions that have a vector."""

        async def work(transaction: Transaction) -> IndexedRelations:
            record = await transaction.one(_RELATIONS, kb=kb, after=after or "", limit=limit)
            assert record is not None, "an aggregation returns one record"
            found = record["found"]
            return IndexedRelations(
                relations=tuple(RelationId(id_) for id_, _, _ in found),
                documents=tuple(DocumentUid(uid) for _, uid, _ in found),
                labels=tuple(tuple(labels) for _, _, labels in found),
                vectors=vectors(record["vectors"]),
            )

        return await self._database.read(work)

    async def count_relations(self, kb: KbUid) -> int:
        """Count assertions that have a vector."""

        async def work(transaction: Transaction) -> int:
            record = await transaction.one(_RELATION_COUNT, kb=kb)
            assert record is not None, "an aggregation returns one record"
            return int(record["count"])

        return await self._database.read(work)

    async def visible(self, kb: KbUid, documents: Sequence[DocumentUid]) -> Mapping[DocumentUid, tuple[str, ...]]:
        """Return those of ``documents`` that are visible, with their labels."""

        async def work(transaction: Transaction) -> Mapping[DocumentUid, tuple[str, ...]]:
            record = await transaction.one(_VISIBLE, kb=kb, documents=list(documents))
            assert record is not None, "an aggregation returns one record"
            return {DocumentUid(uid): tuple(labels) for uid, labels in record["found"]}

        return await self._database.read(work)

    async def known(self, passages: Sequence[PassageId]) -> frozenset[PassageId]:
        """Return those of ``passages`` that there are."""

        async def work(transaction: Transaction) -> frozenset[PassageId]:
            record = await transaction.one(_KNOWN, passages=list(passages))
            assert record is not None, "an aggregation returns one record"
            return frozenset(map(PassageId, record["ids"]))

        return await self._database.read(work)
