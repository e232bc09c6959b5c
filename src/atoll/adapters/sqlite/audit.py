"""The audit trail and its seals on SQLite."""

from __future__ import annotations

import sqlite3
from datetime import datetime

from atoll.adapters.sqlite.database import Database
from atoll.adapters.sqlite.transitions import audit
from atoll.domain.ids import TenantId
from atoll.domain.principal import AuditEvent, Event
from atoll.domain.seal import Seal
from atoll.errors import Conflict
from atoll.records.rows import accounts as rows
from atoll.records.rows.values import milliseconds


class SqliteAudit:
    """Port ``Audit``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def record(self, tenant: TenantId, event: Event) -> None:
        """Write an event of its own."""
        await self._database.write(lambda connection: audit(connection, tenant, event))

    async def page(
        self, tenant: TenantId, *, since: datetime | None, action: str | None, actor: str | None, after: int, limit: int
    ) -> tuple[AuditEvent, ...]:
        """Return events, oldest first."""
        conditions = ["tenant = ?", "id > ?"]
        values: list[object] = [tenant, after]
        if since is not None:
            conditions.append("at >= ?")
            values.append(milliseconds(since))
        for column, wanted in (("action", action), ("actor", actor)):
            if wanted is not None:
                conditions.append(f"{column} = ?")
                values.append(wanted)

        def work(connection: sqlite3.Connection) -> tuple[AuditEvent, ...]:
            found = connection.execute(
                f"SELECT * FROM audit_event WHERE {' AND '.join(conditions)} ORDER BY id LIMIT ?", (*values, limit)
            )
            return tuple(map(rows.audit_event, found))

        return await self._database.scan(work)

    async def count(self, tenant: TenantId) -> int:
        """Return how many events there are."""

        def work(connection: sqlite3.Connection) -> int:
            row = connection.execute("SELECT COUNT(*) AS n FROM audit_event WHERE tenant = ?", (tenant,)).fetchone()
            return int(row["n"])

        return await self._database.scan(work)

    async def unsealed(self) -> tuple[TenantId, ...]:
        """Return the tenants with events that no seal covers."""

        def work(connection: sqlite3.Connection) -> tuple[TenantId, ...]:
            found = connection.execute(
                "SELECT t.id FROM tenant t WHERE (SELECT MAX(e.id) FROM audit_event e WHERE e.tenant = t.id) > "
                "COALESCE((SELECT s.last FROM audit_seal s WHERE s.tenant = t.id ORDER BY s.number DESC LIMIT 1), 0)"
            )
            return tuple(TenantId(row["id"]) for row in found)

        return await self._database.scan(work)

    async def newest_seal(self, tenant: TenantId) -> Seal | None:
        """Return the seal with the highest number."""

        def work(connection: sqlite3.Connection) -> Seal | None:
            row = connection.execute(
                "SELECT * FROM audit_seal WHERE tenant = ? ORDER BY number DESC LIMIT 1", (tenant,)
            ).fetchone()
            return None if row is None else rows.seal(row)

        return await self._database.scan(work)

    async def seals(self, tenant: TenantId, *, after: int, limit: int) -> tuple[Seal, ...]:
        """Return seals in order."""

        def work(connection: sqlite3.Connection) -> tuple[Seal, ...]:
            found = connection.execute(
                "SELECT * FROM audit_seal WHERE tenant = ? AND number > ? ORDER BY number LIMIT ?",
                (tenant, after, limit),
            )
            return tuple(map(rows.seal, found))

        return await self._database.scan(work)

    async def seal(self, seal: Seal) -> None:
        """Write a seal."""

        def work(connection: sqlite3.Connection) -> None:
            written = connection.execute(
                "INSERT INTO audit_seal (tenant, number, last, count, mark) VALUES (?, ?, ?, ?, ?) "
                "ON CONFLICT DO NOTHING",
                (seal.tenant, seal.number, seal.last, seal.count, seal.mark),
            )
            if not written.rowcount:
                raise Conflict(f"the trail has a seal {seal.number}")

        await self._database.write(work)
