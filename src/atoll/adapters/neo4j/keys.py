"""API keys on Neo4j."""

from __future__ import annotations

from collections.abc import Sequence

from atoll.adapters.neo4j.database import Database, Transaction
from atoll.adapters.neo4j.statements import load
from atoll.adapters.neo4j.transitions import audit
from atoll.domain.ids import KeyId, TenantId
from atoll.domain.principal import Actor, ApiKey, Bearer
from atoll.errors import NotFound
from atoll.records import events
from atoll.records.owners import Owner, check_change, check_revocation
from atoll.records.rows import accounts as rows

_FIND_KEY, _BEARER, _CREATE_KEY, _LIST_KEYS, _REVOKE_KEY, _TOUCH_KEYS, _OWNERS, _LOCK_KEY, _CHANGE_KEY = load(
    "keys",
    "find_key",
    "bearer",
    "create_key",
    "list_keys",
    "revoke_key",
    "touch_keys",
    "owners",
    "lock_key",
    "change_key",
)


class Neo4jKeys:
    """Port ``Keys``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, key: KeyId) -> ApiKey | None:
        """Return a key."""

        async def work(transaction: Transaction) -> ApiKey | None:
            record = await transaction.one(_FIND_KEY, id=key)
            return None if record is None else rows.api_key(record["key"])

        return await self._database.read(work)

    async def bearer(self, key: KeyId) -> Bearer | None:
        """Return a key with what its tenant says."""

        async def work(transaction: Transaction) -> Bearer | None:
            record = await transaction.one(_BEARER, id=key)
            return None if record is None else rows.bearer(record, record["key"])

        return await self._database.read(work)

    async def create(self, key: ApiKey, actor: Actor) -> None:
        """Write a new key."""

        async def work(transaction: Transaction) -> None:
            number = await audit(transaction, key.tenant, events.key_created(actor, key.id))
            # Its number in the audit trail orders keys of one millisecond.
            await transaction.all(_CREATE_KEY, values={**rows.key_values(key), "seq": number})

        await self._database.write(work)

    async def list(self, tenant: TenantId) -> tuple[ApiKey, ...]:
        """Return the tenant's keys."""

        async def work(transaction: Transaction) -> tuple[ApiKey, ...]:
            found = await transaction.all(_LIST_KEYS, tenant=tenant)
            return tuple(rows.api_key(record["key"]) for record in found)

        return await self._database.read(work)

    async def revoke(self, tenant: TenantId, key: KeyId, actor: Actor) -> ApiKey:
        """Revoke a key."""

        async def work(transaction: Transaction) -> ApiKey:
            check_revocation(key, await _owners(transaction, tenant))
            record = await transaction.one(_REVOKE_KEY, id=key, tenant=tenant)
            if record is None:
                raise NotFound(f"there is no key {key}")
            await audit(transaction, tenant, events.key_revoked(actor, key))
            return rows.api_key(record["key"])

        return await self._database.write(work)

    async def change(self, before: ApiKey, after: ApiKey, actor: Actor) -> ApiKey:
        """Write what a person may change of a key."""

        async def work(transaction: Transaction) -> ApiKey:
            tenant = before.tenant
            owners = await _owners(transaction, tenant)
            record = await transaction.one(_LOCK_KEY, id=before.id, tenant=tenant)
            check_change(None if record is None else rows.api_key(record["key"]), before, after, owners)
            values = rows.key_values(after)
            changes = {name: values[name] for name in ("name", "role", "kbs", "labels", "expires_at")}
            changed = await transaction.one(_CHANGE_KEY, id=before.id, tenant=tenant, changes=changes)
            assert changed is not None, "the key is locked, so that it is there"
            await audit(transaction, tenant, events.key_changed(actor, before.id))
            return rows.api_key(changed["key"])

        return await self._database.write(work)

    async def touch(self, keys: Sequence[KeyId]) -> None:
        """Note that keys were used now."""

        async def work(transaction: Transaction) -> None:
            await transaction.all(_TOUCH_KEYS, ids=sorted(keys))

        await self._database.write(work)


async def _owners(transaction: Transaction, tenant: TenantId) -> list[Owner]:
    found = await transaction.all(_OWNERS, tenant=tenant)
    return [Owner(record["id"], record["is_lasting"]) for record in found]
