"""Tenants: make, list, look, limit, suspend. Admin keys alone, which read no document of any of them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from atoll.access import keys
from atoll.access.admit import Access
from atoll.domain.ids import TenantId, new_uid
from atoll.domain.principal import Action, Role
from atoll.domain.tenant import Tenant
from gateway.auth import Authorized
from gateway.runtime import Live
from gateway.tenants.schemas import (
    NewTenantOut,
    TenantChange,
    TenantDetailOut,
    TenantIn,
    TenantName,
    TenantOut,
    TenantsOut,
    TenantUsage,
    tenant_fields,
)
from gateway.wire import TextCursor

MAX_PAGE = 500

router = APIRouter(prefix="/v1/tenants", tags=["tenants"])

Managing = Annotated[Access, Depends(Authorized(Action.MANAGE_TENANTS))]


@router.get("")
async def list_tenants(
    access: Managing,
    live: Live,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 100,
    cursor: TextCursor = None,
) -> TenantsOut:
    """List the tenants of the installation, by name."""
    del access
    found = [tenant for tenant in await live.ports.records.tenants.list() if cursor is None or tenant.name > cursor]
    shown = found[:limit]
    return TenantsOut(
        tenants=[TenantOut(**tenant_fields(tenant)) for tenant in shown],
        next_cursor=shown[-1].name if len(found) > limit else None,
    )


@router.post("", status_code=201)
async def create_tenant(wanted: TenantIn, access: Managing, live: Live) -> NewTenantOut:
    """Make a tenant. Its first owner key stands in this answer and nowhere else."""
    tenant = Tenant(TenantId(new_uid()), wanted.name, wanted.quota.to_domain(), datetime.now(UTC))
    owner, secret = keys.issue(live.ports.pepper, tenant=tenant.id, name="owner", role=Role.OWNER)
    made = await live.ports.records.tenants.create(tenant, owner, by=access.principal.tenant, actor=access.actor)
    return NewTenantOut(**tenant_fields(made), owner_key=secret)


@router.get("/{tenant}")
async def get_tenant(tenant: TenantName, access: Managing, live: Live) -> TenantDetailOut:
    """Return a tenant with what it uses, in sums: not even names of knowledge bases are an admin's."""
    del access
    found = await live.ports.records.tenants.get(tenant)
    kbs = await live.ports.records.usage.of_tenant(found.id, days=1)
    usage = TenantUsage(
        documents=sum(kb.documents for kb in kbs),
        bytes=sum(kb.bytes for kb in kbs),
        queries=sum(kb.queries for kb in kbs),
    )
    return TenantDetailOut(**tenant_fields(found), usage=usage)


@router.patch("/{tenant}")
async def change_tenant(tenant: TenantName, wanted: TenantChange, access: Managing, live: Live) -> TenantOut:
    """Change a tenant's quota."""
    changed = await live.ports.records.tenants.set_quota(
        tenant, wanted.quota.to_domain(), by=access.principal.tenant, actor=access.actor
    )
    return TenantOut(**tenant_fields(changed))


@router.post("/{tenant}/suspend")
async def suspend_tenant(tenant: TenantName, access: Managing, live: Live) -> TenantOut:
    """Keep the tenant's keys, sessions and links out from now on; what it uploaded is read to its end."""
    changed = await live.ports.records.tenants.suspend(
        tenant, suspended=True, by=access.principal.tenant, actor=access.actor
    )
    return TenantOut(**tenant_fields(changed))


@router.post("/{tenant}/resume")
async def resume_tenant(tenant: TenantName, access: Managing, live: Live) -> TenantOut:
    """Let the tenant's keys in again, as they are."""
    changed = await live.ports.records.tenants.suspend(
        tenant, suspended=False, by=access.principal.tenant, actor=access.actor
    )
    return TenantOut(**tenant_fields(changed))
