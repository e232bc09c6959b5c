"""The record store: ledger, catalogue, contents, passages, graph and accounts, on every store there is."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import numpy as np
import pytest

from atoll.domain.document import JOURNEY, DocumentError, NewDocument, Stage, Status
from atoll.domain.entity import Mention
from atoll.domain.evidence import Filters
from atoll.domain.ids import DocumentUid, chunk_id, entity_id, new_uid, passage_id
from atoll.domain.page import Box
from atoll.domain.passage import Chunk, Passage
from atoll.domain.principal import Actor
from atoll.errors import BadInput, Conflict, LeaseLost, NotFound, QuotaExceeded
from atoll.ports.contents import ContentBatch, VectorsWanted
from atoll.ports.ledger import DocumentFacts
from tests.support.records import open_neo4j, open_sqlite

ACTOR = Actor(key="k1", request_id="r1")


class Store:
    def __init__(self, opened):
        ports = opened.ports
        self.tables, self.database = opened.tables, ports.database
        self.ledger, self.reconciliation = ports.ledger, ports.reconciliation
        self.lifecycle, self.catalogue, self.census = ports.lifecycle, ports.catalogue, ports.census
        self.contents, self.passages, self.graph = ports.contents, ports.passages, ports.graph
        self.keys, self.kbs, self.tenants, self.audit = ports.keys, ports.knowledge_bases, ports.tenants, ports.audit

    async def kb(self, name="default", **quota):
        tenant = await self.tenants.ensure("acme")
        return await self.kbs.create(tenant, name, language="en", settings={}, quota=quota, actor=ACTOR)

    async def accept(self, kb, name="a.txt", sha="s1", *, replace=False, labels=(), metadata=None, reader=None):
        new = NewDocument(
            uid=DocumentUid(new_uid()),
            name=name,
            source=None,
            media_type="text/plain",
            bytes=10,
            sha256=sha,
            labels=labels,
            metadata=metadata or {},
        )
        accepted = await self.catalogue.accept(kb.uid, [new], replace=replace, labels=reader, actor=ACTOR)
        return accepted.documents[0]

    async def run(self, document, text="alpha beta", entities=("alpha",)):
        """Take a document through its journey by hand, up to ready."""
        claim = await self.ledger.claim(document.uid, "w1", 10)
        while claim is not None and claim.stage is not Stage.PUBLISH:
            if claim.stage is Stage.STORE:
                await self.contents.store_batch(
                    claim, batch_of(document, text, entities), next_batch=1, done=1, total=1
                )
            facts = DocumentFacts(pages=1) if claim.stage is Stage.PARSE else None
            facts = DocumentFacts(passages=1) if claim.stage is Stage.CHUNK else facts
            claim = await self.ledger.finish(claim, 10, units=1, facts=facts)
        outcome = await self.contents.publish(claim, {})
        if isinstance(outcome, VectorsWanted):
            vectors = {name.id: np.ones(4, np.float16) for name in outcome.entities}
            outcome = await self.contents.publish(claim, vectors)
        return outcome

    async def purge(self, document):
        claim = await self.ledger.claim(document.uid, "w1", 10)
        assert claim is not None
        assert claim.stage is Stage.PURGE
        while await self.contents.purge_batch(claim, 1):
            pass
        state = await self.contents.purge_state(claim)
        if state.quiet:
            await self.contents.purge_end(claim)
        return state


def batch_of(document, text, entities=()):
    uid = document.uid
    passage = Passage(
        id=passage_id(uid, 0),
        document=uid,
        ordinal=0,
        chunk=chunk_id(uid, 0),
        page=1,
        boxes=(Box(1.0, 2.0, 3.0, 4.0),),
        char_start=0,
        char_end=len(text),
        text=text,
        headings=("H",),
    )
    mentions = [
        Mention(
            passage=passage.id, entity=entity_id(document.kb, key), key=key, surface=key, type="ORG", tf=1, span=(0, 1)
        )
        for key in entities
    ]
    chunk = Chunk(id=passage.chunk, document=uid, ordinal=0, char_start=0, char_end=len(text), headings=("H",))
    return ContentBatch(chunks=[chunk], passages=[passage], vectors=np.ones((1, 4), np.float16), mentions=mentions)


@pytest.fixture(params=["sqlite", "neo4j"])
async def store(request, tmp_path):
    if request.param == "sqlite":
        opened = open_sqlite(tmp_path, waiting_documents=50)
    else:
        server = request.getfixturevalue("neo4j_server")
        server.wipe()
        opened = open_neo4j(server, tmp_path, waiting_documents=50)
    yield Store(opened)
    await opened.ports.database.aclose()


async def test_a_document_is_seen_only_once_published(store):
    kb = await store.kb()
    document = await store.accept(kb)
    point = passage_id(document.uid, 0)
    assert (await store.catalogue.get(kb.uid, document.uid, None)).status is Status.QUEUED
    claim = await store.ledger.claim(document.uid, "w1", 10)
    while claim.stage is not Stage.PUBLISH:
        if claim.stage is Stage.STORE:
            await store.contents.store_batch(claim, batch_of(document, "alpha"), next_batch=1, done=1, total=1)
        claim = await store.ledger.finish(claim, 10, units=1, facts=DocumentFacts(passages=1))
        assert (await store.passages.visible(kb.uid, None, [document.uid]))[1] == {}
    assert (await store.passages.scope(kb.uid, None, Filters())).hidden_points == 1
    published = await store.contents.publish(claim, {})
    revision, seen = await store.passages.visible(kb.uid, None, [document.uid])
    assert (revision, seen) == (published.revision, {document.uid: "a.txt"})
    text = await store.passages.hydrate(kb.uid, None, [point])
    assert text[point].boxes == (Box(1.0, 2.0, 3.0, 4.0),)
    ready = await store.catalogue.get(kb.uid, document.uid, None)
    assert (ready.status, ready.passages, [s.state for s in ready.stages]) == (Status.READY, 1, ["done"] * len(JOURNEY))
    assert await store.ledger.claim(document.uid, "w1", 10) is None


async def test_only_one_worker_holds_a_stage_and_a_stale_one_writes_nothing(store):
    kb = await store.kb()
    document = await store.accept(kb)
    first = await store.ledger.claim(document.uid, "w1", 0.05)
    assert await store.ledger.claim(document.uid, "w2", 10) is None
    await asyncio.sleep(0.1)
    second = await store.ledger.claim(document.uid, "w2", 10)
    assert second.token == first.token + 1
    for write in (
        store.ledger.beat(first, 10),
        store.ledger.advance(first, batch=1, done=1, total=1),
        store.ledger.finish(first, 10, units=1),
        store.ledger.release(first),
        store.ledger.fail(first, DocumentError("X", Stage.PARSE, None, "x")),
        store.contents.store_batch(first, batch_of(document, "late"), next_batch=1, done=1, total=1),
        store.contents.publish(first, {}),
    ):
        with pytest.raises(LeaseLost):
            await write
    assert (await store.catalogue.get(kb.uid, document.uid, None)).passages == 0
    await store.ledger.finish(second, 10, units=1)


async def test_a_deleted_document_does_not_exist_for_the_ledger_at_once(store):
    kb = await store.kb()
    document = await store.accept(kb)
    assert await store.ledger.exists(document.uid)
    await store.lifecycle.delete(kb.uid, document.uid, None, dry_run=False, actor=ACTOR)
    assert not await store.ledger.exists(document.uid)
    assert not await store.ledger.exists("never-there")


async def test_a_finished_claim_is_void_even_for_its_own_worker(store):
    kb = await store.kb()
    document = await store.accept(kb)
    claim = await store.ledger.claim(document.uid, "w1", 10)
    await store.ledger.finish(claim, 10, units=1)
    with pytest.raises(LeaseLost):
        await store.ledger.finish(claim, 10, units=1)


async def test_the_same_bytes_are_the_same_document_and_queue_a_failed_one_again(store):
    kb = await store.kb()
    document = await store.accept(kb)
    claim = await store.ledger.claim(document.uid, "w1", 10)
    await store.ledger.fail(claim, DocumentError("DocumentUnreadable", Stage.PARSE, 3, "page 3 is broken"))
    failed = await store.catalogue.get(kb.uid, document.uid, None)
    assert (failed.status, failed.error.page) == (Status.FAILED, 3)
    assert await store.ledger.claim(document.uid, "w1", 10) is None
    again = await store.accept(kb, name="other name.txt")
    assert (again.uid, again.name, again.status, again.error) == (document.uid, "a.txt", Status.QUEUED, None)
    assert await store.ledger.claim(document.uid, "w1", 10) is not None


async def test_bytes_under_labels_that_the_uploader_does_not_hold_stay_unknown_to_it(store):
    kb = await store.kb()
    secret = await store.accept(kb, labels=("board",))
    own = await store.accept(kb, labels=("staff",), reader=frozenset({"staff"}))
    assert own.uid != secret.uid
    assert (await store.accept(kb, labels=("staff",))).uid == secret.uid  # one who sees all is told of the first
    with pytest.raises(NotFound):
        await store.catalogue.get(kb.uid, secret.uid, frozenset({"staff"}))


async def test_delete_is_exact_at_once_and_purge_leaves_nothing(store):
    kb = await store.kb()
    kept = await store.accept(kb, "kept.txt", "s0")
    await store.run(kept, "alpha gamma", ("alpha", "gamma"))
    document = await store.accept(kb, "a.txt", "s1")
    await store.run(document, "alpha beta", ("alpha", "beta"))
    receipt = await store.lifecycle.delete(kb.uid, document.uid, None, dry_run=True, actor=ACTOR)
    assert receipt.removed == {
        "passages": 1,
        "chunks": 1,
        "pages": 1,
        "entities": 1,
        "mentions": 2,
        "assertions": 0,
        "vectors": 1,
        "bytes": 10,
    }
    assert receipt.kept_entities == 1
    before = (await store.kbs.get(kb.tenant, kb.name)).revision
    real = await store.lifecycle.delete(kb.uid, document.uid, None, dry_run=False, actor=ACTOR)
    assert real.removed == receipt.removed
    after = await store.kbs.get(kb.tenant, kb.name)
    assert (after.revision, after.passages, after.documents) == (before + 1, 1, 1)
    with pytest.raises(NotFound):
        await store.catalogue.get(kb.uid, document.uid, None)
    assert (await store.passages.hydrate(kb.uid, None, [passage_id(document.uid, 0)])) == {}
    await store.purge(document)
    assert store.tables.entities(kb.uid) == [("alpha", 1, None), ("gamma", 1, None)]
    counts = store.tables.counts()
    assert [counts[table] for table in ("document", "passage", "chunk", "stage")] == [1, 1, 1, len(JOURNEY)]


async def test_delete_during_work_fences_the_worker_and_purge_waits_for_its_lease(store):
    kb = await store.kb()
    document = await store.accept(kb)
    claim = await store.ledger.claim(document.uid, "w1", 30)
    await store.lifecycle.delete(kb.uid, document.uid, None, dry_run=False, actor=ACTOR)
    with pytest.raises(LeaseLost):
        await store.ledger.finish(claim, 10, units=1)
    assert not (await store.purge(document)).quiet
    purge = await store.ledger.claim(document.uid, "w1", 10)
    assert purge is None  # still held by the first look
    store.tables.end_leases()
    assert (await store.purge(document)).quiet


async def test_replace_hides_older_ones_of_the_name_and_the_later_of_two_wins(store):
    kb = await store.kb()
    first = await store.accept(kb, "a.txt", "s1")
    await store.run(first)
    second = await store.accept(kb, "a.txt", "s2", replace=True)
    third = await store.accept(kb, "a.txt", "s3", replace=True)
    assert (first.version, second.version, third.version) == (1, 2, 3)
    published = await store.run(third, "gamma", ("gamma",))
    assert published.replaced == (first.uid,)
    late = await store.run(second, "beta", ("beta",))
    assert late.superseded
    listing = await store.catalogue.page(kb.uid, None, status=None, name=None, limit=10, cursor=None)
    assert [d.uid for d in listing.documents] == [third.uid]
    assert (await store.kbs.get(kb.tenant, kb.name)).passages == 1


async def test_replace_leaves_what_the_uploader_may_not_see(store):
    kb = await store.kb()
    secret = await store.accept(kb, "a.txt", "s1", labels=("board",))
    await store.run(secret)
    plain = await store.accept(kb, "a.txt", "s2")
    await store.run(plain)
    new = await store.accept(kb, "a.txt", "s3", replace=True, labels=("staff",), reader=frozenset({"staff"}))
    published = await store.run(new)
    assert published.replaced == (plain.uid,)
    assert (await store.catalogue.get(kb.uid, secret.uid, None)).status is Status.READY


async def test_a_failed_new_version_leaves_the_old_one(store):
    kb = await store.kb()
    first = await store.accept(kb, "a.txt", "s1")
    await store.run(first)
    second = await store.accept(kb, "a.txt", "s2", replace=True)
    claim = await store.ledger.claim(second.uid, "w1", 10)
    await store.ledger.fail(claim, DocumentError("DocumentUnreadable", Stage.PARSE, None, "broken"))
    assert (await store.catalogue.get(kb.uid, first.uid, None)).status is Status.READY


async def test_labels_govern_every_read(store):
    kb = await store.kb()
    document = await store.accept(kb, labels=("board", "legal"))
    await store.run(document)
    point = passage_id(document.uid, 0)
    for labels, sees in ((None, True), ({"board", "legal", "x"}, True), ({"board"}, False), (set(), False)):
        reader = None if labels is None else frozenset(labels)
        assert bool((await store.passages.visible(kb.uid, reader, [document.uid]))[1]) is sees
        assert bool(await store.passages.hydrate(kb.uid, reader, [point])) is sees
        listing = await store.catalogue.page(kb.uid, reader, status=None, name=None, limit=10, cursor=None)
        assert bool(listing.documents) is sees
        assert bool(listing.counts) is sees


async def test_another_knowledge_base_sees_nothing(store):
    kb, other = await store.kb("one"), await store.kb("two")
    document = await store.accept(kb)
    await store.run(document)
    with pytest.raises(NotFound):
        await store.catalogue.get(other.uid, document.uid, None)
    assert await store.passages.hydrate(other.uid, None, [passage_id(document.uid, 0)]) == {}
    assert (await store.kbs.get(kb.tenant, "two")).revision == 0


async def test_filters_are_resolved_by_the_store(store):
    kb = await store.kb()
    for number in range(4):
        document = await store.accept(
            kb, f"report-{number}.txt", f"s{number}", metadata={"year": 2020 + number, "team": "ab"[number % 2]}
        )
        await store.run(document)

    async def names(**filters):
        scope = await store.passages.scope(kb.uid, None, Filters(**filters))
        found = [await store.catalogue.get(kb.uid, uid, None) for uid in scope.include]
        return sorted(d.name[7] for d in found)

    assert await names(names=("report-[12]*",)) == ["1", "2"]
    assert await names(metadata={"year": {"gte": 2021, "lte": 2022}}) == ["1", "2"]
    assert await names(metadata={"team": "a", "year": [2020, 2021]}) == ["0"]
    assert await names(metadata={"team": {"gte": 1}}) == []
    assert await names(media_types=("text/html",)) == []
    assert (await store.passages.scope(kb.uid, None, Filters())).include is None
    with pytest.raises(BadInput, match="gte and lte"):
        await names(metadata={"year": {"above": 1}})


async def test_listing_pages_and_counts(store):
    kb = await store.kb()
    uids = [(await store.accept(kb, f"{n}.txt", f"s{n}")).uid for n in range(5)]
    seen, cursor = [], None
    while True:
        page = await store.catalogue.page(kb.uid, None, status=Status.QUEUED, name=None, limit=2, cursor=cursor)
        seen += [d.uid for d in page.documents]
        cursor = page.next_cursor
        assert page.counts == {Status.QUEUED: 5}
        if cursor is None:
            break
    assert seen == uids[::-1]
    with pytest.raises(BadInput):
        await store.catalogue.page(kb.uid, None, status=None, name=None, limit=2, cursor="x")


async def test_limits_on_waiting_documents_and_quota(store):
    small = await store.kb("small", documents=1)
    await store.accept(small, sha="s1")
    with pytest.raises(QuotaExceeded, match="1 documents"):
        await store.accept(small, sha="s2")
    kb = await store.kb()
    for number in range(50):
        await store.accept(kb, sha=f"s{number}")
    with pytest.raises(QuotaExceeded, match="wait already"):
        await store.accept(kb, sha="more")


async def test_cancel_and_retry(store):
    kb = await store.kb()
    document = await store.accept(kb)
    claim = await store.ledger.claim(document.uid, "w1", 10)
    cancelled = await store.lifecycle.cancel(kb.uid, document.uid, None, ACTOR)
    assert cancelled.status is Status.CANCELLED
    with pytest.raises(LeaseLost):
        await store.ledger.finish(claim, 10, units=1)
    assert await store.ledger.claim(document.uid, "w1", 10) is None
    with pytest.raises(Conflict):
        await store.lifecycle.cancel(kb.uid, document.uid, None, ACTOR)
    assert (await store.lifecycle.retry(kb.uid, document.uid, None, ACTOR)).status is Status.QUEUED
    await asyncio.sleep(0)
    store.tables.end_leases()
    assert await store.ledger.claim(document.uid, "w1", 10) is not None


async def test_overdue_work_is_found_once_per_quiet_time(store):
    kb = await store.kb()
    document = await store.accept(kb)
    assert await store.reconciliation.overdue(10, quiet_seconds=60) == []  # the gateway rings for a new one
    assert await store.reconciliation.overdue(10, quiet_seconds=0) == [document.uid]
    assert await store.reconciliation.overdue(10, quiet_seconds=60) == []
    claim = await store.ledger.claim(document.uid, "w1", 10)
    assert await store.reconciliation.overdue(10, quiet_seconds=0) == []
    await store.ledger.release(claim, delay_seconds=60)
    assert await store.reconciliation.overdue(10, quiet_seconds=0) == []


async def test_one_reconciler_leads(store):
    assert await store.reconciliation.lead("w1", 0.1)
    assert await store.reconciliation.lead("w1", 0.1)
    assert not await store.reconciliation.lead("w2", 0.1)
    await asyncio.sleep(0.15)
    assert await store.reconciliation.lead("w2", 0.1)


async def test_changes_are_told_in_order(store):
    kb = await store.kb()
    document = await store.accept(kb)
    (latest,) = await store.catalogue.changes(kb.uid, None, since=None, limit=10)
    assert latest.uid == document.uid
    await store.run(document)
    (changed,) = await store.catalogue.changes(kb.uid, None, since=latest.changed_seq, limit=10)
    assert changed.status is Status.READY
    assert await store.catalogue.changes(kb.uid, None, since=changed.changed_seq, limit=10) == ()


async def test_every_act_is_in_the_audit_trail_of_its_tenant(store):
    kb = await store.kb()
    document = await store.accept(kb)
    await store.run(document)
    await store.lifecycle.delete(kb.uid, document.uid, None, dry_run=False, actor=ACTOR)
    events = await store.audit.page(kb.tenant, since=None, action=None, actor=None, after=0, limit=10)
    assert [e.action for e in events] == ["kb.created", "document.accepted", "document.published", "document.deleted"]
    assert (events[1].actor, events[1].request_id, events[3].revision) == ("k1", "r1", 2)
    only = await store.audit.page(kb.tenant, since=None, action="kb.created", actor="k1", after=0, limit=10)
    assert len(only) == 1


async def test_a_deleted_knowledge_base_is_gone_with_all_it_held(store):
    kb = await store.kb()
    document = await store.accept(kb)
    await store.run(document)
    await store.kbs.delete(kb.tenant, kb.name, ACTOR)
    with pytest.raises(NotFound):
        await store.passages.scope(kb.uid, None, Filters())
    with pytest.raises(NotFound):
        await store.accept(kb, sha="s2")
    again = await store.kb()
    assert again.uid != kb.uid
    await store.purge(document)
    assert [row["uid"] for row in store.tables.kbs()] == [again.uid]


async def test_a_stored_batch_may_be_written_twice_and_under_another_cut(store):
    kb = await store.kb()
    document = await store.accept(kb)
    claim = await store.ledger.claim(document.uid, "w1", 10)
    while claim.stage is not Stage.STORE:
        claim = await store.ledger.finish(claim, 10, units=1)
    first = batch_of(document, "old cut", ("alpha", "beta"))
    more = replace(first.passages[0], id=passage_id(document.uid, 1), ordinal=1)
    two = ContentBatch(first.chunks, [first.passages[0], more], np.ones((2, 4), np.float16), first.mentions)
    await store.contents.store_batch(claim, two, next_batch=1, done=2, total=2)
    for _ in range(2):
        await store.contents.store_batch(
            claim, batch_of(document, "new cut", ("gamma",)), next_batch=1, done=1, total=1
        )
    assert [row["text"] for row in store.tables.passages(document.uid)] == ["new cut"]
    assert [key for key, *_ in store.tables.entities(kb.uid)] == ["gamma"]
