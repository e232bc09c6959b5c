"""Knowledge bases and the limits they carry."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from atoll.domain.ids import KbUid, TenantId
from atoll.errors import BadInput

#: The key of ``KnowledgeBase.settings`` that names the entity types which a model is asked for, a list of words.
ENTITY_TYPES = "entity_types"
MAX_ENTITY_TYPES = 32
_ENTITY_TYPE = re.compile(r"[^\W_][\w -]{0,39}")


@dataclass(frozen=True, slots=True)
class KnowledgeBase:
    """A named collection of documents in one tenant; ``revision`` rises with every visible change.

    ``settings`` and ``quota`` are free JSON objects; ``quota`` knows ``documents``, ``bytes`` and ``queries_per_day``,
    ``settings`` the ``entity_types`` of documents that are read from then on.
    """

    uid: KbUid
    tenant: TenantId
    name: str
    language: str
    revision: int
    documents: int
    passages: int
    bytes: int
    settings: Mapping[str, Any]
    quota: Mapping[str, int]
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Located:
    """Where a name leads; ``limits_queries`` says that a quota limits its queries or those of its tenant."""

    uid: KbUid
    limits_queries: bool


@dataclass(frozen=True, slots=True)
class KbUsage:
    """What a knowledge base holds, and how many queries it was asked."""

    uid: KbUid
    name: str
    documents: int
    passages: int
    bytes: int
    queries: int


def entity_types(settings: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the entity types that a knowledge base asks for, in lower case; none means the extractor's own.

    Raises:
        BadInput: they are no list of at most 32 different words of at most 40 characters.
    """
    types = settings.get(ENTITY_TYPES, [])
    if not isinstance(types, list) or len(types) > MAX_ENTITY_TYPES:
        raise BadInput(f"settings.{ENTITY_TYPES} is a list of at most {MAX_ENTITY_TYPES} names")
    for each in types:
        if not isinstance(each, str) or not _ENTITY_TYPE.fullmatch(each):
            raise BadInput(
                f"settings.{ENTITY_TYPES}: a name is a word of at most 40 letters, digits, spaces or hyphens"
            )
    return tuple(dict.fromkeys(each.lower() for each in types))
