"""The audit trail and its seals on Neo4j."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

from atoll.adapters.neo4j.database import Database, Transaction
from atoll.adapters.neo4j.statements import load
from atoll.adapters.neo4j.transitions import audit
from atoll.domain.ids import TenantId
from atoll.domain.principal import AuditEvent, Event
from atoll.domain.seal import Seal
from atoll.errors import Conflict
from atoll.records.rows import accounts as rows
from atoll.records.rows.values import milliseconds

_PAGE_EVENTS, _COUNT, _UNSEALED, _NEWEST, _SEALS, _WRITE = load(
    "audit", "page_events", "count_events", "unsealed", "newest_seal", "seals", "write_seal"
)


class Neo4jAudit:
    """Port ``Audit``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def record(self, tenant: TenantId, event: Event) -> None:
        """Write an event of its own."""

        async def work(transaction: Transaction) -> None:
            await audit(transaction, tenant, event)

        await self._database.write(work)

    async def page(
        self, tenant: TenantId, *, since: datetime | None, action: str | None, actor: str | None, after: int, limit: int
    ) -> tuple[AuditEvent, ...]:
        """Return events, oldest first."""
        since_milliseconds = None if since is None else milliseconds(since)

        async def work(transaction: Transaction) -> tuple[AuditEvent, ...]:
            found = await transaction.all(
                _PAGE_EVENTS,
                tenant=tenant,
                after=after,
                since=since_milliseconds,
                action=action,
                actor=actor,
                limit=limit,
            )
            return tuple(rows.audit_event(record["event"]) for record in found)

        return await self._database.read(work)

    async def count(self, tenant: TenantId) -> int:
        """Return how many events there are."""

        async def work(transaction: Transaction) -> int:
            record = await transaction.one(_COUNT, tenant=tenant)
            assert record is not None, "an aggregation returns one record"
            return int(record["n"])

        return await self._database.read(work)

    async def unsealed(self) -> tuple[TenantId, ...]:
        """Return the tenants with events that no seal covers."""

        async def work(transaction: Transaction) -> tuple[TenantId, ...]:
            return tuple(TenantId(record["tenant"]) for record in await transaction.all(_UNSEALED))

        return await self._database.read(work)

    async def newest_seal(self, tenant: TenantId) -> Seal | None:
        """Return the seal with the highest number."""

        async def work(transaction: Transaction) -> Seal | None:
            record = await transaction.one(_NEWEST, tenant=tenant)
            return None if record is None else rows.seal(record["seal"])

        return await self._database.read(work)

    async def seals(self, tenant: TenantId, *, after: int, limit: int) -> tuple[Seal, ...]:
        """Return seals in order."""

        async def work(transaction: Transaction) -> tuple[Seal, ...]:
            found = await transaction.all(_SEALS, tenant=tenant, after=after, limit=limit)
            return tuple(rows.seal(record["seal"]) for record in found)

        return await self._database.read(work)

    async def seal(self, seal: Seal) -> None:
        """Write a seal."""

        async def work(transaction: Transaction) -> None:
            record = await transaction.one(_WRITE, **asdict(seal))
            if record is None or rows.seal(record["seal"]) != seal:
                raise Conflict(f"the trail has a seal {seal.number}")

        await self._database.write(work)
