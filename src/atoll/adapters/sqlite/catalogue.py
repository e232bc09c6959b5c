"""Listing documents on SQLite."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence

from atoll.adapters.sqlite import columns
from atoll.adapters.sqlite.accepting import accept
from atoll.adapters.sqlite.database import Database
from atoll.domain.document import Accepted, Document, DocumentPage, NewDocument, Status
from atoll.domain.ids import DocumentUid, KbUid, document_id
from atoll.domain.principal import Actor
from atoll.domain.reader import Reader
from atoll.domain.reading import PIPELINE
from atoll.errors import NotFound
from atoll.records.rows import documents as rows

#: Above every document's place in a listing.
_TOP = 2**62


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
            batch, settled, namesakes = accept(
                connection,
                reader,
                documents,
                replace=replace,
                actor=actor,
                most_waiting=self._waiting_documents,
                kb=find_kb(connection, reader.kb),
            )
            whole = Reader(reader.tenant, reader.kb)
            return Accepted(
                batch=batch,
                documents=tuple(read_document(connection, whole, document_id(uid)) for uid in settled.documents),
                duplicates=tuple(settled.duplicates),
                namesakes=namesakes,
            )

        return await self._database.write(work)

    async def get(self, reader: Reader, document: DocumentUid) -> Document:
        """Return a document with its stages."""
        return await self._database.read(lambda connection: read_document(connection, reader, document))

    async def page(
        self,
        reader: Reader,
        *,
        status: Status | None,
        name: str | None,
        limit: int,
        before: int | None,
        older: bool = False,
        warning: str | None = None,
        source: str | None = None,
        label: str | None = None,
    ) -> DocumentPage:
        """List documents, newest first."""

        def work(connection: sqlite3.Connection) -> DocumentPage:
            seen, seen_values = columns.seen_by(reader)
            where = f"d.kb = ? AND d.deleted_at IS NULL AND {seen}"
            values: list[object] = [reader.kb, *seen_values]
            if name is not None:
                where += " AND d.name GLOB ?"
                values.append(name)
            if source is not None:
                where += " AND (d.source = ? OR SUBSTR(d.source, 1, ?) = ?)"
                values += [source, len(source) + 1, f"{source}/"]
            if label is not None:
                where += " AND EXISTS (SELECT 1 FROM json_each(d.labels) WHERE value = ?)"
                values.append(label)
            counts = {
                Status(row["status"]): row["n"]
                for row in connection.execute(
                    f"SELECT d.status, COUNT(*) AS n FROM document d WHERE {where} GROUP BY d.status", values
                )
            }
            # The partial index of visible documents answers this without a look at documents of today.
            is_older = f"d.visible = 1 AND d.pipeline < {PIPELINE}"
            older_count = connection.execute(
                f"SELECT COUNT(*) FROM document d WHERE {where} AND {is_older}", values
            ).fetchone()[0]
            if older:
                where += f" AND {is_older}"
            if warning is not None:
                where += " AND INSTR(d.warnings, ?) > 0"
                values.append(rows.warning_json(warning))
            if status is not None:
                where += " AND d.status = ?"
                values.append(status)
            found = connection.execute(
                f"SELECT {columns.DOCUMENT} FROM document d WHERE {where} AND d.seq < ? ORDER BY d.seq DESC LIMIT ?",
                [*values, _TOP if before is None else before, limit + 1],
            ).fetchall()
            return DocumentPage(
                documents=with_stages(connection, found[:limit]),
                counts=counts,
                older=older_count,
                next_before=found[limit - 1]["seq"] if len(found) > limit else None,
            )

        return await self._database.scan(work)

    async def batch(self, reader: Reader, batch: str) -> tuple[Document, ...]:
        """Return the documents of one upload."""

        def work(connection: sqlite3.Connection) -> tuple[Document, ...]:
            seen, seen_values = columns.seen_by(reader)
            found = connection.execute(
                f"SELECT {columns.DOCUMENT} FROM batch b JOIN document d ON d.uid = b.document "
                f"WHERE b.id = ? AND b.kb = ? AND d.deleted_at IS NULL AND {seen} ORDER BY d.seq",
                (batch, reader.kb, *seen_values),
            ).fetchall()
            if not found:
                raise NotFound(f"there is no batch {batch} in this knowledge base")
            return with_stages(connection, found)

        return await self._database.read(work)

    async def census(self) -> Mapping[Status, int]:
        """Return how many documents of the installation have each status."""

        def work(connection: sqlite3.Connection) -> Mapping[Status, int]:
            found = connection.execute(
                "SELECT status, COUNT(*) AS n FROM document WHERE deleted_at IS NULL GROUP BY status"
            )
            return dict.fromkeys(Status, 0) | {Status(row["status"]): row["n"] for row in found}

        return await self._database.scan(work)

    async def older(self) -> int:
        """Return how many documents of the installation an older pipeline read."""

        def work(connection: sqlite3.Connection) -> int:
            (count,) = connection.execute(
                f"SELECT COUNT(*) FROM document WHERE visible = 1 AND pipeline < {PIPELINE}"
            ).fetchone()
            return int(count)

        return await self._database.scan(work)


def find_kb(connection: sqlite3.Connection, kb: KbUid) -> sqlite3.Row:
    """Return a knowledge base's row. Raises NotFound."""
    row: sqlite3.Row | None = connection.execute(
        f"SELECT {columns.KB} FROM kb WHERE uid = ? AND deleted_at IS NULL", (kb,)
    ).fetchone()
    if row is None:
        raise NotFound("the knowledge base is gone")
    return row


def find_document(connection: sqlite3.Connection, reader: Reader, document: DocumentUid) -> sqlite3.Row:
    """Return the row of a document that the reader sees. Raises NotFound."""
    seen, values = columns.seen_by(reader)
    row: sqlite3.Row | None = connection.execute(
        f"SELECT {columns.DOCUMENT} FROM document d WHERE d.id = ? AND d.kb = ? AND d.deleted_at IS NULL AND {seen}",
        (document, reader.kb, *values),
    ).fetchone()
    if row is None:
        raise NotFound(f"there is no document {document} in this knowledge base")
    return row


def read_document(connection: sqlite3.Connection, reader: Reader, document: DocumentUid) -> Document:
    """Return a document with its stages. Raises NotFound."""
    return with_stages(connection, [find_document(connection, reader, document)])[0]


def with_stages(connection: sqlite3.Connection, found: Sequence[sqlite3.Row]) -> tuple[Document, ...]:
    """Return the documents of rows, with their stages; of one that is read again, with those of the new reading."""
    stages: dict[str, list[sqlite3.Row]] = {row["other_reading"] or row["uid"]: [] for row in found}
    for row in connection.execute(
        "SELECT * FROM stage WHERE document IN (SELECT value FROM json_each(?))", (json.dumps(list(stages)),)
    ):
        stages[row["document"]].append(row)
    return tuple(rows.document(row, stages[row["other_reading"] or row["uid"]]) for row in found)
