"""Reading everything, on Neo4j."""

from __future__ import annotations

from operator import itemgetter
from typing import Any

from atoll.adapters.neo4j.database import Database, Transaction
from atoll.adapters.neo4j.statements import load
from atoll.adapters.neo4j.transitions import lock_kb
from atoll.domain.ids import BatchId, DocumentUid, KbUid, PassageId
from atoll.domain.passage import Chunk
from atoll.domain.principal import AuditEvent
from atoll.ports.archive import Accounts, DocumentRecord, EntityVectors, KbSnapshot
from atoll.ports.contents import ContentBatch
from atoll.records.rows import accounts, contents, documents
from atoll.records.rows.values import vectors, whole_vectors

_ACCOUNTS, _SNAPSHOT, _DOCUMENT, _PASSAGES, _CHUNKS, _ENTITY_VECTORS, _EVENTS = load(
    "archive", "accounts", "snapshot", "document", "passages", "chunks", "entity_vectors", "events"
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
                tenants=tuple(map(accounts.tenant, sorted(record["tenants"], key=itemgetter("created_at", "id")))),
                keys=tuple(accounts.api_key(key) for _, _, key in sorted(record["keys"], key=lambda each: each[:2])),
                kbs=tuple(map(accounts.kb_record, sorted(record["kbs"], key=itemgetter("created_at", "uid")))),
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
            return KbSnapshot(
                accounts.kb_record(record["kb"]),
                {DocumentUid(uid): visible for _, uid, visible in sorted(record["documents"])},
            )

        return await self._database.write(work)

    async def document(self, kb: KbUid, document: DocumentUid) -> DocumentRecord | None:
        """Return a document."""

        async def work(transaction: Transaction) -> DocumentRecord | None:
            record = await transaction.one(_DOCUMENT, kb=kb, document=document)
            if record is None:
                return None
            row = record["document"]
            return DocumentRecord(
                document=documents.document(row, row["stages"]),
                visible=row["visible"],
                replaces=documents.replaces(row["replaces"]),
                created_by=row["created_by"],
                batches=tuple(map(BatchId, sorted(record["batches"]))),
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
            return _batch(record["found"], tuple(contents.chunk(each["chunk"]) for each in chunks))

        return await self._database.read(work)

    async def entity_vectors(self, kb: KbUid, *, after: str | None, limit: int) -> EntityVectors:
        """Return entities that have a vector."""

        async def work(transaction: Transaction) -> EntityVectors:
            record = await transaction.one(_ENTITY_VECTORS, kb=kb, after=after or "", limit=limit)
            assert record is not None, "an aggregation returns one record"
            return EntityVectors(tuple(record["keys"]), vectors(record["vectors"]))

        return await self._database.read(work)

    async def events(self, *, after: int, limit: int) -> tuple[AuditEvent, ...]:
        """Return audit events."""

        async def work(transaction: Transaction) -> tuple[AuditEvent, ...]:
            record = await transaction.one(_EVENTS, after=after, limit=limit)
            assert record is not None, "an aggregation returns one record"
            return tuple(map(accounts.audit_event, record["events"]))

        return await self._database.read(work)


def _batch(found: list[Any], chunks: tuple[Chunk, ...]) -> ContentBatch:
    mentions = (
        contents.mention(PassageId(passage["id"]), each) for passage, _, mentions, _ in found for each in mentions
    )
    stated = [(contents.assertion(each), vector) for *_, assertions in found for each, vector in assertions]
    stated.sort(key=lambda each: (each[0].passage, each[0].ordinal))
    return ContentBatch(
        chunks=chunks,
        passages=tuple(contents.passage(passage) for passage, *_ in found),
        vectors=vectors([vector for _, vector, _, _ in found]),
        mentions=tuple(sorted(mentions, key=lambda mention: (mention.passage, mention.entity))),
        assertions=tuple(each for each, _ in stated),
        # A document's assertions all have a vector, or none has.
        assertion_vectors=whole_vectors([vector for _, vector in stated]),
    )
