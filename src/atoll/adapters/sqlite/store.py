"""The record store on SQLite."""

from __future__ import annotations

from atoll.adapters.sqlite.accounts import SqliteKnowledgeBases
from atoll.adapters.sqlite.archive import SqliteArchive
from atoll.adapters.sqlite.atlas import SqliteAtlas
from atoll.adapters.sqlite.atlas_export import SqliteAtlasExport
from atoll.adapters.sqlite.audit import SqliteAudit
from atoll.adapters.sqlite.catalogue import SqliteCatalogue
from atoll.adapters.sqlite.changes import SqliteChanges
from atoll.adapters.sqlite.contents import SqliteContents
from atoll.adapters.sqlite.database import Database
from atoll.adapters.sqlite.graph import SqliteGraph
from atoll.adapters.sqlite.index_source import SqliteIndexSource
from atoll.adapters.sqlite.keys import SqliteKeys
from atoll.adapters.sqlite.ledger import SqliteLedger
from atoll.adapters.sqlite.lifecycle import SqliteLifecycle
from atoll.adapters.sqlite.passages import SqlitePassages
from atoll.adapters.sqlite.restoration import SqliteRestoration
from atoll.adapters.sqlite.sessions import SqliteSessions
from atoll.adapters.sqlite.tenants import SqliteTenants
from atoll.adapters.sqlite.usage import SqliteUsage


class SqliteStore:
    """Implements ``RecordStore``.

    Args:
        database: its connections.
        waiting_documents: how many documents may wait in one knowledge base.
    """

    def __init__(self, database: Database, *, waiting_documents: int) -> None:
        self.database = database
        self.catalogue = SqliteCatalogue(database, waiting_documents=waiting_documents)
        self.changes = SqliteChanges(database)
        self.sessions = SqliteSessions(database)
        self.lifecycle = SqliteLifecycle(database)
        self.ledger = self.reconciliation = SqliteLedger(database)
        self.contents = SqliteContents(database)
        self.passages = SqlitePassages(database)
        self.graph = SqliteGraph(database)
        self.atlas = SqliteAtlas(database)
        self.atlas_export = SqliteAtlasExport(database)
        self.index_source = SqliteIndexSource(database)
        self.archive = SqliteArchive(database)
        self.restoration = self.restored = SqliteRestoration(database)
        self.keys = SqliteKeys(database)
        self.knowledge_bases = SqliteKnowledgeBases(database)
        self.tenants = SqliteTenants(database)
        self.usage = SqliteUsage(database)
        self.audit = SqliteAudit(database)

    def migrate(self) -> None:
        """Bring the schema up to date."""
        self.database.migrate()

    async def ping(self) -> None:
        """Return when a read goes through."""
        await self.database.ping()

    async def aclose(self) -> None:
        """Let running transactions end and close every connection."""
        await self.database.aclose()
