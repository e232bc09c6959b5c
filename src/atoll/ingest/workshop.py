"""What every stage works with: the ports, the configuration, and its document's folder and artefact names."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from atoll.ingest.artefacts import key
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
from atoll.ports.sparse import SparseEncoder
from atoll.ports.vectors import VectorIndex

#: Raised when the parser's output for the same bytes changes.
PARSE_VERSION = 1
#: Raised when the chunker's output for the same blocks changes.
CHUNK_VERSION = 1
#: Passages in one transaction, one artefact file and one upsert.
BATCH_PASSAGES = 256


@dataclass(frozen=True, slots=True)
class Workshop:
    """Ports and configuration of an ingestion worker.

    Without a ``page_embedder`` pages are not embedded; a ``page_index`` may still hold what was embedded earlier.
    """

    ledger: Ledger
    contents: Contents
    blobs: Blobs
    parser: Parser
    extractor: Extractor
    embedder: Embedder
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


@dataclass(frozen=True, slots=True)
class Job:
    """One claimed stage: what to work on, where, and until when (by the monotonic clock)."""

    claim: Claim
    shop: Workshop
    ends_at: float

    @property
    def folder(self) -> Path:
        """The document's artefacts."""
        return self.shop.blobs.artefacts_dir(self.claim.kb, self.claim.document)

    @property
    def is_over(self) -> bool:
        """Whether other documents should get a turn."""
        return time.monotonic() >= self.ends_at

    @property
    def parsed_path(self) -> Path:
        """The parsed document."""
        return self.folder / f"parse.{key('parse', PARSE_VERSION)}.json"

    async def passages_dir(self) -> Path:
        """The folder of passage batches."""
        return self.folder / f"chunk.{await self._chunk_key()}"

    @property
    def scope(self) -> ExtractionScope:
        """Whose passages the extractor is asked about."""
        return ExtractionScope(self.claim.kb, self.claim.language, self.claim.entity_types)

    async def extraction_dir(self) -> Path:
        """The folder of what was extracted, a file a portion."""
        return self.folder / f"extract.{await self._extraction_key()}"

    async def assertion_vectors_dir(self) -> Path:
        """The folder of the vectors of assertions, a file for each passage batch that has any."""
        return self.folder / f"assertions.{await self._extraction_key()}"

    async def vectors_dir(self) -> Path:
        """The folder of vector batches, one a passage batch."""
        return self.folder / f"embed.{await self._chunk_key()}"

    async def _extraction_key(self) -> str:
        extractor = self.shop.extractor
        return key("extract", await self._chunk_key(), extractor.fingerprint(self.scope), extractor.portions.passages)

    async def _chunk_key(self) -> str:
        # The embedder's tokenizer and window decide the cuts, so that its fingerprint stands for both artefacts.
        card = await self.shop.embedder.describe()
        return key(
            "chunk",
            PARSE_VERSION,
            CHUNK_VERSION,
            card.fingerprint,
            card.text_tokens,
            self.shop.chunk_tokens,
            self.shop.overlap_tokens,
        )


def batch_name(batch: int) -> str:
    """Return the file name of a batch, in batch order."""
    return f"{batch:06d}"
