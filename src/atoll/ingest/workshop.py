"""What every stage works with: the ports, the configuration, and the outputs of its document's stages."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from dataclasses import dataclass

from atoll.domain.artefact import Artefact, artefact_of
from atoll.domain.document import Stage
from atoll.ingest.models import Models
from atoll.ingest.outputs import Outputs
from atoll.ports.artefacts import Artefacts
from atoll.ports.blobs import Blobs
from atoll.ports.contents import Contents
from atoll.ports.doorbell import Doorbell
from atoll.ports.embedder import Embedder
from atoll.ports.extractor import ExtractionScope, Extractor
from atoll.ports.graph_index import GraphIndex
from atoll.ports.ledger import Claim, Ledger
from atoll.ports.page_index import PageIndex
from atoll.ports.pages import PageEmbedder
from atoll.ports.parser import Parser
from atoll.ports.passwords import Passwords
from atoll.ports.sparse import SparseEncoder
from atoll.ports.vectors import VectorIndex

#: Passages in one transaction, one part of an output and one upsert.
BATCH_PASSAGES = 256


@dataclass(frozen=True, slots=True)
class Workshop:
    """Ports and configuration of an ingestion worker.

    Without a ``page_embedder`` pages are not embedded; a ``page_index`` may still hold what was embedded earlier.
    ``models`` is what the two embedders say about themselves.
    """

    ledger: Ledger
    contents: Contents
    blobs: Blobs
    passwords: Passwords
    artefacts: Artefacts
    parser: Parser
    extractor: Extractor
    embedder: Embedder
    models: Models
    sparse: SparseEncoder
    vectors: VectorIndex
    graph_index: GraphIndex
    doorbell: Doorbell
    chunk_tokens: int
    overlap_tokens: int
    lease_seconds: float
    slice_seconds: float
    purge_grace_seconds: float
    page_embedder: PageEmbedder | None = None
    page_index: PageIndex | None = None

    async def forget_password(self, claim: Claim) -> None:
        """Remove what ``Job.password`` returns; again is a no-op."""
        for document in filter(None, (claim.document, claim.rereads)):
            await self.passwords.forget(claim.kb, document)


@dataclass(frozen=True, slots=True)
class Job:
    """One claimed stage: what to work on, with what, and until when (by the monotonic clock).

    ``outputs`` are shared by all stages of a slice.
    """

    claim: Claim
    shop: Workshop
    ends_at: float
    outputs: Outputs

    def artefact(self, stage: Stage) -> Artefact:
        """The output of a stage of the document, the claim's or an earlier one."""
        return artefact_of(self.claim.kb, self.claim.document, stage, self.claim.artefacts)

    async def password(self) -> str | None:
        """Return what opens the document: what came with it or, where it is read again, with the wish for that."""
        passwords, claim = self.shop.passwords, self.claim
        kept = await passwords.get(claim.kb, claim.document)
        return kept or (claim.rereads and await passwords.get(claim.kb, claim.rereads))

    @property
    def is_over(self) -> bool:
        """Whether other documents should get a turn."""
        return time.monotonic() >= self.ends_at

    @property
    def scope(self) -> ExtractionScope:
        """Whose passages the extractor is asked about."""
        return scope_of(self.claim)


def scope_of(claim: Claim) -> ExtractionScope:
    """Return whose passages the extractor is asked about."""
    return ExtractionScope(claim.kb, claim.language, claim.entity_types)


def batch_name(batch: int) -> str:
    """Return what the part of a batch is called, in batch order."""
    return f"{batch:06d}"


async def to_its_end(write: Coroutine[object, object, None]) -> None:
    """Await a write of points to its end, even when the stage is given up meanwhile.

    A server goes on with a request whose client has gone: given up half-way, it could write after the points of a
    deleted document were taken back. The client's time limit bounds the wait.
    """
    writing = asyncio.ensure_future(write)
    try:
        await asyncio.shield(writing)
    except asyncio.CancelledError:
        await asyncio.wait({writing})
        if not writing.cancelled():
            writing.exception()  # looked at: nobody else will
        raise
