"""What changes in a knowledge base, on SQLite."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence

from atoll.adapters.sqlite import columns
from atoll.adapters.sqlite.catalogue import with_stages
from atoll.adapters.sqlite.database import Database
from atoll.domain.document import Change, Document
from atoll.domain.ids import DocumentUid
from atoll.domain.reader import Reader

_LATEST = (
    "SELECT MAX(COALESCE((SELECT MAX(changed_seq) FROM document WHERE kb = ?1 AND deleted_at IS NULL), 0), "
    "COALESCE((SELECT MAX(changed_seq) FROM departure WHERE kb = ?1), 0))"
)


class SqliteChanges:
    """Port ``Changes``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def latest(self, reader: Reader) -> int:
        """Return the number of the latest change."""
        return await self._database.read(
            lambda connection: int(connection.execute(_LATEST, (reader.kb,)).fetchone()[0])
        )

    async def after(self, reader: Reader, number: int, *, limit: int) -> tuple[Change, ...]:
        """Return changes in order."""
        seen, held = columns.seen_by(reader)

        def work(connection: sqlite3.Connection) -> tuple[Change, ...]:
            found = connection.execute(
                "SELECT d.changed_seq, d.id, d.labels, 0 FROM document d "
                f"WHERE d.kb = ? AND d.changed_seq > ? AND d.deleted_at IS NULL AND {seen} "
                "UNION ALL SELECT d.changed_seq, d.document, d.labels, 1 FROM departure d "
                f"WHERE d.kb = ? AND d.changed_seq > ? AND {seen} ORDER BY 1 LIMIT ?",
                (reader.kb, number, *held, reader.kb, number, *held, limit),
            )
            return tuple(
                Change(at, DocumentUid(uid), frozenset(json.loads(labels)), is_departure=bool(gone))
                for at, uid, labels, gone in found
            )

        return await self._database.read(work)

    async def among(self, reader: Reader, documents: Sequence[DocumentUid]) -> tuple[Document, ...]:
        """Return those that are there for the reader."""
        seen, held = columns.seen_by(reader)

        def work(connection: sqlite3.Connection) -> tuple[Document, ...]:
            found = connection.execute(
                f"SELECT {columns.DOCUMENT} FROM json_each(?) chosen CROSS JOIN document d "
                f"ON d.id = chosen.value WHERE d.kb = ? AND d.deleted_at IS NULL AND {seen}",
                (json.dumps(documents), reader.kb, *held),
            ).fetchall()
            return with_stages(connection, found)

        return await self._database.read(work)
