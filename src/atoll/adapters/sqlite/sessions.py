"""Who is signed in, on SQLite."""

from __future__ import annotations

import sqlite3

from atoll.adapters.sqlite.database import NOW, Database
from atoll.domain.ids import Subject
from atoll.ports.sessions import MAX_PER_SUBJECT


class SqliteSessions:
    """Port ``Sessions``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def open(self, session: str, subject: Subject, *, seconds: int) -> None:
        """Remember a session."""

        def work(connection: sqlite3.Connection) -> None:
            connection.execute(f"DELETE FROM session WHERE expires_at <= {NOW}")
            connection.execute(
                f"INSERT INTO session (id, subject, expires_at) VALUES (?, ?, {NOW} + ?)",
                (session, subject, seconds * 1000),
            )
            connection.execute(
                "DELETE FROM session WHERE subject = ? AND id NOT IN "
                "(SELECT id FROM session WHERE subject = ? ORDER BY rowid DESC LIMIT ?)",
                (subject, subject, MAX_PER_SUBJECT),
            )

        await self._database.write(work)

    async def find(self, session: str) -> Subject | None:
        """Return whose session it is."""

        def work(connection: sqlite3.Connection) -> Subject | None:
            found = connection.execute(
                f"SELECT subject FROM session WHERE id = ? AND expires_at > {NOW}", (session,)
            ).fetchone()
            return None if found is None else Subject(found[0])

        return await self._database.read(work)

    async def end(self, session: str) -> Subject | None:
        """End a session."""

        def work(connection: sqlite3.Connection) -> Subject | None:
            found = connection.execute(
                f"DELETE FROM session WHERE id = ? RETURNING subject, expires_at > {NOW} AS held", (session,)
            ).fetchone()
            return Subject(found[0]) if found is not None and found[1] else None

        return await self._database.write(work)
