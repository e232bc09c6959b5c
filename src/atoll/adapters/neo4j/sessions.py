"""Who is signed in, on Neo4j."""

from __future__ import annotations

from atoll.adapters.neo4j.database import Database, Transaction
from atoll.domain.ids import Subject
from atoll.ports.sessions import MAX_PER_SUBJECT

_OPEN = (
    "CALL () { MATCH (old:Session) WHERE old.expires_at <= timestamp() DELETE old } "
    "CREATE (:Session {id: $id, subject: $subject, opened_at: timestamp(), expires_at: timestamp() + $milliseconds})"
)
_BOUND = "MATCH (s:Session {subject: $subject}) WITH s ORDER BY s.opened_at DESC, s.id = $id DESC SKIP $most DELETE s"
_FIND = "MATCH (s:Session {id: $id}) WHERE s.expires_at > timestamp() RETURN s.subject AS subject"
# Locked first: of two that end it at once, the second finds that it is gone.
_END = (
    "MATCH (s:Session {id: $id}) SET s.locked = true WITH s, s.subject AS subject, s.expires_at > timestamp() AS held "
    "DELETE s RETURN subject, held"
)


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
