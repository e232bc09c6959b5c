"""How much a tenant holds and asks."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from atoll.access.admit import Access
from atoll.domain.principal import Action
from atoll.errors import Forbidden
from atoll.records.quota import KEPT_DAYS
from gateway.auth import Authorized
from gateway.runtime import Live
from gateway.usage.schemas import KbUsageOut, UsageOut

router = APIRouter(prefix="/v1/usage", tags=["usage"])


@router.get("")
async def get_usage(
    access: Annotated[Access, Depends(Authorized(Action.OBSERVE))],
    live: Live,
    days: Annotated[int, Query(ge=1, le=KEPT_DAYS, description="Queries of the last days, today among them.")] = 1,
) -> UsageOut:
    """Return what each knowledge base holds, and how many queries it was asked; counts follow within half a minute."""
    principal = access.principal
    if principal.labels is not None:
        raise Forbidden("only a key for all labels may see usage: it counts all documents")
    found = await live.ports.records.usage.of_tenant(principal.tenant, days=days)
    return UsageOut(
        tenant=principal.tenant_name,
        kbs=[
            KbUsageOut(name=kb.name, documents=kb.documents, passages=kb.passages, bytes=kb.bytes, queries=kb.queries)
            for kb in found
            if principal.kbs is None or kb.uid in principal.kbs
        ],
    )
