"""Connections, transactions and migrations of the Neo4j record store."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import resources
from typing import Any, TypeVar

from neo4j import (
    READ_ACCESS,
    WRITE_ACCESS,
    AsyncDriver,
    AsyncGraphDatabase,
    AsyncManagedTransaction,
    AsyncSession,
    Driver,
    GraphDatabase,
    ManagedTransaction,
    NotificationMinimumSeverity,
    Record,
)
from neo4j.exceptions import (
    AuthError,
    ClientError,
    ConfigurationError,
    ConstraintError,
    DatabaseError,
    DriverError,
    IncompleteCommit,
    Neo4jError,
    ServiceUnavailable,
    TransientError,
)

from atoll.adapters.neo4j.statements import load
from atoll.errors import AtollError, Conflict, DependencyDown, StartRefused

T = TypeVar("T")

# The driver warns of every deadlock that it runs a transaction again for, which is part of normal work here.
logging.getLogger("neo4j").setLevel(logging.ERROR)

#: How long one call may wait for a connection and try again after deadlocks, all together.
_CALL_SECONDS = 10.0
_CONNECT_SECONDS = 3.0
#: Deadlocks on entities in many passages are part of normal work; the driver's own first wait is a whole second.
_RETRY_DELAY_SECONDS = 0.02
_RETRY_FACTOR = 1.6
_CONNECTIONS = 50
#: Runs of a transaction whose entities were purged under it, or whose commit was not heard of.
_RUNS = 5
_START_SECONDS = 60.0
_START_POLL_SECONDS = 0.25
#: Another transaction deleted a node between this one's read and write of it: run again, it will not be found.
_OVERTAKEN = "Neo.ClientError.Statement.EntityNotFound"
#: Two processes that start at once create the same constraint; the later one finds it made.
_MADE_MEANWHILE = frozenset(
    {
        "Neo.ClientError.Schema.EquivalentSchemaRuleAlreadyExists",
        "Neo.ClientError.Schema.ConstraintAlreadyExists",
        "Neo.ClientError.Schema.IndexAlreadyExists",
    }
)

_NAME_SCHEMA, _VERSION, _RAISE_VERSION = load("schema", "name_schema", "version", "raise_version")


class Transaction:
    """What a piece of work runs its statements in: a transaction, or for reads a session that makes one of each."""

    def __init__(self, inner: AsyncManagedTransaction | AsyncSession) -> None:
        self._inner = inner

    async def all(self, statement: str, **values: object) -> list[Record]:
        """Run a statement and return its records."""
        result = await self._inner.run(statement, dict(values))
        return [record async for record in result]

    async def one(self, statement: str, **values: object) -> Record | None:
        """Run a statement and return its first record, if there is one."""
        records = await self.all(statement, **values)
        return records[0] if records else None


class Database:
    """One Neo4j database. Every call is one managed transaction, run again after deadlocks within a bounded time.

    The driver is opened by the first call, on the loop that makes it.
    """

    def __init__(self, url: str, *, username: str, password: str, name: str = "neo4j") -> None:
        self._url = url
        self._name = name
        self._options: Mapping[str, Any] = {
            "auth": (username, password),
            "connection_timeout": _CONNECT_SECONDS,
            "connection_acquisition_timeout": _CALL_SECONDS,
            "max_transaction_retry_time": _CALL_SECONDS,
            "max_connection_pool_size": _CONNECTIONS,
            "notifications_min_severity": NotificationMinimumSeverity.OFF,
            "telemetry_disabled": True,
        }
        self._driver: AsyncDriver | None = None

    async def read(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        """Run the statements of ``work``, each of which sees what was committed when it began.

        A transaction around them would show the same and cost two round trips. ``work`` may run several times.
        """
        deadline = time.monotonic() + _CALL_SECONDS
        pause = _RETRY_DELAY_SECONDS
        with translate_errors():
            while True:
                try:
                    async with self._session(READ_ACCESS) as session:
                        return await work(Transaction(session))
                except (DriverError, Neo4jError) as error:
                    again = error.is_retryable() or _is_overtaken(error)
                    if not again or time.monotonic() + pause > deadline:
                        raise
                await asyncio.sleep(pause)
                pause *= _RETRY_FACTOR

    async def write(self, work: Callable[[Transaction], Awaitable[T]], *, again_if_unsure: bool = False) -> T:
        """Run ``work`` in a write transaction; an exception rolls it back, a return value means it is committed.

        Args:
            work: may run several times; only its last run counts.
            again_if_unsure: also run it again when the connection broke during the commit; ``work`` then has to
                recognise what it wrote before.
        """

        async def run(inner: AsyncManagedTransaction) -> T:
            return await work(Transaction(inner))

        with translate_errors():
            for attempt in range(1, _RUNS + 1):
                try:
                    async with self._session(WRITE_ACCESS) as session:
                        return await session.execute_write(run)
                except IncompleteCommit:
                    if not again_if_unsure or attempt == _RUNS:
                        raise
                except ClientError as error:
                    if not _is_overtaken(error) or attempt == _RUNS:
                        raise
                await asyncio.sleep(_RETRY_DELAY_SECONDS * _RETRY_FACTOR**attempt)
        raise AssertionError("the loop returns or raises")

    async def ping(self) -> None:
        """Return when a read goes through."""

        async def work(transaction: Transaction) -> None:
            await transaction.one("RETURN 1")

        await self.read(work)

    async def aclose(self) -> None:
        """Close every connection."""
        if self._driver is not None:
            await self._driver.close()

    def migrate(self) -> None:
        """Bring the schema up to date, waiting a bounded time for the server; safe when several processes start.

        Every statement of a migration may run twice; the version is raised when all of them have run.

        Raises:
            StartRefused: the database was written by a newer Atoll, the server did not answer in time, or it does
                not know these credentials.
        """
        with GraphDatabase.driver(self._url, **self._options) as driver:
            self._await_server(driver)
            with translate_errors(), driver.session(database=self._name) as session:
                _define(session.run, _NAME_SCHEMA)
                found = session.execute_read(_first, _VERSION)
                version = 0 if found is None else int(found["version"])
                steps = _migrations()
                if version > len(steps):
                    raise StartRefused(
                        f"{self._url} has schema {version}, this Atoll knows up to {len(steps)}; "
                        "install the newer Atoll that wrote it, or restore a backup made before"
                    )
                for number, step in enumerate(steps[version:], version + 1):
                    for statement in _statements(step):
                        _define(session.run, statement)
                    session.execute_write(_first, _RAISE_VERSION, version=number)
                session.run("CALL db.awaitIndexes(60)").consume()

    def _await_server(self, driver: Driver) -> None:
        # An auto-commit statement: what runs in a managed transaction is tried again for longer than we want to wait.
        deadline = time.monotonic() + _START_SECONDS
        while True:
            try:
                with driver.session(database=self._name) as session:
                    session.run("RETURN 1").consume()
            except AuthError as error:
                raise StartRefused(f"{self._url} refuses the record store's user name or password") from error
            except ConfigurationError as error:
                raise StartRefused(f"{self._url} is no address of a Neo4j server: {error}") from error
            except (DriverError, Neo4jError) as error:
                if time.monotonic() > deadline:
                    raise StartRefused(f"the record store at {self._url} does not answer: {error}") from error
                time.sleep(_START_POLL_SECONDS)
            else:
                return

    def _session(self, access: str) -> AsyncSession:
        return self._open().session(
            database=self._name,
            default_access_mode=access,
            initial_retry_delay=_RETRY_DELAY_SECONDS,
            retry_delay_multiplier=_RETRY_FACTOR,
        )

    def _open(self) -> AsyncDriver:
        if self._driver is None:
            self._driver = AsyncGraphDatabase.driver(self._url, **self._options)
        return self._driver


def _is_overtaken(error: DriverError | Neo4jError) -> bool:
    return isinstance(error, ClientError) and error.code == _OVERTAKEN


@contextmanager
def translate_errors() -> Iterator[None]:
    """Turn the driver's and the server's errors into ours; errors of ours pass."""
    try:
        yield
    except AtollError:
        raise
    except ConstraintError as error:
        raise Conflict(f"the record store refused a write: {error.message}") from error
    except AuthError as error:
        raise DependencyDown("the record store refuses our user name or password") from error
    except TransientError as error:
        raise DependencyDown(f"the record store is busy: {error.message}") from error
    except DatabaseError as error:
        raise DependencyDown(f"the record store failed: {error.code}", retry_after_seconds=5.0) from error
    except ServiceUnavailable as error:
        raise DependencyDown(f"the record store is away: {error}") from error
    except DriverError as error:
        if not error.is_retryable():
            raise
        raise DependencyDown(f"the record store is away: {error}") from error


def _first(transaction: ManagedTransaction, /, statement: str, **values: object) -> Record | None:
    return next(iter(transaction.run(statement, dict(values))), None)


def _define(run: Callable[[str], Any], statement: str) -> None:
    for attempt in range(1, _RUNS + 1):
        try:
            run(statement).consume()
        except ClientError as error:
            if error.code not in _MADE_MEANWHILE:
                raise
        except TransientError:
            if attempt == _RUNS:
                raise
            time.sleep(_START_POLL_SECONDS)
            continue
        return


def _migrations() -> list[str]:
    folder = resources.files(__package__).joinpath("migrations")
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".cypher"))
    return [folder.joinpath(name).read_text(encoding="utf-8") for name in names]


def _statements(script: str) -> Iterator[str]:
    lines = (line for line in script.splitlines() if not line.startswith("//"))
    yield from filter(None, (each.strip() for each in "\n".join(lines).split(";")))
