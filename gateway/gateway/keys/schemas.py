"""Keys on the wire."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, Field

from atoll.domain.labels import MAX_LABEL_CHARACTERS, clean_label
from atoll.domain.principal import ApiKey, Role
from atoll.errors import BadInput
from gateway.wire import Body, Moment

_MAX_NAMES = 256

Names = Annotated[list[Annotated[str, Field(min_length=1, max_length=64)]], Field(max_length=_MAX_NAMES)]
All = Literal["*"]


def _label(value: str) -> str:
    try:
        return clean_label(value)
    except BadInput as error:
        raise ValueError(error.message) from error


_Label = Annotated[str, Field(min_length=1, max_length=MAX_LABEL_CHARACTERS), AfterValidator(_label)]
Labels = Annotated[list[_Label], Field(max_length=_MAX_NAMES)]


class KeyIn(Body):
    """A new key; ``"*"`` means all, now and later."""

    name: str = Field(min_length=1, max_length=128)
    role: Role
    kbs: Names | All = "*"
    labels: Labels | All = "*"
    expires_at: Moment | None = None


class KeyChange(Body):
    """What is to change of a key; what is left out stays, and an ``expires_at`` of null means never."""

    name: str | None = Field(None, min_length=1, max_length=128)
    role: Role | None = None
    kbs: Names | All | None = None
    labels: Labels | All | None = None
    expires_at: Moment | None = None


class KeyOut(BaseModel):
    """A key without its secret. A knowledge base that was deleted is no longer among ``kbs``."""

    id: str
    name: str
    role: Role
    kbs: list[str] | All
    labels: list[str] | All
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None


class NewKeyOut(KeyOut):
    """A new key: the only answer that ever shows its secret."""

    secret: str


class KeysOut(BaseModel):
    """The keys that the caller's key could have made, oldest first."""

    keys: list[KeyOut]
    next_cursor: str | None = None


def key_fields(key: ApiKey, kbs: AbstractSet[str] | None) -> dict[str, Any]:
    """Return the fields of `KeyOut`; ``kbs`` are the names of the key's knowledge bases."""
    return {
        "id": key.id,
        "name": key.name,
        "role": key.role,
        "kbs": listed(kbs),
        "labels": listed(key.labels),
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "last_used_at": key.last_used_at,
        "revoked_at": key.revoked_at,
    }


def listed(names: AbstractSet[str] | None) -> list[str] | All:
    """Return names in order, or ``"*"`` for all."""
    return "*" if names is None else sorted(names)


def chosen(names: list[str] | All) -> frozenset[str] | None:
    """Return names as a set, None for all."""
    return None if names == "*" else frozenset(names)
