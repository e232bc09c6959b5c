"""Tenants on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import Path
from pydantic import BaseModel, Field

from atoll.domain.tenant import Tenant
from gateway.kbs.schemas import Quota
from gateway.wire import Body

_NAME = r"^[a-z0-9][a-z0-9_-]{0,62}$"

TenantName = Annotated[str, Path(pattern=_NAME, description="Name of the tenant.")]


class TenantIn(Body):
    """A new tenant."""

    name: str = Field(pattern=_NAME)
    quota: Quota = Quota()


class TenantChange(Body):
    """The quota that a tenant is to have; a limit that is not named is none."""

    quota: Quota


class TenantOut(BaseModel):
    """A tenant; while it is suspended, none of its keys is let in."""

    id: str
    name: str
    status: Literal["active", "suspended"]
    quota: dict[str, int]
    created_at: datetime
    suspended_at: datetime | None


class TenantUsage(BaseModel):
    """What a tenant holds in all its knowledge bases, and how many queries they were asked today."""

    documents: int
    bytes: int
    queries: int


class TenantDetailOut(TenantOut):
    """A tenant with what it uses."""

    usage: TenantUsage


class NewTenantOut(TenantOut):
    """A new tenant: the only answer that ever shows its first owner key."""

    owner_key: str


class TenantsOut(BaseModel):
    """Tenants by name."""

    tenants: list[TenantOut]
    next_cursor: str | None = None


def tenant_fields(tenant: Tenant) -> dict[str, Any]:
    """Return the fields of `TenantOut`."""
    return {
        "id": tenant.id,
        "name": tenant.name,
        "status": "active" if tenant.suspended_at is None else "suspended",
        "quota": dict(tenant.quota),
        "created_at": tenant.created_at,
        "suspended_at": tenant.suspended_at,
    }
