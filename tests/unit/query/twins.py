"""A small record store for the query side, and a knowledge base that is filled with sentences."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from atoll.adapters.bm25 import Bm25Encoder
from atoll.adapters.memory.chat import MemoryChat
from atoll.adapters.memory.embedder import MemoryEmbedder
from atoll.adapters.memory.graph import EmptyGraph
from atoll.adapters.memory.graph_index import MemoryGraphIndex
from atoll.domain.evidence import Filters, Mode
from atoll.domain.ids import DocumentUid, KbUid, PassageId, chunk_id, passage_id
from atoll.domain.page import Box
from atoll.domain.passage import Passage
from atoll.domain.reader import Reader
from atoll.domain.vectors import PassagePoint
from atoll.errors import NotFound
from atoll.ports.passages import SearchScope
from atoll.query.rank.rerank import Reranking
from atoll.query.service import (
    AnswerMode,
    AskService,
    GraphLimits,
    PromptLimits,
    QueryRequest,
    SearchRequest,
    Turn,
)
from tests.support.readers import reader_of

KB = KbUid("kb")


@dataclass
class StoredDocument:
    name: str
    labels: frozenset[str]
    visible: bool
    passages: list[Passage]


@dataclass
class TwinPassages:
    """Implements what a search needs of ``Passages``; hooks run before a read, to move the ground under it."""

    language: str = "en"
    revision: int = 1
    documents: dict[DocumentUid, StoredDocument] = field(default_factory=dict)
    before_visible: list[Callable[[], None]] = field(default_factory=list)
    before_hydrate: list[Callable[[], None]] = field(default_factory=list)
    reads: list[str] = field(default_factory=list)

    def seen_by(self, reader: Reader) -> dict[PassageId, tuple[StoredDocument, Passage]]:
        return {
            passage.id: (document, passage)
            for document in self.documents.values()
            if document.visible and reader.sees(document.labels)
            for passage in document.passages
        }

    async def scope(self, reader: Reader, filters: Filters) -> SearchScope:
        self.reads.append("scope")
        if reader.kb != KB:
            raise NotFound("no such knowledge base")
        hidden = sum(len(doc.passages) for doc in self.documents.values() if not doc.visible)
        include = None
        if filters.names is not None:
            include = tuple(uid for uid, doc in self.documents.items() if doc.visible and doc.name in filters.names)
        return SearchScope(self.revision, self.language, len(self.seen_by(reader_of(KB))), include, hidden)

    async def visible(self, reader: Reader, documents: Sequence[DocumentUid]):
        self.reads.append("visible")
        if self.before_visible:
            self.before_visible.pop(0)()
        names = {passage.document: document.name for document, passage in self.seen_by(reader).values()}
        return self.revision, {at: names[at] for at in documents if at in names}

    async def hydrate(self, reader: Reader, passages: Sequence[PassageId]):
        self.reads.append("hydrate")
        if self.before_hydrate:
            self.before_hydrate.pop(0)()
        seen = self.seen_by(reader)
        return {at: seen[at][1] for at in passages if at in seen}

    async def of_document(self, reader: Reader, document, *, after, limit):
        raise NotImplementedError

    async def of_page(self, reader: Reader, document, page):
        raise NotImplementedError

    def set_visible(self, name: str, *, visible: bool) -> None:
        for document in self.documents.values():
            if document.name == name:
                document.visible = visible
        self.revision += 1


class Library:
    """A knowledge base in memory and the service that asks it."""

    def __init__(
        self,
        chat: MemoryChat | None = None,
        *,
        language: str = "en",
        limits: PromptLimits | None = None,
        reranking: Reranking | None = None,
        embedder: MemoryEmbedder | None = None,
    ):
        self.records = TwinPassages(language)
        self.index = MemoryGraphIndex()
        self.embedder = embedder or MemoryEmbedder()
        self.encoder = Bm25Encoder()
        self.service = AskService(
            passages=self.records,
            graph=EmptyGraph(),
            graph_index=self.index,
            graph_limits=GraphLimits(40, 6000, 8000),
            vectors=self.index,
            embedder=self.embedder,
            sparse=self.encoder,
            chat=chat,
            limits=limits or PromptLimits(20, 30_000, 8192, 768, 20.0),
            certainty=0.5,
            reranking=reranking,
        )

    async def add(
        self, name: str, *texts: str, visible: bool = True, labels: tuple[str, ...] = (), headings: tuple[str, ...] = ()
    ) -> DocumentUid:
        uid = DocumentUid(f"{len(self.records.documents):032x}")
        passages = [
            Passage(
                id=passage_id(uid, at),
                document=uid,
                ordinal=at,
                chunk=chunk_id(uid, 0),
                page=at + 1,
                boxes=(Box(10.0, 20.0, 300.0, 40.0 + at),),
                char_start=0,
                char_end=len(text),
                text=text,
                headings=headings,
            )
            for at, text in enumerate(texts)
        ]
        self.records.documents[uid] = StoredDocument(name, frozenset(labels), visible, passages)
        self.records.revision += 1
        rows = self.embedder.vectors(list(texts))
        await self.index.upsert(
            [
                PassagePoint(
                    passage.id,
                    KB,
                    uid,
                    labels,
                    row.astype(np.float32),
                    self.encoder.encode_passage(passage.text, self.records.language),
                )
                for passage, row in zip(passages, rows, strict=True)
            ]
        )
        return uid

    async def search(self, query: str, *, top_k: int = 20, mode: Mode = Mode.MIX, labels=None, filters=None):
        return await self.service.search(SearchRequest(reader_of(KB, labels), query, mode, top_k, filters or Filters()))

    def asking(
        self,
        query: str,
        answer: AnswerMode = AnswerMode.AUTO,
        *,
        top_k: int = 20,
        mode: Mode = Mode.MIX,
        history: tuple[Turn, ...] = (),
    ) -> QueryRequest:
        return QueryRequest(reader_of(KB), query, mode, top_k, Filters(), answer, history)
