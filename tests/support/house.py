"""The product in one process: real stages, record store, files and search; twins where a network would be."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from qdrant_client import AsyncQdrantClient

from atoll.adapters.bm25 import Bm25Encoder
from atoll.adapters.file_artefacts import FileArtefacts
from atoll.adapters.file_blobs import FileBlobs
from atoll.adapters.file_drawings import FileDrawings
from atoll.adapters.file_passwords import FilePasswords
from atoll.adapters.memory.doorbell import MemoryDoorbell
from atoll.adapters.memory.embedder import MemoryEmbedder
from atoll.adapters.memory.extractor import MemoryExtractor
from atoll.adapters.memory.pages import MemoryPageIndex
from atoll.adapters.memory.parser import MemoryParser
from atoll.adapters.qdrant_graph import QdrantGraphIndex
from atoll.domain.document import Document, NewDocument
from atoll.domain.evidence import Evidence, Filters, Mode
from atoll.domain.ids import DocumentUid, new_uid
from atoll.domain.knowledge_base import KnowledgeBase
from atoll.domain.principal import Actor
from atoll.ingest.models import Models
from atoll.ingest.pipeline import Pipeline
from atoll.ingest.workshop import Workshop
from atoll.ports.extractor import Extractor
from atoll.ports.page_index import PageIndex
from atoll.ports.pages import PageEmbedder
from atoll.query.answer.budget import PromptLimits
from atoll.query.rank.graph_evidence import GraphLimits
from atoll.query.requests import SearchRequest
from atoll.query.retrieve.pages import PageRetriever
from atoll.query.service import AskService
from tests.support.readers import reader_of
from tests.support.records import OpenRecords, open_sqlite

ACTOR = Actor(subject="tester", request_id="-")
DIMENSIONS = 64


class House:
    """One data directory. ``vectors`` may be given, so that several houses share or wrap an index, and ``records``."""

    def __init__(
        self,
        folder: Path,
        *,
        vectors: QdrantGraphIndex | None = None,
        records: OpenRecords | None = None,
        extractor: Extractor | None = None,
        lease_seconds: float = 30.0,
        page_embedder: PageEmbedder | None = None,
        page_index: PageIndex | None = None,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        opened = records or open_sqlite(folder)
        self.tables = opened.tables
        self.records: Any = opened.ports
        self.blobs = FileBlobs(folder / "blobs", min_free_bytes=0)
        self.artefacts = FileArtefacts(folder / "blobs")
        self.drawings = FileDrawings(folder / "blobs")
        self.passwords = FilePasswords(folder / "blobs")
        self.embedder = MemoryEmbedder(dimensions=DIMENSIONS, max_tokens=96)
        self.sparse = Bm25Encoder()
        self.vectors = vectors or QdrantGraphIndex(
            AsyncQdrantClient(":memory:"), fingerprint="test", dimensions=DIMENSIONS
        )
        self.page_index = page_index or MemoryPageIndex()
        self.page_retriever = (
            None
            if page_embedder is None
            else PageRetriever(
                embedder=page_embedder,
                index=self.page_index,
                artefacts=self.artefacts,
                patience_seconds=1.0,
                text_model=self.embedder.card,
            )
        )
        self.doorbell = MemoryDoorbell()
        self.shop = Workshop(
            ledger=self.ledger,
            contents=self.contents,
            blobs=self.blobs,
            passwords=self.passwords,
            artefacts=self.artefacts,
            parser=MemoryParser(),
            extractor=extractor or MemoryExtractor(),
            embedder=self.embedder,
            models=Models(self.embedder, page_embedder),
            sparse=self.sparse,
            vectors=self.vectors,
            graph_index=self.vectors,
            doorbell=self.doorbell,
            chunk_tokens=200,
            overlap_tokens=20,
            lease_seconds=lease_seconds,
            slice_seconds=30.0,
            purge_grace_seconds=0.0,
            page_embedder=page_embedder,
            page_index=self.page_index,
        )
        self.pipeline = Pipeline(self.shop, "w1")
        self.ask = AskService(
            passages=self.passages,
            graph=self.graph,
            graph_index=self.vectors,
            graph_limits=GraphLimits(considered=40, entity_tokens=6000, relation_tokens=8000),
            vectors=self.vectors,
            embedder=self.embedder,
            sparse=self.sparse,
            chat=None,
            limits=PromptLimits(
                passages=20, total_tokens=30_000, context_tokens=8192, answer_tokens=512, first_token_seconds=20.0
            ),
            certainty=0.5,
            pages=self.page_retriever,
        )

    def __getattr__(self, part: str) -> Any:
        """Return a part of the record store."""
        return getattr(self.records, part)

    async def open(self, *names: str) -> list[KnowledgeBase]:
        """Prepare the index and make knowledge bases."""
        await self.vectors.prepare()
        tenant = await self.tenants.ensure("acme")
        return [
            await self.knowledge_bases.create(tenant, name, language="en", settings={}, quota={}, actor=ACTOR)
            for name in names
        ]

    async def upload(
        self,
        kb: KnowledgeBase,
        name: str,
        text: str | bytes,
        *,
        replace: bool = False,
        labels: Sequence[str] = (),
        uid: DocumentUid | None = None,
    ) -> Document:
        """Accept a text as the gateway does."""
        intake = await self.blobs.receive(kb.uid)
        uid = uid or DocumentUid(new_uid())
        file = await intake.open(uid)
        await file.write(text.encode() if isinstance(text, str) else text)
        stored = await file.close()
        await intake.keep()
        new = NewDocument(
            uid=uid,
            name=name,
            source=None,
            media_type="text/plain",
            bytes=stored.bytes,
            sha256=stored.sha256,
            labels=tuple(labels),
            metadata={},
        )
        accepted = await self.catalogue.accept(reader_of(kb), [new], replace=replace, actor=ACTOR)
        await intake.settle([each.uid for each in accepted.documents])
        document = accepted.documents[0]
        await self.doorbell.ring([document.uid])
        return document

    async def delete(self, kb: KnowledgeBase, document: DocumentUid) -> None:
        """Delete as the gateway does."""
        receipt = await self.lifecycle.delete(reader_of(kb), document, dry_run=False, actor=ACTOR)
        await self.doorbell.ring([receipt.document])

    async def work(self, limit: int = 10_000) -> int:
        """Answer up to ``limit`` rings; return how many there were."""
        done = 0
        while self.doorbell.rings and done < limit:
            await self.pipeline.advance(self.doorbell.rings.popleft())
            done += 1
        return done

    async def search(
        self,
        kb: KnowledgeBase,
        query: str,
        *,
        top_k: int = 100,
        labels: frozenset[str] | None = None,
        mode: Mode = Mode.NAIVE,
    ) -> tuple[Evidence, ...]:
        """Search as the gateway does."""
        outcome = await self.ask.search(
            SearchRequest(reader=reader_of(kb, labels), query=query, mode=mode, top_k=top_k, filters=Filters())
        )
        return outcome.evidence

    async def close(self) -> None:
        """Close everything."""
        await self.vectors.close()
        await self.close_stores()

    async def close_stores(self) -> None:
        """Close all but the vector index, which may be another's."""
        await self.records.aclose()
        self.blobs.close()
