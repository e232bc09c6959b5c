"""Sessions on the wire."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field

from atoll.domain.principal import Role
from gateway.wire import Body


class SessionIn(Body):
    """The key to log in with."""

    key: str = Field(min_length=1, max_length=256)


class SessionOut(BaseModel):
    """Who is logged in, and until when."""

    key_id: str
    name: str
    role: Role
    kbs: list[str] | str
    labels: list[str] | str
    expires_at: datetime
