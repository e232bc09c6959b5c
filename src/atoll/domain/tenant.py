"""Tenants: who shares an installation, none of whom ever sees anything of another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from atoll.domain.ids import TenantId

#: The tenant that admin keys belong to: its audit trail tells what was done to other tenants. It has no documents, and
#: nobody can ask for it: the name is none that a tenant can be given.
INSTALLATION = ".installation"


@dataclass(frozen=True, slots=True)
class Tenant:
    """A tenant; while it is suspended, none of its keys is let in."""

    id: TenantId
    name: str
    quota: Mapping[str, int]
    created_at: datetime
    suspended_at: datetime | None = None
