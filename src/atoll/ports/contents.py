"""What a document consists of: written hidden, published at once, purged in batches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from atoll.domain.ids import DocumentUid, KbUid
from atoll.domain.passage import Chunk, Mention, Passage
from atoll.ports.ledger import Claim


@dataclass(frozen=True, slots=True)
class ContentBatch:
    """At most 256 passages with what belongs to them. ``vectors`` is (len(passages), dimensions), fp16."""

    chunks: Sequence[Chunk]
    passages: Sequence[Passage]
    vectors: NDArray[np.float16]
    mentions: Sequence[Mention]


@dataclass(frozen=True, slots=True)
class Published:
    """What a publish did: the revision it made and the documents it replaced."""

    revision: int
    replaced: tuple[DocumentUid, ...]
    superseded: bool


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
        """Write one batch of a hidden document and the ledger's progress in one transaction; may run twice."""
        ...

    async def publish(self, claim: Claim) -> Published:
        """Make the document visible: the one transaction that readers see."""
        ...

    async def purge_state(self, claim: Claim) -> PurgeState:
        """Return whether all old leases of the deleted document have run out."""
        ...

    async def purge_batch(self, claim: Claim, limit: int) -> int:
        """Remove up to ``limit`` passages and what hangs on them; return how many are left."""
        ...

    async def purge_end(self, claim: Claim) -> None:
        """Remove the document and its ledger rows; the last step."""
        ...
