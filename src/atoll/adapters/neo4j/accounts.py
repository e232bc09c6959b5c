"""Knowledge bases on Neo4j."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from atoll.adapters.neo4j.database import Database, Transaction
from atoll.adapters.neo4j.ending import hide_documents
from atoll.adapters.neo4j.statements import load
from atoll.adapters.neo4j.transitions import audit, lock_kb, remove_empty_kb
from atoll.domain.ids import TenantId, new_uid
from atoll.domain.knowledge_base import KnowledgeBase, Located
from atoll.domain.principal import Actor
from atoll.errors import Conflict, NotFound
from atoll.records import events
from atoll.records.rows import accounts as rows

_CREATE_KB, _CREATE_CHANGES, _LOCATE_KB, _GET_KB, _LIST_KBS, _UPDATE_KB, _END_KB = load(
    "accounts", "create_kb", "create_changes", "locate_kb", "get_kb", "list_kbs", "update_kb", "end_kb"
)


class Neo4jKnowledgeBases:
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

        async def work(transaction: Transaction) -> KnowledgeBase:
            uid = new_uid()
            record = await transaction.one(
                _CREATE_KB,
                tenant=tenant,
                name=name,
                uid=uid,
                language=language,
                settings=json.dumps(dict(settings)),
                quota=json.dumps(dict(quota)),
            )
            assert record is not None, "it finds or makes one"
            if record["kb"]["uid"] != uid:
                raise Conflict(f"a knowledge base named {name} is there already")
            await transaction.all(_CREATE_CHANGES, kb=uid)
            await audit(transaction, tenant, events.kb_created(actor, name))
            return rows.knowledge_base(record["kb"])

        return await self._database.write(work)

    async def locate(self, tenant: TenantId, name: str) -> Located:
        """Return where a name leads."""

        async def work(transaction: Transaction) -> Located:
            record = await transaction.one(_LOCATE_KB, tenant=tenant, name=name)
            if record is None:
                raise NotFound(f"there is no knowledge base {name}")
            return rows.located(record)

        return await self._database.read(work)

    async def get(self, tenant: TenantId, name: str) -> KnowledgeBase:
        """Return a knowledge base."""

        async def work(transaction: Transaction) -> KnowledgeBase:
            return await _get(transaction, tenant, name)

        return await self._database.read(work)

    async def list(self, tenant: TenantId) -> tuple[KnowledgeBase, ...]:
        """Return the tenant's knowledge bases."""

        async def work(transaction: Transaction) -> tuple[KnowledgeBase, ...]:
            found = await transaction.all(_LIST_KBS, tenant=tenant)
            return tuple(rows.knowledge_base(record["kb"]) for record in found)

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

        async def work(transaction: Transaction) -> KnowledgeBase:
            known = await _get(transaction, tenant, name)
            await transaction.all(
                _UPDATE_KB,
                kb=known.uid,
                settings=None if settings is None else json.dumps(dict(settings)),
                quota=None if quota is None else json.dumps(dict(quota)),
            )
            await audit(transaction, tenant, events.kb_updated(actor, name))
            return await _get(transaction, tenant, name)

        return await self._database.write(work)

    async def delete(self, tenant: TenantId, name: str, actor: Actor) -> None:
        """End the knowledge base, then hide its documents."""
        uid = (await self.locate(tenant, name)).uid

        async def end(transaction: Transaction) -> None:
            kb = await lock_kb(transaction, uid)
            if kb is None or kb.get("live_name") is None:
                raise NotFound(f"there is no knowledge base {name}")
            record = await transaction.one(_END_KB, kb=uid)
            assert record is not None, "the knowledge base is locked, so that it is there"
            await audit(transaction, tenant, events.kb_deleted(actor, name, int(record["revision"])))
            await remove_empty_kb(transaction, uid)

        await self._database.write(end)
        await hide_documents(self._database, uid)


async def _get(transaction: Transaction, tenant: TenantId, name: str) -> KnowledgeBase:
    record = await transaction.one(_GET_KB, tenant=tenant, name=name)
    if record is None:
        raise NotFound(f"there is no knowledge base {name}")
    return rows.knowledge_base(record["kb"])
