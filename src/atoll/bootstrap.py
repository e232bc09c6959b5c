"""The composition root: settings in, wired ports out. Nothing else knows which adapter stands behind a port."""

from __future__ import annotations

import asyncio
import hashlib
import os
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from celery import Celery

from atoll.access import keys
from atoll.adapters.bm25 import Bm25Encoder
from atoll.adapters.celery_doorbell import CeleryDoorbell, make_celery
from atoll.adapters.chat_extractor import ChatExtractor
from atoll.adapters.file_blobs import FileBlobs
from atoll.adapters.http_embedder import HttpEmbedder
from atoll.adapters.http_pages import HttpPageEmbedder
from atoll.adapters.http_reranker import HttpReranker
from atoll.adapters.neo4j.accounts import Neo4jAudit, Neo4jKeys, Neo4jKnowledgeBases, Neo4jTenants
from atoll.adapters.neo4j.archive import Neo4jArchive
from atoll.adapters.neo4j.atlas import Neo4jAtlas
from atoll.adapters.neo4j.atlas_export import Neo4jAtlasExport
from atoll.adapters.neo4j.catalogue import Neo4jCatalogue
from atoll.adapters.neo4j.contents import Neo4jContents
from atoll.adapters.neo4j.database import Database as Neo4jDatabase
from atoll.adapters.neo4j.graph import Neo4jGraph
from atoll.adapters.neo4j.index_source import Neo4jIndexSource
from atoll.adapters.neo4j.ledger import Neo4jLedger
from atoll.adapters.neo4j.lifecycle import Neo4jLifecycle
from atoll.adapters.neo4j.passages import Neo4jPassages
from atoll.adapters.neo4j.restoration import Neo4jRestoration
from atoll.adapters.no_extractor import NoExtractor
from atoll.adapters.openai_chat import OpenAIChat
from atoll.adapters.qdrant_graph import QdrantGraphIndex
from atoll.adapters.qdrant_pages import QdrantPageIndex
from atoll.adapters.socket_parser import SocketParser
from atoll.adapters.spacy_extractor import SpacyExtractor
from atoll.adapters.sqlite.accounts import SqliteAudit, SqliteKeys, SqliteKnowledgeBases, SqliteTenants
from atoll.adapters.sqlite.archive import SqliteArchive
from atoll.adapters.sqlite.atlas import SqliteAtlas
from atoll.adapters.sqlite.atlas_export import SqliteAtlasExport
from atoll.adapters.sqlite.catalogue import SqliteCatalogue
from atoll.adapters.sqlite.contents import SqliteContents
from atoll.adapters.sqlite.database import Database
from atoll.adapters.sqlite.graph import SqliteGraph
from atoll.adapters.sqlite.index_source import SqliteIndexSource
from atoll.adapters.sqlite.ledger import SqliteLedger
from atoll.adapters.sqlite.lifecycle import SqliteLifecycle
from atoll.adapters.sqlite.passages import SqlitePassages
from atoll.adapters.sqlite.restoration import SqliteRestoration
from atoll.adapters.valkey_rates import ValkeyRates
from atoll.domain.embedding import EmbedderCard
from atoll.domain.ids import TenantId
from atoll.domain.principal import Actor, Role
from atoll.errors import Conflict, DependencyDown, StartRefused
from atoll.ingest.pipeline import Pipeline
from atoll.ingest.reindex import DerivedCollection, IndexWatch, PassageCollection, Reindex
from atoll.ingest.reindex_graph import EntityCollection, RelationCollection
from atoll.ingest.reindex_pages import PageCollection
from atoll.ingest.workshop import Workshop
from atoll.ports.accounts import Audit, Keys, KnowledgeBases, Tenants
from atoll.ports.archive import Archive, Restoration, RestoredRecords
from atoll.ports.atlas import Atlas, AtlasExport
from atoll.ports.catalogue import Catalogue, Lifecycle
from atoll.ports.contents import Contents
from atoll.ports.graph import Graph
from atoll.ports.index_source import IndexSource
from atoll.ports.ledger import Ledger, Reconciliation
from atoll.ports.passages import Passages
from atoll.ports.record_store import RecordStore
from atoll.query.budget import PromptLimits
from atoll.query.graph_evidence import GraphLimits
from atoll.query.refuse import RefusalThresholds
from atoll.query.rerank import Reranking
from atoll.query.retrieve.pages import PageRetriever
from atoll.query.service import AskService
from atoll.settings import ExtractorKind, RecordStoreKind, Settings

if TYPE_CHECKING:
    from atoll.backup.layout import Manifest

DEFAULT_TENANT = "default"
DEFAULT_KB = "default"
DEFAULT_LANGUAGE = "en"

_MIB = 1024 * 1024
_START_SECONDS = 60.0
_START_POLL_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class Records:
    """The record store's ports."""

    database: RecordStore
    catalogue: Catalogue
    census: Callable[[], Awaitable[dict[str, float]]]
    lifecycle: Lifecycle
    ledger: Ledger
    reconciliation: Reconciliation
    contents: Contents
    passages: Passages
    graph: Graph
    atlas: Atlas
    atlas_export: AtlasExport
    index_source: IndexSource
    archive: Archive
    restoration: Restoration
    restored: RestoredRecords
    keys: Keys
    knowledge_bases: KnowledgeBases
    tenants: Tenants
    audit: Audit


def records(settings: Settings) -> Records:
    """Open the record store and bring its schema up to date; blocks until a server answers, for a bounded time.

    Raises:
        StartRefused: the store was written by a newer Atoll, or its server does not answer or refuses us.
    """
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    return _RECORD_STORES[settings.records.store](settings)


def _sqlite_records(settings: Settings) -> Records:
    database = Database(settings.records_path)
    database.migrate()
    restoration = SqliteRestoration(database)
    catalogue = SqliteCatalogue(database, waiting_documents=settings.gateway.waiting_documents)
    ledger = SqliteLedger(database)
    return Records(
        database=database,
        catalogue=catalogue,
        census=catalogue.census,
        lifecycle=SqliteLifecycle(database),
        ledger=ledger,
        reconciliation=ledger,
        contents=SqliteContents(database),
        passages=SqlitePassages(database),
        atlas=SqliteAtlas(database),
        atlas_export=SqliteAtlasExport(database),
        index_source=SqliteIndexSource(database),
        archive=SqliteArchive(database),
        restoration=restoration,
        restored=restoration,
        graph=SqliteGraph(database),
        keys=SqliteKeys(database),
        knowledge_bases=SqliteKnowledgeBases(database),
        tenants=SqliteTenants(database),
        audit=SqliteAudit(database),
    )


def _neo4j_records(settings: Settings) -> Records:
    section = settings.records
    password = read_secret(section.password_file) or section.password
    if password is None:
        raise StartRefused("ATOLL_RECORDS__PASSWORD_FILE is not set; it names the file with the password at Neo4j")
    database = Neo4jDatabase(section.url, username=section.username, password=password, name=section.database)
    database.migrate()
    restoration = Neo4jRestoration(database)
    catalogue = Neo4jCatalogue(database, waiting_documents=settings.gateway.waiting_documents)
    ledger = Neo4jLedger(database)
    return Records(
        database=database,
        catalogue=catalogue,
        census=catalogue.census,
        lifecycle=Neo4jLifecycle(database),
        ledger=ledger,
        reconciliation=ledger,
        contents=Neo4jContents(database),
        passages=Neo4jPassages(database),
        atlas=Neo4jAtlas(database),
        atlas_export=Neo4jAtlasExport(database),
        index_source=Neo4jIndexSource(database),
        archive=Neo4jArchive(database),
        restoration=restoration,
        restored=restoration,
        graph=Neo4jGraph(database),
        keys=Neo4jKeys(database),
        knowledge_bases=Neo4jKnowledgeBases(database),
        tenants=Neo4jTenants(database),
        audit=Neo4jAudit(database),
    )


_RECORD_STORES: Mapping[RecordStoreKind, Callable[[Settings], Records]] = {
    RecordStoreKind.SQLITE: _sqlite_records,
    RecordStoreKind.NEO4J: _neo4j_records,
}


def blobs(settings: Settings) -> FileBlobs:
    """Return the file store."""
    return FileBlobs(settings.blobs_dir, min_free_bytes=settings.gateway.min_free_mib * _MIB)


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


def reindex(
    store: Records, index: QdrantGraphIndex, pages: QdrantPageIndex, files: FileBlobs, card: EmbedderCard
) -> Reindex:
    """Return what rebuilds the derived vector collections."""
    passages = PassageCollection(store.index_source, store.passages, index, sparse(), dimensions=card.dimensions)
    collections: dict[str, DerivedCollection] = {
        "passages": passages,
        "entities": EntityCollection(store.index_source, index),
        "relations": RelationCollection(store.index_source, store.passages, index),
        "pages": PageCollection(store.index_source, store.passages, pages, files),
    }
    return Reindex(store.index_source, collections, embedding=f"{card.fingerprint} {card.dimensions}")


@asynccontextmanager
async def rebuilding(settings: Settings) -> AsyncIterator[Reindex]:
    """Open what `atoll reindex` works with, and close it in the end."""
    store = records(settings)
    embedding = embedder(settings)
    try:
        card = await embedding.describe()
        index, pages, files = vectors(settings, card), page_index(settings), blobs(settings)
        try:
            yield reindex(store, index, pages, files, card)
        finally:
            await index.close()
            await pages.close()
            files.close()
    finally:
        await embedding.aclose()
        await store.database.aclose()


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


def page_retriever(
    settings: Settings, embedding: HttpPageEmbedder | None, index: QdrantPageIndex
) -> PageRetriever | None:
    """Return what finds pages, or None when pages are off."""
    if embedding is None:
        return None
    return PageRetriever(
        embedder=embedding, index=index, blobs=blobs(settings), patience_seconds=settings.pages.query_seconds
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


def ask(
    settings: Settings,
    store: Records,
    index: QdrantGraphIndex,
    embedding: HttpEmbedder,
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
        embedder=embedding,
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
        thresholds=RefusalThresholds(cosine=settings.query.refuse_cosine, terms=settings.query.refuse_terms),
        pages=pages,
        reranking=None if ranker is None else Reranking(ranker, settings.reranker.depth),
    )


async def describe(client: HttpEmbedder) -> EmbedderCard:
    """Return the embedder's card, waiting a bounded time for the server to come up.

    Raises:
        StartRefused: the server did not answer in time.
    """
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            return await client.describe()
        except DependencyDown as down:
            if time.monotonic() > deadline:
                raise StartRefused(f"the embedding server does not answer: {down}; see `atoll status`") from down
            await asyncio.sleep(_START_POLL_SECONDS)


async def prepare(index: QdrantGraphIndex) -> None:
    """Make sure that the collections are there, waiting a bounded time for the vector store to come up.

    Raises:
        StartRefused: the vector store did not answer in time.
    """
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            return await index.prepare()
        except DependencyDown as down:
            if time.monotonic() > deadline:
                raise StartRefused(f"the vector store does not answer: {down}; see `atoll status`") from down
            await asyncio.sleep(_START_POLL_SECONDS)


class Ingestion:
    """What a worker process runs on. Clients are opened by ``prepare``, on the loop that uses them."""

    def __init__(self, settings: Settings) -> None:
        self.owner = f"{os.uname().nodename}-{os.getpid()}-{secrets.token_hex(4)}"
        self.celery = celery(settings)
        self.doorbell = doorbell(settings, self.celery)
        self._settings = settings
        self._extractor = extractor(settings)
        self._records = records(settings)
        self.reconciliation = self._records.reconciliation

    async def prepare(self) -> None:
        """Open the clients and make sure that the collections are there."""
        settings = self._settings
        self._embedder = embedder(settings)
        card = await describe(self._embedder)
        self._vectors = vectors(settings, card)
        await prepare(self._vectors)
        self._page_embedder, self._page_index = page_embedder(settings), page_index(settings)
        files = blobs(settings)
        self.watch = IndexWatch(
            reindex(self._records, self._vectors, self._page_index, files, card),
            every_seconds=settings.worker.index_check_seconds,
        )
        shop = Workshop(
            ledger=self._records.ledger,
            contents=self._records.contents,
            blobs=files,
            parser=parser(settings),
            extractor=self._extractor,
            embedder=self._embedder,
            sparse=sparse(),
            vectors=self._vectors,
            graph_index=self._vectors,
            doorbell=self.doorbell,
            chunk_tokens=settings.chunking.chunk_tokens,
            overlap_tokens=settings.chunking.overlap_tokens,
            lease_seconds=settings.worker.lease_seconds,
            slice_seconds=settings.worker.slice_seconds,
            purge_grace_seconds=settings.worker.purge_grace_seconds,
            page_embedder=self._page_embedder,
            page_index=self._page_index,
        )
        self.pipeline = Pipeline(shop, self.owner)

    async def close(self) -> None:
        """Close the clients."""
        await self._extractor.aclose()
        await self._embedder.aclose()
        await self._vectors.close()
        await self._page_index.close()
        if self._page_embedder is not None:
            await self._page_embedder.aclose()
        self.doorbell.close()
        await self._records.database.aclose()


def ingestion(settings: Settings) -> Ingestion:
    """Return what a worker process runs on."""
    return Ingestion(settings)


@dataclass(frozen=True, slots=True)
class Front:
    """What a gateway process runs on."""

    records: Records
    blobs: FileBlobs
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
    index = vectors(settings, await describe(embedding))
    await prepare(index)
    model, ranker = chat(settings), reranker(settings)
    page_model, page_points = page_embedder(settings), page_index(settings)
    retriever = page_retriever(settings, page_model, page_points)
    bell = doorbell(settings, celery(settings))
    password = read_secret(settings.queue.password_file)
    try:
        yield Front(
            records=store,
            blobs=blobs(settings),
            parser=parser(settings),
            doorbell=bell,
            rates=ValkeyRates(settings.queue.url, password, per_minute=settings.gateway.requests_per_minute),
            embedder=embedding,
            vectors=index,
            chat=model,
            pages=page_model,
            page_retriever=retriever,
            ask=ask(settings, store, index, embedding, model, ranker, retriever),
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
        await store.database.aclose()


async def initialise(settings: Settings) -> bool:
    """Make the data directory, its secrets, the default tenant, knowledge base and owner key; again is a no-op.

    Returns:
        Whether an owner key was registered. Its text stands in ``settings.owner_key_path`` and nowhere else.
    """
    _make_folders(settings)
    store = await asyncio.to_thread(records, settings)
    try:
        tenant = await store.tenants.ensure(DEFAULT_TENANT)
        actor = Actor(key="init", request_id="-")
        with suppress(Conflict):
            await store.knowledge_bases.create(
                tenant, DEFAULT_KB, language=DEFAULT_LANGUAGE, settings={}, quota={}, actor=actor
            )
        if (accepted := settings.gateway.accepted_risks) != "none":
            await store.audit.record(tenant, actor, action="risk.accept", subject=accepted, result="ok")
        return await _register_owner(settings, store, tenant, actor)
    finally:
        await store.database.aclose()


async def _register_owner(settings: Settings, store: Records, tenant: TenantId, actor: Actor) -> bool:
    """Make sure that the owner key is there and known; return whether the store did not know it yet."""
    # A key that is there already may be this store's, or made before the store was.
    given = read_secret(settings.owner_key_path) if settings.owner_key_path.exists() else None
    text = given or keys.fresh()
    key = keys.stored(pepper(settings), text, tenant=tenant, name="owner", role=Role.OWNER)
    if await store.keys.find(key.id) is not None:
        return False
    await store.keys.create(key, actor)
    if given is None:
        write_secret(settings.owner_key_path, text)
    return True


def _make_folders(settings: Settings) -> None:
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    for folder in (settings.blobs_dir, settings.run_dir, settings.logs_dir, settings.pepper_path.parent):
        folder.mkdir(exist_ok=True, mode=0o700)
    if not settings.pepper_path.exists():
        write_secret(settings.pepper_path, secrets.token_hex(32))


async def take_backup(settings: Settings, folder: Path, on_document: Callable[[str, int, int], None]) -> Manifest:
    """Take a backup of this installation, which may be at work. Raises what `BackupWriter.write` raises."""
    from atoll.backup.create import BackupWriter  # no server needs it

    store, files = await asyncio.to_thread(records, settings), blobs(settings)
    try:
        writer = BackupWriter(store.archive, files, folder, pepper=pepper(settings), on_document=on_document)
        return await writer.write()
    finally:
        files.close()
        await store.database.aclose()


async def restore_backup(
    settings: Settings, folder: Path, on_document: Callable[[str, int, int], None]
) -> tuple[Manifest, bool]:
    """Restore a backup into this empty installation; return the manifest and whether the keys of the backup work here.

    An owner key is written to ``settings.owner_key_path`` unless there is one, since the backup holds none. Raises what
    `atoll.backup.restore.restore` raises.
    """
    from atoll.backup.restore import restore

    _make_folders(settings)
    store, files = await asyncio.to_thread(records, settings), blobs(settings)
    try:
        manifest, keys_hold = await restore(
            folder, store.restoration, store.restored, files, pepper=pepper(settings), on_document=on_document
        )
        tenant = await store.tenants.ensure(DEFAULT_TENANT)
        await _register_owner(settings, store, tenant, Actor(key="restore", request_id="-"))
        return manifest, keys_hold
    finally:
        files.close()
        await store.database.aclose()


def pepper(settings: Settings) -> bytes:
    """Read the pepper. Raises StartRefused when it is missing."""
    if not settings.pepper_path.exists():
        raise StartRefused(f"{settings.pepper_path} is missing; run `atoll init`")
    return bytes.fromhex(settings.pepper_path.read_text().strip())


def read_secret(path: Path | None) -> str | None:
    """Read a secret file. Raises StartRefused when it is named and missing or empty."""
    if path is None:
        return None
    try:
        text = path.read_text().strip()
    except OSError as error:
        raise StartRefused(f"the secret file {path} cannot be read: {error.strerror}") from error
    if not text:
        raise StartRefused(f"the secret file {path} is empty")
    return text


def write_secret(path: Path, text: str) -> None:
    """Write a file that only its owner reads, whole or not at all, synced."""
    draft = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(f"{text}\n")
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
