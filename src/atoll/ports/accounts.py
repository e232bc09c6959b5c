"""Tenants, keys and knowledge bases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from atoll.domain.ids import KeyId, TenantId
from atoll.domain.knowledge_base import KnowledgeBase, Located
from atoll.domain.principal import Actor, ApiKey, AuditEvent, Bearer, Event
from atoll.domain.seal import Seal
from atoll.domain.tenant import Tenant


class Keys(Protocol):
    """API keys; secrets never reach the store."""

    async def find(self, key: KeyId) -> ApiKey | None:
        """Return a key, revoked and expired ones included."""
        ...

    async def bearer(self, key: KeyId) -> Bearer | None:
        """Return a key, revoked and expired ones included, with what its tenant says: what lets a request in."""
        ...

    async def create(self, key: ApiKey, actor: Actor) -> None:
        """Write a new key with its audit event."""
        ...

    async def list(self, tenant: TenantId) -> tuple[ApiKey, ...]:
        """Return the tenant's keys, oldest first."""
        ...

    async def revoke(self, tenant: TenantId, key: KeyId, actor: Actor) -> ApiKey:
        """Revoke a key from now on; again is a no-op.

        Raises:
            NotFound: the tenant has no such key.
            Conflict: it is the tenant's last owner key without limits that holds.
        """
        ...

    async def change(self, before: ApiKey, after: ApiKey, actor: Actor) -> ApiKey:
        """Write the name, role, knowledge bases, labels and end of ``after``.

        Raises:
            Conflict: the key is not as ``before`` any more, or it is the tenant's last owner key without limits and
                would not be one afterwards.
        """
        ...

    async def touch(self, keys: Sequence[KeyId]) -> None:
        """Note that keys were used now."""
        ...


class KnowledgeBases(Protocol):
    """Knowledge bases of a tenant; what is not there is NotFound."""

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
        """Create a knowledge base. Raises Conflict when the name is taken."""
        ...

    async def locate(self, tenant: TenantId, name: str) -> Located:
        """Return where a name leads: cheap enough for every request."""
        ...

    async def get(self, tenant: TenantId, name: str) -> KnowledgeBase:
        """Return a knowledge base with its counts."""
        ...

    async def list(self, tenant: TenantId) -> tuple[KnowledgeBase, ...]:
        """Return the tenant's knowledge bases by name."""
        ...

    async def update(
        self,
        tenant: TenantId,
        name: str,
        *,
        settings: Mapping[str, Any] | None,
        quota: Mapping[str, int] | None,
        actor: Actor,
    ) -> KnowledgeBase:
        """Change settings or quota; the language is fixed once documents are there."""
        ...

    async def delete(self, tenant: TenantId, name: str, actor: Actor) -> None:
        """End the knowledge base at once, then hide all its documents and queue their purge, some in each transaction.

        Where that breaks off, `Reconciliation.overdue` goes on.
        """
        ...


class Tenants(Protocol):
    """The tenants of an installation."""

    async def ensure(self, name: str) -> TenantId:
        """Return the tenant of that name, made if it was not there."""
        ...

    async def create(self, tenant: Tenant, owner: ApiKey, *, by: TenantId, actor: Actor) -> Tenant:
        """Write a tenant with its first key; the audit trails of ``by``, the admin's tenant, and its own tell of it.

        Raises:
            Conflict: the name is taken.
        """
        ...

    async def get(self, name: str) -> Tenant:
        """Return a tenant. Raises NotFound."""
        ...

    async def list(self) -> tuple[Tenant, ...]:
        """Return all tenants by name, without the installation's own."""
        ...

    async def set_quota(self, name: str, quota: Mapping[str, int], *, by: TenantId, actor: Actor) -> Tenant:
        """Change a tenant's quota; audited as `create` is. Raises NotFound."""
        ...

    async def suspend(self, name: str, *, suspended: bool, by: TenantId, actor: Actor) -> Tenant:
        """Keep a tenant's keys out from now on, or let them in again; again is a no-op. Audited; raises NotFound."""
        ...


class Audit(Protocol):
    """The record of who did what."""

    async def record(self, tenant: TenantId, event: Event) -> None:
        """Write an event of its own, for acts that change nothing in the store (a refusal, say)."""
        ...

    async def page(
        self, tenant: TenantId, *, since: datetime | None, action: str | None, actor: str | None, after: int, limit: int
    ) -> tuple[AuditEvent, ...]:
        """Return events with an id above ``after``, oldest first."""
        ...

    async def count(self, tenant: TenantId) -> int:
        """Return how many events there are."""
        ...

    async def unsealed(self) -> tuple[TenantId, ...]:
        """Return the tenants with events that no seal covers."""
        ...

    async def newest_seal(self, tenant: TenantId) -> Seal | None:
        """Return the seal with the highest number."""
        ...

    async def seals(self, tenant: TenantId, *, after: int, limit: int) -> tuple[Seal, ...]:
        """Return seals with a number above ``after``, in order."""
        ...

    async def seal(self, seal: Seal) -> None:
        """Write a seal. Raises Conflict when the tenant has one of that number."""
        ...
