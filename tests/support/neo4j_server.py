"""A real Neo4j for tests: the one that `NEO4J_TEST_URI` names, or one of our own, started once and stopped in the end."""

from __future__ import annotations

import atexit
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from neo4j import Driver, GraphDatabase, NotificationMinimumSeverity

from atoll.settings import RecordSettings, RecordStoreKind

STARTER = Path(__file__).parents[3] / "shared" / "tools" / "neo4j"
START_SECONDS = 120.0
#: Nodes removed in one transaction, so that a large graph does not fill the server's memory.
_WIPED_AT_ONCE = 1000


@dataclass(frozen=True)
class Neo4jServer:
    """A running server whose database belongs to the tests: they empty it."""

    url: str
    username: str
    password: str

    @property
    def settings(self) -> RecordSettings:
        """The settings that choose this server."""
        return RecordSettings(store=RecordStoreKind.NEO4J, url=self.url, username=self.username, password=self.password)

    @property
    def environment(self) -> dict[str, str]:
        """The same as environment variables."""
        return {
            "ATOLL_RECORDS__STORE": "neo4j",
            "ATOLL_RECORDS__URL": self.url,
            "ATOLL_RECORDS__USERNAME": self.username,
            "ATOLL_RECORDS__PASSWORD": self.password,
        }

    @property
    def driver(self) -> Driver:
        """A driver of the tests' own, for looking at what the adapters wrote; one for all that look at this server."""
        return _driver(self.url, self.username, self.password)

    def rows(self, statement: str, **values: object) -> list[dict[str, object]]:
        """Run a statement and return its records."""
        records, _, _ = self.driver.execute_query(statement, values, database_="neo4j")
        return [record.data() for record in records]

    def wipe(self) -> None:
        """Remove everything but the schema and its version."""
        while self.rows(
            "MATCH (n) WHERE NOT n:Schema WITH n LIMIT $limit DETACH DELETE n RETURN 1", limit=_WIPED_AT_ONCE
        ):
            pass


@cache
def _driver(url: str, username: str, password: str) -> Driver:
    driver = GraphDatabase.driver(
        url, auth=(username, password), notifications_min_severity=NotificationMinimumSeverity.OFF
    )
    atexit.register(driver.close)
    return driver


@contextmanager
def running(folder: Path) -> Iterator[Neo4jServer]:
    """Yield a server; skip, or fail in CI, where there is none."""
    from tests.support.stack import unavailable  # a stack looks into this server, so that it imports this module

    given = os.environ.get("NEO4J_TEST_URI")
    if given:
        server = _server(os.environ)
        yield server
        return
    if not STARTER.exists():
        unavailable("NEO4J_TEST_URI is not set and ../shared/tools/neo4j is not there")
    place = ("--home", str(folder), "--port", str(_port()))
    try:
        started = subprocess.run(
            [STARTER, "start", *place], capture_output=True, text=True, timeout=START_SECONDS, check=False
        )
        if started.returncode != 0:
            unavailable(f"Neo4j does not start: {started.stderr}")
        server = _server(dict(line.split("=", 1) for line in started.stdout.splitlines()))
        yield server
    finally:
        subprocess.run([STARTER, "stop", "--home", str(folder)], check=True, timeout=START_SECONDS)


def _port() -> int:
    """Return a free port whose successor is free too: the server takes both."""
    from tests.support.stack import free_ports

    for port in free_ports(50):
        if port + 1 in free_ports(1, among=[port + 1]):
            return port
    raise AssertionError("no two free ports in a row")


def _server(names: dict[str, str] | os._Environ[str]) -> Neo4jServer:
    return Neo4jServer(
        url=names["NEO4J_TEST_URI"],
        username=names.get("NEO4J_TEST_USERNAME", "neo4j"),
        password=names["NEO4J_TEST_PASSWORD"],
    )
