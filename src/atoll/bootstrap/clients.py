"""Clients of the servers beside us, each by its section of the settings."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from celery import Celery

from atoll.adapters.bm25 import Bm25Encoder
from atoll.adapters.celery_doorbell import CeleryDoorbell, make_celery
from atoll.adapters.chat_extractor import ChatExtractor
from atoll.adapters.http_embedder import HttpEmbedder
from atoll.adapters.http_pages import HttpPageEmbedder
from atoll.adapters.http_reranker import HttpReranker
from atoll.adapters.no_extractor import NoExtractor
from atoll.adapters.openai_chat import OpenAIChat
from atoll.adapters.qdrant_graph import QdrantGraphIndex
from atoll.adapters.qdrant_pages import QdrantPageIndex
from atoll.adapters.socket_parser import SocketParser
from atoll.adapters.spacy_extractor import SpacyExtractor
from atoll.bootstrap.secret_files import read_secret
from atoll.domain.embedding import EmbedderCard
from atoll.errors import DependencyDown, StartRefused
from atoll.settings import ExtractorKind, Settings

T = TypeVar("T")

_START_SECONDS = 60.0
_START_POLL_SECONDS = 0.25


def embedder(settings: Settings) -> HttpEmbedder:
    """Return the client of the embedding server."""
    section = settings.embeddings
    return HttpEmbedder(
        url=section.url,
        ours=section.ours,
        model=section.model,
        dimensions=section.dimensions,
        max_tokens=section.max_tokens,
        token=read_secret(section.token_file),
        request_texts=section.request_texts,
        concurrent_requests=section.concurrent_requests,
        timeout_seconds=section.timeout_seconds,
    )


def reranker(settings: Settings) -> HttpReranker | None:
    """Return the client of the rerank server: the one that is named, else our embedding server, which may have one."""
    section, embeddings = settings.reranker, settings.embeddings
    if section.url is not None:
        token, url = read_secret(section.token_file), section.url
    elif embeddings.ours:
        token, url = read_secret(embeddings.token_file), embeddings.url
    else:
        return None
    return HttpReranker(
        url=url, ours=section.url is None, token=token, model=section.model, timeout_seconds=section.timeout_seconds
    )


def sparse() -> Bm25Encoder:
    """Return the lexical encoder."""
    return Bm25Encoder()


def vectors(settings: Settings, card: EmbedderCard) -> QdrantGraphIndex:
    """Return the vector index for the vectors of ``card``'s model."""
    section = settings.vectors
    identity = f"{card.fingerprint} {card.dimensions} {sparse().fingerprint}"
    return QdrantGraphIndex.connect(
        section.url,
        api_key=read_secret(section.api_key_file),
        prefer_grpc=section.grpc,
        grpc_port=section.grpc_port,
        timeout_seconds=section.timeout_seconds,
        fingerprint=hashlib.sha256(identity.encode()).hexdigest()[:12],
        dimensions=card.dimensions,
    )


def page_embedder(settings: Settings) -> HttpPageEmbedder | None:
    """Return the client of the page-image server, or None when pages are off."""
    section = settings.pages
    if section.url is None or not section.enabled:
        return None
    return HttpPageEmbedder(
        url=section.url,
        token=read_secret(section.token_file),
        batch_pages=section.batch_pages,
        timeout_seconds=section.timeout_seconds,
    )


def page_index(settings: Settings) -> QdrantPageIndex:
    """Return the index of pages; it may hold some also when pages are off now."""
    section = settings.vectors
    return QdrantPageIndex.connect(
        section.url,
        api_key=read_secret(section.api_key_file),
        prefer_grpc=section.grpc,
        grpc_port=section.grpc_port,
        timeout_seconds=section.timeout_seconds,
    )


def celery(settings: Settings) -> Celery:
    """Return the Celery application."""
    return make_celery(settings.queue.url, read_secret(settings.queue.password_file))


def doorbell(settings: Settings, app: Celery) -> CeleryDoorbell:
    """Return the doorbell."""
    return CeleryDoorbell(app, settings.queue.url, read_secret(settings.queue.password_file))


def parser(settings: Settings) -> SocketParser:
    """Return the client of the parser role."""
    return SocketParser(settings.parser_socket, parse_timeout_seconds=settings.parser.wall_seconds * 1.5)


def extractor(settings: Settings) -> SpacyExtractor | ChatExtractor | NoExtractor:
    """Return what finds the names in passages.

    Raises:
        StartRefused: a package of the model is missing, or the address of the chat server is.
    """
    section = settings.graph
    if section.extractor is ExtractorKind.NONE:
        return NoExtractor()
    if section.extractor is ExtractorKind.NLP:
        return SpacyExtractor()
    url = section.url or settings.chat.url
    if url is None:
        raise StartRefused("ATOLL_GRAPH__EXTRACTOR=llm needs a chat server; set ATOLL_GRAPH__URL or ATOLL_CHAT__URL")
    # A server of its own has a key of its own: that of the chat server is not sent to it.
    key_file = section.api_key_file or (settings.chat.api_key_file if section.url is None else None)
    return ChatExtractor(
        url=url,
        model=section.model or settings.chat.model,
        api_key=read_secret(key_file),
        prompt_tokens=section.prompt_tokens,
        reply_tokens=section.reply_tokens,
        gleaning=section.gleaning,
        concurrent_requests=section.concurrent_requests,
        timeout_seconds=section.timeout_seconds,
    )


def chat(settings: Settings) -> OpenAIChat | None:
    """Return the client of the chat server, or None when none is configured."""
    section = settings.chat
    if section.url is None:
        return None
    return OpenAIChat(
        url=section.url,
        model=section.model,
        api_key=read_secret(section.api_key_file),
        timeout_seconds=section.timeout_seconds,
    )


async def answered(call: Callable[[], Awaitable[T]], server: str) -> T:
    """Return what ``call`` returns, waiting a bounded time for the server to come up.

    Raises:
        StartRefused: the server did not answer in time.
    """
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            return await call()
        except DependencyDown as down:
            if time.monotonic() > deadline:
                raise StartRefused(f"the {server} does not answer: {down}; see `atoll status`") from down
            await asyncio.sleep(_START_POLL_SECONDS)
