"""What a gateway process runs on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from atoll.adapters.celery_doorbell import CeleryDoorbell
from atoll.adapters.file_artefacts import FileArtefacts
from atoll.adapters.file_blobs import FileBlobs
from atoll.adapters.file_drawings import FileDrawings
from atoll.adapters.file_passwords import FilePasswords
from atoll.adapters.http_embedder import HttpEmbedder
from atoll.adapters.http_pages import HttpPageEmbedder
from atoll.adapters.http_reranker import HttpReranker
from atoll.adapters.openai_chat import OpenAIChat
from atoll.adapters.qdrant_graph import QdrantGraphIndex
from atoll.adapters.qdrant_pages import QdrantPageIndex
from atoll.adapters.socket_parser import SocketParser
from atoll.adapters.valkey_rates import ValkeyRates
from atoll.bootstrap.clients import (
    answered,
    celery,
    chat,
    doorbell,
    embedder,
    page_embedder,
    page_index,
    parser,
    reranker,
    sparse,
    vectors,
)
from atoll.bootstrap.secret_files import pepper, read_secret
from atoll.bootstrap.stores import artefacts, blobs, drawings, passwords, records
from atoll.domain.embedding import EmbedderCard
from atoll.ports.record_store import RecordStore
from atoll.query.answer.budget import PromptLimits
from atoll.query.rank.graph_evidence import GraphLimits
from atoll.query.rank.rerank import Reranking
from atoll.query.retrieve.bounded_embedder import BoundedEmbedder
from atoll.query.retrieve.pages import PageRetriever
from atoll.query.service import AskService
from atoll.settings import Settings


def page_retriever(
    settings: Settings, embedding: HttpPageEmbedder | None, index: QdrantPageIndex, text_model: EmbedderCard
) -> PageRetriever | None:
    """Return what finds pages, or None when pages are off."""
    if embedding is None:
        return None
    return PageRetriever(
        embedder=embedding,
        index=index,
        artefacts=artefacts(settings),
        patience_seconds=settings.pages.query_seconds,
        text_model=text_model,
    )


def ask(
    settings: Settings,
    store: RecordStore,
    index: QdrantGraphIndex,
    embedding: HttpEmbedder,
    text_model: EmbedderCard,
    model: OpenAIChat | None,
    ranker: HttpReranker | None,
    pages: PageRetriever | None,
) -> AskService:
    """Return the query service."""
    return AskService(
        passages=store.passages,
        graph=store.graph,
        graph_index=index,
        vectors=index,
        embedder=BoundedEmbedder(
            embedding, dimensions=text_model.dimensions, seconds=settings.embeddings.query_seconds
        ),
        sparse=sparse(),
        chat=model,
        limits=PromptLimits(
            passages=settings.query.chunk_top_k,
            total_tokens=settings.query.max_total_tokens,
            context_tokens=settings.chat.context_tokens,
            answer_tokens=settings.chat.answer_tokens,
            first_token_seconds=settings.chat.first_token_seconds,
        ),
        graph_limits=GraphLimits(
            considered=settings.query.top_k,
            entity_tokens=settings.query.max_entity_tokens,
            relation_tokens=settings.query.max_relation_tokens,
        ),
        certainty=settings.query.certainty,
        pages=pages,
        reranking=None if ranker is None else Reranking(ranker, settings.reranker.depth),
    )


@dataclass(frozen=True, slots=True)
class Front:
    """What a gateway process runs on."""

    records: RecordStore
    blobs: FileBlobs
    passwords: FilePasswords
    artefacts: FileArtefacts
    drawings: FileDrawings
    parser: SocketParser
    doorbell: CeleryDoorbell
    rates: ValkeyRates
    embedder: HttpEmbedder
    vectors: QdrantGraphIndex
    chat: OpenAIChat | None
    pages: HttpPageEmbedder | None
    page_retriever: PageRetriever | None
    ask: AskService
    pepper: bytes


@asynccontextmanager
async def gateway(settings: Settings) -> AsyncIterator[Front]:
    """Open what a gateway process runs on, on the loop that uses it, and close it in the end."""
    store = await asyncio.to_thread(records, settings)
    embedding = embedder(settings)
    text_model = await answered(embedding.describe, "embedding server")
    index = vectors(settings, text_model)
    await answered(index.prepare, "vector store")
    model, ranker = chat(settings), reranker(settings)
    page_model, page_points = page_embedder(settings), page_index(settings)
    retriever = page_retriever(settings, page_model, page_points, text_model)
    bell = doorbell(settings, celery(settings))
    password = read_secret(settings.queue.password_file)
    try:
        yield Front(
            records=store,
            blobs=blobs(settings),
            passwords=passwords(settings),
            artefacts=artefacts(settings),
            drawings=drawings(settings),
            parser=parser(settings),
            doorbell=bell,
            rates=ValkeyRates(settings.queue.url, password, per_minute=settings.gateway.requests_per_minute),
            embedder=embedding,
            vectors=index,
            chat=model,
            pages=page_model,
            page_retriever=retriever,
            ask=ask(settings, store, index, embedding, text_model, model, ranker, retriever),
            pepper=pepper(settings),
        )
    finally:
        await embedding.aclose()
        await index.close()
        await page_points.close()
        for optional in (model, ranker, page_model):
            if optional is not None:
                await optional.aclose()
        bell.close()
        await store.aclose()
