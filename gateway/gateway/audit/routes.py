"""The audit trail."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from atoll.access.admit import Access
from atoll.domain.principal import Action
from gateway.audit.schemas import EventOut, EventsOut, VerificationOut
from gateway.auth import Authorized
from gateway.runtime import Live
from gateway.wire import Moment, TextCursor, place_of

MAX_PAGE = 500

router = APIRouter(prefix="/v1/audit", tags=["audit"])


@router.get("")
async def list_events(
    access: Annotated[Access, Depends(Authorized(Action.READ_AUDIT))],
    live: Live,
    since: Moment | None = None,
    action: Annotated[str | None, Query(max_length=64)] = None,
    actor: Annotated[str | None, Query(max_length=64)] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 100,
    cursor: TextCursor = None,
) -> EventsOut:
    """List what was done, oldest first."""
    tenant = access.principal.tenant
    found = await live.ports.records.audit.page(
        tenant,
        since=since,
        action=action,
        actor=actor,
        after=place_of(live.opaque, "audit", tenant, cursor) or 0,
        limit=limit + 1,
    )
    shown = found[:limit]
    return EventsOut(
        events=[EventOut.of(event, live.opaque) for event in shown],
        next_cursor=live.opaque.text("audit", tenant, shown[-1].id) if len(found) > limit else None,
    )


@router.get("/verify")
async def verify_events(
    access: Annotated[Access, Depends(Authorized(Action.READ_AUDIT))],
    live: Live,
    seal: Annotated[
        str | None, Query(pattern="^[0-9]{1,16}:[0-9a-f]{64}$", description="A seal that was noted earlier.")
    ] = None,
) -> VerificationOut:
    """Compare what was done with its seals; events of the last minute may not be sealed yet."""
    return VerificationOut.of(await live.seals.verify(access.principal.tenant, noted=seal))
