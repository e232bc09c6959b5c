"""How much a tenant asks and holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from atoll.domain.ids import KbUid, TenantId
from atoll.domain.knowledge_base import KbUsage


class Usage(Protocol):
    """Queries by day, shared by all gateways, and what knowledge bases hold. A day is one of UTC by the store's clock.

    A deleted knowledge base's queries go on counting for its tenant.
    """

    async def spend(self, tenant: TenantId, kb: KbUid) -> None:
        """Count one query if the quotas of the knowledge base and of its tenant leave room for it.

        Raises:
            QuotaExceeded: they do not, before the next day.
        """
        ...

    async def add(self, queries: Mapping[tuple[TenantId, KbUid], int]) -> None:
        """Count queries that were answered already, today."""
        ...

    async def of_tenant(self, tenant: TenantId, *, days: int) -> tuple[KbUsage, ...]:
        """Return what each knowledge base holds and how often it was asked on the last ``days`` days, by name."""
        ...
