"""What a tenant may hold in all its knowledge bases, and how many queries a day are answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from atoll.domain.document import NewDocument
from atoll.errors import QuotaExceeded

#: The name of the limit of queries in quotas of knowledge bases and tenants. A day is one of UTC by the store's clock.
QUERIES = "queries_per_day"
DAY_MILLISECONDS = 86_400_000
#: How long counts of queries are kept.
KEPT_DAYS = 400

_RETRY_SECONDS = 3600


def check_tenant(held: Mapping[str, int], quota: Mapping[str, int], documents: Sequence[NewDocument]) -> None:
    """Raise QuotaExceeded when the tenant has no room for all of ``documents``.

    No figure is told: whoever uploads may not know what there is in other knowledge bases.
    """
    wanted = {"documents": len(documents), "bytes": sum(each.bytes for each in documents)}
    for name, more in wanted.items():
        if name in quota and held[name] + more > quota[name]:
            raise QuotaExceeded(
                f"the tenant has no room left by its quota of {name}; delete some documents, or ask whoever operates "
                "this installation for more",
                retry_after_seconds=_RETRY_SECONDS,
            )


def limits_queries(*quotas: Mapping[str, int]) -> bool:
    """Whether queries have to be counted before they are answered."""
    return any(QUERIES in quota for quota in quotas)


def check_queries(
    asked_kb: int, kb_quota: Mapping[str, int], asked_tenant: int, tenant_quota: Mapping[str, int], now: int
) -> None:
    """Raise QuotaExceeded, until the next day, when one more query is too many.

    Args:
        asked_kb: queries of the knowledge base on this day.
        kb_quota: its quota.
        asked_tenant: queries of all knowledge bases of the tenant on this day, deleted ones included.
        tenant_quota: the tenant's quota.
        now: the store's clock, in milliseconds since 1970.
    """
    for what, asked, quota in (("knowledge base", asked_kb, kb_quota), ("tenant", asked_tenant, tenant_quota)):
        if QUERIES in quota and asked >= quota[QUERIES]:
            raise QuotaExceeded(
                f"the {what} has used up its quota of queries for today; it answers again after midnight UTC",
                retry_after_seconds=(DAY_MILLISECONDS - now % DAY_MILLISECONDS) / 1000,
            )
