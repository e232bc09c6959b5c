"""How much is asked and held, on Neo4j."""

from __future__ import annotations

import json
from collections.abc import Mapping

from atoll.adapters.neo4j.database import Database, Transaction
from atoll.adapters.neo4j.statements import load
from atoll.domain.ids import KbUid, TenantId
from atoll.domain.knowledge_base import KbUsage
from atoll.records.quota import DAY_MILLISECONDS, KEPT_DAYS, check_queries

_ASKED, _COUNT, _FORGET, _OF_TENANT = load("usage", "asked", "count", "forget", "of_tenant")


class Neo4jUsage:
    """Port ``Usage``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def spend(self, tenant: TenantId, kb: KbUid) -> None:
        """Count one query if quotas leave room for it."""

        async def work(transaction: Transaction) -> None:
            found = await transaction.one(_ASKED, tenant=tenant, kb=kb, a_day=DAY_MILLISECONDS)
            assert found is not None, "tenants are never removed"
            check_queries(
                found["kb"],
                json.loads(found["quota_json"]),
                found["tenant"],
                json.loads(found["tenant_quota_json"]),
                found["now"],
            )
            await _count(transaction, {(tenant, kb): 1})

        await self._database.write(work)

    async def add(self, queries: Mapping[tuple[TenantId, KbUid], int]) -> None:
        """Count queries that were answered."""

        async def work(transaction: Transaction) -> None:
            await _count(transaction, queries)

        await self._database.write(work)

    async def of_tenant(self, tenant: TenantId, *, days: int) -> tuple[KbUsage, ...]:
        """Return what knowledge bases hold and were asked."""

        async def work(transaction: Transaction) -> tuple[KbUsage, ...]:
            found = await transaction.all(_OF_TENANT, tenant=tenant, a_day=DAY_MILLISECONDS, days=days)
            return tuple(
                KbUsage(
                    KbUid(row["uid"]), row["name"], row["documents"], row["passages"], row["bytes"], sum(row["asked"])
                )
                for row in found
            )

        return await self._database.read(work)


async def _count(transaction: Transaction, queries: Mapping[tuple[TenantId, KbUid], int]) -> None:
    # In order, so that gateways that count at once wait for each other and do not deadlock.
    rows = [{"tenant": tenant, "kb": kb, "n": number} for (tenant, kb), number in sorted(queries.items())]
    await transaction.all(_COUNT, rows=rows, a_day=DAY_MILLISECONDS)
    tenants = sorted({tenant for tenant, _ in queries})
    await transaction.all(_FORGET, tenants=tenants, a_day=DAY_MILLISECONDS, kept=KEPT_DAYS)
