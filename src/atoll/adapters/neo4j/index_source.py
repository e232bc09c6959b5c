"""What the vector index is rebuilt from, on Neo4j."""

from __future__ import annotations

from collections.abc import Sequence

from atoll.adapters.neo4j import rows
from atoll.adapters.neo4j.database import Database, Transaction
from atoll.adapters.neo4j.sight import at_one_revision
from atoll.domain.ids import DocumentUid, EntityId, KbUid, PassageId, RelationId
from atoll.errors import NotFound
from atoll.ports.index_source import (
    IndexedDocument,
    IndexedEntities,
    IndexedKb,
    IndexedPassages,
    IndexedRelations,
)

_NOTED = "MATCH (v:Embedding {name: 'vectors'}) RETURN v.fingerprint AS fingerprint"
_NOTE = (
    "MERGE (v:Embedding {name: 'vectors'}) ON CREATE SET v.fingerprint = $fingerprint SET v.locked = true "
    "WITH v SET v.fingerprint = CASE WHEN EXISTS { MATCH (:Passage) } THEN v.fingerprint ELSE $fingerprint END "
    "RETURN v.fingerprint AS fingerprint"
)
# Entities have a vector exactly from two passages on, and the index on df answers at once.
_FIGURES = (
    "MATCH (k:Kb {uid: $kb}) "
    "CALL () { MATCH (d:Document {kb: $kb}) WHERE d.hidden = true RETURN sum(d.passages) AS hidden } "
    "RETURN k.name AS name, k.language AS language, k.passages AS visible, hidden, "
    "COUNT { MATCH (e:Entity {kb: $kb}) WHERE e.df > 1 } AS entities, "
    "EXISTS { MATCH (a:Assertion {kb: $kb})-[:STATED_IN]->()-[:OF]->(d) "
    "WHERE a.id > '' AND a.vector IS NOT NULL AND d.visible } AS has_relations"
)
# An index gives its order only to a statement that names all its properties, the knowledge base included.
_DOCUMENTS = (
    "MATCH (d:Document {kb: $kb}) WHERE d.uid > $after AND d.visible "
    "WITH d ORDER BY d.uid LIMIT $limit RETURN collect([d.uid, d.labels, d.passages, d.artefacts_json]) AS found"
)
_PASSAGES = (
    "MATCH (d:Document {uid: $document, kb: $kb}) WHERE d.visible "
    "MATCH (p:Passage {document: $document, kb: $kb}) WHERE p.ordinal > $after "
    f"WITH p ORDER BY p.ordinal LIMIT $limit RETURN collect({rows.PASSAGE}) AS passages, collect(p.vector) AS vectors"
)
_ENTITIES = (
    "MATCH (e:Entity {kb: $kb}) WHERE e.id > $after AND e.vector IS NOT NULL "
    "WITH e ORDER BY e.kb, e.id LIMIT $limit RETURN collect(e.id) AS ids, collect(e.vector) AS vectors"
)
_RELATIONS = (
    "MATCH (a:Assertion {kb: $kb}) WHERE a.id > $after AND a.vector IS NOT NULL "
    "MATCH (a)-[:STATED_IN]->()-[:OF]->(d) WHERE d.visible "
    "WITH a, d ORDER BY a.kb, a.id LIMIT $limit "
    "RETURN collect([a.id, d.uid, d.labels]) AS found, collect(a.vector) AS vectors"
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
            assert record is not None, "MERGE returns what it finds or makes"
            return str(record["fingerprint"])

        noted = await self._database.read(read)
        return noted if noted == fingerprint else await self._database.write(note)

    async def kbs(self) -> tuple[IndexedKb, ...]:
        """Return all knowledge bases with their figures."""

        async def work(transaction: Transaction) -> list[str]:
            found = await transaction.all("MATCH (k:Kb) WHERE k.deleted_at IS NULL RETURN k.uid AS uid ORDER BY uid")
            return [record["uid"] for record in found]

        looked_at = [await self._figures(KbUid(uid)) for uid in await self._database.read(work)]
        return tuple(kb for kb in looked_at if kb is not None)

    async def _figures(self, kb: KbUid) -> IndexedKb | None:
        async def work(transaction: Transaction, _: int) -> IndexedKb | None:
            record = await transaction.one(_FIGURES, kb=kb)
            return None if record is None else IndexedKb(uid=kb, **record.data())

        try:
            return await at_one_revision(self._database, kb, work)
        except NotFound:  # deleted meanwhile
            return None

    async def documents(self, kb: KbUid, *, after: DocumentUid | None, limit: int) -> tuple[IndexedDocument, ...]:
        """Return visible documents in the order of their uids."""

        async def work(transaction: Transaction) -> tuple[IndexedDocument, ...]:
            record = await transaction.one(_DOCUMENTS, kb=kb, after=after or "", limit=limit)
            assert record is not None, "an aggregation returns one record"
            return tuple(
                IndexedDocument(DocumentUid(uid), tuple(labels), passages, rows.artefacts(artefacts))
                for uid, labels, passages, artefacts in record["found"]
            )

        return await self._database.read(work)

    async def passages(self, kb: KbUid, document: DocumentUid, *, after: int, limit: int) -> IndexedPassages:
        """Return passages of a visible document with their vectors."""

        async def work(transaction: Transaction) -> IndexedPassages:
            record = await transaction.one(_PASSAGES, kb=kb, document=document, after=after, limit=limit)
            assert record is not None, "an aggregation returns one record"
            return IndexedPassages(
                passages=tuple(map(rows.passage, record["passages"])), vectors=rows.vectors(record["vectors"])
            )

        return await self._database.read(work)

    async def entities(self, kb: KbUid, *, after: EntityId | None, limit: int) -> IndexedEntities:
        """Return entities that have a vector."""

        async def work(transaction: Transaction) -> IndexedEntities:
            record = await transaction.one(_ENTITIES, kb=kb, after=after or "", limit=limit)
            assert record is not None, "an aggregation returns one record"
            return IndexedEntities(tuple(map(EntityId, record["ids"])), rows.vectors(record["vectors"]))

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
                vectors=rows.vectors(record["vectors"]),
            )

        return await self._database.read(work)

    async def visible(self, kb: KbUid, documents: Sequence[DocumentUid]) -> frozenset[DocumentUid]:
        """Return those of ``documents`` that are visible."""

        async def work(transaction: Transaction) -> frozenset[DocumentUid]:
            record = await transaction.one(
                "UNWIND $documents AS uid MATCH (d:Document {uid: uid, kb: $kb}) WHERE d.visible "
                "RETURN collect(d.uid) AS uids",
                kb=kb,
                documents=list(documents),
            )
            assert record is not None, "an aggregation returns one record"
            return frozenset(map(DocumentUid, record["uids"]))

        return await self._database.read(work)

    async def known(self, passages: Sequence[PassageId]) -> frozenset[PassageId]:
        """Return those of ``passages`` that there are."""

        async def work(transaction: Transaction) -> frozenset[PassageId]:
            record = await transaction.one(
                "UNWIND $passages AS id MATCH (p:Passage {id: id}) RETURN collect(p.id) AS ids", passages=list(passages)
            )
            assert record is not None, "an aggregation returns one record"
            return frozenset(map(PassageId, record["ids"]))

        return await self._database.read(work)
