"""Connections, transactions and migrations of the SQLite record store."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import TypeVar

from atoll.errors import AtollError, Conflict, DependencyDown, StartRefused, StorageFull

T = TypeVar("T")

#: Milliseconds since 1970 by the store's clock, stable within one statement.
NOW = "CAST((julianday('now') - 2440587.5) * 86400000.0 AS INTEGER)"

_BUSY_SECONDS = 10.0
_SCANNERS = 3
#: Page cache of a connection. That of short reads holds what searches read again and again: the vectors of 270 passages
#: take 0.5 ms from it, and 1.2 ms by a system call each.
_CACHE_KIB, _READ_CACHE_KIB = 8 * 1024, 32 * 1024


class Database:
    """One SQLite file. Reads see one snapshot each; writes are serialised in this process and between processes.

    Blocking calls run on threads of their own, each with its own connection. Short reads share one: several would only
    wait for each other and for the event loop to let go of the interpreter, which costs a search of four at a time a
    fifth of its processor time. What may take longer has a few threads beside it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._local = threading.local()
        self._connections: list[sqlite3.Connection] = []
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="sqlite-write")
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="sqlite-read")
        self._scanners = ThreadPoolExecutor(_SCANNERS, thread_name_prefix="sqlite-scan")

    async def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run ``work``, which takes milliseconds, in a read transaction: everything it reads is of one moment."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._reader, self._transact, "BEGIN", work, _READ_CACHE_KIB)

    async def scan(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Like ``read`` for what grows with a knowledge base, so that no search waits behind it."""
        return await asyncio.get_running_loop().run_in_executor(self._scanners, self._transact, "BEGIN", work)

    async def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run ``work`` in a write transaction; an exception rolls it back, a return value means it is on disk."""
        return await asyncio.get_running_loop().run_in_executor(self._writer, self._transact, "BEGIN IMMEDIATE", work)

    async def ping(self) -> None:
        """Return when a read goes through."""
        await self.read(lambda connection: connection.execute("SELECT 1").fetchone())

    def close(self) -> None:
        """Let running transactions end and close every connection."""
        self._writer.shutdown(wait=True)
        self._reader.shutdown(wait=True)
        self._scanners.shutdown(wait=True)
        for connection in self._connections:
            connection.close()

    async def aclose(self) -> None:
        """Close, off the event loop: a transaction that runs may take a while to end."""
        await asyncio.to_thread(self.close)

    def migrate(self) -> None:
        """Bring the schema up to date, one transaction a migration; safe when several processes start at once.

        Raises:
            StartRefused: the file was written by a newer Atoll.
        """
        steps = _migrations()
        with translate_errors(), self._open() as connection:
            while True:
                connection.execute("BEGIN IMMEDIATE")
                version = int(connection.execute("PRAGMA user_version").fetchone()[0])
                if version > len(steps):
                    connection.execute("ROLLBACK")
                    raise StartRefused(
                        f"{self._path} has schema {version}, this Atoll knows up to {len(steps)}; "
                        "install the newer Atoll that wrote it, or restore a backup made before"
                    )
                if version == len(steps):
                    connection.execute("ROLLBACK")
                    return
                try:
                    for statement in _statements(steps[version]):
                        connection.execute(statement)
                    connection.execute(f"PRAGMA user_version = {version + 1}")
                    connection.execute("COMMIT")
                except sqlite3.Error:
                    connection.execute("ROLLBACK")
                    raise

    def _transact(self, begin: str, work: Callable[[sqlite3.Connection], T], cache_kib: int = _CACHE_KIB) -> T:
        connection = self._connection(cache_kib)
        with translate_errors():
            connection.execute(begin)
            try:
                result = work(connection)
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")
            return result

    def _connection(self, cache_kib: int) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._connect(cache_kib)
            self._local.connection = connection
            self._connections.append(connection)
        return connection

    def _connect(self, cache_kib: int = _CACHE_KIB) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False, cached_statements=256
        )
        connection.row_factory = sqlite3.Row
        # WAL lets readers go on while one process writes; FULL syncs the log at every commit, so that what was
        # answered survives power loss.
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        # A bounded cache and no memory mapping: mapped pages count as this process's memory, once for each connection,
        # and grow with the file.
        connection.execute(f"PRAGMA cache_size = -{cache_kib}")
        return connection

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        connection = self._connect()
        try:
            yield connection
        finally:
            connection.close()


@contextmanager
def translate_errors() -> Iterator[None]:
    """Turn SQLite's errors into ours; errors of ours pass."""
    try:
        yield
    except AtollError:
        raise
    except sqlite3.IntegrityError as error:
        raise Conflict(f"the record store refused a write: {error}") from error
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_FULL:
            raise StorageFull("the disk of the record store is full; free some space") from error
        if error.sqlite_errorcode & 0xFF in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_IOERR}:
            raise DependencyDown(f"the record store is busy: {error}") from error
        raise


def _migrations() -> list[str]:
    folder = resources.files(__package__).joinpath("migrations")
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    return [folder.joinpath(name).read_text(encoding="utf-8") for name in names]


def _statements(script: str) -> Iterator[str]:
    # executescript() would commit the transaction that keeps a migration whole.
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
