"""The audit trail on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from pydantic import BaseModel

from atoll.domain.principal import AuditEvent


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
    def of(cls, event: AuditEvent) -> Self:
        """Return the wire form."""
        return cls(
            id=str(event.id),
            at=event.at,
            actor=event.actor,
            action=event.action,
            object=event.object,
            result=event.result,
            request_id=event.request_id,
            revision=event.revision,
        )


class EventsOut(BaseModel):
    """A page of the audit trail, oldest first."""

    events: list[EventOut]
    next_cursor: str | None
