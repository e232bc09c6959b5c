"""Evidence: the one currency of retrieval, from the first list to the citation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from atoll.domain.ids import DocumentUid, EntityId, PassageId, RelationId
from atoll.domain.page import Box


class Mode(StrEnum):
    """Which signals a search uses."""

    NAIVE = "naive"
    LOCAL = "local"
    GLOBAL = "global"
    HYBRID = "hybrid"
    VISUAL = "visual"
    MIX = "mix"
    BYPASS = "bypass"


class EvidenceKind(StrEnum):
    """What a piece of evidence is."""

    PASSAGE = "passage"
    PAGE = "page"
    ENTITY = "entity"
    RELATION = "relation"


class Signal(NamedTuple):
    """Rank (from 1) and raw score of a piece of evidence in one retriever's list; a restricted reader sees no score."""

    rank: int
    score: float | None


@dataclass(frozen=True, slots=True)
class EvidenceEntity:
    """The entity that a piece of evidence is about, as its passage writes it."""

    id: EntityId
    name: str
    type: str


@dataclass(frozen=True, slots=True)
class EvidenceRelation:
    """What a passage says about two entities; ``id`` is None and ``keywords`` empty where they only stand together."""

    id: RelationId | None
    head: str
    tail: str
    keywords: tuple[str, ...]
    weight: float


@dataclass(frozen=True, slots=True)
class Evidence:
    """A ranked, explained piece of a document; a page without text has no passage.

    ``source``, ``version`` and ``created_at`` are the document's; of a page whose document shows no text here they are
    not told.
    """

    kind: EvidenceKind
    rank: int
    score: float
    document_id: DocumentUid
    document: str
    page: int
    boxes: tuple[Box, ...]
    text: str
    passage_id: PassageId | None
    signals: Mapping[str, Signal]
    path: tuple[tuple[PassageId, str], ...] | None = None
    also_in: tuple[DocumentUid, ...] = ()
    entity: EvidenceEntity | None = None
    relation: EvidenceRelation | None = None
    source: str | None = None
    version: int | None = None
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Filters:
    """What a search is narrowed to. None means no restriction; ``names`` are glob patterns."""

    document_ids: tuple[DocumentUid, ...] | None = None
    names: tuple[str, ...] | None = None
    sources: tuple[str, ...] | None = None
    media_types: tuple[str, ...] | None = None
    labels: tuple[str, ...] | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is filtered."""
        return self == Filters()
