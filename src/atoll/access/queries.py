"""Counting queries, for quotas and for who wants to know how much is asked."""

from __future__ import annotations

from collections import Counter

from atoll.domain.ids import KbUid, TenantId
from atoll.domain.knowledge_base import Located
from atoll.ports.usage import Usage


class Queries:
    """Counts a query before it is answered where a quota limits queries, so that all gateways agree; others in batches.

    A process that dies loses what it noted since the last `flush`, of knowledge bases without such a quota.
    """

    def __init__(self, usage: Usage) -> None:
        self._usage = usage
        self._noted: Counter[tuple[TenantId, KbUid]] = Counter()

    async def count(self, tenant: TenantId, kb: Located) -> None:
        """Count one query. Raises QuotaExceeded when there are too many today."""
        if kb.limits_queries:
            await self._usage.spend(tenant, kb.uid)
        else:
            self._noted[tenant, kb.uid] += 1

    async def flush(self) -> None:
        """Write what was noted."""
        if self._noted:
            noted, self._noted = self._noted, Counter()
            try:
                await self._usage.add(noted)
            except BaseException:
                self._noted += noted
                raise
