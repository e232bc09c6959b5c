"""Record stores of both kinds, opened as a process opens them, with a view into what they hold."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from atoll.bootstrap import stores
from atoll.settings import GatewaySettings, Settings
from tests.support.neo4j_server import Neo4jServer
from tests.support.tables import Neo4jTables, SqliteTables, Tables

STORES = ("sqlite", "neo4j")


@dataclass(frozen=True)
class OpenRecords:
    """A record store and its tables."""

    ports: stores.Records
    tables: Tables


def open_sqlite(folder: Path, *, waiting_documents: int = 10_000) -> OpenRecords:
    """Open the SQLite store of a data directory."""
    settings = Settings(data_dir=folder, gateway=GatewaySettings(waiting_documents=waiting_documents))
    return OpenRecords(stores.records(settings), SqliteTables(settings.records_path))


def open_neo4j(server: Neo4jServer, folder: Path, *, waiting_documents: int = 10_000) -> OpenRecords:
    """Open the tests' Neo4j as it is; empty it first with ``server.wipe()``."""
    settings = Settings(
        data_dir=folder, gateway=GatewaySettings(waiting_documents=waiting_documents), records=server.settings
    )
    return OpenRecords(stores.records(settings), Neo4jTables(server))


def open_either(
    request: pytest.FixtureRequest, store: str, folder: Path, *, waiting_documents: int = 10_000
) -> OpenRecords:
    """Open a store of the kind ``store`` with nothing in it; of Neo4j there is one, which is emptied."""
    if store == "sqlite":
        return open_sqlite(folder, waiting_documents=waiting_documents)
    server: Neo4jServer = request.getfixturevalue("neo4j_server")
    server.wipe()
    return open_neo4j(server, folder, waiting_documents=waiting_documents)
