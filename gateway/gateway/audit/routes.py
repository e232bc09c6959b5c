"""The audit trail."""

from __future__ import annotations

from datetime import UTC
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import AwareDatetime

from atoll.access.admit import Access
from atoll.domain.principal import Action
from atoll.errors import BadInput
from gateway.audit.schemas import EventOut, EventsOut
from gateway.auth import Authorized
from gateway.runtime import Live

MAX_PAGE = 500

router = APIRouter(prefix="/v1/audit", tags=["audit"])


@router.get("")
async def list_events(
    access: Annotated[Access, Depends(Authorized(Action.READ_AUDIT))],
    live: Live,
    since: AwareDatetime | None = None,
    action: Annotated[str | None, Query(max_length=64)] = None,
    actor: Annotated[str | None, Query(max_length=64)] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 100,
    cursor: Annotated[str | None, Query(max_length=20)] = None,
) -> EventsOut:
    """List what was done, oldest first."""
    if cursor is not None and not (cursor.isascii() and cursor.isdecimal()):
        raise BadInput("the cursor is not one that a listing returned; start again without it")
    found = await live.ports.audit.page(
        access.principal.tenant,
        since=None if since is None else since.astimezone(UTC).isoformat(),
        action=action,
        actor=actor,
        after=0 if cursor is None else int(cursor),
        limit=limit + 1,
    )
    shown = found[:limit]
    return EventsOut(
        events=[EventOut.of(event) for event in shown],
        next_cursor=str(shown[-1].id) if len(found) > limit else None,
    )
