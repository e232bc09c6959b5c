"""What retrieval reads of the graph: entities, where they are mentioned, and what passages state about two of them.

All reads are of one moment and one knowledge base. They hold nothing of a document that the reader does not see: it
is no passage, no bridge between two others, and no part of a sum, ``df`` included. Answers are columns, because
records and objects are what costs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from atoll.domain.entity import Assertion, EntityName, Mention
from atoll.domain.ids import DocumentUid, EntityId, PassageId, RelationId
from atoll.domain.reader import Reader

#: How far passages in a restricted reader's sight are counted: an entity in more of them is a hub all the same.
MOST_COUNTED = 200


@dataclass(frozen=True, slots=True)
class GraphScope:
    """What a read of the graph may show: ``include`` are the documents that filters leave (None: all)."""

    reader: Reader
    include: tuple[DocumentUid, ...] | None = None


@dataclass(frozen=True, slots=True)
class Reach:
    """How far a read goes from the passages and names it starts with.

    Only entities with a ``df`` of 1 to ``max_df`` are followed to the passages that mention them, by ascending
    (df, id), as long as the sum of ``df`` of those before is below ``max_passages``. ``vectors`` asks for vectors.
    """

    max_df: int
    max_passages: int
    vectors: bool


@dataclass(frozen=True, slots=True, eq=False)
class Incidence:
    """Mentions as three columns of one length: row of the passage, row of the entity, occurrences; in no order."""

    passage: NDArray[np.int64]
    entity: NDArray[np.int64]
    tf: NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Neighbourhood:
    """Seeds, the entities they mention or that were asked for by name or id, and the passages that mention those.

    Attributes:
        seeds: The seed passages that are visible, in the order asked for.
        headings: Headings of each seed, outermost first.
        seed_mentions: Every mention in a seed; its rows point into ``seeds`` and ``entities``.
        entities: Ordered by id. One that was asked for and is in no seed is here only if the knowledge base has it and,
            for a restricted reader, if a passage that it sees mentions it.
        df: Passages that the reader sees, whatever is filtered, that mention the entity, shape (len(entities),);
            for a restricted reader counted to ``MOST_COUNTED``.
        followed: Whether the entity was followed to its passages, same shape.
        entity_vectors: fp16, (len(entities), dimensions), a zero row where it has none or its ``df`` is 1; None if not
            asked for.
        passages: What the followed entities are mentioned in, seeds among them, ordered by id.
        documents: The document of each of ``passages``.
        names: Name of every document in ``documents``.
        passage_vectors: fp16, (len(passages), dimensions); None if not asked for.
        mentions: Mentions of followed entities; its rows point into ``passages`` and ``entities``.
    """

    seeds: tuple[PassageId, ...]
    headings: tuple[tuple[str, ...], ...]
    seed_mentions: Incidence
    entities: tuple[EntityName, ...]
    df: NDArray[np.int64]
    followed: NDArray[np.bool_]
    entity_vectors: NDArray[np.float16] | None
    passages: tuple[PassageId, ...]
    documents: tuple[DocumentUid, ...]
    names: Mapping[DocumentUid, str]
    passage_vectors: NDArray[np.float16] | None
    mentions: Incidence


class Stated(NamedTuple):
    """An assertion with the names of its ends and the document whose passage states it."""

    id: RelationId
    assertion: Assertion
    head: EntityName
    tail: EntityName
    document: DocumentUid


@dataclass(frozen=True, slots=True)
class Annotations:
    """What was found in some passages: mentions by passage, ordered by span, and assertions, strongest first."""

    mentions: Mapping[PassageId, tuple[Mention, ...]]
    stated: tuple[Stated, ...]
    names: Mapping[DocumentUid, str]


class Graph(Protocol):
    """Reads of the graph steps. Each is one round trip."""

    async def neighbourhood(
        self,
        scope: GraphScope,
        seeds: Sequence[PassageId],
        *,
        entities: Sequence[EntityId] = (),
        keys: Sequence[str] = (),
        reach: Reach,
    ) -> Neighbourhood:
        """Return the seeds' entities and those asked for by id or key, and the passages that lie one step further.

        What does not exist, or is not visible, is left out. An unknown knowledge base has an empty neighbourhood.
        """
        ...

    async def shared(self, reader: Reader, entities: Sequence[EntityId]) -> frozenset[EntityId]:
        """Return those of ``entities`` that at least two passages in the reader's sight mention."""
        ...

    async def annotations(self, scope: GraphScope, passages: Sequence[PassageId]) -> Annotations:
        """Return what was found in those of ``passages`` that are visible (at most 256 are asked for)."""
        ...

    async def stated(self, scope: GraphScope, relations: Sequence[RelationId]) -> Annotations:
        """Return those assertions of ``relations`` that visible passages make, in that order; no mentions."""
        ...
