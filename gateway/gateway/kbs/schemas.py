"""Knowledge bases on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Self

import orjson
from pydantic import AfterValidator, BaseModel, Field

from atoll.domain.knowledge_base import KnowledgeBase, entity_types
from atoll.errors import BadInput
from gateway.wire import Body, Revision, Whole

_MAX_SETTINGS_BYTES = 16 * 1024


def _bounded(value: dict[str, Any]) -> dict[str, Any]:
    if len(orjson.dumps(value)) > _MAX_SETTINGS_BYTES:
        raise ValueError(f"at most {_MAX_SETTINGS_BYTES // 1024} KiB")
    try:
        entity_types(value)
    except BadInput as error:
        raise ValueError(error.message) from error
    return value


SettingsObject = Annotated[dict[str, Any], AfterValidator(_bounded)]


class Quota(BaseModel, extra="forbid"):
    """What a knowledge base or a tenant may hold and ask; a limit that is not named is none. Days are those of UTC."""

    documents: Whole | None = None
    bytes: Whole | None = None
    queries_per_day: Whole | None = None

    def to_domain(self) -> dict[str, int]:
        """Return the limits that are set."""
        return self.model_dump(exclude_none=True)


class KbIn(Body):
    """A new knowledge base; the language decides stemming and named entities and is fixed from then on."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")
    language: str = Field("en", pattern=r"^[a-z]{2,3}$", description="ISO 639; `und` for none in particular.")
    settings: SettingsObject = Field(default_factory=dict)
    quota: Quota = Quota()


class KbChange(Body):
    """What is to change; null leaves as it is."""

    settings: SettingsObject | None = None
    quota: Quota | None = None


class KbOut(BaseModel):
    """A knowledge base. Counts cover what the caller sees; null where a key with labels cannot be told."""

    id: str
    name: str
    language: str
    settings: dict[str, Any]
    quota: dict[str, int]
    revision: Revision
    documents: int
    passages: int | None
    bytes: int | None
    created_at: datetime

    @classmethod
    def of(cls, kb: KnowledgeBase, visible_documents: int | None = None) -> Self:
        """Return the wire form; ``visible_documents`` is set for callers who do not see everything."""
        limited = visible_documents is not None
        return cls(
            id=kb.uid,
            name=kb.name,
            language=kb.language,
            settings=dict(kb.settings),
            quota=dict(kb.quota),
            revision=None if limited else kb.revision,
            documents=kb.documents if visible_documents is None else visible_documents,
            passages=None if limited else kb.passages,
            bytes=None if limited else kb.bytes,
            created_at=kb.created_at,
        )


class KbsOut(BaseModel):
    """The knowledge bases that the caller's key names."""

    kbs: list[KbOut]
    next_cursor: str | None = None
