"""Sessions on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from pydantic import BaseModel, Field, model_validator

from atoll.domain.principal import Role
from gateway.wire import Body


class SessionIn(Body):
    """What to log in with: a key, or the token of a link that signs in once."""

    key: str | None = Field(None, min_length=1, max_length=256)
    link: str | None = Field(None, min_length=1, max_length=512)

    @model_validator(mode="after")
    def _check_one(self) -> Self:
        if (self.key is None) == (self.link is None):
            raise ValueError("send a key or a link, one of the two")
        return self


class SignInLinkOut(BaseModel):
    """What signs a browser in once: `POST /v1/session {link}`, or the address `/link#<link>` of the screen."""

    link: str
    expires_at: datetime


class SessionOut(BaseModel):
    """Who is logged in, and until when."""

    key_id: str
    name: str
    role: Role
    tenant: str
    kbs: list[str] | str
    labels: list[str] | str
    expires_at: datetime
