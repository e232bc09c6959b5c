"""What the vector index is rebuilt from, and what tells whether it has to be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from atoll.domain.document import Stage
from atoll.domain.ids import DocumentUid, EntityId, KbUid, PassageId, RelationId
from atoll.domain.passage import Passage


@dataclass(frozen=True, slots=True)
class IndexedKb:
    """A knowledge base and how many passage points belong to it.

    ``visible`` are those of visible documents, all of which the index must hold; ``hidden`` are those of documents
    on their way in or out, of which it may hold any number. ``entities`` have a vector; ``has_relations`` says whether
    visible passages make assertions; ``gaps`` are the collections that were noted as incomplete.
    """

    uid: KbUid
    name: str
    language: str
    visible: int
    hidden: int
    entities: int
    has_relations: bool
    gaps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class IndexedDocument:
    """A visible document, as its points carry it, how many it has, and the keys of its stages' outputs."""

    uid: DocumentUid
    labels: tuple[str, ...]
    passages: int
    artefacts: Mapping[Stage, str]


@dataclass(frozen=True, slots=True, eq=False)
class IndexedPassages:
    """Passages of a document in order with their vectors, (len(passages), dimensions), fp16."""

    passages: tuple[Passage, ...]
    vectors: NDArray[np.float16]


@dataclass(frozen=True, slots=True, eq=False)
class IndexedEntities:
    """Entities in the order of their ids with their vectors, (len(entities), dimensions), fp16."""

    entities: tuple[EntityId, ...]
    vectors: NDArray[np.float16]


@dataclass(frozen=True, slots=True, eq=False)
class IndexedRelations:
    """Assertions of visible documents in the order of their ids, with the vector, document and labels of each."""

    relations: tuple[RelationId, ...]
    documents: tuple[DocumentUid, ...]
    labels: tuple[tuple[str, ...], ...]
    vectors: NDArray[np.float16]


class IndexSource(Protocol):
    """Reads of the record store by which the vector index is checked and rebuilt."""

    async def embedding(self, fingerprint: str) -> str:
        """Return the embedding that stored vectors are of.

        While there are none, or nobody noted it, that is ``fingerprint`` from now on.
        """
        ...

    async def kbs(self) -> tuple[IndexedKb, ...]:
        """Return all knowledge bases that are not deleted, with their figures, in the order of their uids."""
        ...

    async def note_gaps(self, kb: KbUid, collections: Sequence[str]) -> None:
        """Note which derived collections of a knowledge base are incomplete; searches tell their readers.

        Nothing happens when the knowledge base is gone.
        """
        ...

    async def gaps(self) -> frozenset[str]:
        """Return the collections that are incomplete for any knowledge base."""
        ...

    async def documents(self, kb: KbUid, *, after: DocumentUid | None, limit: int) -> tuple[IndexedDocument, ...]:
        """Return visible documents in the order of their uids."""
        ...

    async def passages(self, kb: KbUid, document: DocumentUid, *, after: int, limit: int) -> IndexedPassages:
        """Return passages of a visible document with an ordinal above ``after``; none when it is visible no more."""
        ...

    async def entities(self, kb: KbUid, *, after: EntityId | None, limit: int) -> IndexedEntities:
        """Return entities that have a vector; none at the end."""
        ...

    async def relations(self, kb: KbUid, *, after: RelationId | None, limit: int) -> IndexedRelations:
        """Return assertions that have a vector; none at the end."""
        ...

    async def count_relations(self, kb: KbUid) -> int:
        """Return how many assertions of visible documents have a vector; it looks at every passage."""
        ...

    async def visible(self, kb: KbUid, documents: Sequence[DocumentUid]) -> Mapping[DocumentUid, tuple[str, ...]]:
        """Return those of ``documents`` that are visible now, with their labels; of a lost knowledge base none."""
        ...

    async def known(self, passages: Sequence[PassageId]) -> frozenset[PassageId]:
        """Return those of ``passages`` that there are, in any knowledge base, of documents in any state."""
        ...
