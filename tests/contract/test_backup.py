"""Backups: complete, of one revision, without secrets, and checked to the last byte."""

from __future__ import annotations

import asyncio
import itertools
import json
from dataclasses import replace

import pytest

from atoll.access.keys import Authenticator, issue
from atoll.adapters.memory.graph_index import MemoryGraphIndex
from atoll.backup import codec, create
from atoll.backup.create import BackupWriter
from atoll.backup.layout import ChecksumMismatch, write_part
from atoll.backup.restore import restore
from atoll.backup.verify import verify
from atoll.domain.document import Status
from atoll.domain.evidence import Filters
from atoll.domain.ids import new_uid
from atoll.domain.principal import Role
from atoll.errors import BadInput, Conflict, NotAuthenticated, StorageFull
from atoll.ingest.rebuild.collections import Reindex
from atoll.ingest.rebuild.graph import EntityCollection, RelationCollection
from atoll.ingest.rebuild.passages import PassageCollection
from tests.support import canonical
from tests.support.house import ACTOR, DIMENSIONS, House
from tests.support.readers import reader_of
from tests.support.records import open_either
from tests.support.written import Line, write

PEPPER, OTHER_PEPPER = b"p" * 32, b"q" * 32
LINES = [
    Line("Ada met Bob.", ["ada", "bob"], [("ada", "bob", "Ada met Bob.")]),
    Line("Ada sailed on the Merle.", ["ada", "merle"]),
]


#: Where a backup is taken and where it is restored.
WAYS = [("sqlite", "sqlite"), ("sqlite", "neo4j"), ("neo4j", "sqlite")]
every_way = pytest.mark.parametrize("stores", WAYS, ids=" to ".join)


class Place(House):
    """An installation with what backups need."""

    def __init__(self, folder, records):
        super().__init__(folder, vectors=MemoryGraphIndex(), records=records)

    async def written(self, kb, name, lines, **more):
        uid = new_uid()
        path = self.blobs.path(kb.uid, uid)
        path.parent.mkdir(parents=True)
        path.write_text(name)
        return await write(self, kb.uid, name, lines, dimensions=DIMENSIONS, uid=uid, **more)

    async def backup(self, folder, **more):
        return await BackupWriter(self.archive, self.blobs, self.artefacts, folder, pepper=PEPPER, **more).write()

    async def restored_from(self, folder, *, pepper=PEPPER, **more):
        done = await restore(folder, self.restoration, self.restored, self.blobs, self.artefacts, pepper=pepper, **more)
        await self.reindex()
        return done

    async def reindex(self):
        collections = {
            "passages": PassageCollection(self.index_source, self.vectors, self.sparse, dimensions=DIMENSIONS),
            "entities": EntityCollection(self.index_source, self.vectors),
            "relations": RelationCollection(self.index_source, self.vectors),
        }
        async for _ in Reindex(self.index_source, collections, embedding="model").rebuild():
            pass

    async def dump(self):
        return await canonical.dump(self.tables, self.folder / "blobs", self.vectors)

    async def everything(self):
        """All that the record store keeps, uids and times included; change numbers are each store's own."""
        archive = self.archive
        accounts = await archive.accounts()
        found = {"accounts": codec.dump_accounts(accounts), "events": await archive.events(after=0, limit=10_000)}
        for kb in accounts.kbs:
            snapshot = await archive.snapshot(kb.uid)
            vectors = await archive.entity_vectors(kb.uid, after=None, limit=10_000)
            found[kb.name] = [snapshot, codec.dump_entities(vectors)]
            for uid in snapshot.documents:
                record = await archive.document(kb.uid, uid)
                found[uid] = [replace(record, document=replace(record.document, changed_seq=0))]
                after = -1
                while batch := await archive.contents(kb.uid, uid, after=after, limit=2):
                    found[uid].append(codec.dump_contents(batch))
                    after = batch.passages[-1].ordinal
        return found


@pytest.fixture
def stores():
    return WAYS[0]


@pytest.fixture
async def places(request, tmp_path, stores):
    """Make places: the first is where backups are taken."""
    made = []

    def make(name):
        folder = tmp_path / name
        made.append(Place(folder, open_either(request, stores[bool(made)], folder)))
        return made[-1]

    yield make
    for each in made:
        await each.close_stores()


@pytest.fixture
async def filled(places):
    """Two knowledge bases with documents in every state, keys and a graph."""
    place = places("source")
    main, other = await place.open("main", "other")
    place.main, place.other = main, other
    await place.index_source.embedding("model")
    place.crew = await place.written(main, "crew", LINES, metadata={"year": 1902, "ship": "Merle"})
    await place.written(main, "more", LINES[1:], labels=["secret"])
    gone = await place.written(main, "gone", [Line("Eve", ["eve", "ada"])])
    await place.upload(main, "harbour.txt", "The harbour of Lindvik was built in 1902. " * 40)
    await place.upload(other, "boats.txt", "Boats were painted green. " * 10)
    await place.upload(other, "bad.txt", "")
    await place.work()
    await place.delete(main, gone.uid)
    await place.work()
    await place.upload(other, "queued.txt", "Not read yet. " * 10)
    place.doorbell.rings.clear()
    key, place.key = issue(PEPPER, tenant=main.tenant, name="owner", role=Role.OWNER, kbs=frozenset({main.uid}))
    await place.keys.create(key, ACTOR)
    await place.reindex()
    return place


@every_way
async def test_a_restored_installation_is_the_same(filled, places, tmp_path):
    manifest = await filled.backup(tmp_path / "saved")
    assert verify(tmp_path / "saved") == manifest
    target = places("target")
    _, keys_hold = await target.restored_from(tmp_path / "saved")
    assert keys_hold
    assert await target.dump() == await filled.dump()
    assert await target.everything() == await filled.everything()
    vectors = await target.archive.entity_vectors(filled.main.uid, after=None, limit=10)
    assert {"ada", "merle"} <= set(vectors.keys)
    for kb in (filled.main, filled.other):
        for query in ("harbour Lindvik", "boats green", "Merle"):
            expected = await filled.search(kb, query)
            found = await target.search(kb, query)
            assert [(e.passage_id, e.score, e.text) for e in found] == [
                (e.passage_id, e.score, e.text) for e in expected
            ]
    assert (await Authenticator(target.keys, PEPPER).by_secret(filled.key)).kbs == {filled.main.uid}
    # What was under way goes on by itself.
    listing = await target.catalogue.page(reader_of(filled.other), status=None, name="queued.txt", limit=1, before=None)
    queued = listing.documents[0].uid
    await target.doorbell.ring([queued])
    await target.work()
    assert (await target.catalogue.get(reader_of(filled.other), queued)).status is Status.READY
    assert await target.search(filled.other, "read yet")


@every_way
async def test_a_restored_installation_goes_on_as_the_first_would(filled, places, tmp_path):
    await filled.backup(tmp_path / "saved")
    kept = await filled.knowledge_bases.list(filled.main.tenant)
    keys = await filled.keys.list(filled.main.tenant)
    last = (await filled.archive.events(after=0, limit=10_000))[-1]
    target = places("target")
    await target.restored_from(tmp_path / "saved")
    main, other = filled.main, filled.other
    assert await target.knowledge_bases.list(main.tenant) == kept
    assert await target.keys.list(main.tenant) == keys
    for wanted in ({"year": {"gte": 1900}}, {"ship": "Merle"}):
        scope = await target.passages.scope(reader_of(main), Filters(metadata=wanted))
        assert (scope.include, scope.hidden_points) == ((filled.crew.uid,), 0)
    # The same bytes are the same document, the same name another version, and what comes now is the newest.
    listing = await target.catalogue.page(reader_of(main), status=None, name="harbour.txt", limit=9, before=None)
    before = {each.uid for each in listing.documents}
    again = await target.upload(main, "harbour.txt", "The harbour of Lindvik was built in 1902. " * 40)
    assert again.uid in before
    newer = await target.upload(main, "harbour.txt", "The harbour of Lindvik was closed. ", replace=True)
    assert newer.version == again.version + 1
    listing = await target.catalogue.page(reader_of(main), status=None, name=None, limit=1, before=None)
    assert listing.documents[0].uid == newer.uid
    assert (await target.archive.events(after=last.id, limit=10))[0].object == f"document {newer.uid}"
    await target.work()
    found = await target.search(main, "harbour Lindvik")
    assert {each.document_id for each in found} >= {newer.uid}
    assert again.uid not in {each.document_id for each in found}
    # What was under way is rung for, what has ended is not.
    overdue = await target.reconciliation.overdue(10, quiet_seconds=0.0)
    names = {(await target.catalogue.get(reader_of(other), uid)).name for uid in overdue}
    assert names == {"queued.txt"}
    for uid in (await target.archive.snapshot(main.uid)).documents:
        await target.delete(main, uid)
    await target.work()
    left = target.tables.counts()
    assert [len(target.tables.entities(main.uid)), left["assertion"]] == [0, 0]
    assert target.tables.recount() == []


async def test_a_backup_holds_no_secret_and_only_its_owner_reads_it(filled, tmp_path):
    await filled.backup(tmp_path / "saved")
    secret = filled.key.split("_", 2)[2].encode()  # which may hold an underscore itself
    for path in (tmp_path / "saved", *(tmp_path / "saved").rglob("*")):
        assert path.stat().st_mode & 0o077 == 0, path
        if path.is_file():
            content = path.read_bytes()
            assert secret not in content
            assert PEPPER not in content
            assert PEPPER.hex().encode() not in content


@every_way
async def test_under_another_pepper_keys_are_left_out(filled, places, tmp_path):
    await filled.backup(tmp_path / "saved")
    target = places("target")
    _, keys_hold = await target.restored_from(tmp_path / "saved", pepper=OTHER_PEPPER)
    assert not keys_hold
    assert await target.keys.list(filled.main.tenant) == ()
    with pytest.raises(NotAuthenticated):
        await Authenticator(target.keys, OTHER_PEPPER).by_secret(filled.key)


async def test_every_flipped_byte_is_found_and_its_part_named(filled, tmp_path):
    saved = tmp_path / "saved"
    await filled.backup(saved)
    paths = [path for path in sorted(saved.rglob("*")) if path.is_file()]
    assert len(paths) > 15
    for path in paths:
        content = path.read_bytes()
        for position in sorted({0, len(content) // 2, len(content) - 1} & set(range(len(content)))):
            path.write_bytes(content[:position] + bytes([content[position] ^ 1]) + content[position + 1 :])
            with pytest.raises((ChecksumMismatch, BadInput)) as found:
                verify(saved)
            assert str(path) in str(found.value)
        path.write_bytes(content)
    verify(saved)


async def test_what_is_missing_or_does_not_belong_is_found(filled, tmp_path):
    saved = tmp_path / "saved"
    await filled.backup(saved)
    for path in [path for path in sorted(saved.rglob("*")) if path.is_file()]:
        path.rename(tmp_path / "aside")
        with pytest.raises((ChecksumMismatch, BadInput)):
            verify(saved)
        (tmp_path / "aside").rename(path)
    for folder in [saved, *(path for path in sorted(saved.rglob("*")) if path.is_dir())]:
        (folder / "stranger").write_text("x")
        with pytest.raises(ChecksumMismatch, match="stranger"):
            verify(saved)
        (folder / "stranger").unlink()
    verify(saved)


async def test_a_backup_of_another_format_is_refused_by_name(filled, tmp_path):
    await filled.backup(tmp_path / "saved")
    path = tmp_path / "saved" / "manifest.json"
    value = json.loads(path.read_text())
    path.write_text(json.dumps({**value, "format": 99}))
    with pytest.raises(BadInput, match="format"):
        verify(tmp_path / "saved")
    with pytest.raises(BadInput, match="not a backup"):
        verify(tmp_path)


@every_way
async def test_an_installation_in_use_is_refused_and_left_alone(filled, places, tmp_path):
    await filled.backup(tmp_path / "saved")
    for name in ("a document", "a knowledge base", "a key"):
        target = places(name)
        (kb,) = await target.open("default")
        if name == "a document":
            await target.upload(kb, "mine.txt", "mine")
        elif name == "a knowledge base":
            await target.knowledge_bases.create(kb.tenant, "second", language="en", settings={}, quota={}, actor=ACTOR)
        else:
            for number in range(2):
                await target.keys.create(issue(PEPPER, tenant=kb.tenant, name=f"{number}", role=Role.READER)[0], ACTOR)
        before = await target.dump()
        with pytest.raises(Conflict, match="in use"):
            await target.restored_from(tmp_path / "saved")
        assert await target.dump() == before


@every_way
async def test_what_a_first_start_made_gives_way(filled, places, tmp_path):
    await filled.backup(tmp_path / "saved")
    target = places("target")
    (kb,) = await target.open("default")
    await target.keys.create(issue(PEPPER, tenant=kb.tenant, name="owner", role=Role.OWNER)[0], ACTOR)
    await target.restored_from(tmp_path / "saved")
    assert await target.dump() == await filled.dump()


@every_way
async def test_a_restore_that_broke_off_shows_nothing_and_is_begun_again(filled, places, tmp_path):
    await filled.backup(tmp_path / "saved")
    target = places("target")

    def stop(_kb, done, _total):
        if done == 2:
            raise StorageFull("full")

    with pytest.raises(StorageFull):
        await target.restored_from(tmp_path / "saved", on_document=stop)
    assert await target.knowledge_bases.list(filled.main.tenant) == ()
    assert await target.keys.list(filled.main.tenant) == ()
    await target.restored_from(tmp_path / "saved")
    assert await target.dump() == await filled.dump()


async def test_a_damaged_backup_restores_nothing(filled, places, tmp_path):
    await filled.backup(tmp_path / "saved")
    last = max(path for path in (tmp_path / "saved").rglob("*") if path.is_file())
    last.write_bytes(last.read_bytes() + b"x")
    target = places("target")
    with pytest.raises(ChecksumMismatch):
        await target.restored_from(tmp_path / "saved")
    assert target.tables.kbs() == []
    assert target.tables.counts()["document"] == 0


async def test_a_backup_appears_whole_or_not_at_all(filled, tmp_path):
    def stop(*_):
        raise StorageFull("full")

    with pytest.raises(StorageFull):
        await filled.backup(tmp_path / "saved", on_document=stop)
    assert list(tmp_path.glob("saved*")) == []
    await filled.backup(tmp_path / "saved")
    with pytest.raises(BadInput, match="exists"):
        await filled.backup(tmp_path / "saved")


def test_a_full_disk_is_told_as_such(tmp_path):
    full = tmp_path / "full"
    full.symlink_to("/dev/full")
    with pytest.raises(StorageFull):
        write_part(tmp_path, "full", [b"x" * 100_000])


@every_way
async def test_a_backup_under_load_is_of_one_revision(places, tmp_path):
    source = places("source")
    (kb,) = await source.open("main")
    history = {}
    stop = asyncio.Event()

    async def note():
        snapshot = await source.archive.snapshot(kb.uid)
        history[snapshot.kb.revision] = {uid for uid, visible in snapshot.documents.items() if visible}

    async def load():
        """Publish, replace and delete without a pause; deletions are purged at once."""
        names = itertools.cycle(["ada", "bob", "merle", "eve", "carl"])
        alive = []
        for number in itertools.count():
            if stop.is_set() and len(alive) > 3:
                return
            keys = [next(names) for _ in range(3)]
            document = await source.written(kb, f"load {number}", [Line(f"{number}", keys), Line("again", keys[:1])])
            await note()
            alive.append(document.uid)
            if len(alive) > 12:
                await source.delete(kb, alive.pop(number % 12))
                await note()
                await source.work()

    for number in range(30):
        await source.written(kb, f"base {number}", [Line(f"{number}", ["ada", f"only {number}"])])
    await note()
    writer = asyncio.create_task(load())
    for number in range(3):
        async with asyncio.timeout(120):
            while len(history) < 10 * (number + 1):
                await asyncio.sleep(0.01)
        manifest = await source.backup(tmp_path / f"saved {number}")
        target = places(f"target {number}")
        await target.restored_from(tmp_path / f"saved {number}")
        (saved,) = manifest.kbs
        snapshot = await target.archive.snapshot(kb.uid)
        visible = {uid for uid, seen in snapshot.documents.items() if seen}
        assert (snapshot.kb.revision, visible) == (saved.revision, history[saved.revision])
        assert_counted(target)
    stop.set()
    await writer


def assert_counted(place):
    """Counters and vectors of entities, and the passages of the knowledge base, are what a recount gives."""
    assert place.tables.recount() == []
    (kb,) = place.tables.kbs()
    assert kb["passages"] == sum(row["passages"] for row in place.tables.documents(kb["uid"]) if row["visible"])


class _Vanishing:
    """An archive in which a document is deleted and purged between the list and its copy, so many times."""

    def __init__(self, place, kb, times):
        self._place, self._kb, self._times = place, kb, times

    def __getattr__(self, name):
        return getattr(self._place.archive, name)

    async def document(self, kb, document):
        found = await self._place.archive.document(kb, document)
        if found is not None and found.visible and self._times > 0:
            self._times -= 1
            await self._place.delete(self._kb, document)
            await self._place.work()
            return await self._place.archive.document(kb, document)
        return found


@every_way
async def test_a_document_that_vanishes_before_its_copy_makes_another_list(places, tmp_path):
    source = places("source")
    (kb,) = await source.open("main")
    for number in range(6):
        await source.written(kb, f"{number}", [Line(f"{number}", ["ada", f"n{number}"])])
    archive = _Vanishing(source, kb, 2)
    await BackupWriter(archive, source.blobs, source.artefacts, tmp_path / "saved", pepper=PEPPER).write()
    target = places("target")
    await target.restored_from(tmp_path / "saved")
    await source.reindex()
    assert await target.dump() == await source.dump()
    assert target.tables.entities(kb.uid) == source.tables.entities(kb.uid)


async def test_a_backup_gives_up_when_documents_never_stay(places, tmp_path, monkeypatch):
    monkeypatch.setattr(create, "MAX_ROUNDS", 3)
    source = places("source")
    (kb,) = await source.open("main")
    for number in range(6):
        await source.written(kb, f"{number}", [Line(f"{number}", ["ada"])])

    class Hollow(_Vanishing):
        async def document(self, kb, document):
            return None

    with pytest.raises(create.DependencyDown, match="quieter"):
        await BackupWriter(
            Hollow(source, kb, 0), source.blobs, source.artefacts, tmp_path / "saved", pepper=PEPPER
        ).write()
    assert not list(tmp_path.glob("saved*"))
