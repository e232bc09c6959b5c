"""The record store on Neo4j."""

from __future__ import annotations

from atoll.adapters.neo4j.accounts import Neo4jKnowledgeBases
from atoll.adapters.neo4j.archive import Neo4jArchive
from atoll.adapters.neo4j.atlas import Neo4jAtlas
from atoll.adapters.neo4j.atlas_export import Neo4jAtlasExport
from atoll.adapters.neo4j.audit import Neo4jAudit
from atoll.adapters.neo4j.catalogue import Neo4jCatalogue
from atoll.adapters.neo4j.changes import Neo4jChanges
from atoll.adapters.neo4j.contents import Neo4jContents
from atoll.adapters.neo4j.database import Database
from atoll.adapters.neo4j.graph import Neo4jGraph
from atoll.adapters.neo4j.index_source import Neo4jIndexSource
from atoll.adapters.neo4j.keys import Neo4jKeys
from atoll.adapters.neo4j.ledger import Neo4jLedger
from atoll.adapters.neo4j.lifecycle import Neo4jLifecycle
from atoll.adapters.neo4j.passages import Neo4jPassages
from atoll.adapters.neo4j.restoration import Neo4jRestoration
from atoll.adapters.neo4j.sessions import Neo4jSessions
from atoll.adapters.neo4j.tenants import Neo4jTenants
from atoll.adapters.neo4j.usage import Neo4jUsage


class Neo4jStore:
    """Implements ``RecordStore``.

    Args:
        database: its connections.
        waiting_documents: how many documents may wait in one knowledge base.
    """

    def __init__(self, database: Database, *, waiting_documents: int) -> None:
        self.database = database
        self.catalogue = Neo4jCatalogue(database, waiting_documents=waiting_documents)
        self.changes = Neo4jChanges(database)
        self.sessions = Neo4jSessions(database)
        self.lifecycle = Neo4jLifecycle(database)
        self.ledger = self.reconciliation = Neo4jLedger(database)
        self.contents = Neo4jContents(database)
        self.passages = Neo4jPassages(database)
        self.graph = Neo4jGraph(database)
        self.atlas = Neo4jAtlas(database)
        self.atlas_export = Neo4jAtlasExport(database)
        self.index_source = Neo4jIndexSource(database)
        self.archive = Neo4jArchive(database)
        self.restoration = self.restored = Neo4jRestoration(database)
        self.keys = Neo4jKeys(database)
        self.knowledge_bases = Neo4jKnowledgeBases(database)
        self.tenants = Neo4jTenants(database)
        self.usage = Neo4jUsage(database)
        self.audit = Neo4jAudit(database)

    def migrate(self) -> None:
        """Bring the schema up to date."""
        self.database.migrate()

    async def ping(self) -> None:
        """Return when a read goes through."""
        await self.database.ping()

    async def aclose(self) -> None:
        """Let running transactions end and close every connection."""
        await self.database.aclose()
