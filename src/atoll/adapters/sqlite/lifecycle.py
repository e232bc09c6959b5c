"""Deleting, retrying and cancelling documents on SQLite."""

from __future__ import annotations

import sqlite3

from atoll.adapters.sqlite.catalogue import ENDED, UNDER_WAY, find_document, find_kb, queue_again, read_document
from atoll.adapters.sqlite.database import Database
from atoll.adapters.sqlite.transitions import audit, fence, hide, set_status
from atoll.domain.document import Document, Receipt, StageState, Status
from atoll.domain.ids import DocumentUid
from atoll.domain.principal import Actor
from atoll.domain.reader import Reader
from atoll.errors import Conflict


class SqliteLifecycle:
    """Port ``Lifecycle``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def delete(self, reader: Reader, document: DocumentUid, *, dry_run: bool, actor: Actor) -> Receipt:
        """Hide the document and queue its purge."""

        def work(connection: sqlite3.Connection) -> Receipt:
            row = find_document(connection, reader, document)
            removed, kept = _count(connection, row)
            if not dry_run:
                revision = hide(connection, row)
                audit(
                    connection,
                    actor,
                    tenant=find_kb(connection, reader.kb)["tenant"],
                    action="document.deleted",
                    subject=f"document {document}",
                    revision=revision,
                )
            return Receipt(document=document, dry_run=dry_run, removed=removed, kept_entities=kept)

        return await (self._database.scan(work) if dry_run else self._database.write(work))

    async def retry(self, reader: Reader, document: DocumentUid, actor: Actor) -> Document:
        """Queue an ended document again."""

        def work(connection: sqlite3.Connection) -> Document:
            row = find_document(connection, reader, document)
            if Status(row["status"]) not in ENDED:
                raise Conflict(
                    f"the document is {row['status']}; only failed, quarantined or cancelled ones are retried"
                )
            queue_again(connection, document)
            audit(
                connection,
                actor,
                tenant=find_kb(connection, reader.kb)["tenant"],
                action="document.retried",
                subject=f"document {document}",
            )
            return read_document(connection, reader, document)

        return await self._database.write(work)

    async def cancel(self, reader: Reader, document: DocumentUid, actor: Actor) -> Document:
        """Stop work on a document."""

        def work(connection: sqlite3.Connection) -> Document:
            row = find_document(connection, reader, document)
            if Status(row["status"]) not in UNDER_WAY:
                raise Conflict(f"the document is {row['status']}; only queued or processing ones are cancelled")
            fence(connection, document)
            connection.execute(
                "UPDATE stage SET state = ? WHERE document = ? AND state = ?",
                (StageState.WAITING, document, StageState.RUNNING),
            )
            set_status(connection, document, Status.CANCELLED)
            audit(
                connection,
                actor,
                tenant=find_kb(connection, reader.kb)["tenant"],
                action="document.cancelled",
                subject=f"document {document}",
            )
            return read_document(connection, reader, document)

        return await self._database.write(work)


def _count(connection: sqlite3.Connection, document: sqlite3.Row) -> tuple[dict[str, int], int]:
    """Return what a deletion removes, and how many of the document's entities other documents mention too."""
    uid = document["uid"]

    def count(query: str) -> int:
        return int(connection.execute(query, (uid,)).fetchone()[0])

    entities = count("SELECT COUNT(DISTINCT entity) FROM mention WHERE document = ?")
    kept = count(
        "SELECT COUNT(*) FROM (SELECT DISTINCT entity FROM mention WHERE document = ?1) own WHERE EXISTS "
        "(SELECT 1 FROM mention m JOIN document d ON d.uid = m.document "
        "WHERE m.entity = own.entity AND m.document != ?1 AND d.visible = 1)"
    )
    passages = count("SELECT COUNT(*) FROM passage WHERE document = ?")
    removed = {
        "passages": passages,
        "chunks": count("SELECT COUNT(*) FROM chunk WHERE document = ?"),
        "pages": document["pages"],
        "entities": entities - kept,
        "mentions": count("SELECT COUNT(*) FROM mention WHERE document = ?"),
        "assertions": count("SELECT COUNT(*) FROM assertion a JOIN passage p ON p.id = a.passage WHERE p.document = ?"),
        "vectors": passages if document["indexed"] else 0,
        "bytes": document["bytes"],
    }
    return removed, kept
