"""API keys on SQLite."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence

from atoll.adapters.sqlite import columns
from atoll.adapters.sqlite.database import NOW, Database
from atoll.adapters.sqlite.transitions import audit
from atoll.domain.ids import KeyId, TenantId
from atoll.domain.principal import Actor, ApiKey, Bearer
from atoll.errors import NotFound
from atoll.records import events
from atoll.records.owners import Owner, check_change, check_revocation
from atoll.records.rows import accounts as rows

#: Keys that may do everything in a tenant and hold now.
_OWNERS = (
    "SELECT id, expires_at IS NULL AS is_lasting FROM api_key "
    "WHERE tenant = ? AND role = 'owner' AND kbs IS NULL AND labels IS NULL "
    f"AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > {NOW})"
)


class SqliteKeys:
    """Port ``Keys``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, key: KeyId) -> ApiKey | None:
        """Return a key."""

        def work(connection: sqlite3.Connection) -> ApiKey | None:
            row = connection.execute("SELECT * FROM api_key WHERE id = ?", (key,)).fetchone()
            return None if row is None else rows.api_key(row)

        return await self._database.read(work)

    async def bearer(self, key: KeyId) -> Bearer | None:
        """Return a key with what its tenant says."""

        def work(connection: sqlite3.Connection) -> Bearer | None:
            row = connection.execute(
                "SELECT k.*, t.name AS tenant_name, t.suspended_at IS NOT NULL AS is_suspended "
                "FROM api_key k JOIN tenant t ON t.id = k.tenant WHERE k.id = ?",
                (key,),
            ).fetchone()
            return None if row is None else rows.bearer(row, row)

        return await self._database.read(work)

    async def create(self, key: ApiKey, actor: Actor) -> None:
        """Write a new key."""

        def work(connection: sqlite3.Connection) -> None:
            columns.insert(connection, "api_key", rows.key_values(key))
            audit(connection, key.tenant, events.key_created(actor, key.id))

        await self._database.write(work)

    async def list(self, tenant: TenantId) -> tuple[ApiKey, ...]:
        """Return the tenant's keys."""

        def work(connection: sqlite3.Connection) -> tuple[ApiKey, ...]:
            found = connection.execute("SELECT * FROM api_key WHERE tenant = ? ORDER BY created_at, rowid", (tenant,))
            return tuple(map(rows.api_key, found))

        return await self._database.read(work)

    async def revoke(self, tenant: TenantId, key: KeyId, actor: Actor) -> ApiKey:
        """Revoke a key."""

        def work(connection: sqlite3.Connection) -> ApiKey:
            check_revocation(key, _owners(connection, tenant))
            row = connection.execute(
                f"UPDATE api_key SET revoked_at = COALESCE(revoked_at, {NOW}) WHERE id = ? AND tenant = ? RETURNING *",
                (key, tenant),
            ).fetchone()
            if row is None:
                raise NotFound(f"there is no key {key}")
            audit(connection, tenant, events.key_revoked(actor, key))
            return rows.api_key(row)

        return await self._database.write(work)

    async def change(self, before: ApiKey, after: ApiKey, actor: Actor) -> ApiKey:
        """Write what a person may change of a key."""

        def work(connection: sqlite3.Connection) -> ApiKey:
            tenant = before.tenant
            row = connection.execute(
                "SELECT * FROM api_key WHERE id = ? AND tenant = ?", (before.id, tenant)
            ).fetchone()
            stored = None if row is None else rows.api_key(row)
            check_change(stored, before, after, _owners(connection, tenant))
            values = rows.key_values(after)
            changed = connection.execute(
                "UPDATE api_key SET name = ?, role = ?, kbs = ?, labels = ?, expires_at = ? "
                "WHERE id = ? AND tenant = ? RETURNING *",
                (
                    *(values["name"], values["role"], _listed(values["kbs"]), _listed(values["labels"])),
                    *(values["expires_at"], before.id, tenant),
                ),
            ).fetchone()
            audit(connection, tenant, events.key_changed(actor, before.id))
            return rows.api_key(changed)

        return await self._database.write(work)

    async def touch(self, keys: Sequence[KeyId]) -> None:
        """Note that keys were used now."""
        await self._database.write(
            lambda connection: connection.executemany(
                f"UPDATE api_key SET last_used_at = {NOW} WHERE id = ?", [(key,) for key in keys]
            )
        )


def _listed(value: object) -> object:
    return json.dumps(value) if isinstance(value, list) else value


def _owners(connection: sqlite3.Connection, tenant: TenantId) -> list[Owner]:
    return [Owner(row["id"], bool(row["is_lasting"])) for row in connection.execute(_OWNERS, (tenant,))]
