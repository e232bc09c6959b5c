"""Tenants, keys, knowledge bases and the audit trail on SQLite."""

from __future__ import annotations

import builtins
import json
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from atoll.adapters.sqlite import rows
from atoll.adapters.sqlite.database import NOW, Database
from atoll.adapters.sqlite.transitions import audit, hide, remove_empty_kb
from atoll.domain.ids import KbUid, KeyId, TenantId, new_uid
from atoll.domain.knowledge_base import KnowledgeBase
from atoll.domain.principal import LAST_OWNER, Actor, ApiKey, AuditEvent
from atoll.errors import Conflict, NotFound

_KB = (
    "SELECT kb.*, (SELECT COUNT(*) FROM document d WHERE d.kb = kb.uid AND d.deleted_at IS NULL) AS documents, "
    "(SELECT COALESCE(SUM(d.bytes), 0) FROM document d WHERE d.kb = kb.uid AND d.deleted_at IS NULL) AS bytes "
    "FROM kb WHERE kb.deleted_at IS NULL AND kb.tenant = ?"
)


#: Keys that may do everything in a tenant and hold now.
_OWNERS = (
    "SELECT id FROM api_key WHERE tenant = ? AND role = 'owner' AND kbs IS NULL AND labels IS NULL "
    f"AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > {NOW})"
)


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

    async def create(self, key: ApiKey, actor: Actor) -> None:
        """Write a new key."""

        def work(connection: sqlite3.Connection) -> None:
            connection.execute(
                "INSERT INTO api_key (id, tenant, name, role, kbs, labels, hash, created_at, expires_at) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    key.id,
                    key.tenant,
                    key.name,
                    key.role,
                    None if key.kbs is None else json.dumps(sorted(key.kbs)),
                    None if key.labels is None else json.dumps(sorted(key.labels)),
                    key.hash,
                    rows.milliseconds(key.created_at),
                    None if key.expires_at is None else rows.milliseconds(key.expires_at),
                ),
            )
            audit(connection, actor, tenant=key.tenant, action="key.created", subject=f"key {key.id}")

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
            owners = connection.execute(_OWNERS, (tenant,)).fetchall()
            if [row["id"] for row in owners] == [key]:
                raise Conflict(LAST_OWNER)
            row = connection.execute(
                f"UPDATE api_key SET revoked_at = COALESCE(revoked_at, {NOW}) WHERE id = ? AND tenant = ? RETURNING *",
                (key, tenant),
            ).fetchone()
            if row is None:
                raise NotFound(f"there is no key {key}")
            audit(connection, actor, tenant=tenant, action="key.revoked", subject=f"key {key}")
            return rows.api_key(row)

        return await self._database.write(work)

    async def touch(self, keys: Sequence[KeyId]) -> None:
        """Note that keys were used now."""
        await self._database.write(
            lambda connection: connection.executemany(
                f"UPDATE api_key SET last_used_at = {NOW} WHERE id = ?", [(key,) for key in keys]
            )
        )


class SqliteKnowledgeBases:
    """Port ``KnowledgeBases``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(
        self,
        tenant: TenantId,
        name: str,
        *,
        language: str,
        settings: Mapping[str, Any],
        quota: Mapping[str, int],
        actor: Actor,
    ) -> KnowledgeBase:
        """Create a knowledge base."""

        def work(connection: sqlite3.Connection) -> KnowledgeBase:
            taken = connection.execute(
                "SELECT 1 FROM kb WHERE tenant = ? AND name = ? AND deleted_at IS NULL", (tenant, name)
            ).fetchone()
            if taken:
                raise Conflict(f"a knowledge base named {name} is there already")
            connection.execute(
                "INSERT INTO kb (uid, tenant, name, language, settings, quota, created_at) "
                f"VALUES (?, ?, ?, ?, ?, ?, {NOW})",
                (new_uid(), tenant, name, language, json.dumps(settings), json.dumps(quota)),
            )
            audit(connection, actor, tenant=tenant, action="kb.created", subject=f"kb {name}")
            return _get(connection, tenant, name)

        return await self._database.write(work)

    async def locate(self, tenant: TenantId, name: str) -> KbUid:
        """Return a knowledge base's uid."""

        def work(connection: sqlite3.Connection) -> KbUid:
            row = connection.execute(
                "SELECT uid FROM kb WHERE tenant = ? AND name = ? AND deleted_at IS NULL", (tenant, name)
            ).fetchone()
            if row is None:
                raise NotFound(f"there is no knowledge base {name}")
            return KbUid(row["uid"])

        return await self._database.read(work)

    async def get(self, tenant: TenantId, name: str) -> KnowledgeBase:
        """Return a knowledge base."""
        return await self._database.read(lambda connection: _get(connection, tenant, name))

    async def list(self, tenant: TenantId) -> tuple[KnowledgeBase, ...]:
        """Return the tenant's knowledge bases."""

        def work(connection: sqlite3.Connection) -> tuple[KnowledgeBase, ...]:
            return tuple(map(rows.knowledge_base, connection.execute(f"{_KB} ORDER BY kb.name", (tenant,))))

        return await self._database.read(work)

    async def update(
        self,
        tenant: TenantId,
        name: str,
        *,
        settings: Mapping[str, Any] | None,
        quota: Mapping[str, int] | None,
        actor: Actor,
    ) -> KnowledgeBase:
        """Change settings or quota."""

        def work(connection: sqlite3.Connection) -> KnowledgeBase:
            known = _get(connection, tenant, name)
            connection.execute(
                "UPDATE kb SET settings = COALESCE(?, settings), quota = COALESCE(?, quota) WHERE uid = ?",
                (
                    None if settings is None else json.dumps(settings),
                    None if quota is None else json.dumps(quota),
                    known.uid,
                ),
            )
            audit(connection, actor, tenant=tenant, action="kb.updated", subject=f"kb {name}")
            return _get(connection, tenant, name)

        return await self._database.write(work)

    async def delete(self, tenant: TenantId, name: str, actor: Actor) -> None:
        """Hide the knowledge base and all its documents."""

        def work(connection: sqlite3.Connection) -> None:
            kb: KbUid = _get(connection, tenant, name).uid
            documents = connection.execute(
                "SELECT * FROM document WHERE kb = ? AND deleted_at IS NULL ORDER BY seq", (kb,)
            ).fetchall()
            for document in documents:
                hide(connection, document)
            row = connection.execute(
                f"UPDATE kb SET deleted_at = {NOW}, revision = revision + 1 WHERE uid = ? RETURNING revision", (kb,)
            ).fetchone()
            audit(connection, actor, tenant=tenant, action="kb.deleted", subject=f"kb {name}", revision=row["revision"])
            remove_empty_kb(connection, kb)

        await self._database.write(work)


class SqliteAudit:
    """Port ``Audit``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def record(
        self, tenant: TenantId, actor: Actor, *, action: str, subject: str, result: str, revision: int | None = None
    ) -> None:
        """Write an event of its own."""
        await self._database.write(
            lambda connection: audit(
                connection, actor, tenant=tenant, action=action, subject=subject, result=result, revision=revision
            )
        )

    async def page(
        self, tenant: TenantId, *, since: str | None, action: str | None, actor: str | None, after: int, limit: int
    ) -> tuple[AuditEvent, ...]:
        """Return events, oldest first; ``since`` is an RFC 3339 time."""
        conditions = ["tenant = ?", "id > ?"]
        values: builtins.list[object] = [tenant, after]
        if since is not None:
            conditions.append("at >= CAST((julianday(?) - 2440587.5) * 86400000.0 AS INTEGER)")
            values.append(since)
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


def _get(connection: sqlite3.Connection, tenant: TenantId, name: str) -> KnowledgeBase:
    row = connection.execute(f"{_KB} AND kb.name = ?", (tenant, name)).fetchone()
    if row is None:
        raise NotFound(f"there is no knowledge base {name}")
    return rows.knowledge_base(row)
