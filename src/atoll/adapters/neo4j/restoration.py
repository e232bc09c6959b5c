"""Filling an empty store, on Neo4j.

A knowledge base that is being filled has no ``live_name`` and ``deleted_at`` 0, which hides it, and tells it from a
deleted one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from atoll.adapters.neo4j.contents import write_contents
from atoll.adapters.neo4j.database import Database, Transaction
from atoll.adapters.neo4j.patterns import facts_of
from atoll.adapters.neo4j.statements import load
from atoll.domain.ids import DocumentUid, KbUid, entity_id
from atoll.domain.principal import AuditEvent
from atoll.ports.archive import Accounts, DocumentRecord, EntityVectors
from atoll.ports.contents import ContentBatch
from atoll.records.restoring import check_unused, journey_values, record_values
from atoll.records.rows import accounts as rows

#: From what refers to what is referred to: a node takes its relationships along, and hubs have none left in the end.
_LABELS = (
    "Assertion", "Passage", "Chunk", "Entity", "Stage", "Batch", "Document", "ApiKey", "Changes", "Departure", "Kb",
    "Tenant", "Session", "QueryCount", "AuditSeal", "AuditEvent", "AuditTrail", "Embedding",
)  # fmt: skip
_REMOVED_AT_ONCE = 1000

_USED, _HIDE_KBS, _LEFT, _TENANTS, _KBS, _EMBEDDING, _KEYS, _SHOW_KBS = load(
    "restoration",
    "used",
    "hide_kbs",
    "left",
    "write_tenants",
    "write_kbs",
    "write_embedding",
    "write_keys",
    "show_kbs",
)
_DOCUMENT, _BATCHES, _COUNT, _ENTITY_VECTORS, _EVENTS = load(
    "restoration", "write_document", "write_batches", "count_entities", "write_entity_vectors", "write_events"
)
#: What a knowledge base has before its documents come, hidden.
_EMPTY = {"documents": 0, "bytes": 0, "accepted": 0, "deleted_at": 0}


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
            await transaction.all(_TENANTS, rows=list(map(rows.tenant_values, accounts.tenants)))
            await transaction.all(_KBS, rows=[{**rows.kb_values(kb), **_EMPTY} for kb in accounts.kbs])
            if accounts.embedding is not None:
                await transaction.all(_EMBEDDING, fingerprint=accounts.embedding)

        left = await self._database.write(hide)
        for label in _LABELS:
            await self._remove_all(label)
        await self._database.write(fill)
        return left

    async def end(self, accounts: Accounts) -> None:
        """Write the keys and show everything."""

        async def work(transaction: Transaction) -> None:
            keys = [{**rows.key_values(key), "seq": place} for place, key in enumerate(accounts.keys)]
            await transaction.all(_KEYS, rows=keys)
            await transaction.all(_SHOW_KBS)

        await self._database.write(work)

    async def document(self, record: DocumentRecord) -> None:
        """Write a document."""
        document = record.document
        row = {
            **record_values(record),
            "id": document.id,
            "live": True,
            "facts": facts_of(document.metadata),
            "rung_at": 0 if document.status.is_under_way else None,
        }
        stages = list(journey_values(document))

        async def work(transaction: Transaction) -> None:
            await transaction.all(_DOCUMENT, kb=document.kb, row=row, stages=stages)
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
        found = list(map(rows.stored_event, events))

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
    used = await transaction.one(_USED)
    assert used is not None, "an aggregation returns one record"
    check_unused(used["documents"], used["kbs"], used["keys"], changed=used["changed"])
