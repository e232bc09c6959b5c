"""Tenants on SQLite."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping

from atoll.adapters.sqlite import columns
from atoll.adapters.sqlite.database import NOW, Database
from atoll.adapters.sqlite.transitions import audit
from atoll.domain.ids import TenantId, new_uid
from atoll.domain.principal import Actor, ApiKey, Event
from atoll.domain.tenant import INSTALLATION, Tenant
from atoll.errors import Conflict, NotFound
from atoll.records import events
from atoll.records.rows import accounts as rows

_TENANT = "SELECT id, name, quota AS quota_json, created_at, suspended_at FROM tenant"


class SqliteTenants:
    """Port ``Tenants``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def ensure(self, name: str) -> TenantId:
        """Return the tenant of that name."""

        def work(connection: sqlite3.Connection) -> TenantId:
            connection.execute(
                f"INSERT INTO tenant (id, name, created_at) VALUES (?, ?, {NOW}) ON CONFLICT (name) DO NOTHING",
                (new_uid(), name),
            )
            row = connection.execute("SELECT id FROM tenant WHERE name = ?", (name,)).fetchone()
            return TenantId(row["id"])

        return await self._database.write(work)

    async def create(self, tenant: Tenant, owner: ApiKey, *, by: TenantId, actor: Actor) -> Tenant:
        """Write a tenant with its first key."""

        def work(connection: sqlite3.Connection) -> Tenant:
            if connection.execute("SELECT 1 FROM tenant WHERE name = ?", (tenant.name,)).fetchone():
                raise Conflict(f"a tenant named {tenant.name} is there already")
            columns.insert(connection, "tenant", rows.tenant_values(tenant))
            columns.insert(connection, "api_key", rows.key_values(owner))
            _tell(connection, by, tenant.id, events.tenant_created(actor, tenant.name))
            audit(connection, tenant.id, events.key_created(actor, owner.id))
            return _get(connection, tenant.name)

        return await self._database.write(work)

    async def get(self, name: str) -> Tenant:
        """Return a tenant."""
        return await self._database.read(lambda connection: _get(connection, name))

    async def list(self) -> tuple[Tenant, ...]:
        """Return all tenants by name."""

        def work(connection: sqlite3.Connection) -> tuple[Tenant, ...]:
            return tuple(
                map(rows.tenant, connection.execute(f"{_TENANT} WHERE name <> ? ORDER BY name", (INSTALLATION,)))
            )

        return await self._database.scan(work)

    async def set_quota(self, name: str, quota: Mapping[str, int], *, by: TenantId, actor: Actor) -> Tenant:
        """Change a tenant's quota."""

        def work(connection: sqlite3.Connection) -> Tenant:
            known = _get(connection, name)
            connection.execute("UPDATE tenant SET quota = ? WHERE id = ?", (json.dumps(dict(quota)), known.id))
            _tell(connection, by, known.id, events.tenant_changed(actor, name))
            return _get(connection, name)

        return await self._database.write(work)

    async def suspend(self, name: str, *, suspended: bool, by: TenantId, actor: Actor) -> Tenant:
        """Keep a tenant's keys out, or let them in again."""

        def work(connection: sqlite3.Connection) -> Tenant:
            known = _get(connection, name)
            if (known.suspended_at is not None) == suspended:
                return known
            connection.execute(
                f"UPDATE tenant SET suspended_at = IIF(?, {NOW}, NULL) WHERE id = ?", (suspended, known.id)
            )
            event = events.tenant_suspended if suspended else events.tenant_resumed
            _tell(connection, by, known.id, event(actor, name))
            return _get(connection, name)

        return await self._database.write(work)


def _get(connection: sqlite3.Connection, name: str) -> Tenant:
    row = connection.execute(f"{_TENANT} WHERE name = ? AND name <> ?", (name, INSTALLATION)).fetchone()
    if row is None:
        raise NotFound(f"there is no tenant {name}")
    return rows.tenant(row)


def _tell(connection: sqlite3.Connection, by: TenantId, tenant: TenantId, event: Event) -> None:
    """Write an event into the trail of the admin's tenant and of the tenant itself."""
    for each in (by, tenant):
        audit(connection, each, event)
