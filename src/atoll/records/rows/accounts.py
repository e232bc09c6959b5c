"""Tenants, keys, knowledge bases and audit events as both stores keep them."""

from __future__ import annotations

import json
from dataclasses import asdict

from atoll.domain.ids import KbUid, KeyId, TenantId
from atoll.domain.knowledge_base import KnowledgeBase, Located
from atoll.domain.principal import ApiKey, AuditEvent, Bearer, Role
from atoll.domain.seal import Seal
from atoll.domain.tenant import Tenant
from atoll.ports.archive import KbRecord
from atoll.records.quota import limits_queries
from atoll.records.rows.values import Row, instant, milliseconds, milliseconds_or_none, moment, texts


def tenant(row: Row) -> Tenant:
    """Build a tenant."""
    return Tenant(
        id=TenantId(row["id"]),
        name=row["name"],
        quota=json.loads(row["quota_json"]),
        created_at=instant(row["created_at"]),
        suspended_at=moment(row["suspended_at"]),
    )


def tenant_values(tenant: Tenant) -> dict[str, object]:
    """Return what is kept of a tenant."""
    return {
        "id": tenant.id,
        "name": tenant.name,
        "quota_json": json.dumps(dict(tenant.quota)),
        "created_at": milliseconds(tenant.created_at),
        "suspended_at": milliseconds_or_none(tenant.suspended_at),
    }


def kb_record(row: Row) -> KbRecord:
    """Build a knowledge base as a backup holds it."""
    return KbRecord(
        uid=KbUid(row["uid"]),
        tenant=TenantId(row["tenant"]),
        name=row["name"],
        language=row["language"],
        revision=row["revision"],
        passages=row["passages"],
        settings=json.loads(row["settings_json"]),
        quota=json.loads(row["quota_json"]),
        created_at=instant(row["created_at"]),
    )


def kb_values(kb: KbRecord) -> dict[str, object]:
    """Return what is kept of a knowledge base."""
    return {
        "uid": kb.uid,
        "tenant": kb.tenant,
        "name": kb.name,
        "language": kb.language,
        "revision": kb.revision,
        "passages": kb.passages,
        "settings_json": json.dumps(dict(kb.settings)),
        "quota_json": json.dumps(dict(kb.quota)),
        "created_at": milliseconds(kb.created_at),
    }


def knowledge_base(row: Row) -> KnowledgeBase:
    """Build a knowledge base with its counts."""
    return KnowledgeBase(
        uid=KbUid(row["uid"]),
        tenant=TenantId(row["tenant"]),
        name=row["name"],
        language=row["language"],
        revision=row["revision"],
        documents=row["documents"],
        passages=row["passages"],
        bytes=row["bytes"],
        settings=json.loads(row["settings_json"]),
        quota=json.loads(row["quota_json"]),
        created_at=instant(row["created_at"]),
    )


def located(row: Row) -> Located:
    """Build where a name leads."""
    return Located(
        KbUid(row["uid"]), limits_queries(*(json.loads(row[f"{whose}quota_json"]) for whose in ("", "tenant_")))
    )


def api_key(row: Row) -> ApiKey:
    """Build a key."""
    return ApiKey(
        id=KeyId(row["id"]),
        tenant=TenantId(row["tenant"]),
        name=row["name"],
        role=Role(row["role"]),
        kbs=None if row["kbs"] is None else frozenset(map(KbUid, texts(row["kbs"]))),
        labels=None if row["labels"] is None else frozenset(texts(row["labels"])),
        hash=row["hash"],
        created_at=instant(row["created_at"]),
        expires_at=moment(row["expires_at"]),
        last_used_at=moment(row["last_used_at"]),
        revoked_at=moment(row["revoked_at"]),
    )


def bearer(row: Row, key: Row) -> Bearer:
    """Build a key with what its tenant has to say about it."""
    return Bearer(api_key(key), row["tenant_name"], bool(row["is_suspended"]))


def key_values(key: ApiKey) -> dict[str, object]:
    """Return what is kept of a key."""
    return {
        "id": key.id,
        "tenant": key.tenant,
        "name": key.name,
        "role": key.role,
        "kbs": None if key.kbs is None else sorted(key.kbs),
        "labels": None if key.labels is None else sorted(key.labels),
        "hash": key.hash,
        "created_at": milliseconds(key.created_at),
        "expires_at": milliseconds_or_none(key.expires_at),
        "last_used_at": milliseconds_or_none(key.last_used_at),
        "revoked_at": milliseconds_or_none(key.revoked_at),
    }


def audit_event(row: Row) -> AuditEvent:
    """Build an audit event."""
    return AuditEvent(
        id=row["id"],
        tenant=TenantId(row["tenant"]),
        at=instant(row["at"]),
        actor=row["actor"],
        action=row["action"],
        object=row["object"],
        result=row["result"],
        request_id=row["request_id"],
        revision=row["revision"],
    )


def seal(row: Row) -> Seal:
    """Build a seal of the audit trail."""
    return Seal(TenantId(row["tenant"]), row["number"], row["last"], row["count"], row["mark"])


def stored_event(event: AuditEvent) -> dict[str, object]:
    """Return what is kept of an audit event that was written before."""
    return {**asdict(event), "at": milliseconds(event.at)}
