"""Record stores of both kinds, opened as a process opens them, with a view into what they hold."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from atoll import bootstrap
from atoll.settings import GatewaySettings, Settings
from tests.support.neo4j_server import Neo4jServer
from tests.support.tables import Neo4jTables, SqliteTables, Tables


@dataclass(frozen=True)
class OpenRecords:
    """A record store and its tables."""

    ports: bootstrap.Records
    tables: Tables


def open_sqlite(folder: Path, *, waiting_documents: int = 10_000) -> OpenRecords:
    """Open the SQLite store of a data directory."""
    settings = Settings(data_dir=folder, gateway=GatewaySettings(waiting_documents=waiting_documents))
    return OpenRecords(bootstrap.records(settings), SqliteTables(settings.records_path))


def open_neo4j(server: Neo4jServer, folder: Path, *, waiting_documents: int = 10_000) -> OpenRecords:
    """Open the tests' Neo4j as it is; empty it first with ``server.wipe()``."""
    settings = Settings(
        data_dir=folder, gateway=GatewaySettings(waiting_documents=waiting_documents), records=server.settings
    )
    return OpenRecords(bootstrap.records(settings), Neo4jTables(server))
