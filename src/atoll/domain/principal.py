"""Who asks, what for, and on what."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from atoll.domain.ids import KbUid, KeyId, Subject, TenantId

_KEY = "key:"
#: Why a tenant's last owner key without limits can be neither revoked nor limited.
LAST_OWNER = (
    "this is the last key that may do everything in its tenant; make another owner key before you revoke or limit it"
)


class Role(StrEnum):
    """What a key may do; ``ADMIN`` manages tenants and reads no document."""

    OWNER = "owner"
    EDITOR = "editor"
    READER = "reader"
    AUDITOR = "auditor"
    ADMIN = "admin"


class Action(StrEnum):
    """Everything a request can want."""

    READ = "read"  # documents, pages, search, query, graph
    WRITE = "write"  # upload, replace, amend, delete, retry, cancel
    MANAGE_KBS = "manage_kbs"
    MANAGE_KEYS = "manage_keys"
    READ_AUDIT = "read_audit"
    MANAGE_TENANTS = "manage_tenants"
    OBSERVE = "observe"  # health details, metrics, usage
    SEE_SYSTEM = "see_system"  # processes, queue, versions and models of the installation


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody who proved who they are, and their rights; ``kbs`` and ``labels`` of None mean all.

    ``subject`` is the identity everywhere: in the audit trail, in limits, in sessions and in signed links.
    """

    subject: Subject
    tenant: TenantId
    name: str
    role: Role
    kbs: frozenset[KbUid] | None
    labels: frozenset[str] | None
    tenant_name: str


@dataclass(frozen=True, slots=True)
class Scope:
    """What a request touches: a tenant, and a knowledge base or None for the whole tenant."""

    tenant: TenantId
    kb: KbUid | None = None
    kb_name: str = ""


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as it is stored: never its secret, only the keyed hash of it.

    ``kbs`` are ids, so that a key never reaches a knowledge base that is made later under a name it was given.
    """

    id: KeyId
    tenant: TenantId
    name: str
    role: Role
    kbs: frozenset[KbUid] | None
    labels: frozenset[str] | None
    hash: bytes
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class Bearer:
    """A key with what its tenant has to say about it."""

    key: ApiKey
    tenant_name: str
    is_suspended: bool


@dataclass(frozen=True, slots=True)
class Actor:
    """Who an audit event names: the subject and the request."""

    subject: str
    request_id: str


#: The actor of what the system does by itself.
SYSTEM = Actor(subject="system", request_id="-")


@dataclass(frozen=True, slots=True)
class Event:
    """An audit event that is about to be written; `atoll.records.events` makes them."""

    actor: Actor
    action: str
    subject: str
    result: str = "ok"
    revision: int | None = None


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """Who did what to which object, with what result; never any content."""

    id: int
    tenant: TenantId
    at: datetime
    actor: str
    action: str
    object: str
    result: str
    request_id: str
    revision: int | None


def worker(owner: str) -> Actor:
    """Return the actor that a worker is."""
    return Actor(subject=f"worker {owner}", request_id="-")


def subject_of_key(key: KeyId) -> Subject:
    """Return the subject that the holder of a key is."""
    return Subject(f"{_KEY}{key}")


def key_of(subject: str) -> KeyId | None:
    """Return the key that a subject holds, or None for a subject without one."""
    return KeyId(subject.removeprefix(_KEY)) if subject.startswith(_KEY) else None
