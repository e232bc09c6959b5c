"""Threads of the SQLite record store: short reads never wait behind long ones."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

from atoll.adapters.sqlite.database import Database


async def test_a_short_read_passes_scans_that_take_long(tmp_path: Path) -> None:
    database = Database(tmp_path / "records.sqlite3")
    database.migrate()
    may_end = threading.Event()
    scans = [asyncio.create_task(database.scan(lambda _: may_end.wait(30))) for _ in range(8)]
    try:
        async with asyncio.timeout(5):
            found = await database.read(lambda connection: connection.execute("SELECT 7").fetchone()[0])
        assert found == 7
        assert not any(scan.done() for scan in scans)
    finally:
        may_end.set()
        assert all(await asyncio.gather(*scans))
        await database.aclose()


async def test_short_reads_share_one_thread(tmp_path: Path) -> None:
    database = Database(tmp_path / "records.sqlite3")
    database.migrate()
    threads = await asyncio.gather(*(database.read(lambda _: threading.get_ident()) for _ in range(20)))
    assert len(set(threads)) == 1
    await database.aclose()
