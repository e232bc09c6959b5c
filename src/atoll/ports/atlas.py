"""Looking at the graph: entities, what surrounds them, and the whole of it batch by batch.

An entity is there for a reader only through visible documents whose labels the reader holds, and every figure here
counts those documents alone. Two entities co-occur in the passages that mention both; nothing of that is stored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from atoll.domain.entity import Assertion
from atoll.domain.ids import DocumentUid, EntityId, PassageId
from atoll.domain.passage import Passage
from atoll.domain.reader import Reader

#: Passages looked at for what surrounds one entity; an entity with more is answered from so many, and says so.
PASSAGES_LOOKED_AT = 1000
#: Types, surfaces and documents of one entity that are listed, and passages that it is shown by.
LISTED = 20
SAMPLED = 5


@dataclass(frozen=True, slots=True)
class EntityCard:
    """An entity as a reader sees it: ``passages`` mention it; ``type`` is that of most mentions, ties by name."""

    id: EntityId
    key: str
    type: str
    passages: int


@dataclass(frozen=True, slots=True)
class EntityList:
    """Entities of most passages first, ties by key; ``truncated`` when there are more."""

    entities: tuple[EntityCard, ...]
    truncated: bool


@dataclass(frozen=True, slots=True)
class EntityDetail:
    """Everything about one entity.

    ``types``, ``surfaces`` and ``documents`` are the ``LISTED`` most frequent with their number of passages, ``sample``
    are ``SAMPLED`` passages with the most occurrences; ``names`` holds the names of all documents that are spoken of.
    ``truncated`` when a list was cut.
    """

    card: EntityCard
    types: Mapping[str, int]
    surfaces: Mapping[str, int]
    document_count: int
    documents: Mapping[DocumentUid, int]
    names: Mapping[DocumentUid, str]
    sample: tuple[Passage, ...]
    truncated: bool


@dataclass(frozen=True, slots=True)
class CoOccurrence:
    """Two entities (``head`` has the smaller id) and how many passages mention both."""

    head: EntityId
    tail: EntityId
    passages: int


@dataclass(frozen=True, slots=True)
class Links:
    """What joins some entities, the strongest first (ties by ids); ``truncated`` when there is more."""

    together: tuple[CoOccurrence, ...]
    assertions: tuple[Assertion, ...]
    truncated: bool


@dataclass(frozen=True, slots=True)
class GraphCensus:
    """How much there is; ``types`` counts entities by their type. Co-occurrences are not counted: they are derived."""

    revision: int
    documents: int
    passages: int
    entities: int
    mentions: int
    assertions: int
    types: Mapping[str, int]


class Atlas(Protocol):
    """Bounded views of one knowledge base's graph, each of one moment. All raise NotFound when it is gone."""

    async def entities(self, reader: Reader, *, text: str | None, type_: str | None, limit: int) -> EntityList:
        """List entities whose key contains ``text`` (compared in lower case) and whose type is ``type_``."""
        ...

    async def entity(self, reader: Reader, entity: EntityId) -> EntityDetail:
        """Return one entity. Raises NotFound when nothing that the reader sees mentions it."""
        ...

    async def around(self, reader: Reader, entities: Sequence[EntityId], *, limit: int) -> EntityList:
        """Return the entities, other than these, that share the most passages with any of them, ties by key.

        Of each entity at most ``PASSAGES_LOOKED_AT`` passages (by id) are looked at.
        """
        ...

    async def between(self, reader: Reader, entities: Sequence[EntityId], *, limit: int) -> Links:
        """Return at most ``limit`` co-occurrences and as many assertions among these entities.

        Of each entity at most ``PASSAGES_LOOKED_AT`` passages (by id) are looked at.
        """
        ...

    async def census(self, reader: Reader) -> GraphCensus:
        """Count everything."""
        ...


@dataclass(frozen=True, slots=True)
class NodeBatch:
    """Entities in the order of their ids; fewer than asked for at the end. ``revision`` is that of this read."""

    revision: int
    entities: tuple[EntityCard, ...]


@dataclass(frozen=True, slots=True)
class TogetherBatch:
    """Co-occurrences in the order of (head, tail); fewer than asked for at the end."""

    revision: int
    together: tuple[CoOccurrence, ...]


@dataclass(frozen=True, slots=True)
class AssertionBatch:
    """Assertions in the order of (passage, ordinal); fewer than asked for at the end."""

    revision: int
    assertions: tuple[Assertion, ...]


class AtlasExport(Protocol):
    """The whole graph in batches of bounded size: what follows ``after``, or begins when that is None."""

    async def nodes(self, reader: Reader, *, after: EntityId | None, limit: int) -> NodeBatch:
        """Read entities."""
        ...

    async def together(self, reader: Reader, *, after: tuple[EntityId, EntityId] | None, limit: int) -> TogetherBatch:
        """Read co-occurrences, each counted over all passages."""
        ...

    async def assertions(self, reader: Reader, *, after: tuple[PassageId, int] | None, limit: int) -> AssertionBatch:
        """Read assertions."""
        ...
