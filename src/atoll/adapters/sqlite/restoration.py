"""Filling an empty store, on SQLite.

A knowledge base that is being filled has ``deleted_at`` 0, which hides it, and tells it from a deleted one.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Sequence

from atoll.adapters.sqlite import columns
from atoll.adapters.sqlite.contents import write_contents
from atoll.adapters.sqlite.database import Database
from atoll.adapters.sqlite.transitions import change
from atoll.domain.ids import DocumentUid, KbUid, entity_id
from atoll.domain.principal import AuditEvent
from atoll.ports.archive import Accounts, DocumentRecord, EntityVectors
from atoll.ports.contents import ContentBatch
from atoll.records.restoring import check_unused, journey_values, record_values
from atoll.records.rows import accounts as rows

# From what refers to what is referred to.
_TABLES = (
    "assertion", "mention", "passage", "chunk", "entity", "batch", "stage", "document", "api_key", "kb", "tenant",
    "audit_event", "embedding", "departure", "session", "query_count", "audit_seal",
)  # fmt: skip


class SqliteRestoration:
    """Ports ``Restoration`` and ``RestoredRecords``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(self, accounts: Accounts) -> tuple[tuple[KbUid, DocumentUid], ...]:
        """Make room and hidden knowledge bases."""

        def work(connection: sqlite3.Connection) -> tuple[tuple[KbUid, DocumentUid], ...]:
            _check_unused(connection)
            left = connection.execute("SELECT kb, uid FROM document ORDER BY seq").fetchall()
            for table in _TABLES:
                connection.execute(f"DELETE FROM {table}")
            for tenant in accounts.tenants:
                columns.insert(connection, "tenant", rows.tenant_values(tenant))
            for kb in accounts.kbs:
                columns.insert(connection, "kb", {**rows.kb_values(kb), "deleted_at": 0})
            if accounts.embedding is not None:
                connection.execute("INSERT INTO embedding (only, fingerprint) VALUES (1, ?)", (accounts.embedding,))
            return tuple((KbUid(row["kb"]), DocumentUid(row["uid"])) for row in left)

        return await self._database.write(work)

    async def end(self, accounts: Accounts) -> None:
        """Write the keys and show everything."""

        def work(connection: sqlite3.Connection) -> None:
            for key in accounts.keys:
                columns.insert(connection, "api_key", rows.key_values(key))
            connection.execute("UPDATE kb SET deleted_at = NULL WHERE deleted_at = 0")

        await self._database.write(work)

    async def document(self, record: DocumentRecord) -> None:
        """Write a document."""

        def work(connection: sqlite3.Connection) -> None:
            document = record.document
            columns.insert(connection, "document", {**record_values(record), "changed_seq": change(connection)})
            connection.executemany(
                "INSERT INTO batch (id, kb, document) VALUES (?, ?, ?)",
                [(batch, document.kb, document.uid) for batch in record.batches],
            )
            for values in journey_values(document):
                columns.insert(connection, "stage", {"document": document.uid, **values})

        await self._database.write(work)

    async def contents(self, kb: KbUid, document: DocumentUid, batch: ContentBatch) -> None:
        """Write passages and count their entities."""

        def work(connection: sqlite3.Connection) -> None:
            write_contents(connection, kb, document, batch)
            counts = Counter(mention.entity for mention in batch.mentions)
            connection.executemany(
                "UPDATE entity SET df = df + ? WHERE id = ? AND kb = ?",
                [(count, entity, kb) for entity, count in sorted(counts.items())],
            )

        await self._database.write(work)

    async def entity_vectors(self, kb: KbUid, vectors: EntityVectors) -> None:
        """Give vectors to entities."""

        def work(connection: sqlite3.Connection) -> None:
            connection.executemany(
                "UPDATE entity SET vector = ? WHERE id = ? AND kb = ? AND df > 1",
                [
                    (vector.tobytes(), entity_id(kb, key), kb)
                    for key, vector in zip(vectors.keys, vectors.vectors, strict=True)
                ],
            )

        await self._database.write(work)

    async def events(self, events: Sequence[AuditEvent]) -> None:
        """Write audit events."""

        def work(connection: sqlite3.Connection) -> None:
            for each in events:
                columns.insert(connection, "audit_event", rows.stored_event(each))

        await self._database.write(work)


def _check_unused(connection: sqlite3.Connection) -> None:
    """Raise Conflict unless there is only what a first start or a broken restoration left."""
    used = connection.execute(
        "SELECT (SELECT COUNT(*) FROM document d JOIN kb ON kb.uid = d.kb WHERE kb.deleted_at IS NOT 0) AS documents, "
        "(SELECT COUNT(*) FROM kb WHERE deleted_at IS NULL AND revision > 0) AS changed, "
        "(SELECT COUNT(*) FROM kb WHERE deleted_at IS NULL) AS kbs, "
        "(SELECT COUNT(*) FROM api_key WHERE role <> 'admin') AS keys"
    ).fetchone()
    check_unused(used["documents"], used["kbs"], used["keys"], changed=used["changed"])
