"""Reading everything, on SQLite."""

from __future__ import annotations

import json
import sqlite3

from atoll.adapters.sqlite import columns
from atoll.adapters.sqlite.database import Database
from atoll.domain.ids import BatchId, DocumentUid, KbUid
from atoll.domain.passage import Chunk
from atoll.domain.principal import AuditEvent
from atoll.ports.archive import Accounts, DocumentRecord, EntityVectors, KbSnapshot
from atoll.ports.contents import ContentBatch
from atoll.records.rows import accounts, contents, documents
from atoll.records.rows.values import vectors, whole_vectors

_LIVE_KBS = f"SELECT {columns.KB} FROM kb WHERE deleted_at IS NULL"


class SqliteArchive:
    """Port ``Archive``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def accounts(self) -> Accounts:
        """Return tenants, keys and knowledge bases."""

        def work(connection: sqlite3.Connection) -> Accounts:
            tenants = connection.execute(
                "SELECT id, name, quota AS quota_json, created_at, suspended_at FROM tenant ORDER BY created_at, id"
            )
            embedding = connection.execute("SELECT fingerprint FROM embedding").fetchone()
            keys = connection.execute("SELECT * FROM api_key ORDER BY created_at, rowid")
            return Accounts(
                tenants=tuple(map(accounts.tenant, tenants)),
                keys=tuple(map(accounts.api_key, keys)),
                kbs=tuple(map(accounts.kb_record, connection.execute(f"{_LIVE_KBS} ORDER BY created_at, uid"))),
                embedding=None if embedding is None else embedding["fingerprint"],
            )

        return await self._database.scan(work)

    async def snapshot(self, kb: KbUid) -> KbSnapshot | None:
        """Return a knowledge base and its documents of one moment."""

        def work(connection: sqlite3.Connection) -> KbSnapshot | None:
            row = connection.execute(f"{_LIVE_KBS} AND uid = ?", (kb,)).fetchone()
            if row is None:
                return None
            found = connection.execute(
                "SELECT uid, visible FROM document WHERE kb = ? AND deleted_at IS NULL ORDER BY COALESCE(placed, seq)",
                (kb,),
            )
            return KbSnapshot(
                accounts.kb_record(row), {DocumentUid(each["uid"]): bool(each["visible"]) for each in found}
            )

        return await self._database.scan(work)

    async def document(self, kb: KbUid, document: DocumentUid) -> DocumentRecord | None:
        """Return a document."""

        def work(connection: sqlite3.Connection) -> DocumentRecord | None:
            row = connection.execute(
                f"SELECT {columns.DOCUMENT} FROM document d WHERE d.uid = ? AND d.kb = ? AND d.deleted_at IS NULL",
                (document, kb),
            ).fetchone()
            if row is None:
                return None
            stages = connection.execute("SELECT * FROM stage WHERE document = ? ", (document,))
            batches = connection.execute(
                "SELECT id FROM batch WHERE document = ? AND kb = ? ORDER BY id", (document, kb)
            )
            return DocumentRecord(
                document=documents.document(row, stages.fetchall()),
                visible=bool(row["visible"]),
                replaces=documents.replaces(row["replaces"]),
                created_by=row["created_by"],
                batches=tuple(BatchId(each["id"]) for each in batches),
            )

        return await self._database.scan(work)

    async def contents(self, kb: KbUid, document: DocumentUid, *, after: int, limit: int) -> ContentBatch | None:
        """Return passages with what belongs to them."""

        def work(connection: sqlite3.Connection) -> ContentBatch | None:
            found = connection.execute(
                f"SELECT {columns.PASSAGE}, p.vector FROM document d CROSS JOIN passage p ON p.document = d.uid "
                "WHERE d.uid = ? AND d.kb = ? AND p.ordinal > ? ORDER BY p.ordinal LIMIT ?",
                (document, kb, after, limit),
            ).fetchall()
            if not found:
                return None
            ids = json.dumps([row["id"] for row in found])
            mentions = connection.execute(
                "SELECT m.passage, m.entity, e.key, m.surface, m.type, m.tf, m.span_start, m.span_end "
                "FROM json_each(?) chosen CROSS JOIN mention m ON m.passage = chosen.value "
                "CROSS JOIN entity e ON e.id = m.entity ORDER BY m.passage, m.entity",
                (ids,),
            )
            assertions = connection.execute(
                f"SELECT {columns.ASSERTION}, a.vector FROM json_each(?) chosen "
                "CROSS JOIN assertion a ON a.passage = chosen.value ORDER BY a.passage, a.ordinal",
                (ids,),
            ).fetchall()
            return ContentBatch(
                chunks=_chunks(connection, document) if after < 0 else (),
                passages=tuple(map(contents.passage, found)),
                vectors=vectors([row["vector"] for row in found]),
                mentions=tuple(contents.mention(row[0], row[1:]) for row in mentions),
                assertions=tuple([contents.assertion(row[:-1]) for row in assertions]),
                # A document's assertions all have a vector, or none has.
                assertion_vectors=whole_vectors([row["vector"] for row in assertions]),
            )

        return await self._database.scan(work)

    async def entity_vectors(self, kb: KbUid, *, after: str | None, limit: int) -> EntityVectors:
        """Return entities that have a vector."""

        def work(connection: sqlite3.Connection) -> EntityVectors:
            found = connection.execute(
                "SELECT key, vector FROM entity WHERE kb = ? AND key > ? AND vector IS NOT NULL ORDER BY key LIMIT ?",
                (kb, after or "", limit),
            ).fetchall()
            return EntityVectors(tuple(row["key"] for row in found), vectors([row["vector"] for row in found]))

        return await self._database.scan(work)

    async def events(self, *, after: int, limit: int) -> tuple[AuditEvent, ...]:
        """Return audit events."""

        def work(connection: sqlite3.Connection) -> tuple[AuditEvent, ...]:
            found = connection.execute("SELECT * FROM audit_event WHERE id > ? ORDER BY id LIMIT ?", (after, limit))
            return tuple(map(accounts.audit_event, found))

        return await self._database.scan(work)


def _chunks(connection: sqlite3.Connection, document: DocumentUid) -> tuple[Chunk, ...]:
    found = connection.execute(
        f"SELECT {columns.CHUNK} FROM chunk c WHERE c.document = ? ORDER BY c.ordinal", (document,)
    )
    return tuple(map(contents.chunk, found))
