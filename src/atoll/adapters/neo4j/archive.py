"""Reading everything, on Neo4j."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from atoll.adapters.neo4j import rows
from atoll.adapters.neo4j.accounts import KB, KEY
from atoll.adapters.neo4j.database import Database, Transaction
from atoll.adapters.neo4j.transitions import lock_kb
from atoll.domain.ids import BatchId, ChunkId, DocumentUid, KbUid, PassageId, TenantId
from atoll.domain.passage import Chunk
from atoll.domain.principal import AuditEvent
from atoll.ports.archive import Accounts, DocumentRecord, EntityVectors, KbRecord, KbSnapshot, TenantRecord
from atoll.ports.contents import ContentBatch

_ACCOUNTS = (
    "RETURN COLLECT { MATCH (t:Tenant) RETURN t {.id, .name, .quota_json, .created_at} ORDER BY t.created_at, t.id } "
    f"AS tenants, COLLECT {{ MATCH (k:ApiKey) RETURN {KEY} ORDER BY k.created_at, k.seq }} AS keys, "
    f"COLLECT {{ MATCH (k:Kb) WHERE k.deleted_at IS NULL RETURN {KB} ORDER BY k.created_at, k.uid }} AS kbs, "
    "COLLECT { MATCH (v:Embedding) RETURN v.fingerprint } AS embeddings"
)
_SNAPSHOT = (
    f"MATCH (k:Kb {{uid: $kb}}) WHERE k.deleted_at IS NULL RETURN {KB} AS kb, "
    "COLLECT { MATCH (d:Document {kb: $kb}) WHERE d.deleted_at IS NULL RETURN [d.uid, d.visible] ORDER BY d.seq } "
    "AS documents"
)
_DOCUMENT = (
    "MATCH (d:Document {uid: $document, kb: $kb}) WHERE d.deleted_at IS NULL "
    f"RETURN {rows.DOCUMENT} AS document, d.visible AS visible, d.replaces AS replaces, d.created_by AS created_by, "
    "COLLECT { MATCH (b:Batch)-[:HOLDS]->(d) RETURN b.id ORDER BY b.id } AS batches"
)
_PASSAGES = (
    "MATCH (p:Passage {document: $document, kb: $kb}) WHERE p.ordinal > $after "
    "WITH p ORDER BY p.ordinal LIMIT $limit RETURN collect("
    f"[{rows.PASSAGE}, p.vector, COLLECT {{ MATCH (p)-[m:MENTIONS]->(e:Entity) RETURN {rows.MENTION} }}, "
    f"COLLECT {{ MATCH (p)<-[:STATED_IN]-(a:Assertion) {rows.ENDS}"
    f"RETURN [{rows.ASSERTION}, a.vector] }}]) AS found"
)
_CHUNKS = (
    "MATCH (c:Chunk {document: $document, kb: $kb}) "
    "RETURN c {.id, .document, .ordinal, .char_start, .char_end, .headings} AS chunk ORDER BY c.ordinal"
)
_ENTITY_VECTORS = (
    "MATCH (e:Entity {kb: $kb}) WHERE e.key > $after AND e.vector IS NOT NULL "
    "WITH e ORDER BY e.kb, e.key LIMIT $limit RETURN collect(e.key) AS keys, collect(e.vector) AS vectors"
)
_EVENTS = (
    "MATCH (e:AuditEvent) WHERE e.id > $after WITH e ORDER BY e.id LIMIT $limit RETURN collect("
    "e {.id, .tenant, .at, .actor, .action, .object, .result, .request_id, .revision}) AS events"
)


class Neo4jArchive:
    """Port ``Archive``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def accounts(self) -> Accounts:
        """Return tenants, keys and knowledge bases."""

        async def work(transaction: Transaction) -> Accounts:
            record = await transaction.one(_ACCOUNTS)
            assert record is not None, "nothing is matched that could be missing"
            return Accounts(
                tenants=tuple(map(_tenant, record["tenants"])),
                keys=tuple(map(rows.api_key, record["keys"])),
                kbs=tuple(map(_kb, record["kbs"])),
                embedding=next(iter(record["embeddings"]), None),
            )

        return await self._database.read(work)

    async def snapshot(self, kb: KbUid) -> KbSnapshot | None:
        """Return a knowledge base and its documents of one moment."""

        async def work(transaction: Transaction) -> KbSnapshot | None:
            await lock_kb(transaction, kb)  # every upload, publish and delete waits for it
            record = await transaction.one(_SNAPSHOT, kb=kb)
            if record is None:
                return None
            return KbSnapshot(_kb(record["kb"]), {DocumentUid(uid): visible for uid, visible in record["documents"]})

        return await self._database.write(work)

    async def document(self, kb: KbUid, document: DocumentUid) -> DocumentRecord | None:
        """Return a document."""

        async def work(transaction: Transaction) -> DocumentRecord | None:
            record = await transaction.one(_DOCUMENT, kb=kb, document=document)
            if record is None:
                return None
            replaces = None if record["replaces"] is None else json.loads(record["replaces"])
            return DocumentRecord(
                document=rows.document(record["document"]),
                visible=record["visible"],
                replaces=frozenset(replaces) if isinstance(replaces, list) else replaces,
                created_by=record["created_by"],
                batches=tuple(map(BatchId, record["batches"])),
            )

        return await self._database.read(work)

    async def contents(self, kb: KbUid, document: DocumentUid, *, after: int, limit: int) -> ContentBatch | None:
        """Return passages with what belongs to them."""
        scope = {"kb": kb, "document": document}

        async def work(transaction: Transaction) -> ContentBatch | None:
            record = await transaction.one(_PASSAGES, **scope, after=after, limit=limit)
            assert record is not None, "an aggregation returns one record"
            if not record["found"]:
                return None
            chunks = await transaction.all(_CHUNKS, **scope) if after < 0 else []
            return _batch(record["found"], tuple(_chunk(each["chunk"]) for each in chunks))

        return await self._database.read(work)

    async def entity_vectors(self, kb: KbUid, *, after: str | None, limit: int) -> EntityVectors:
        """Return entities that have a vector."""

        async def work(transaction: Transaction) -> EntityVectors:
            record = await transaction.one(_ENTITY_VECTORS, kb=kb, after=after or "", limit=limit)
            assert record is not None, "an aggregation returns one record"
            return EntityVectors(tuple(record["keys"]), rows.vectors(record["vectors"]))

        return await self._database.read(work)

    async def events(self, *, after: int, limit: int) -> tuple[AuditEvent, ...]:
        """Return audit events."""

        async def work(transaction: Transaction) -> tuple[AuditEvent, ...]:
            record = await transaction.one(_EVENTS, after=after, limit=limit)
            assert record is not None, "an aggregation returns one record"
            return tuple(map(rows.audit_event, record["events"]))

        return await self._database.read(work)


def _tenant(row: Mapping[str, Any]) -> TenantRecord:
    return TenantRecord(
        TenantId(row["id"]), row["name"], json.loads(row["quota_json"]), rows.instant(row["created_at"])
    )


def _kb(row: Mapping[str, Any]) -> KbRecord:
    return KbRecord(
        uid=KbUid(row["uid"]),
        tenant=TenantId(row["tenant"]),
        name=row["name"],
        language=row["language"],
        revision=row["revision"],
        passages=row["passages"],
        settings=json.loads(row["settings_json"]),
        quota=json.loads(row["quota_json"]),
        created_at=rows.instant(row["created_at"]),
    )


def _chunk(row: Mapping[str, Any]) -> Chunk:
    return Chunk(
        id=ChunkId(row["id"]),
        document=DocumentUid(row["document"]),
        ordinal=row["ordinal"],
        char_start=row["char_start"],
        char_end=row["char_end"],
        headings=tuple(row["headings"]),
    )


def _batch(found: list[Any], chunks: tuple[Chunk, ...]) -> ContentBatch:
    mentions = (rows.mention(PassageId(passage["id"]), each) for passage, _, mentions, _ in found for each in mentions)
    stated = [(rows.assertion(each), vector) for *_, assertions in found for each, vector in assertions]
    stated.sort(key=lambda each: (each[0].passage, each[0].ordinal))
    vectors = [vector for _, vector in stated if vector is not None]
    return ContentBatch(
        chunks=chunks,
        passages=tuple(rows.passage(passage) for passage, *_ in found),
        vectors=rows.vectors([vector for _, vector, _, _ in found]),
        mentions=tuple(sorted(mentions, key=lambda mention: (mention.passage, mention.entity))),
        assertions=tuple(each for each, _ in stated),
        # A document's assertions all have a vector, or none has.
        assertion_vectors=rows.vectors(vectors) if vectors and len(vectors) == len(stated) else None,
    )
