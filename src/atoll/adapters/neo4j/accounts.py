"""Tenants, keys, knowledge bases and the audit trail on Neo4j."""

from __future__ import annotations

import builtins
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from atoll.adapters.neo4j import rows
from atoll.adapters.neo4j.database import Database, Transaction
from atoll.adapters.neo4j.transitions import Event, audit, hide, lock_kb, remove_empty_kb
from atoll.domain.ids import DocumentUid, KbUid, KeyId, TenantId, new_uid
from atoll.domain.knowledge_base import KnowledgeBase
from atoll.domain.principal import LAST_OWNER, Actor, ApiKey, AuditEvent
from atoll.errors import Conflict, NotFound

KEY = "k {.id, .tenant, .name, .role, .kbs, .labels, .hash, .created_at, .expires_at, .last_used_at, .revoked_at}"
KB = (
    "k {.uid, .tenant, .name, .language, .revision, .documents, .passages, .bytes, .settings_json, .quota_json, "
    ".created_at}"
)
#: Documents of a knowledge base that are hidden in one transaction while it is deleted.
_HIDDEN_AT_ONCE = 50


# Keys that may do everything in a tenant and hold now. All of them are locked, so that of two that are revoked at once
# the second sees the first.
_OWNERS = (
    "MATCH (k:ApiKey {tenant: $tenant}) WHERE k.role = 'owner' AND k.kbs IS NULL AND k.labels IS NULL "
    "WITH k ORDER BY k.id SET k.locked = true "
    "WITH k WHERE k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > timestamp()) RETURN k.id AS id"
)


class Neo4jTenants:
    """Port ``Tenants``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def ensure(self, name: str) -> TenantId:
        """Return the tenant of that name."""

        async def work(transaction: Transaction) -> TenantId:
            record = await transaction.one(
                "MERGE (t:Tenant {name: $name}) ON CREATE SET t.id = $id, t.created_at = timestamp(), "
                "t.quota_json = '{}' RETURN t.id AS id",
                name=name,
                id=new_uid(),
            )
            assert record is not None, "MERGE returns what it finds or makes"
            return TenantId(record["id"])

        return await self._database.write(work)


class Neo4jKeys:
    """Port ``Keys``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, key: KeyId) -> ApiKey | None:
        """Return a key."""

        async def work(transaction: Transaction) -> ApiKey | None:
            record = await transaction.one(f"MATCH (k:ApiKey {{id: $id}}) RETURN {KEY} AS key", id=key)
            return None if record is None else rows.api_key(record["key"])

        return await self._database.read(work)

    async def create(self, key: ApiKey, actor: Actor) -> None:
        """Write a new key."""

        async def work(transaction: Transaction) -> None:
            number = await audit(transaction, key.tenant, Event(actor, "key.created", f"key {key.id}"))
            # Its number in the audit trail orders keys of one millisecond.
            await transaction.all(
                "CREATE (k:ApiKey {id: $id, tenant: $tenant}) SET k += $properties",
                id=key.id,
                tenant=key.tenant,
                properties={
                    "name": key.name,
                    "role": key.role,
                    "kbs": None if key.kbs is None else sorted(key.kbs),
                    "labels": None if key.labels is None else sorted(key.labels),
                    "hash": key.hash,
                    "created_at": rows.milliseconds(key.created_at),
                    "expires_at": None if key.expires_at is None else rows.milliseconds(key.expires_at),
                    "seq": number,
                },
            )

        await self._database.write(work)

    async def list(self, tenant: TenantId) -> tuple[ApiKey, ...]:
        """Return the tenant's keys."""

        async def work(transaction: Transaction) -> tuple[ApiKey, ...]:
            found = await transaction.all(
                f"MATCH (k:ApiKey {{tenant: $tenant}}) RETURN {KEY} AS key ORDER BY k.created_at, k.seq", tenant=tenant
            )
            return tuple(rows.api_key(record["key"]) for record in found)

        return await self._database.read(work)

    async def revoke(self, tenant: TenantId, key: KeyId, actor: Actor) -> ApiKey:
        """Revoke a key."""

        async def work(transaction: Transaction) -> ApiKey:
            owners = await transaction.all(_OWNERS, tenant=tenant)
            if [each["id"] for each in owners] == [key]:
                raise Conflict(LAST_OWNER)
            record = await transaction.one(
                "MATCH (k:ApiKey {id: $id, tenant: $tenant}) SET k.locked = true "
                f"WITH k SET k.revoked_at = coalesce(k.revoked_at, timestamp()) RETURN {KEY} AS key",
                id=key,
                tenant=tenant,
            )
            if record is None:
                raise NotFound(f"there is no key {key}")
            await audit(transaction, tenant, Event(actor, "key.revoked", f"key {key}"))
            return rows.api_key(record["key"])

        return await self._database.write(work)

    async def touch(self, keys: Sequence[KeyId]) -> None:
        """Note that keys were used now."""

        async def work(transaction: Transaction) -> None:
            await transaction.all(
                "UNWIND $ids AS id MATCH (k:ApiKey {id: id}) SET k.last_used_at = timestamp()", ids=sorted(keys)
            )

        await self._database.write(work)


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
            # The constraint on (tenant, live_name) keeps two creators apart.
            record = await transaction.one(
                "MERGE (k:Kb {tenant: $tenant, live_name: $name}) ON CREATE SET k.uid = $uid, k.name = $name, "
                "k.language = $language, k.settings_json = $settings, k.quota_json = $quota, k.revision = 0, "
                "k.passages = 0, k.documents = 0, k.bytes = 0, k.accepted = 0, k.created_at = timestamp() "
                f"RETURN {KB} AS kb",
                tenant=tenant,
                name=name,
                uid=uid,
                language=language,
                settings=json.dumps(dict(settings)),
                quota=json.dumps(dict(quota)),
            )
            assert record is not None, "MERGE returns what it finds or makes"
            if record["kb"]["uid"] != uid:
                raise Conflict(f"a knowledge base named {name} is there already")
            await transaction.all("CREATE (:Changes {kb: $kb, value: 0})", kb=uid)
            await audit(transaction, tenant, Event(actor, "kb.created", f"kb {name}"))
            return rows.knowledge_base(record["kb"])

        return await self._database.write(work)

    async def locate(self, tenant: TenantId, name: str) -> KbUid:
        """Return a knowledge base's uid."""

        async def work(transaction: Transaction) -> KbUid:
            record = await transaction.one(
                "MATCH (k:Kb {tenant: $tenant, live_name: $name}) RETURN k.uid AS uid", tenant=tenant, name=name
            )
            if record is None:
                raise NotFound(f"there is no knowledge base {name}")
            return KbUid(record["uid"])

        return await self._database.read(work)

    async def get(self, tenant: TenantId, name: str) -> KnowledgeBase:
        """Return a knowledge base."""

        async def work(transaction: Transaction) -> KnowledgeBase:
            return await _get(transaction, tenant, name)

        return await self._database.read(work)

    async def list(self, tenant: TenantId) -> tuple[KnowledgeBase, ...]:
        """Return the tenant's knowledge bases."""

        async def work(transaction: Transaction) -> tuple[KnowledgeBase, ...]:
            found = await transaction.all(
                "MATCH (k:Kb {tenant: $tenant}) WHERE k.live_name IS NOT NULL "
                f"RETURN {KB} AS kb ORDER BY k.live_name",
                tenant=tenant,
            )
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
                "MATCH (k:Kb {uid: $kb}) SET k.settings_json = coalesce($settings, k.settings_json), "
                "k.quota_json = coalesce($quota, k.quota_json)",
                kb=known.uid,
                settings=None if settings is None else json.dumps(dict(settings)),
                quota=None if quota is None else json.dumps(dict(quota)),
            )
            await audit(transaction, tenant, Event(actor, "kb.updated", f"kb {name}"))
            return await _get(transaction, tenant, name)

        return await self._database.write(work)

    async def delete(self, tenant: TenantId, name: str, actor: Actor) -> None:
        """Hide the knowledge base and all its documents.

        Documents go first, some in each transaction, so that memory does not grow with their number; the last
        transaction hides those that came meanwhile together with the knowledge base.
        """
        uid = await self.locate(tenant, name)
        while await self._database.write(lambda transaction: _hide_some(transaction, uid)) == _HIDDEN_AT_ONCE:
            pass

        async def work(transaction: Transaction) -> bool:
            kb = await lock_kb(transaction, uid)
            if kb is None or kb.get("live_name") is None:
                raise NotFound(f"there is no knowledge base {name}")
            if await _hide_some(transaction, uid) == _HIDDEN_AT_ONCE:
                return False
            record = await transaction.one(
                "MATCH (k:Kb {uid: $kb}) SET k.deleted_at = timestamp(), k.live_name = null, "
                "k.revision = k.revision + 1 RETURN k.revision AS revision",
                kb=uid,
            )
            assert record is not None, "the knowledge base is locked, so that it is there"
            await audit(transaction, tenant, Event(actor, "kb.deleted", f"kb {name}", revision=int(record["revision"])))
            await remove_empty_kb(transaction, uid)
            return True

        while not await self._database.write(work):
            pass


class Neo4jAudit:
    """Port ``Audit``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def record(
        self, tenant: TenantId, actor: Actor, *, action: str, subject: str, result: str, revision: int | None = None
    ) -> None:
        """Write an event of its own."""

        async def work(transaction: Transaction) -> None:
            await audit(transaction, tenant, Event(actor, action, subject, result, revision))

        await self._database.write(work)

    async def page(
        self, tenant: TenantId, *, since: str | None, action: str | None, actor: str | None, after: int, limit: int
    ) -> tuple[AuditEvent, ...]:
        """Return events, oldest first; ``since`` is an RFC 3339 time."""
        values: dict[str, object] = {"tenant": tenant, "after": after, "limit": limit}
        conditions = ["e.id > $after"]
        if since is not None:
            conditions.append("e.at >= $since")
            values["since"] = rows.milliseconds(datetime.fromisoformat(since))
        for name, wanted in (("action", action), ("actor", actor)):
            if wanted is not None:
                conditions.append(f"e.{name} = ${name}")
                values[name] = wanted

        async def work(transaction: Transaction) -> tuple[AuditEvent, ...]:
            found = await transaction.all(
                f"MATCH (e:AuditEvent {{tenant: $tenant}}) WHERE {' AND '.join(conditions)} "
                "RETURN e {.id, .tenant, .at, .actor, .action, .object, .result, .request_id, .revision} AS event "
                "ORDER BY e.id LIMIT $limit",
                **values,
            )
            return tuple(rows.audit_event(record["event"]) for record in found)

        return await self._database.read(work)


async def _get(transaction: Transaction, tenant: TenantId, name: str) -> KnowledgeBase:
    record = await transaction.one(
        f"MATCH (k:Kb {{tenant: $tenant, live_name: $name}}) RETURN {KB} AS kb", tenant=tenant, name=name
    )
    if record is None:
        raise NotFound(f"there is no knowledge base {name}")
    return rows.knowledge_base(record["kb"])


async def _hide_some(transaction: Transaction, kb: KbUid) -> int:
    """Hide the oldest documents; return how many."""
    chosen = await transaction.one(
        "MATCH (d:Document {kb: $kb}) WHERE d.live_bytes IS NOT NULL WITH d.uid AS uid, d.seq AS seq "
        "ORDER BY seq LIMIT $limit RETURN collect(uid) AS uids",
        kb=kb,
        limit=_HIDDEN_AT_ONCE,
    )
    assert chosen is not None, "an aggregation returns one record"
    if not chosen["uids"]:
        return 0
    await transaction.all(
        "UNWIND $documents AS uid MATCH (s:Stage {document: uid, kb: $kb}) WITH s ORDER BY s.document, s.position "
        "SET s.token = s.token + 1, s.owner = null",
        kb=kb,
        documents=chosen["uids"],
    )
    await lock_kb(transaction, kb)
    alive: dict[bool, builtins.list[DocumentUid]] = {True: [], False: []}
    for record in await transaction.all(
        "UNWIND $documents AS uid MATCH (d:Document {uid: uid, kb: $kb}) WHERE d.deleted_at IS NULL "
        "RETURN d.uid AS uid, d.visible AS visible",
        kb=kb,
        documents=chosen["uids"],
    ):
        alive[record["visible"]].append(DocumentUid(record["uid"]))
    for visible, documents in alive.items():
        if documents:
            await hide(transaction, kb, documents, visible=visible)
    return len(chosen["uids"])
