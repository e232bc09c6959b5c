"""Accepting and listing documents on SQLite."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence

from atoll.adapters.sqlite import rows
from atoll.adapters.sqlite.database import NOW, Database
from atoll.adapters.sqlite.transitions import audit, change, fence, now, renew_journey, set_status
from atoll.domain.document import (
    JOURNEY,
    Accepted,
    Document,
    DocumentPage,
    NewDocument,
    StageState,
    Status,
)
from atoll.domain.ids import BatchId, DocumentUid, KbUid, new_uid
from atoll.domain.principal import Actor
from atoll.domain.reader import Reader
from atoll.errors import BadInput, NotFound, QuotaExceeded

ENDED = (Status.FAILED, Status.QUARANTINED, Status.CANCELLED)
UNDER_WAY = (Status.QUEUED, Status.PROCESSING)


class SqliteCatalogue:
    """Port ``Catalogue``.

    Args:
        database: the record store.
        waiting_documents: how many documents may wait in one knowledge base.
    """

    def __init__(self, database: Database, *, waiting_documents: int) -> None:
        self._database = database
        self._waiting_documents = waiting_documents

    async def accept(
        self, reader: Reader, documents: Sequence[NewDocument], *, replace: bool, actor: Actor
    ) -> Accepted:
        """Write documents with their ledger rows and audit events."""

        def work(connection: sqlite3.Connection) -> Accepted:
            owner = find_kb(connection, reader.kb)
            whole = Reader(reader.tenant, reader.kb)
            self._check_room(connection, owner, documents)
            batch = BatchId(new_uid())
            accepted: list[DocumentUid] = []
            duplicates: list[tuple[str, DocumentUid]] = []
            for new in documents:
                known = _same_bytes(connection, reader, new.sha256)
                if known is not None:
                    uid = DocumentUid(known["uid"])
                    duplicates.append((new.name, uid))
                    if Status(known["status"]) in ENDED:
                        queue_again(connection, uid)
                else:
                    uid = new.uid
                    _insert(connection, reader.kb, new, replaces=_replaceable(reader) if replace else None, actor=actor)
                    audit(
                        connection,
                        actor,
                        tenant=owner["tenant"],
                        action="document.accepted",
                        subject=f"document {uid}",
                        revision=owner["revision"],
                    )
                accepted.append(uid)
                connection.execute(
                    "INSERT OR IGNORE INTO batch (id, kb, document) VALUES (?, ?, ?)", (batch, reader.kb, uid)
                )
            return Accepted(
                batch=batch,
                documents=tuple(read_document(connection, whole, uid) for uid in dict.fromkeys(accepted)),
                duplicates=tuple(duplicates),
            )

        return await self._database.write(work)

    async def get(self, reader: Reader, document: DocumentUid) -> Document:
        """Return a document with its stages."""
        return await self._database.read(lambda connection: read_document(connection, reader, document))

    async def page(
        self, reader: Reader, *, status: Status | None, name: str | None, limit: int, cursor: str | None
    ) -> DocumentPage:
        """List documents, newest first."""
        before = _cursor(cursor)

        def work(connection: sqlite3.Connection) -> DocumentPage:
            seen, seen_values = rows.seen_by(reader)
            where = f"d.kb = ? AND d.deleted_at IS NULL AND {seen}"
            values: list[object] = [reader.kb, *seen_values]
            if name is not None:
                where += " AND d.name GLOB ?"
                values.append(name)
            counts = {
                Status(row["status"]): row["n"]
                for row in connection.execute(
                    f"SELECT d.status, COUNT(*) AS n FROM document d WHERE {where} GROUP BY d.status", values
                )
            }
            if status is not None:
                where += " AND d.status = ?"
                values.append(status)
            found = connection.execute(
                f"SELECT d.seq, {rows.DOCUMENT_COLUMNS} FROM document d WHERE {where} AND d.seq < ? "
                "ORDER BY d.seq DESC LIMIT ?",
                [*values, before, limit + 1],
            ).fetchall()
            return DocumentPage(
                documents=with_stages(connection, found[:limit]),
                counts=counts,
                next_cursor=str(found[limit - 1]["seq"]) if len(found) > limit else None,
            )

        return await self._database.scan(work)

    async def batch(self, reader: Reader, batch: str) -> tuple[Document, ...]:
        """Return the documents of one upload."""

        def work(connection: sqlite3.Connection) -> tuple[Document, ...]:
            seen, seen_values = rows.seen_by(reader)
            found = connection.execute(
                f"SELECT {rows.DOCUMENT_COLUMNS} FROM batch b JOIN document d ON d.uid = b.document "
                f"WHERE b.id = ? AND b.kb = ? AND d.deleted_at IS NULL AND {seen} ORDER BY d.seq",
                (batch, reader.kb, *seen_values),
            ).fetchall()
            if not found:
                raise NotFound(f"there is no batch {batch} in this knowledge base")
            return with_stages(connection, found)

        return await self._database.read(work)

    async def census(self) -> dict[str, float]:
        """Return how many documents of the installation have each status; for its operator, not for tenants."""

        def work(connection: sqlite3.Connection) -> dict[str, float]:
            found = connection.execute(
                "SELECT status, COUNT(*) FROM document WHERE deleted_at IS NULL GROUP BY status"
            ).fetchall()
            return {status.value: 0.0 for status in Status} | {row[0]: float(row[1]) for row in found}

        return await self._database.scan(work)

    def _check_room(self, connection: sqlite3.Connection, kb: sqlite3.Row, documents: Sequence[NewDocument]) -> None:
        waiting = connection.execute(
            "SELECT COUNT(*) FROM document WHERE kb = ? AND deleted_at IS NULL AND status IN ('queued', 'processing')",
            (kb["uid"],),
        ).fetchone()[0]
        if waiting + len(documents) > self._waiting_documents:
            raise QuotaExceeded(
                f"{waiting} documents wait already, at most {self._waiting_documents} may; upload more when some are "
                "ready",
                retry_after_seconds=30,
            )
        quota = json.loads(kb["quota"])
        if not quota:
            return
        row = connection.execute(
            "SELECT COUNT(*) AS documents, COALESCE(SUM(bytes), 0) AS bytes FROM document "
            "WHERE kb = ? AND deleted_at IS NULL",
            (kb["uid"],),
        ).fetchone()
        wanted = {"documents": len(documents), "bytes": sum(each.bytes for each in documents)}
        for name, more in wanted.items():
            if name in quota and row[name] + more > quota[name]:
                raise QuotaExceeded(
                    f"the knowledge base may hold {quota[name]} {name} and holds {row[name]}; delete some or raise the "
                    "quota",
                    retry_after_seconds=3600,
                )


def find_kb(connection: sqlite3.Connection, kb: KbUid) -> sqlite3.Row:
    """Return a knowledge base's row. Raises NotFound."""
    row: sqlite3.Row | None = connection.execute(
        "SELECT uid, tenant, revision, quota FROM kb WHERE uid = ? AND deleted_at IS NULL", (kb,)
    ).fetchone()
    if row is None:
        raise NotFound("the knowledge base is gone")
    return row


def find_document(connection: sqlite3.Connection, reader: Reader, document: DocumentUid) -> sqlite3.Row:
    """Return the row of a document that the reader sees. Raises NotFound."""
    seen, values = rows.seen_by(reader)
    row: sqlite3.Row | None = connection.execute(
        f"SELECT d.* FROM document d WHERE d.uid = ? AND d.kb = ? AND d.deleted_at IS NULL AND {seen}",
        (document, reader.kb, *values),
    ).fetchone()
    if row is None:
        raise NotFound(f"there is no document {document} in this knowledge base")
    return row


def read_document(connection: sqlite3.Connection, reader: Reader, document: DocumentUid) -> Document:
    """Return a document with its stages. Raises NotFound."""
    return with_stages(connection, [find_document(connection, reader, document)])[0]


def with_stages(connection: sqlite3.Connection, found: Sequence[sqlite3.Row]) -> tuple[Document, ...]:
    """Return documents from their rows, each with its stages."""
    stages: dict[str, list[sqlite3.Row]] = {row["uid"]: [] for row in found}
    for row in connection.execute(
        "SELECT * FROM stage WHERE document IN (SELECT value FROM json_each(?)) ORDER BY document, position",
        (json.dumps(list(stages)),),
    ):
        stages[row["document"]].append(row)
    return tuple(rows.document(row, stages[row["uid"]]) for row in found)


def _same_bytes(connection: sqlite3.Connection, reader: Reader, sha256: str) -> sqlite3.Row | None:
    seen, values = rows.seen_by(reader)
    row: sqlite3.Row | None = connection.execute(
        f"SELECT d.uid, d.status FROM document d WHERE d.kb = ? AND d.sha256 = ? AND d.deleted_at IS NULL AND {seen} "
        "ORDER BY d.seq LIMIT 1",
        (reader.kb, sha256, *values),
    ).fetchone()
    return row


def _replaceable(reader: Reader) -> str:
    """What an upload may replace: only documents that its uploader may see."""
    return json.dumps("*" if reader.labels is None else sorted(reader.labels))


def _insert(connection: sqlite3.Connection, kb: KbUid, new: NewDocument, *, replaces: str | None, actor: Actor) -> None:
    connection.execute(
        "INSERT INTO document (uid, kb, name, source, version, sha256, labels, metadata, status, replaces, media_type, "
        "bytes, created_by, created_at, changed_seq) VALUES (?, ?, ?, ?, "
        "(SELECT COALESCE(MAX(version), 0) + 1 FROM document WHERE kb = ? AND name = ?), ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            new.uid,
            kb,
            new.name,
            new.source,
            kb,
            new.name,
            new.sha256,
            json.dumps(sorted(new.labels)),
            json.dumps(new.metadata),
            Status.QUEUED,
            replaces,
            new.media_type,
            new.bytes,
            actor.subject,
            now(connection),
            change(connection),
        ),
    )
    # The gateway rings right after this transaction; the reconciler need not ring as well.
    connection.executemany(
        f"INSERT INTO stage (document, name, position, state, rung_at) VALUES (?, ?, ?, ?, {NOW})",
        [(new.uid, stage, position, StageState.WAITING) for position, stage in enumerate(JOURNEY)],
    )


def queue_again(connection: sqlite3.Connection, document: DocumentUid) -> None:
    """Let the document's journey begin anew."""
    # From the first stage on: stages find their artefacts and call no model again.
    fence(connection, document)
    renew_journey(connection, document)
    connection.execute(
        "UPDATE stage SET state = ?, batch = 0, failures = 0, not_before = 0, rung_at = 0, error = NULL "
        "WHERE document = ?",
        (StageState.WAITING, document),
    )
    connection.execute("UPDATE document SET error = NULL, returns = 0 WHERE uid = ?", (document,))
    set_status(connection, document, Status.QUEUED)


_LARGEST = 2**62


def _cursor(cursor: str | None) -> int:
    if cursor is None:
        return _LARGEST
    if not cursor.isdecimal() or len(cursor) > len(str(_LARGEST)) - 1:
        raise BadInput("the cursor is not one that a listing returned; start again without it")
    return int(cursor)
