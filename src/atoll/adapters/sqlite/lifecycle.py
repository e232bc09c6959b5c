"""Deleting, amending, retrying and cancelling documents on SQLite."""

from __future__ import annotations

import sqlite3

from atoll.adapters.sqlite import columns
from atoll.adapters.sqlite.accepting import queue_again
from atoll.adapters.sqlite.amending import amend
from atoll.adapters.sqlite.catalogue import find_document, find_kb, read_document
from atoll.adapters.sqlite.database import Database
from atoll.adapters.sqlite.rereading import begin, discard, note_failure, other_of
from atoll.adapters.sqlite.transitions import audit, fence, hide, set_status
from atoll.domain.document import Amendment, Document, Receipt, Stage, StageState, Status
from atoll.domain.ids import DocumentUid
from atoll.domain.principal import Actor
from atoll.domain.reader import Reader
from atoll.records import events
from atoll.records.lifecycle import check_cancel, check_retry
from atoll.records.receipts import Counted, receipt


class SqliteLifecycle:
    """Port ``Lifecycle``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def delete(self, reader: Reader, document: DocumentUid, *, dry_run: bool, actor: Actor) -> Receipt:
        """Hide the document and queue its purge."""

        def work(connection: sqlite3.Connection) -> Receipt:
            row = find_document(connection, reader, document)
            counted = _count(connection, row, reader)
            if not dry_run:
                tenant = find_kb(connection, reader.kb)["tenant"]
                audit(connection, tenant, events.document_deleted(actor, document, hide(connection, row)))
            return receipt(counted, dry_run=dry_run)

        return await (self._database.scan(work) if dry_run else self._database.write(work))

    async def amend(self, reader: Reader, document: DocumentUid, amendment: Amendment, actor: Actor) -> Document:
        """Change labels, metadata or place."""

        def work(connection: sqlite3.Connection) -> Document:
            row = find_document(connection, reader, document)
            tenant = find_kb(connection, reader.kb)["tenant"]
            amend(connection, reader, row, amendment, tenant=tenant, actor=actor)
            return read_document(connection, reader, document)

        return await self._database.write(work)

    async def retry(self, reader: Reader, document: DocumentUid, actor: Actor) -> Document:
        """Queue an ended document again."""

        def work(connection: sqlite3.Connection) -> Document:
            row = find_document(connection, reader, document)
            other = other_of(connection, row)
            check_retry(Status((other or row)["status"]))
            queue_again(connection, (other or row)["uid"])
            if other is not None:
                note_failure(connection, other["uid"])
            audit(connection, find_kb(connection, reader.kb)["tenant"], events.document_retried(actor, document))
            return read_document(connection, reader, document)

        return await self._database.write(work)

    async def cancel(self, reader: Reader, document: DocumentUid, actor: Actor) -> Document:
        """Stop work on a document."""

        def work(connection: sqlite3.Connection) -> Document:
            row = find_document(connection, reader, document)
            if (other := other_of(connection, row)) is not None:
                discard(connection, row, other)
            else:
                check_cancel(Status(row["status"]))
                fence(connection, row["uid"])
                connection.execute(
                    "UPDATE stage SET state = ? WHERE document = ? AND state = ?",
                    (StageState.WAITING, row["uid"], StageState.RUNNING),
                )
                set_status(connection, row["uid"], Status.CANCELLED)
            audit(connection, find_kb(connection, reader.kb)["tenant"], events.document_cancelled(actor, document))
            return read_document(connection, reader, document)

        return await self._database.write(work)

    async def reprocess(self, reader: Reader, document: DocumentUid, stage: Stage, actor: Actor) -> Document:
        """Let a document be read again."""

        def work(connection: sqlite3.Connection) -> Document:
            begin(connection, find_document(connection, reader, document), stage)
            tenant = find_kb(connection, reader.kb)["tenant"]
            audit(connection, tenant, events.document_reprocessed(actor, document, stage))
            return read_document(connection, reader, document)

        return await self._database.write(work)


def _count(connection: sqlite3.Connection, document: sqlite3.Row, reader: Reader) -> Counted:
    uid = document["uid"]
    seen, held = columns.seen_by(reader)

    def count(query: str, *more: str) -> int:
        return int(connection.execute(query, (uid, *more)).fetchone()[0])

    return Counted(
        document=DocumentUid(uid),
        passages=count("SELECT COUNT(*) FROM passage WHERE document = ?"),
        chunks=count("SELECT COUNT(*) FROM chunk WHERE document = ?"),
        pages=document["pages"],
        entities=count("SELECT COUNT(DISTINCT entity) FROM mention WHERE document = ?"),
        kept=count(
            "SELECT COUNT(*) FROM (SELECT DISTINCT entity FROM mention WHERE document = ?1) own WHERE EXISTS "
            "(SELECT 1 FROM mention m JOIN document d ON d.uid = m.document "
            f"WHERE m.entity = own.entity AND m.document != ?1 AND d.visible = 1 AND {seen})",
            *held,
        ),
        mentions=count("SELECT COUNT(*) FROM mention WHERE document = ?"),
        assertions=count("SELECT COUNT(*) FROM assertion a JOIN passage p ON p.id = a.passage WHERE p.document = ?"),
        bytes=document["bytes"],
        indexed=bool(document["indexed"]),
    )
