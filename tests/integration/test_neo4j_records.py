"""The record store on a real Neo4j: exact under any order of events, under death and under contention; the whole stack."""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import os
import random
import signal
import time
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from atoll.adapters.neo4j import database as neo4j_database
from atoll.adapters.neo4j.database import Database, Transaction
from atoll.adapters.neo4j.sight import at_one_revision
from atoll.adapters.neo4j.statements import texts_of
from atoll.adapters.neo4j.transitions import held
from atoll.domain.document import Stage
from atoll.domain.ids import KbUid
from atoll.domain.principal import Actor
from atoll.errors import DependencyDown, LeaseLost, NotFound, StartRefused
from tests.contract.test_records import Store
from tests.integration import test_interleavings as interleavings
from tests.support import canonical, corpus
from tests.support.house import House
from tests.support.readers import reader_of
from tests.support.records import open_neo4j
from tests.support.stack import running, until

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    # The in-process index of qdrant-client scans everything, and says so.
    pytest.mark.filterwarnings("ignore:Payload indexes have no effect:UserWarning"),
]

ACTOR = Actor(subject="k1", request_id="r1")
EXAMPLES = int(os.environ.get("ATOLL_TEST_EXAMPLES", "60")) // 6
ROUNDS, AT_ONCE = 3, 2
KEYS = ("hub", "centre", "beta")
HELD = texts_of("fragments")["held"]


@pytest.fixture
def server(neo4j_server):
    neo4j_server.wipe()
    return neo4j_server


@pytest.fixture
async def store(server, tmp_path):
    opened = open_neo4j(server, tmp_path)
    yield Store(opened)
    await opened.ports.aclose()


def database_of(server):
    return Database(server.url, username=server.username, password=server.password)


def test_any_interleaving_ends_as_a_fresh_ingest_of_what_remains(server, tmp_path):
    @given(
        st.lists(st.one_of(interleavings.uploads, interleavings.deletes, interleavings.works), min_size=4, max_size=14)
    )
    @settings(
        max_examples=EXAMPLES, deadline=None, print_blob=True,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    )  # fmt: skip
    def holds(steps):
        server.wipe()
        asyncio.run(_lived(server, tmp_path / os.urandom(4).hex(), steps))

    holds()


async def _lived(server, folder, steps):
    lived, fresh = House(folder / "lived", records=open_neo4j(server, folder)), House(folder / "fresh")
    kbs, others = await lived.open("one", "two"), await fresh.open("one", "two")
    gone: list[set[int]] = [set(), set()]
    for step in steps:
        await interleavings._step(lived, kbs, gone, step)
    await lived.work()
    for kb, other in zip(kbs, others, strict=True):
        listing = await lived.catalogue.page(reader_of(kb), status=None, name=None, limit=100, before=None)
        for document in reversed(listing.documents):
            await fresh.upload(other, document.name, lived.blobs.path(kb.uid, document.uid).read_bytes())
    await fresh.work()
    # The same dump from the other store: what Neo4j holds after all this is what SQLite holds after a fresh ingest.
    ours = await canonical.dump(lived.tables, lived.folder / "blobs", lived.vectors)
    theirs = await canonical.dump(fresh.tables, fresh.folder / "blobs", fresh.vectors)
    assert ours == theirs
    assert lived.tables.recount() == []
    vectors, renewed = canonical.embeddings(lived.tables), canonical.embeddings(fresh.tables)
    assert vectors.keys() == renewed.keys()
    assert all(np.dot(vectors[key], renewed[key]) >= 0.999 * np.dot(vectors[key], vectors[key]) for key in vectors)
    await lived.close()
    await fresh.close()


async def test_a_newer_schema_is_refused_by_name_and_two_starts_agree(server):
    both = [asyncio.to_thread(database_of(server).migrate) for _ in range(2)]
    for name in [row["name"] for row in server.rows("SHOW CONSTRAINTS YIELD name RETURN name")]:
        server.rows(f"DROP CONSTRAINT {name}")
    server.rows("MATCH (s:Schema) DELETE s")
    await asyncio.gather(*both)
    made = {row["name"] for row in server.rows("SHOW CONSTRAINTS YIELD name RETURN name")}
    assert {"document_uid", "entity_key", "schema_name"} <= made
    known = server.rows("MATCH (s:Schema) RETURN s.version AS version")
    server.rows("MATCH (s:Schema) SET s.version = 999")
    try:
        with pytest.raises(StartRefused, match=r"has schema 999, this Atoll knows up to \d"):
            database_of(server).migrate()
    finally:
        server.rows("MATCH (s:Schema) SET s.version = $version", **known[0])


async def test_a_server_that_is_away_is_named(monkeypatch):
    monkeypatch.setattr(neo4j_database, "_START_SECONDS", 0.0)
    monkeypatch.setattr(neo4j_database, "_CALL_SECONDS", 0.5)
    away = Database("bolt://127.0.0.1:9", username="neo4j", password="a password")
    with pytest.raises(StartRefused, match=r"bolt://127\.0\.0\.1:9 does not answer"):
        away.migrate()
    with pytest.raises(DependencyDown, match="away"):
        await away.ping()
    await away.aclose()


async def test_a_read_outlives_its_connection(server):
    """A server that was restarted leaves broken connections in the driver's pool."""
    address = urlsplit(server.url)
    ends: list[asyncio.StreamWriter] = []
    relays: list[asyncio.Task[None] | None] = []

    async def pump(source, sink):
        with contextlib.suppress(ConnectionError):
            while piece := await source.read(65536):
                sink.write(piece)
                await sink.drain()
        sink.close()
        with contextlib.suppress(ConnectionError):
            await sink.wait_closed()

    async def relay(reader, writer):
        relays.append(asyncio.current_task())
        there, here = await asyncio.open_connection(address.hostname, address.port)
        ends.extend((writer, here))
        await asyncio.gather(pump(reader, here), pump(there, writer))

    between = await asyncio.start_server(relay, "127.0.0.1", 0)
    url = f"bolt://127.0.0.1:{between.sockets[0].getsockname()[1]}"
    database = Database(url, username=server.username, password=server.password)
    for _ in range(3):
        await asyncio.gather(*(database.ping() for _ in range(4)))
        assert ends
        while ends:
            ends.pop().transport.abort()
    await database.ping()
    await database.aclose()
    between.close()
    await asyncio.gather(*filter(None, relays))


async def test_a_wrong_password_is_refused_in_one_line(server):
    stranger = Database(server.url, username=server.username, password="not the password")
    with pytest.raises(StartRefused, match="refuses the record store's user name or password"):
        stranger.migrate()


async def test_a_holder_that_waited_for_the_lock_is_stale_after_it(store):
    kb = await store.kb()
    document = await store.accept(kb)
    for _ in range(5):
        claim = await store.ledger.claim(document.uid, "w1", 60)
        locked, waited = asyncio.Event(), asyncio.Event()

        async def take_over(transaction: Transaction, claim=claim, locked=locked, waited=waited):
            await held(transaction, claim, f"{HELD} SET s.token = s.token + 1, s.lease_until = 0 RETURN 1")
            locked.set()
            await waited.wait()

        taking = asyncio.create_task(store.database.write(take_over))
        await asyncio.wait_for(locked.wait(), 30)
        late = asyncio.create_task(store.ledger.advance(claim, batch=1, done=1, total=1))
        await asyncio.sleep(0.3)
        assert not late.done()
        waited.set()
        await taking
        with pytest.raises(LeaseLost):
            await late
    (unfinished, *_) = (await store.catalogue.get(reader_of(kb), document.uid)).stages
    assert unfinished.done == 0


async def test_a_claim_that_waited_for_a_delete_finds_the_purge_only(store):
    kb = await store.kb()
    document = await store.accept(kb)
    claim = await store.ledger.claim(document.uid, "w1", 60)
    await store.ledger.release(claim)
    deleted, claimed = await asyncio.gather(
        store.lifecycle.delete(reader_of(kb), document.uid, dry_run=False, actor=ACTOR),
        store.ledger.claim(document.uid, "w2", 60),
    )
    assert deleted.removed["bytes"] == 10
    if claimed is not None and claimed.stage is not Stage.PURGE:
        with pytest.raises(LeaseLost):
            await store.ledger.finish(claimed, 60, units=1)


@pytest.mark.parametrize("spoiled", [0, 1, 3])
async def test_reads_of_several_statements_are_of_one_revision(store, spoiled):
    kb = await store.kb()
    await store.run(await store.accept(kb))
    revisions, publishing = [], []

    async def publish():
        number = len(revisions)
        await store.run(await store.accept(kb, f"{number}.txt", f"{number}"))

    async def look(transaction: Transaction, revision):
        count = "MATCH (d:Document {kb: $kb}) WHERE d.visible RETURN count(d) AS n"
        before = await transaction.one(count, kb=kb.uid)
        revisions.append(revision)
        if len(revisions) <= spoiled:
            await publish()
        elif spoiled == 3:  # by now it has to wait
            publishing.append(asyncio.create_task(publish()))
            await asyncio.sleep(0.3)
        after = await transaction.one(count, kb=kb.uid)
        return revision, before["n"], after["n"]

    assert await at_one_revision(store.database, kb.uid, look) == (1 + spoiled, 1 + spoiled, 1 + spoiled)
    assert revisions == list(range(1, spoiled + 2))
    await asyncio.gather(*publishing)
    assert (await store.knowledge_bases.get(kb.tenant, kb.name)).revision == 1 + spoiled + len(publishing)
    with pytest.raises(NotFound):
        await at_one_revision(store.database, KbUid("nobody's"), look)


def test_a_death_between_any_two_statements_leaves_a_document_whole(server, tmp_path, capsys):
    """Processes ingest, replace and delete without end and are killed at any moment; others then go on."""
    seed = int(os.environ.get("KILL_SEED", random.SystemRandom().randrange(10_000)))
    chance = random.Random(seed)
    seen = {"visible": 0, "hidden": 0}
    context = multiprocessing.get_context("spawn")
    asyncio.run(_prepare(server, tmp_path))
    for turn in range(ROUNDS):
        born = [context.Event() for _ in range(AT_ONCE)]
        workers = [
            context.Process(target=_ingest_without_end, args=(server, tmp_path, f"{turn}-{at}", event))
            for at, event in enumerate(born)
        ]
        for worker in workers:
            worker.start()
        assert all(event.wait(120) for event in born)
        for worker in workers:
            time.sleep(chance.uniform(0.02, 0.5))
            os.kill(worker.pid, signal.SIGKILL)
            worker.join(30)
        # The server ends a dead client's transaction when it notices the broken connection.
        until(lambda: not _open_transactions(server), 30, "the server has ended the dead processes' transactions")
        assert asyncio.run(_check_whole(server, tmp_path, seen)) == []
    with capsys.disabled():
        print(f"\nseed {seed}: {ROUNDS * AT_ONCE} deaths, documents met: {seen}")
    assert seen["visible"]
    assert asyncio.run(_finish(server, tmp_path)) == {"ready"}


def _open_transactions(server):
    found = server.rows("SHOW TRANSACTIONS YIELD currentQuery, status RETURN currentQuery AS query")
    return [row for row in found if not row["query"].startswith("SHOW TRANSACTIONS")]


async def _prepare(server, folder):
    store = Store(open_neo4j(server, folder))
    await store.kb()
    await store.aclose()


def _ingest_without_end(server, folder, number, born):
    asyncio.run(_ingest(server, folder, number, born))


async def _ingest(server, folder, number, born):
    store = Store(open_neo4j(server, folder))
    kb = await store.knowledge_bases.get(await store.tenants.ensure("acme"), "default")
    for count in range(1000):
        document = await store.accept(kb, f"name{number}-{count % 3}", f"{number}-{count}", replace=count % 2 == 1)
        await store.run(document, " ".join(KEYS), KEYS[count % 2 :])
        born.set()
        if count % 4 == 3:
            await store.lifecycle.delete(reader_of(kb), document.uid, dry_run=False, actor=ACTOR)


async def _check_whole(server, folder, seen):
    """Return what is neither wholly visible nor wholly hidden."""
    store = Store(open_neo4j(server, folder))
    kb = await store.knowledge_bases.get(await store.tenants.ensure("acme"), "default")
    wrong: list[object] = store.tables.recount()
    passages = 0
    for row in store.tables.documents(kb.uid):
        seen["visible" if row["visible"] else "hidden"] += 1
        stored = len(store.tables.passages(row["uid"]))
        done = dict(store.tables.stages(row["uid"])).get("publish") == "done"
        passages += stored if row["visible"] else 0
        if row["visible"] and (row["status"] != "ready" or stored != 1 or not done or row.get("deleted_at")):
            wrong.append(row)
        if not row["visible"] and row["status"] == "ready" and not row.get("deleted_at"):
            wrong.append(row)
    if passages != kb.passages:
        wrong.append(("passages", passages, kb.passages))
    await store.aclose()
    return wrong


async def _finish(server, folder):
    """Take every document to its end once the leases are over; return the statuses."""
    store = Store(open_neo4j(server, folder))
    kb = await store.knowledge_bases.get(await store.tenants.ensure("acme"), "default")
    store.tables.end_leases()
    for row in store.tables.documents(kb.uid):
        if row.get("deleted_at"):
            await store.purge(await _named(row))
        elif row["status"] != "ready":
            await store.run(await _named(row), " ".join(KEYS), KEYS)
            store.tables.end_leases()
    for row in store.tables.documents(kb.uid):
        if row.get("deleted_at"):
            await store.purge(await _named(row))
    assert store.tables.recount() == []
    statuses = {row["status"] for row in store.tables.documents(kb.uid)}
    await store.aclose()
    return statuses


async def _named(row):
    return type("Named", (), {"uid": row["uid"], "kb": row["kb"]})


def test_the_local_stack_runs_on_neo4j(server, tmp_path: Path, capsys):
    """Upload, answer, delete over HTTP; nothing but the setting is different."""
    began = time.monotonic()
    with running(tmp_path, server.environment) as stack, stack.client() as client:
        assert not (stack.data / "records.sqlite3").exists()
        stack.upload(client, {"harbour.txt": corpus.text(3, 30), "gone.txt": b"The lantern of the pier is green."})
        documents = {each["name"]: each for each in stack.settled(client)}
        assert {each["status"] for each in documents.values()} == {"ready"}
        answer = client.post(
            "/v1/kbs/default/query", json={"query": "Which colour is the lantern of the pier?", "answer": "extract"}
        ).json()
        assert answer["sentences"][0]["text"] == "The lantern of the pier is green."
        assert answer["citations"][0]["evidence"]["document_id"] == documents["gone.txt"]["id"]
        receipt = client.delete(f"/v1/kbs/default/documents/{documents['gone.txt']['id']}")
        assert receipt.json()["removed"]["passages"] == 1
        found = client.post("/v1/kbs/default/search", json={"query": "lantern pier green"}).json()["evidence"]
        assert {each["document"] for each in found} <= {"harbour.txt"}
        until(lambda: stack.dump()["rows"]["document"] == 1, 60, "the deleted document is purged")
        content = stack.dump()["default"]
        assert [each["name"] for each in content["documents"]] == ["harbour.txt"]
        assert content["points"] == content["passages"]
        assert client.get("/health/ready").status_code == 200
    with capsys.disabled():
        print(f"\non Neo4j from start to stop: {time.monotonic() - began:.0f} s")
