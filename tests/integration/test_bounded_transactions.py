"""No deletion of a knowledge base holds the write lock of the SQLite store for long: another process sees it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.support.records import open_sqlite
from tests.support.written import ACTOR, Line, write

_PASSAGES = 40_000
_A_DOCUMENT = 400
_LONGEST_SECONDS = 0.25

#: Takes the write lock again and again until its standard input ends; prints for how long it waited at most.
_HEARTBEAT = """
import sqlite3, sys, threading, time
ended = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
store = sqlite3.connect(sys.argv[1], timeout=0, isolation_level=None)
longest, since = 0.0, None
print("on", flush=True)
while not ended.is_set():
    try:
        store.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError:
        since = since or time.monotonic()
    else:
        store.execute("ROLLBACK")
        if since is not None:
            longest, since = max(longest, time.monotonic() - since), None
    time.sleep(0.002)
print(longest, flush=True)
"""


async def test_a_heartbeat_waits_for_no_deletion_of_a_knowledge_base(tmp_path: Path) -> None:
    opened = open_sqlite(tmp_path)
    store = opened.ports
    tenant = await store.tenants.ensure("acme")
    kb = await store.knowledge_bases.create(tenant, "big", language="en", settings={}, quota={}, actor=ACTOR)
    lines = [Line(f"passage {n}", [f"name{(n * 7 + k) % 500}" for k in range(4)]) for n in range(_A_DOCUMENT)]
    for number in range(_PASSAGES // _A_DOCUMENT):
        await write(store, kb.uid, f"{number}", lines)
    path = tmp_path / "records.sqlite3"
    with subprocess.Popen(
        [sys.executable, "-c", _HEARTBEAT, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdin is not None
        assert other.stdout is not None
        assert other.stdout.readline() == "on\n"
        await store.knowledge_bases.delete(tenant, "big", ACTOR)
        other.stdin.close()
        longest = float(other.stdout.readline())
    await store.aclose()
    assert longest < _LONGEST_SECONDS
