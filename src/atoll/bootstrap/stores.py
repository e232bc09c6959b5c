"""The record store and the file store."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from atoll.adapters.file_artefacts import FileArtefacts
from atoll.adapters.file_blobs import FileBlobs
from atoll.adapters.neo4j.accounts import Neo4jAudit, Neo4jKeys, Neo4jKnowledgeBases, Neo4jTenants
from atoll.adapters.neo4j.archive import Neo4jArchive
from atoll.adapters.neo4j.atlas import Neo4jAtlas
from atoll.adapters.neo4j.atlas_export import Neo4jAtlasExport
from atoll.adapters.neo4j.catalogue import Neo4jCatalogue
from atoll.adapters.neo4j.changes import Neo4jChanges
from atoll.adapters.neo4j.contents import Neo4jContents
from atoll.adapters.neo4j.database import Database as Neo4jDatabase
from atoll.adapters.neo4j.graph import Neo4jGraph
from atoll.adapters.neo4j.index_source import Neo4jIndexSource
from atoll.adapters.neo4j.ledger import Neo4jLedger
from atoll.adapters.neo4j.lifecycle import Neo4jLifecycle
from atoll.adapters.neo4j.passages import Neo4jPassages
from atoll.adapters.neo4j.restoration import Neo4jRestoration
from atoll.adapters.neo4j.sessions import Neo4jSessions
from atoll.adapters.sqlite.accounts import SqliteAudit, SqliteKeys, SqliteKnowledgeBases, SqliteTenants
from atoll.adapters.sqlite.archive import SqliteArchive
from atoll.adapters.sqlite.atlas import SqliteAtlas
from atoll.adapters.sqlite.atlas_export import SqliteAtlasExport
from atoll.adapters.sqlite.catalogue import SqliteCatalogue
from atoll.adapters.sqlite.changes import SqliteChanges
from atoll.adapters.sqlite.contents import SqliteContents
from atoll.adapters.sqlite.database import Database
from atoll.adapters.sqlite.graph import SqliteGraph
from atoll.adapters.sqlite.index_source import SqliteIndexSource
from atoll.adapters.sqlite.ledger import SqliteLedger
from atoll.adapters.sqlite.lifecycle import SqliteLifecycle
from atoll.adapters.sqlite.passages import SqlitePassages
from atoll.adapters.sqlite.restoration import SqliteRestoration
from atoll.adapters.sqlite.sessions import SqliteSessions
from atoll.bootstrap.secret_files import read_secret
from atoll.errors import StartRefused
from atoll.ports.accounts import Audit, Keys, KnowledgeBases, Tenants
from atoll.ports.archive import Archive, Restoration, RestoredRecords
from atoll.ports.atlas import Atlas, AtlasExport
from atoll.ports.catalogue import Catalogue, Lifecycle
from atoll.ports.changes import Changes
from atoll.ports.contents import Contents
from atoll.ports.graph import Graph
from atoll.ports.index_source import IndexSource
from atoll.ports.ledger import Ledger, Reconciliation
from atoll.ports.passages import Passages
from atoll.ports.record_store import RecordStore
from atoll.ports.sessions import Sessions
from atoll.settings import RecordStoreKind, Settings

_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Records:
    """The record store's ports."""

    database: RecordStore
    catalogue: Catalogue
    changes: Changes
    sessions: Sessions
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
        changes=SqliteChanges(database),
        sessions=SqliteSessions(database),
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
        changes=Neo4jChanges(database),
        sessions=Neo4jSessions(database),
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


def artefacts(settings: Settings) -> FileArtefacts:
    """Return where stages leave their outputs."""
    return FileArtefacts(settings.blobs_dir)
