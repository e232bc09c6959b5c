"""Filling an empty store, on Neo4j.

A knowledge base that is being filled has no ``live_name`` and ``deleted_at`` 0, which hides it, and tells it from a
deleted one.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from atoll.adapters.neo4j import rows
from atoll.adapters.neo4j.contents import write_contents
from atoll.adapters.neo4j.database import Database, Transaction
from atoll.adapters.neo4j.patterns import facts_of
from atoll.adapters.neo4j.transitions import CHANGE
from atoll.domain.document import JOURNEY, StageProgress, StageState, Status
from atoll.domain.ids import DocumentUid, KbUid, entity_id
from atoll.domain.principal import ApiKey, AuditEvent
from atoll.errors import Conflict
from atoll.ports.archive import Accounts, DocumentRecord, EntityVectors, KbRecord
from atoll.ports.contents import ContentBatch

#: From what refers to what is referred to: a node takes its relationships along, and hubs have none left in the end.
_LABELS = (
    "Assertion", "Passage", "Chunk", "Entity", "Stage", "Batch", "Document", "ApiKey", "Changes", "Departure", "Kb",
    "Tenant", "Session", "AuditEvent", "AuditTrail", "Embedding",
)  # fmt: skip
_REMOVED_AT_ONCE = 1000

# Uploads, publishes and deletes wait for the knowledge bases' locks; hidden, these take no uploads.
_CHECK_UNUSED = """
CALL () { MATCH (k:Kb) WITH k ORDER BY k.uid SET k.locked = true RETURN count(k) AS locked }
CALL (locked) { MATCH (k:Kb) WHERE k.deleted_at IS NULL
                RETURN count(k) AS kbs, count(CASE WHEN k.revision > 0 THEN 1 END) AS changed }
RETURN kbs, changed, COUNT { MATCH (k:ApiKey) } AS keys,
       COUNT { MATCH (d:Document) WHERE NOT EXISTS { MATCH (k:Kb {uid: d.kb}) WHERE k.deleted_at = 0 } } AS documents
"""
_HIDE_KBS = "MATCH (k:Kb) SET k.deleted_at = 0, k.live_name = null"
_LEFT = "MATCH (d:Document) RETURN d.kb AS kb, d.uid AS uid ORDER BY d.kb, d.seq"

_TENANTS = "UNWIND $rows AS row CREATE (t:Tenant {id: row.id}) SET t = row"
_KBS = "UNWIND $rows AS row CREATE (k:Kb {uid: row.uid}) SET k = row CREATE (:Changes {kb: row.uid, value: 0})"
_KEYS = "UNWIND $rows AS row CREATE (k:ApiKey {id: row.id, tenant: row.tenant}) SET k = row"
_SHOW_KBS = "MATCH (k:Kb) WHERE k.deleted_at = 0 SET k.live_name = k.name, k.deleted_at = null"

_DOCUMENT = (
    "MATCH (k:Kb {uid: $kb}) SET k.locked = true "
    "WITH k SET k.accepted = k.accepted + 1, k.documents = k.documents + 1, k.bytes = k.bytes + $row.bytes "
    "WITH k.accepted AS seq CREATE (d:Document {uid: $row.uid, kb: $kb}) SET d = $row, d.kb = $kb, d.seq = seq "
    f"WITH d {CHANGE} "
    "WITH d UNWIND $stages AS stage CREATE (s:Stage {document: d.uid, kb: $kb}) SET s += stage"
)
_BATCHES = (
    "MATCH (d:Document {uid: $document, kb: $kb}) UNWIND $batches AS id MERGE (b:Batch {id: id, kb: $kb}) "
    "CREATE (b)-[:HOLDS {kb: $kb}]->(d)"
)
_COUNT = "UNWIND $counts AS row MATCH (e:Entity {id: row[0], kb: $kb}) SET e.df = e.df + row[1]"
_ENTITY_VECTORS = "UNWIND $rows AS row MATCH (e:Entity {id: row[0], kb: $kb}) WHERE e.df > 1 SET e.vector = row[1]"
_EVENTS = (
    "MERGE (t:AuditTrail {name: 'events'}) ON CREATE SET t.value = 0 SET t.locked = true "
    "WITH t SET t.value = CASE WHEN t.value < $last THEN $last ELSE t.value END "
    "WITH t UNWIND $rows AS row CREATE (e:AuditEvent {id: row.id, tenant: row.tenant}) SET e = row"
)


class Neo4jRestoration:
    """Ports ``Restoration`` and ``RestoredRecords``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(self, accounts: Accounts) -> tuple[tuple[KbUid, DocumentUid], ...]:
        """Make room, some nodes in each transaction, and make hidden knowledge bases.

        One that breaks off leaves what a broken restoration leaves.
        """

        async def hide(transaction: Transaction) -> tuple[tuple[KbUid, DocumentUid], ...]:
            await _check_unused(transaction)
            await transaction.all(_HIDE_KBS)
            left = await transaction.all(_LEFT)
            return tuple((KbUid(record["kb"]), DocumentUid(record["uid"])) for record in left)

        async def fill(transaction: Transaction) -> None:
            tenants = [
                {
                    "id": each.id, "name": each.name, "quota_json": json.dumps(dict(each.quota)),
                    "created_at": rows.milliseconds(each.created_at),
                }
                for each in accounts.tenants
            ]  # fmt: skip
            await transaction.all(_TENANTS, rows=tenants)
            await transaction.all(_KBS, rows=list(map(_kb_properties, accounts.kbs)))
            if accounts.embedding is not None:
                await transaction.all(
                    "CREATE (v:Embedding {name: 'vectors', fingerprint: $fingerprint})", fingerprint=accounts.embedding
                )

        left = await self._database.write(hide)
        for label in _LABELS:
            await self._remove_all(label)
        await self._database.write(fill)
        return left

    async def end(self, accounts: Accounts) -> None:
        """Write the keys and show everything."""

        async def work(transaction: Transaction) -> None:
            keys = [_key_properties(key, place) for place, key in enumerate(accounts.keys)]
            await transaction.all(_KEYS, rows=keys)
            await transaction.all(_SHOW_KBS)

        await self._database.write(work)

    async def document(self, record: DocumentRecord) -> None:
        """Write a document."""
        document = record.document
        stages = list(map(_stage_properties, document.stages))
        if document.status in {Status.QUEUED, Status.PROCESSING}:
            stages = [
                _stage_properties(StageProgress(stage, StageState.WAITING, 0, 0, 0.0, 0, None)) for stage in JOURNEY
            ]

        async def work(transaction: Transaction) -> None:
            await transaction.all(_DOCUMENT, kb=document.kb, row=_document_properties(record), stages=stages)
            await transaction.all(_BATCHES, kb=document.kb, document=document.uid, batches=list(record.batches))

        await self._database.write(work)

    async def contents(self, kb: KbUid, document: DocumentUid, batch: ContentBatch) -> None:
        """Write passages and count their entities."""
        counts = Counter(mention.entity for mention in batch.mentions)

        async def work(transaction: Transaction) -> None:
            await write_contents(transaction, kb, document, batch)
            await transaction.all(_COUNT, kb=kb, counts=[list(each) for each in sorted(counts.items())])

        await self._database.write(work)

    async def entity_vectors(self, kb: KbUid, vectors: EntityVectors) -> None:
        """Give vectors to entities."""
        found = [
            [entity_id(kb, key), vector.tobytes()] for key, vector in zip(vectors.keys, vectors.vectors, strict=True)
        ]

        async def work(transaction: Transaction) -> None:
            await transaction.all(_ENTITY_VECTORS, kb=kb, rows=found)

        await self._database.write(work)

    async def events(self, events: Sequence[AuditEvent]) -> None:
        """Write audit events."""
        if not events:
            return
        found = [{**asdict(each), "at": rows.milliseconds(each.at)} for each in events]

        async def work(transaction: Transaction) -> None:
            await transaction.all(_EVENTS, rows=found, last=max(each.id for each in events))

        await self._database.write(work)

    async def _remove_all(self, label: str) -> None:
        async def work(transaction: Transaction) -> int:
            record = await transaction.one(
                f"MATCH (n:{label}) WITH n LIMIT $limit DETACH DELETE n RETURN count(*) AS removed",
                limit=_REMOVED_AT_ONCE,
            )
            assert record is not None, "an aggregation returns one record"
            return int(record["removed"])

        while await self._database.write(work):
            pass


async def _check_unused(transaction: Transaction) -> None:
    """Raise Conflict unless there is only what a first start or a broken restoration left."""
    used = await transaction.one(_CHECK_UNUSED)
    assert used is not None, "an aggregation returns one record"
    if used["documents"] or used["changed"] or used["kbs"] > 1 or used["keys"] > 1:
        raise Conflict(
            f"this installation is in use: {used['documents']} documents, {used['kbs']} knowledge bases, "
            f"{used['keys']} keys; restore into an empty one"
        )


def _kb_properties(kb: KbRecord) -> dict[str, object]:
    return {
        "uid": kb.uid,
        "tenant": kb.tenant,
        "name": kb.name,
        "language": kb.language,
        "revision": kb.revision,
        "passages": kb.passages,
        "documents": 0,
        "bytes": 0,
        "accepted": 0,
        "settings_json": json.dumps(dict(kb.settings)),
        "quota_json": json.dumps(dict(kb.quota)),
        "created_at": rows.milliseconds(kb.created_at),
        "deleted_at": 0,
    }


def _key_properties(key: ApiKey, place: int) -> dict[str, object]:
    times = {
        "created_at": key.created_at, "expires_at": key.expires_at, "last_used_at": key.last_used_at,
        "revoked_at": key.revoked_at,
    }  # fmt: skip
    return {
        "id": key.id,
        "tenant": key.tenant,
        "name": key.name,
        "role": key.role,
        "kbs": None if key.kbs is None else sorted(key.kbs),
        "labels": None if key.labels is None else sorted(key.labels),
        "hash": key.hash,
        "seq": place,
        **{name: None if at is None else rows.milliseconds(at) for name, at in times.items()},
    }


def _document_properties(record: DocumentRecord) -> dict[str, Any]:
    document, replaces = record.document, record.replaces
    open_ = document.status in {Status.QUEUED, Status.PROCESSING}
    return {
        "uid": document.uid,
        "name": document.name,
        "source": document.source,
        "version": document.version,
        "sha256": document.sha256,
        "live_bytes": rows.live_bytes(document.sha256, document.labels),
        "labels": sorted(document.labels),
        "metadata_json": json.dumps(dict(document.metadata)),
        "facts": facts_of(document.metadata),
        "visible": record.visible,
        "indexed": record.visible,
        "status": document.status,
        "replaces": None
        if replaces is None
        else json.dumps(replaces if isinstance(replaces, str) else sorted(replaces)),
        "media_type": document.media_type,
        "bytes": document.bytes,
        "pages": document.pages,
        "passages": document.passages,
        "entities": document.entities,
        "warnings_json": json.dumps([asdict(each) for each in document.warnings]),
        "error_json": None if document.error is None else json.dumps(asdict(document.error)),
        "created_by": record.created_by,
        "created_at": rows.milliseconds(document.created_at),
        "ready_at": None if document.ready_at is None else rows.milliseconds(document.ready_at),
        "rung_at": 0 if open_ else None,
        "artefacts_json": json.dumps(dict(document.artefacts)),
    }


def _stage_properties(stage: StageProgress) -> Mapping[str, object]:
    return {
        "name": stage.name, "position": JOURNEY.index(stage.name), "state": stage.state, "done": stage.done,
        "total": stage.total, "worked": round(stage.seconds * 1000), "attempts": stage.attempts, "error": stage.error,
        "batch": 0, "token": 0, "lease_until": 0, "not_before": 0, "failures": 0, "claimed_at": 0,
    }  # fmt: skip
