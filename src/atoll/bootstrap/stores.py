"""The record store, the file store and the outputs of stages."""

from __future__ import annotations

from atoll.adapters.file_artefacts import FileArtefacts
from atoll.adapters.file_blobs import FileBlobs
from atoll.adapters.file_drawings import FileDrawings
from atoll.adapters.file_passwords import FilePasswords
from atoll.adapters.neo4j.database import Database as Neo4jDatabase
from atoll.adapters.neo4j.store import Neo4jStore
from atoll.adapters.sqlite.database import Database as SqliteDatabase
from atoll.adapters.sqlite.store import SqliteStore
from atoll.bootstrap.secret_files import read_secret
from atoll.errors import StartRefused
from atoll.ports.record_store import RecordStore
from atoll.settings import RecordStoreKind, Settings

_MIB = 1024 * 1024


def records(settings: Settings) -> RecordStore:
    """Open the record store and bring its schema up to date; blocks until a server answers, for a bounded time.

    Raises:
        StartRefused: the store was written by a newer Atoll, or its server does not answer or refuses us.
    """
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    store = _OPEN[settings.records.store](settings)
    store.migrate()
    return store


def _sqlite(settings: Settings) -> RecordStore:
    return SqliteStore(SqliteDatabase(settings.records_path), waiting_documents=settings.gateway.waiting_documents)


def _neo4j(settings: Settings) -> RecordStore:
    section = settings.records
    password = read_secret(section.password_file) or section.password
    if password is None:
        raise StartRefused("ATOLL_RECORDS__PASSWORD_FILE is not set; it names the file with the password at Neo4j")
    database = Neo4jDatabase(section.url, username=section.username, password=password, name=section.database)
    return Neo4jStore(database, waiting_documents=settings.gateway.waiting_documents)


_OPEN = {RecordStoreKind.SQLITE: _sqlite, RecordStoreKind.NEO4J: _neo4j}


def blobs(settings: Settings) -> FileBlobs:
    """Return the file store."""
    return FileBlobs(settings.blobs_dir, min_free_bytes=settings.gateway.min_free_mib * _MIB)


def artefacts(settings: Settings) -> FileArtefacts:
    """Return where stages leave their outputs."""
    return FileArtefacts(settings.blobs_dir)


def drawings(settings: Settings) -> FileDrawings:
    """Return where drawn pages are kept."""
    return FileDrawings(settings.blobs_dir)


def passwords(settings: Settings) -> FilePasswords:
    """Return where passwords of encrypted documents are kept until they are read."""
    return FilePasswords(settings.blobs_dir)
