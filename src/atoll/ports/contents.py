"""What a document consists of: written hidden, published at once, purged in batches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from atoll.domain.entity import Assertion, EntityName, Mention
from atoll.domain.ids import DocumentUid, EntityId, KbUid
from atoll.domain.passage import Chunk, Passage
from atoll.ports.ledger import Claim


@dataclass(frozen=True, slots=True)
class ContentBatch:
    """At most 256 passages with what belongs to them.

    ``vectors`` is (len(passages), dimensions), fp16, and ``assertion_vectors`` the same for the assertions (None when
    there is none). Head and tail of an assertion are among the mentions of its passage.
    """

    chunks: Sequence[Chunk]
    passages: Sequence[Passage]
    vectors: NDArray[np.float16]
    mentions: Sequence[Mention]
    assertions: Sequence[Assertion] = ()
    assertion_vectors: NDArray[np.float16] | None = None


@dataclass(frozen=True, slots=True)
class Published:
    """What a publish did: the revision it made and the documents it replaced."""

    revision: int
    replaced: tuple[DocumentUid, ...]
    superseded: bool


@dataclass(frozen=True, slots=True)
class VectorsWanted:
    """A publish that did not happen: it would make these entities shared by two passages, and they have no vector."""

    entities: tuple[EntityName, ...]


@dataclass(frozen=True, slots=True)
class PurgeState:
    """What the purge of a document needs to know. ``quiet`` is False while an old lease may still write."""

    kb: KbUid
    document: DocumentUid
    quiet: bool
    quiet_in_seconds: float


class Contents(Protocol):
    """Writes of the stages store, publish and purge. All check the claim's token first and raise LeaseLost."""

    async def store_batch(self, claim: Claim, batch: ContentBatch, *, next_batch: int, done: int, total: int) -> None:
        """Write one batch of a hidden document and the ledger's progress in one transaction; may run twice.

        The document's first batch, and one without passages, removes all that was stored of the document before.
        """
        ...

    async def likely_shared(self, claim: Claim, passages: Mapping[EntityId, int]) -> frozenset[EntityId]:
        """Return those of a document's entities that its publish will ask vectors of, as far as can be told before.

        ``passages`` says how many of the document mention each of its entities. Those are returned that have no vector
        and that two passages mention, with those of other documents, visible or on their way, but for what the
        document replaces. Others may be stored meanwhile, so that the publish may ask for more.
        """
        ...

    async def publish(self, claim: Claim, vectors: Mapping[EntityId, NDArray[np.float16]]) -> Published | VectorsWanted:
        """Make the document visible: the one transaction that readers see.

        An entity has a vector exactly while at least two passages of visible documents mention it. ``vectors`` are
        those that the caller has; when more are needed nothing is written and the answer names them.
        """
        ...

    async def purge_state(self, claim: Claim) -> PurgeState:
        """Return whether all old leases of the deleted document have run out."""
        ...

    async def purge_entities(self, claim: Claim, limit: int) -> Mapping[EntityId, NDArray[np.float16] | None]:
        """Return the entities that the first ``limit`` passages mention, each with its vector or None without one.

        Those of a deleted knowledge base have none: all of them go.
        """
        ...

    async def purge_batch(self, claim: Claim, limit: int) -> int:
        """Remove up to ``limit`` passages and what hangs on them; return how many are left."""
        ...

    async def purge_end(self, claim: Claim) -> None:
        """Remove the document and its ledger rows; the last step."""
        ...
