"""Reading everything, on SQLite."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from atoll.adapters.sqlite import rows
from atoll.adapters.sqlite.database import Database
from atoll.domain.entity import Mention
from atoll.domain.ids import BatchId, ChunkId, DocumentUid, EntityId, KbUid, PassageId, TenantId
from atoll.domain.passage import Chunk
from atoll.domain.principal import AuditEvent
from atoll.ports.archive import Accounts, DocumentRecord, EntityVectors, KbRecord, KbSnapshot, TenantRecord
from atoll.ports.contents import ContentBatch

_LIVE_KBS = "SELECT * FROM kb WHERE deleted_at IS NULL"


class SqliteArchive:
    """Port ``Archive``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def accounts(self) -> Accounts:
        """Return tenants, keys and knowledge bases."""

        def work(connection: sqlite3.Connection) -> Accounts:
            tenants = connection.execute("SELECT * FROM tenant ORDER BY created_at, id")
            embedding = connection.execute("SELECT fingerprint FROM embedding").fetchone()
            return Accounts(
                tenants=tuple(
                    TenantRecord(
                        TenantId(row["id"]), row["name"], json.loads(row["quota"]), rows.instant(row["created_at"])
                    )
                    for row in tenants
                ),
                keys=tuple(map(rows.api_key, connection.execute("SELECT * FROM api_key ORDER BY created_at, rowid"))),
                kbs=tuple(map(_kb, connection.execute(f"{_LIVE_KBS} ORDER BY created_at, uid"))),
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
                "SELECT uid, visible FROM document WHERE kb = ? AND deleted_at IS NULL ORDER BY seq", (kb,)
            )
            return KbSnapshot(_kb(row), {DocumentUid(each["uid"]): bool(each["visible"]) for each in found})

        return await self._database.scan(work)

    async def document(self, kb: KbUid, document: DocumentUid) -> DocumentRecord | None:
        """Return a document."""

        def work(connection: sqlite3.Connection) -> DocumentRecord | None:
            row = connection.execute(
                "SELECT * FROM document WHERE uid = ? AND kb = ? AND deleted_at IS NULL", (document, kb)
            ).fetchone()
            if row is None:
                return None
            stages = connection.execute("SELECT * FROM stage WHERE document = ? ORDER BY position", (document,))
            batches = connection.execute(
                "SELECT id FROM batch WHERE document = ? AND kb = ? ORDER BY id", (document, kb)
            )
            replaces = None if row["replaces"] is None else json.loads(row["replaces"])
            return DocumentRecord(
                document=rows.document(row, stages.fetchall()),
                visible=bool(row["visible"]),
                replaces=frozenset(replaces) if isinstance(replaces, list) else replaces,
                created_by=row["created_by"],
                batches=tuple(BatchId(each["id"]) for each in batches),
            )

        return await self._database.scan(work)

    async def contents(self, kb: KbUid, document: DocumentUid, *, after: int, limit: int) -> ContentBatch | None:
        """Return passages with what belongs to them."""

        def work(connection: sqlite3.Connection) -> ContentBatch | None:
            found = connection.execute(
                f"SELECT {rows.PASSAGE_COLUMNS}, p.vector FROM document d CROSS JOIN passage p ON p.document = d.uid "
                "WHERE d.uid = ? AND d.kb = ? AND p.ordinal > ? ORDER BY p.ordinal LIMIT ?",
                (document, kb, after, limit),
            ).fetchall()
            if not found:
                return None
            ids = json.dumps([row["id"] for row in found])
            mentions = connection.execute(
                "SELECT m.*, e.key FROM json_each(?) chosen CROSS JOIN mention m ON m.passage = chosen.value "
                "CROSS JOIN entity e ON e.id = m.entity ORDER BY m.passage, m.entity",
                (ids,),
            )
            assertions = connection.execute(
                f"SELECT {rows.ASSERTION_COLUMNS}, a.vector FROM json_each(?) chosen "
                "CROSS JOIN assertion a ON a.passage = chosen.value ORDER BY a.passage, a.ordinal",
                (ids,),
            ).fetchall()
            return ContentBatch(
                chunks=_chunks(connection, document) if after < 0 else (),
                passages=tuple(map(rows.passage, found)),
                vectors=_stacked([row["vector"] for row in found]),
                mentions=tuple(map(_mention, mentions)),
                assertions=tuple([rows.assertion(row[:-1]) for row in assertions]),
                assertion_vectors=_assertion_vectors(assertions),
            )

        return await self._database.scan(work)

    async def entity_vectors(self, kb: KbUid, *, after: str | None, limit: int) -> EntityVectors:
        """Return entities that have a vector."""

        def work(connection: sqlite3.Connection) -> EntityVectors:
            found = connection.execute(
                "SELECT key, vector FROM entity WHERE kb = ? AND key > ? AND vector IS NOT NULL ORDER BY key LIMIT ?",
                (kb, after or "", limit),
            ).fetchall()
            return EntityVectors(tuple(row["key"] for row in found), _stacked([row["vector"] for row in found]))

        return await self._database.scan(work)

    async def events(self, *, after: int, limit: int) -> tuple[AuditEvent, ...]:
        """Return audit events."""

        def work(connection: sqlite3.Connection) -> tuple[AuditEvent, ...]:
            found = connection.execute("SELECT * FROM audit_event WHERE id > ? ORDER BY id LIMIT ?", (after, limit))
            return tuple(map(rows.audit_event, found))

        return await self._database.scan(work)


def _kb(row: sqlite3.Row) -> KbRecord:
    return KbRecord(
        uid=KbUid(row["uid"]),
        tenant=TenantId(row["tenant"]),
        name=row["name"],
        language=row["language"],
        revision=row["revision"],
        passages=row["passages"],
        settings=json.loads(row["settings"]),
        quota=json.loads(row["quota"]),
        created_at=rows.instant(row["created_at"]),
    )


def _chunks(connection: sqlite3.Connection, document: DocumentUid) -> tuple[Chunk, ...]:
    return tuple(
        Chunk(
            id=ChunkId(row["id"]),
            document=document,
            ordinal=row["ordinal"],
            char_start=row["char_start"],
            char_end=row["char_end"],
            headings=tuple(json.loads(row["headings"])),
        )
        for row in connection.execute("SELECT * FROM chunk WHERE document = ? ORDER BY ordinal", (document,))
    )


def _mention(row: sqlite3.Row) -> Mention:
    return Mention(
        passage=PassageId(row["passage"]),
        entity=EntityId(row["entity"]),
        key=row["key"],
        surface=row["surface"],
        type=row["type"],
        tf=row["tf"],
        span=(row["span_start"], row["span_end"]),
    )


def _stacked(vectors: Sequence[bytes]) -> NDArray[np.float16]:
    columns = [np.frombuffer(vector, dtype="<f2").astype(np.float16) for vector in vectors]
    return np.stack(columns) if columns else np.empty((0, 0), np.float16)


def _assertion_vectors(assertions: Sequence[Mapping[str, bytes | None]]) -> NDArray[np.float16] | None:
    vectors = [vector for row in assertions if (vector := row["vector"]) is not None]
    # A document's assertions all have a vector, or none has.
    return _stacked(vectors) if vectors and len(vectors) == len(assertions) else None
