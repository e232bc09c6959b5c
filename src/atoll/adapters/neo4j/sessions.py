"""Who is signed in, on Neo4j."""

from __future__ import annotations

from atoll.adapters.neo4j.database import Database, Transaction
from atoll.adapters.neo4j.statements import load
from atoll.domain.ids import Subject
from atoll.ports.sessions import MAX_PER_SUBJECT

_OPEN, _BOUND, _FIND, _END = load("sessions", "open", "bound", "find", "end")


class Neo4jSessions:
    """Port ``Sessions``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def open(self, session: str, subject: Subject, *, seconds: int) -> None:
        """Remember a session."""

        async def work(transaction: Transaction) -> None:
            await transaction.all(_OPEN, id=session, subject=subject, milliseconds=seconds * 1000)
            await transaction.all(_BOUND, id=session, subject=subject, most=MAX_PER_SUBJECT)

        await self._database.write(work)

    async def find(self, session: str) -> Subject | None:
        """Return whose session it is."""

        async def work(transaction: Transaction) -> Subject | None:
            found = await transaction.one(_FIND, id=session)
            return None if found is None else Subject(found["subject"])

        return await self._database.read(work)

    async def end(self, session: str) -> Subject | None:
        """End a session."""

        async def work(transaction: Transaction) -> Subject | None:
            found = await transaction.one(_END, id=session)
            return Subject(found["subject"]) if found is not None and found["held"] else None

        return await self._database.write(work)
