"""What only a file can show: query plans and migrations of the SQLite record store."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime

import pytest

from atoll.adapters.sqlite import database as database_module
from atoll.adapters.sqlite.database import Database
from atoll.adapters.sqlite.keys import SqliteKeys
from atoll.adapters.sqlite.passages import SqlitePassages
from atoll.errors import StartRefused
from tests.support.readers import reader_of
from tests.support.records import open_sqlite


async def test_the_reads_of_a_search_touch_only_what_they_are_asked_for(tmp_path):
    opened = open_sqlite(tmp_path)
    await opened.ports.aclose()
    statements = []
    database = Database(tmp_path / "records.sqlite3")
    connect = database._connect

    def traced(*given):
        connection = connect(*given)
        connection.set_trace_callback(statements.append)
        return connection

    database._connect = traced
    passages = SqlitePassages(database)
    kb = await knowledge_base(database)
    await passages.visible(reader_of(kb, frozenset({"x"})), ["document"])
    await passages.hydrate(reader_of(kb, frozenset({"x"})), ["passage"])
    reader = connect()
    plans = [
        [row["detail"] for row in reader.execute(f"EXPLAIN QUERY PLAN {each}")]
        for each in [s for s in statements if s.startswith("SELECT") and "json_each" in s]
    ]
    reader.close()
    database.close()
    assert len(plans) == 2
    for plan in plans:
        assert plan[0].startswith("SCAN chosen")
        assert not [step for step in plan if "(kb=?)" in step or step.startswith(("SCAN d", "SCAN p"))], plan


async def knowledge_base(database):
    await database.write(
        lambda c: c.executescript(
            "INSERT INTO tenant (id, name, created_at) VALUES ('t', 't', 0);"
            "INSERT INTO kb (uid, tenant, name, language, created_at) VALUES ('kb', 't', 'k', 'en', 0); BEGIN"
        )
    )
    return "kb"


def test_a_newer_schema_is_refused_by_name(tmp_path):
    path = tmp_path / "records.sqlite3"
    database = Database(path)
    database.migrate()
    database.migrate()  # again is a no-op
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 999")
    connection.close()
    with pytest.raises(StartRefused, match=r"records.sqlite3 has schema 999"):
        database.migrate()
    database.close()


@pytest.fixture
def before(tmp_path, monkeypatch):
    """A record store as an earlier version wrote it: ``before(version, script)`` returns it, not yet migrated."""

    def made(version, script):
        steps = database_module._migrations()
        database = Database(tmp_path / "records.sqlite3")
        with monkeypatch.context() as patch:
            patch.setattr(database_module, "_migrations", lambda: steps[:version])
            database.migrate()
        connection = sqlite3.connect(tmp_path / "records.sqlite3")
        connection.executescript(script)
        connection.close()
        return database

    return made


async def test_a_key_that_could_not_be_listed_is_mended(before):
    """Keys were once taken with an expiry past the calendar, and from then on no list of keys could be read."""
    database = before(
        3,
        "INSERT INTO tenant VALUES ('t', 't', '{}', 0);"
        "INSERT INTO api_key (id, tenant, name, role, hash, created_at, expires_at)"
        " VALUES ('k', 't', 'k', 'reader', x'00', 0, 253402387139000);",
    )
    database.migrate()
    (key,) = await SqliteKeys(database).list("t")
    assert key.expires_at == datetime(9999, 12, 30, tzinfo=UTC)
    await database.aclose()
