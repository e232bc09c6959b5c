"""Tenants on Neo4j."""

from __future__ import annotations

import json
from collections.abc import Mapping

from atoll.adapters.neo4j.database import Database, Transaction
from atoll.adapters.neo4j.statements import load
from atoll.adapters.neo4j.transitions import audit
from atoll.domain.ids import TenantId, new_uid
from atoll.domain.principal import Actor, ApiKey, Event
from atoll.domain.tenant import INSTALLATION, Tenant
from atoll.errors import Conflict, NotFound
from atoll.records import events
from atoll.records.rows import accounts as rows

_ENSURE, _CREATE, _FIRST_KEY, _GET, _LIST, _SET_QUOTA, _SUSPEND = load(
    "tenants",
    "ensure_tenant",
    "create_tenant",
    "first_key",
    "get_tenant",
    "list_tenants",
    "set_quota",
    "suspend_tenant",
)


class Neo4jTenants:
    """Port ``Tenants``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def ensure(self, name: str) -> TenantId:
        """Return the tenant of that name."""

        async def work(transaction: Transaction) -> TenantId:
            record = await transaction.one(_ENSURE, name=name, id=new_uid())
            assert record is not None, "it finds or makes one"
            return TenantId(record["id"])

        return await self._database.write(work)

    async def create(self, tenant: Tenant, owner: ApiKey, *, by: TenantId, actor: Actor) -> Tenant:
        """Write a tenant with its first key."""

        async def work(transaction: Transaction) -> Tenant:
            record = await transaction.one(_CREATE, name=tenant.name, values=rows.tenant_values(tenant))
            assert record is not None, "it finds or makes one"
            if record["tenant"]["id"] != tenant.id:
                raise Conflict(f"a tenant named {tenant.name} is there already")
            await _tell(transaction, by, tenant.id, events.tenant_created(actor, tenant.name))
            number = await audit(transaction, tenant.id, events.key_created(actor, owner.id))
            # Its number in the audit trail orders keys of one millisecond.
            await transaction.all(_FIRST_KEY, values={**rows.key_values(owner), "seq": number})
            return rows.tenant(record["tenant"])

        return await self._database.write(work)

    async def get(self, name: str) -> Tenant:
        """Return a tenant."""

        async def work(transaction: Transaction) -> Tenant:
            return await _get(transaction, name)

        return await self._database.read(work)

    async def list(self) -> tuple[Tenant, ...]:
        """Return all tenants by name."""

        async def work(transaction: Transaction) -> tuple[Tenant, ...]:
            found = await transaction.all(_LIST, own=INSTALLATION)
            return tuple(rows.tenant(record["tenant"]) for record in found)

        return await self._database.read(work)

    async def set_quota(self, name: str, quota: Mapping[str, int], *, by: TenantId, actor: Actor) -> Tenant:
        """Change a tenant's quota."""

        async def work(transaction: Transaction) -> Tenant:
            known = await _get(transaction, name)
            record = await transaction.one(_SET_QUOTA, id=known.id, quota=json.dumps(dict(quota)))
            assert record is not None, "tenants are never removed"
            await _tell(transaction, by, known.id, events.tenant_changed(actor, name))
            return rows.tenant(record["tenant"])

        return await self._database.write(work)

    async def suspend(self, name: str, *, suspended: bool, by: TenantId, actor: Actor) -> Tenant:
        """Keep a tenant's keys out, or let them in again."""

        async def work(transaction: Transaction) -> Tenant:
            known = await _get(transaction, name)
            if (known.suspended_at is not None) == suspended:
                return known
            record = await transaction.one(_SUSPEND, id=known.id, suspended=suspended)
            assert record is not None, "tenants are never removed"
            event = events.tenant_suspended if suspended else events.tenant_resumed
            await _tell(transaction, by, known.id, event(actor, name))
            return rows.tenant(record["tenant"])

        return await self._database.write(work)


async def _get(transaction: Transaction, name: str) -> Tenant:
    record = await transaction.one(_GET, name=name, own=INSTALLATION)
    if record is None:
        raise NotFound(f"there is no tenant {name}")
    return rows.tenant(record["tenant"])


async def _tell(transaction: Transaction, by: TenantId, tenant: TenantId, event: Event) -> None:
    """Write an event into the trail of the admin's tenant and of the tenant itself."""
    for each in (by, tenant):
        await audit(transaction, each, event)
