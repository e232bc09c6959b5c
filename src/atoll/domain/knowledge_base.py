"""Knowledge bases and the limits they carry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from atoll.domain.ids import KbUid, TenantId


@dataclass(frozen=True, slots=True)
class KnowledgeBase:
    """A named collection of documents in one tenant; ``revision`` rises with every visible change.

    ``settings`` and ``quota`` are free JSON objects; ``quota`` knows ``documents`` and ``bytes``.
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
