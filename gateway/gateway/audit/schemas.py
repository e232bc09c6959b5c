"""The audit trail on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from pydantic import BaseModel

from atoll.access.opaque import Opaque
from atoll.access.seals import named
from atoll.domain.principal import AuditEvent
from atoll.domain.seal import Verification


class EventOut(BaseModel):
    """Who did what to which object, with what result."""

    id: str
    at: datetime
    actor: str
    action: str
    object: str
    result: str
    request_id: str
    revision: int | None

    @classmethod
    def of(cls, event: AuditEvent, opaque: Opaque) -> Self:
        """Return the wire form."""
        return cls(
            id=opaque.text("audit", event.tenant, event.id),
            at=event.at,
            actor=event.actor,
            action=event.action,
            object=event.object,
            result=event.result,
            request_id=event.request_id,
            revision=event.revision,
        )


class VerificationOut(BaseModel):
    """What the trail was found to be: whether what seals cover is still what was written.

    ``seal`` is the newest, to be noted elsewhere: whoever can take events out of the record store can take the newest
    seals out, too. ``is_known`` says whether a seal that was noted is among the trail's own.
    """

    is_intact: bool
    events: int
    sealed: int
    seal: str | None
    broken_seal: int | None
    is_known: bool | None

    @classmethod
    def of(cls, found: Verification) -> Self:
        """Return the wire form."""
        return cls(
            is_intact=found.broken is None and found.is_known is not False and found.events >= found.sealed,
            events=found.events,
            sealed=found.sealed,
            seal=None if found.newest is None else named(found.newest),
            broken_seal=None if found.broken is None else found.broken.number,
            is_known=found.is_known,
        )


class EventsOut(BaseModel):
    """A page of the audit trail, oldest first."""

    events: list[EventOut]
    next_cursor: str | None
