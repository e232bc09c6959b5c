"""Knowledge bases on SQLite."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from typing import Any

from atoll.adapters.sqlite import columns
from atoll.adapters.sqlite.database import NOW, Database
from atoll.adapters.sqlite.ending import hide_documents
from atoll.adapters.sqlite.transitions import audit, remove_empty_kb
from atoll.domain.ids import KbUid, TenantId, new_uid
from atoll.domain.knowledge_base import KnowledgeBase, Located
from atoll.domain.principal import Actor
from atoll.errors import Conflict, NotFound
from atoll.records import events
from atoll.records.rows import accounts as rows

_KB = (
    f"SELECT {columns.KB}, ("
    "SELECT COUNT(*) FROM document d WHERE d.kb = kb.uid AND d.deleted_at IS NULL) AS documents, "
    "(SELECT COALESCE(SUM(d.bytes), 0) FROM document d WHERE d.kb = kb.uid AND d.deleted_at IS NULL) AS bytes "
    "FROM kb WHERE kb.deleted_at IS NULL AND kb.tenant = ?"
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
            audit(connection, tenant, events.kb_created(actor, name))
            return _get(connection, tenant, name)

        return await self._database.write(work)

    async def locate(self, tenant: TenantId, name: str) -> Located:
        """Return where a name leads."""

        def work(connection: sqlite3.Connection) -> Located:
            row = connection.execute(
                "SELECT kb.uid, kb.quota AS quota_json, tenant.quota AS tenant_quota_json "
                "FROM kb JOIN tenant ON tenant.id = kb.tenant "
                "WHERE kb.tenant = ? AND kb.name = ? AND kb.deleted_at IS NULL",
                (tenant, name),
            ).fetchone()
            if row is None:
                raise NotFound(f"there is no knowledge base {name}")
            return rows.located(row)

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
            audit(connection, tenant, events.kb_updated(actor, name))
            return _get(connection, tenant, name)

        return await self._database.write(work)

    async def delete(self, tenant: TenantId, name: str, actor: Actor) -> None:
        """End the knowledge base, then hide its documents."""

        def end(connection: sqlite3.Connection) -> KbUid:
            kb: KbUid = _get(connection, tenant, name).uid
            row = connection.execute(
                f"UPDATE kb SET deleted_at = {NOW}, revision = revision + 1 WHERE uid = ? RETURNING revision", (kb,)
            ).fetchone()
            audit(connection, tenant, events.kb_deleted(actor, name, row["revision"]))
            remove_empty_kb(connection, kb)
            return kb

        kb = await self._database.write(end)
        await hide_documents(self._database, kb)


def _get(connection: sqlite3.Connection, tenant: TenantId, name: str) -> KnowledgeBase:
    row = connection.execute(f"{_KB} AND kb.name = ?", (tenant, name)).fetchone()
    if row is None:
        raise NotFound(f"there is no knowledge base {name}")
    return rows.knowledge_base(row)
