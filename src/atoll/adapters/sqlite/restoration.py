"""Filling an empty store, on SQLite.

A knowledge base that is being filled has ``deleted_at`` 0, which hides it, and tells it from a deleted one.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict

from atoll.adapters.sqlite import rows
from atoll.adapters.sqlite.contents import write_contents
from atoll.adapters.sqlite.database import Database
from atoll.adapters.sqlite.transitions import change
from atoll.domain.document import JOURNEY, StageProgress, StageState, Status
from atoll.domain.ids import DocumentUid, KbUid, entity_id
from atoll.domain.principal import ApiKey, AuditEvent
from atoll.errors import Conflict
from atoll.ports.archive import Accounts, DocumentRecord, EntityVectors, KbRecord
from atoll.ports.contents import ContentBatch

# From what refers to what is referred to.
_TABLES = (
    "assertion", "mention", "passage", "chunk", "entity", "batch", "stage", "document", "api_key", "kb", "tenant",
    "audit_event", "embedding", "departure", "session",
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
            connection.executemany(
                "INSERT INTO tenant (id, name, quota, created_at) VALUES (?, ?, ?, ?)",
                [
                    (each.id, each.name, json.dumps(dict(each.quota)), rows.milliseconds(each.created_at))
                    for each in accounts.tenants
                ],
            )
            for kb in accounts.kbs:
                _insert_kb(connection, kb)
            if accounts.embedding is not None:
                connection.execute("INSERT INTO embedding (only, fingerprint) VALUES (1, ?)", (accounts.embedding,))
            return tuple((KbUid(row["kb"]), DocumentUid(row["uid"])) for row in left)

        return await self._database.write(work)

    async def end(self, accounts: Accounts) -> None:
        """Write the keys and show everything."""

        def work(connection: sqlite3.Connection) -> None:
            for key in accounts.keys:
                _insert_key(connection, key)
            connection.execute("UPDATE kb SET deleted_at = NULL WHERE deleted_at = 0")

        await self._database.write(work)

    async def document(self, record: DocumentRecord) -> None:
        """Write a document."""

        def work(connection: sqlite3.Connection) -> None:
            document = record.document
            _insert_document(connection, record)
            connection.executemany(
                "INSERT INTO batch (id, kb, document) VALUES (?, ?, ?)",
                [(batch, document.kb, document.uid) for batch in record.batches],
            )
            if document.status in {Status.QUEUED, Status.PROCESSING}:
                connection.executemany(
                    "INSERT INTO stage (document, name, position, state) VALUES (?, ?, ?, ?)",
                    [(document.uid, stage, position, StageState.WAITING) for position, stage in enumerate(JOURNEY)],
                )
                return
            for stage in document.stages:
                _insert_stage(connection, document.uid, stage)

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
            connection.executemany(
                "INSERT INTO audit_event (id, tenant, at, actor, action, object, result, request_id, revision) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    (
                        each.id, each.tenant, rows.milliseconds(each.at), each.actor, each.action, each.object,
                        each.result, each.request_id, each.revision,
                    )
                    for each in events
                ],
            )  # fmt: skip

        await self._database.write(work)


def _check_unused(connection: sqlite3.Connection) -> None:
    """Raise Conflict unless there is only what a first start or a broken restoration left."""
    used = connection.execute(
        "SELECT (SELECT COUNT(*) FROM document d JOIN kb ON kb.uid = d.kb WHERE kb.deleted_at IS NOT 0) AS documents, "
        "(SELECT COUNT(*) FROM kb WHERE deleted_at IS NULL AND revision > 0) AS changed, "
        "(SELECT COUNT(*) FROM kb WHERE deleted_at IS NULL) AS kbs, (SELECT COUNT(*) FROM api_key) AS keys"
    ).fetchone()
    if used["documents"] or used["changed"] or used["kbs"] > 1 or used["keys"] > 1:
        raise Conflict(
            f"this installation is in use: {used['documents']} documents, {used['kbs']} knowledge bases, "
            f"{used['keys']} keys; restore into an empty data directory"
        )


def _insert_kb(connection: sqlite3.Connection, kb: KbRecord) -> None:
    connection.execute(
        "INSERT INTO kb (uid, tenant, name, language, revision, passages, settings, quota, created_at, deleted_at) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0)",
        (
            kb.uid, kb.tenant, kb.name, kb.language, kb.revision, kb.passages, json.dumps(dict(kb.settings)),
            json.dumps(dict(kb.quota)), rows.milliseconds(kb.created_at),
        ),
    )  # fmt: skip


def _insert_key(connection: sqlite3.Connection, key: ApiKey) -> None:
    times = (key.created_at, key.expires_at, key.last_used_at, key.revoked_at)
    connection.execute(
        "INSERT INTO api_key (id, tenant, name, role, kbs, labels, hash, created_at, expires_at, last_used_at, "
        "revoked_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            key.id,
            key.tenant,
            key.name,
            key.role,
            None if key.kbs is None else json.dumps(sorted(key.kbs)),
            None if key.labels is None else json.dumps(sorted(key.labels)),
            key.hash,
            *(None if at is None else rows.milliseconds(at) for at in times),
        ),
    )


def _insert_document(connection: sqlite3.Connection, record: DocumentRecord) -> None:
    document, replaces = record.document, record.replaces
    connection.execute(
        "INSERT INTO document (uid, kb, name, source, version, sha256, labels, metadata, visible, indexed, status, "
        "replaces, media_type, bytes, pages, passages, entities, warnings, error, created_by, created_at, ready_at, "
        "artefacts, changed_seq) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            document.uid,
            document.kb,
            document.name,
            document.source,
            document.version,
            document.sha256,
            json.dumps(sorted(document.labels)),
            json.dumps(dict(document.metadata)),
            record.visible,
            record.visible,
            document.status,
            None if replaces is None else json.dumps(replaces if isinstance(replaces, str) else sorted(replaces)),
            document.media_type,
            document.bytes,
            document.pages,
            document.passages,
            document.entities,
            json.dumps([asdict(each) for each in document.warnings]),
            None if document.error is None else json.dumps(asdict(document.error)),
            record.created_by,
            rows.milliseconds(document.created_at),
            None if document.ready_at is None else rows.milliseconds(document.ready_at),
            json.dumps(dict(document.artefacts)),
            change(connection),
        ),
    )


def _insert_stage(connection: sqlite3.Connection, document: DocumentUid, stage: StageProgress) -> None:
    connection.execute(
        "INSERT INTO stage (document, name, position, state, done, total, worked, attempts, error) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            document, stage.name, JOURNEY.index(stage.name), stage.state, stage.done, stage.total,
            round(stage.seconds * 1000), stage.attempts, stage.error,
        ),
    )  # fmt: skip
