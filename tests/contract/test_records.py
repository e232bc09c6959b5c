"""The record store: ledger, catalogue, contents, passages, graph and accounts, on every store there is."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from atoll.domain.document import JOURNEY, Amendment, DocumentError, DocumentWarning, NewDocument, Stage, Status
from atoll.domain.entity import Assertion, Mention
from atoll.domain.evidence import Filters
from atoll.domain.ids import DocumentUid, KbUid, KeyId, TenantId, chunk_id, entity_id, new_uid, passage_id, relation_id
from atoll.domain.page import Box
from atoll.domain.passage import Chunk, Passage
from atoll.domain.principal import Actor, ApiKey, Event, Role
from atoll.domain.reading import PIPELINE, HowRead, Reading
from atoll.domain.seal import Seal
from atoll.domain.tenant import INSTALLATION, Tenant
from atoll.errors import BadInput, Conflict, DependencyDown, Forbidden, LeaseLost, NotFound, QuotaExceeded
from atoll.ports.contents import ContentBatch, VectorsWanted
from atoll.ports.graph import GraphScope, Reach
from atoll.ports.ledger import DocumentFacts
from tests.support.readers import reader_of
from tests.support.records import STORES, open_either

ACTOR = Actor(subject="k1", request_id="r1")


class Store:
    def __init__(self, opened):
        self.records, self.tables = opened.ports, opened.tables

    def __getattr__(self, part):
        return getattr(self.records, part)

    async def kb(self, name="default", **quota):
        tenant = await self.tenants.ensure("acme")
        return await self.knowledge_bases.create(tenant, name, language="en", settings={}, quota=quota, actor=ACTOR)

    async def accept(self, kb, name="a.txt", sha="s1", **wanted):
        return (await self.upload(kb, name, sha, **wanted)).documents[0]

    async def upload(
        self, kb, name="a.txt", sha="s1", *, replace=False, labels=None, metadata=None, reader=None, source=None
    ):
        new = NewDocument(
            uid=DocumentUid(new_uid()),
            name=name,
            source=source,
            media_type="text/plain",
            bytes=10,
            sha256=sha,
            labels=labels,
            metadata=metadata,
        )
        return await self.catalogue.accept(reader_of(kb, reader), [new], replace=replace, actor=ACTOR)

    async def run(self, document, text="alpha beta", entities=("alpha",), batch=None):
        """Take a document through its journey by hand, up to ready."""
        claim = await self.ledger.claim(document.uid, "w1", 60)
        while claim is not None and claim.stage is not Stage.PUBLISH:
            if claim.stage is Stage.STORE:
                content = batch or batch_of(document, text, entities)
                await self.contents.store_batch(claim, content, next_batch=1, done=1, total=1)
            facts = DocumentFacts(pages=1) if claim.stage is Stage.PARSE else None
            facts = DocumentFacts(passages=1) if claim.stage is Stage.CHUNK else facts
            claim = await self.ledger.finish(claim, 60, units=1, facts=facts)
        vectors = {}
        while isinstance(outcome := await self.contents.publish(claim, vectors), VectorsWanted):
            vectors |= {name.id: np.ones(4, np.float16) for name in outcome.entities}
        return outcome

    async def claimed_at(self, document, stage):
        """Take a document up to a stage by hand and return its claim."""
        claim = await self.ledger.claim(document.uid, "w1", 60)
        while claim.stage is not stage:
            claim = await self.ledger.finish(claim, 60, units=1)
        return claim

    async def events(self):
        return await self.audit.page(
            await self.tenants.ensure("acme"), since=None, action=None, actor=None, after=0, limit=100
        )

    async def purge(self, document):
        claim = await self.ledger.claim(document.uid, "w1", 60)
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


@pytest.fixture(params=STORES)
async def store(request, tmp_path):
    opened = open_either(request, request.param, tmp_path, waiting_documents=50)
    yield Store(opened)
    await opened.ports.aclose()


async def test_a_document_is_seen_only_once_published(store):
    kb = await store.kb()
    document = await store.accept(kb)
    point = passage_id(document.uid, 0)
    assert (await store.catalogue.get(reader_of(kb), document.uid)).status is Status.QUEUED
    claim = await store.ledger.claim(document.uid, "w1", 60)
    while claim.stage is not Stage.PUBLISH:
        if claim.stage is Stage.STORE:
            await store.contents.store_batch(claim, batch_of(document, "alpha"), next_batch=1, done=1, total=1)
        claim = await store.ledger.finish(claim, 60, units=1, facts=DocumentFacts(passages=1))
        assert (await store.passages.visible(reader_of(kb), [document.uid]))[1] == {}
    assert (await store.passages.scope(reader_of(kb), Filters())).hidden_points == 1
    published = await store.contents.publish(claim, {})
    revision, seen = await store.passages.visible(reader_of(kb), [document.uid])
    assert (revision, seen) == (published.revision, {document.uid: "a.txt"})
    text = await store.passages.hydrate(reader_of(kb), [point])
    assert text[point].boxes == (Box(1.0, 2.0, 3.0, 4.0),)
    ready = await store.catalogue.get(reader_of(kb), document.uid)
    assert (ready.status, ready.passages, [s.state for s in ready.stages]) == (Status.READY, 1, ["done"] * len(JOURNEY))
    assert await store.ledger.claim(document.uid, "w1", 60) is None


async def test_only_one_worker_holds_a_stage_and_a_stale_one_writes_nothing(store):
    kb = await store.kb()
    document = await store.accept(kb)
    first = await store.ledger.claim(document.uid, "w1", 60)
    assert await store.ledger.claim(document.uid, "w2", 60) is None
    store.tables.end_leases()
    second = await store.ledger.claim(document.uid, "w2", 60)
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
    assert (await store.catalogue.get(reader_of(kb), document.uid)).passages == 0
    await store.ledger.finish(second, 10, units=1)


async def test_a_deleted_document_does_not_exist_for_the_ledger_at_once(store):
    kb = await store.kb()
    document = await store.accept(kb)
    assert await store.ledger.exists(document.uid)
    await store.lifecycle.delete(reader_of(kb), document.uid, dry_run=False, actor=ACTOR)
    assert not await store.ledger.exists(document.uid)
    assert not await store.ledger.exists("never-there")


async def test_a_finished_claim_is_void_even_for_its_own_worker(store):
    kb = await store.kb()
    document = await store.accept(kb)
    claim = await store.ledger.claim(document.uid, "w1", 60)
    await store.ledger.finish(claim, 60, units=1)
    with pytest.raises(LeaseLost):
        await store.ledger.finish(claim, 60, units=1)


async def test_the_same_bytes_are_the_same_document_and_queue_a_failed_one_again(store):
    kb = await store.kb()
    document = await store.accept(kb)
    claim = await store.ledger.claim(document.uid, "w1", 60)
    await store.ledger.fail(claim, DocumentError("DocumentUnreadable", Stage.PARSE, 3, "page 3 is broken"))
    failed = await store.catalogue.get(reader_of(kb), document.uid)
    assert (failed.status, failed.error.page) == (Status.FAILED, 3)
    assert await store.ledger.claim(document.uid, "w1", 60) is None
    assert (await store.accept(kb, name="other name.txt")).uid != document.uid
    assert (await store.accept(kb, source="elsewhere")).uid != document.uid
    again = await store.accept(kb)
    assert (again.uid, again.name, again.status, again.error) == (document.uid, "a.txt", Status.QUEUED, None)
    assert await store.ledger.claim(document.uid, "w1", 60) is not None


async def test_bytes_under_labels_that_the_uploader_does_not_hold_stay_unknown_to_it(store):
    kb = await store.kb()
    secret = await store.accept(kb, labels=("board",))
    own = await store.accept(kb, labels=("staff",), reader=frozenset({"staff"}))
    assert own.uid != secret.uid
    assert (await store.accept(kb, labels=("staff",))).uid == own.uid  # one who sees both means that of these labels
    assert (await store.accept(kb, labels=("board",))).uid == secret.uid
    with pytest.raises(NotFound):
        await store.catalogue.get(reader_of(kb, frozenset({"staff"})), secret.uid)


async def test_delete_is_exact_at_once_and_purge_leaves_nothing(store):
    kb = await store.kb()
    kept = await store.accept(kb, "kept.txt", "s0")
    await store.run(kept, "alpha gamma", ("alpha", "gamma"))
    document = await store.accept(kb, "a.txt", "s1")
    await store.run(document, "alpha beta", ("alpha", "beta"))
    receipt = await store.lifecycle.delete(reader_of(kb), document.uid, dry_run=True, actor=ACTOR)
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
    before = (await store.knowledge_bases.get(kb.tenant, kb.name)).revision
    real = await store.lifecycle.delete(reader_of(kb), document.uid, dry_run=False, actor=ACTOR)
    assert real.removed == receipt.removed
    after = await store.knowledge_bases.get(kb.tenant, kb.name)
    assert (after.revision, after.passages, after.documents) == (before + 1, 1, 1)
    with pytest.raises(NotFound):
        await store.catalogue.get(reader_of(kb), document.uid)
    assert (await store.passages.hydrate(reader_of(kb), [passage_id(document.uid, 0)])) == {}
    await store.purge(document)
    assert store.tables.entities(kb.uid) == [("alpha", 1, None), ("gamma", 1, None)]
    counts = store.tables.counts()
    assert [counts[table] for table in ("document", "passage", "chunk", "stage")] == [1, 1, 1, len(JOURNEY)]


async def test_delete_during_work_fences_the_worker_and_purge_waits_for_its_lease(store):
    kb = await store.kb()
    document = await store.accept(kb)
    claim = await store.ledger.claim(document.uid, "w1", 30)
    await store.lifecycle.delete(reader_of(kb), document.uid, dry_run=False, actor=ACTOR)
    with pytest.raises(LeaseLost):
        await store.ledger.finish(claim, 60, units=1)
    assert not (await store.purge(document)).quiet
    purge = await store.ledger.claim(document.uid, "w1", 60)
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
    listing = await store.catalogue.page(reader_of(kb), status=None, name=None, limit=10, before=None)
    assert [d.uid for d in listing.documents] == [third.uid]
    assert (await store.knowledge_bases.get(kb.tenant, kb.name)).passages == 1


async def test_a_version_counts_nothing_that_its_readers_may_not_see(store):
    kb = await store.kb()
    numbers = [
        ((await store.accept(kb, "a.txt", f"s{at}", labels=labels)).version, labels)
        for at, labels in enumerate([("board",), ("board",), (), ("board",), (), ("staff",), ("board", "staff")])
    ]
    assert numbers == [
        (1, ("board",)), (2, ("board",)), (1, ()), (3, ("board",)), (2, ()), (3, ("staff",)), (4, ("board", "staff")),
    ]  # fmt: skip
    secret = await store.accept(kb, "b.txt", "t1", labels=("board",))
    await store.run(secret)
    await store.run(await store.accept(kb, "b.txt", "t2"))
    last = await store.accept(kb, "b.txt", "t3", replace=True)
    published = await store.run(last)
    assert last.version == 2
    assert len(published.replaced) == 2, "the order of acceptance decides what is replaced, not the version"
    assert published.replaced[0] == secret.uid


async def test_a_document_that_others_see_from_now_on_gets_a_version_of_what_they_see(store):
    kb = await store.kb()
    for at in range(3):
        secret = await store.accept(kb, "a.txt", f"s{at}", labels=("board",))
    assert secret.version == 3
    assert (await store.lifecycle.amend(reader_of(kb), secret.uid, Amendment(labels=()), ACTOR)).version == 1
    assert (await store.accept(kb, "a.txt", "s9")).version == 2
    renamed = await store.lifecycle.amend(reader_of(kb), secret.uid, Amendment(name="b.txt"), ACTOR)
    again = await store.lifecycle.amend(reader_of(kb), secret.uid, Amendment(metadata={"a": 1}), ACTOR)
    assert (renamed.version, again.version) == (1, 1)


async def test_a_tightened_document_departs_from_those_alone_who_lose_it(store):
    kb = await store.kb()
    document = await store.accept(kb, "a.txt", "s1", labels=("red",))
    began = await store.changes.latest(reader_of(kb))
    await store.lifecycle.amend(reader_of(kb), document.uid, Amendment(labels=("blue",)), ACTOR)
    red, blue = frozenset({"red"}), frozenset({"blue"})
    told = {held: await store.changes.after(reader_of(kb, held), began, limit=9) for held in (None, red, blue)}
    assert [each.is_departure for each in told[red]] == [True]
    assert [each.is_departure for each in told[blue]] == [False]
    assert sorted(each.is_departure for each in told[None]) == [False, True]
    assert len({each.number for each in told[None]}) == 2, "a page that ends between the two would lose one"


async def test_versions_are_counted_within_one_upload_and_by_source(store):
    kb = await store.kb()
    documents = [
        NewDocument(DocumentUid(new_uid()), "a.txt", source, "text/plain", 1, sha256, labels, {})
        for source, sha256, labels in [
            ("x", "1", ()), ("x", "2", ("red",)), ("x", "3", ()), ("y", "4", ()), (None, "5", ()), ("x", "6", ("red",)),
        ]
    ]  # fmt: skip
    accepted = await store.catalogue.accept(reader_of(kb), documents, replace=False, actor=ACTOR)
    assert [each.version for each in accepted.documents] == [1, 2, 2, 1, 1, 3]
    more = replace(documents[1], uid=DocumentUid(new_uid()), sha256="7")
    (again,) = (await store.catalogue.accept(reader_of(kb), [more], replace=False, actor=ACTOR)).documents
    assert again.version == 4


async def test_replace_leaves_what_the_uploader_may_not_see(store):
    kb = await store.kb()
    secret = await store.accept(kb, "a.txt", "s1", labels=("board",))
    await store.run(secret)
    plain = await store.accept(kb, "a.txt", "s2")
    await store.run(plain)
    new = await store.accept(kb, "a.txt", "s3", replace=True, labels=("staff",), reader=frozenset({"staff"}))
    published = await store.run(new)
    assert published.replaced == (plain.uid,)
    assert (await store.catalogue.get(reader_of(kb), secret.uid)).status is Status.READY


async def test_a_failed_new_version_leaves_the_old_one(store):
    kb = await store.kb()
    first = await store.accept(kb, "a.txt", "s1")
    await store.run(first)
    second = await store.accept(kb, "a.txt", "s2", replace=True)
    claim = await store.ledger.claim(second.uid, "w1", 60)
    await store.ledger.fail(claim, DocumentError("DocumentUnreadable", Stage.PARSE, None, "broken"))
    assert (await store.catalogue.get(reader_of(kb), first.uid)).status is Status.READY


async def test_labels_govern_every_read(store):
    kb = await store.kb()
    document = await store.accept(kb, labels=("board", "legal"))
    await store.run(document)
    point = passage_id(document.uid, 0)
    for labels, sees in ((None, True), ({"board", "legal", "x"}, True), ({"board"}, False), (set(), False)):
        reader = None if labels is None else frozenset(labels)
        assert bool((await store.passages.visible(reader_of(kb, reader), [document.uid]))[1]) is sees
        assert bool(await store.passages.hydrate(reader_of(kb, reader), [point])) is sees
        listing = await store.catalogue.page(reader_of(kb, reader), status=None, name=None, limit=10, before=None)
        assert bool(listing.documents) is sees
        assert bool(listing.counts) is sees


async def test_another_knowledge_base_sees_nothing(store):
    kb, other = await store.kb("one"), await store.kb("two")
    document = await store.accept(kb)
    await store.run(document)
    with pytest.raises(NotFound):
        await store.catalogue.get(reader_of(other), document.uid)
    assert await store.passages.hydrate(reader_of(other), [passage_id(document.uid, 0)]) == {}
    assert (await store.knowledge_bases.get(kb.tenant, "two")).revision == 0


async def test_filters_are_resolved_by_the_store(store):
    kb = await store.kb()
    for number in range(4):
        document = await store.accept(
            kb, f"report-{number}.txt", f"s{number}", metadata={"year": 2020 + number, "team": "ab"[number % 2]}
        )
        await store.run(document)

    async def names(**filters):
        scope = await store.passages.scope(reader_of(kb), Filters(**filters))
        found = [await store.catalogue.get(reader_of(kb), uid) for uid in scope.include]
        return sorted(d.name[7] for d in found)

    assert await names(names=("report-[12]*",)) == ["1", "2"]
    assert await names(metadata={"year": {"gte": 2021, "lte": 2022}}) == ["1", "2"]
    assert await names(metadata={"team": "a", "year": [2020, 2021]}) == ["0"]
    assert await names(metadata={"team": {"gte": 1}}) == []
    assert await names(media_types=("text/html",)) == []
    assert (await store.passages.scope(reader_of(kb), Filters())).include is None
    with pytest.raises(BadInput, match="gte and lte"):
        await names(metadata={"year": {"above": 1}})


async def test_listing_pages_and_counts(store):
    kb = await store.kb()
    uids = [(await store.accept(kb, f"{n}.txt", f"s{n}")).uid for n in range(5)]
    seen, before = [], None
    while True:
        page = await store.catalogue.page(reader_of(kb), status=Status.QUEUED, name=None, limit=2, before=before)
        seen += [d.uid for d in page.documents]
        before = page.next_before
        assert page.counts == {Status.QUEUED: 5}
        if before is None:
            break
    assert seen == uids[::-1]


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
    claim = await store.ledger.claim(document.uid, "w1", 60)
    cancelled = await store.lifecycle.cancel(reader_of(kb), document.uid, ACTOR)
    assert cancelled.status is Status.CANCELLED
    with pytest.raises(LeaseLost):
        await store.ledger.finish(claim, 60, units=1)
    assert await store.ledger.claim(document.uid, "w1", 60) is None
    with pytest.raises(Conflict):
        await store.lifecycle.cancel(reader_of(kb), document.uid, ACTOR)
    assert (await store.lifecycle.retry(reader_of(kb), document.uid, ACTOR)).status is Status.QUEUED
    store.tables.end_leases()
    assert await store.ledger.claim(document.uid, "w1", 60) is not None


async def test_overdue_work_is_found_once_per_quiet_time(store):
    kb = await store.kb()
    document = await store.accept(kb)
    assert await store.reconciliation.overdue(10, quiet_seconds=60) == []  # the gateway rings for a new one
    assert await store.reconciliation.overdue(10, quiet_seconds=0) == [document.uid]
    assert await store.reconciliation.overdue(10, quiet_seconds=60) == []
    claim = await store.ledger.claim(document.uid, "w1", 60)
    assert await store.reconciliation.overdue(10, quiet_seconds=0) == []
    await store.ledger.release(claim, delay_seconds=60)
    assert await store.reconciliation.overdue(10, quiet_seconds=0) == []


async def test_one_reconciler_leads(store):
    assert await store.reconciliation.lead("w1", 60)
    assert await store.reconciliation.lead("w1", 60)
    assert not await store.reconciliation.lead("w2", 60)
    store.tables.end_leases()
    assert await store.reconciliation.lead("w2", 60)


async def test_changes_are_told_in_order(store):
    kb = await store.kb()
    document = await store.accept(kb)
    latest = await store.changes.latest(reader_of(kb))
    assert await store.changes.after(reader_of(kb), latest, limit=10) == ()
    await store.run(document)
    (changed,) = await store.changes.after(reader_of(kb), latest, limit=10)
    assert (changed.document, changed.is_departure, changed.number > latest) == (document.uid, False, True)
    assert await store.changes.after(reader_of(kb), changed.number, limit=10) == ()
    (shown,) = await store.changes.among(reader_of(kb), [document.uid, "nobody"])
    assert (shown.status, shown.uid, len(shown.stages)) == (Status.READY, document.uid, len(JOURNEY))


async def test_a_departure_is_told_to_those_who_saw_the_document(store):
    kb, other = await store.kb(), await store.kb("other")
    red, free = await store.accept(kb, "red", "s1", labels=["red"]), await store.accept(kb, "free", "s2")
    began = await store.changes.latest(reader_of(kb))
    for document in (red, free):
        await store.lifecycle.delete(reader_of(kb), document.uid, dry_run=False, actor=ACTOR)
        await store.purge(document)
    gone = await store.changes.after(reader_of(kb), began, limit=10)
    assert [(each.document, each.is_departure) for each in gone] == [(red.uid, True), (free.uid, True)]
    assert gone[0].number < gone[1].number == await store.changes.latest(reader_of(kb))
    assert await store.changes.after(reader_of(kb), began, limit=1) == gone[:1]
    assert [
        each.document for each in await store.changes.after(reader_of(kb, frozenset({"blue"})), began, limit=9)
    ] == [free.uid]
    assert await store.changes.after(reader_of(other), 0, limit=9) == ()
    assert await store.changes.among(reader_of(kb), [red.uid, free.uid]) == ()


async def test_what_a_file_says_of_itself_is_metadata_unless_something_else_was_given(store):
    kb = await store.kb()
    document = await store.accept(kb, metadata={"year": 2024, "own": "kept"})
    claim = await store.ledger.claim(document.uid, "w1", 60)
    facts = DocumentFacts(pages=1, how=HowRead(metadata={"year": 1999, "tags": ["sea", 7]}))
    await store.ledger.finish(claim, 60, units=1, facts=facts)
    found = await store.catalogue.get(reader_of(kb), document.uid)
    assert found.metadata == {"year": 2024, "own": "kept", "tags": ["sea", 7]}
    amended = await store.lifecycle.amend(reader_of(kb), document.uid, Amendment(metadata={"own": "other"}), ACTOR)
    assert amended.metadata == {"year": 1999, "own": "other", "tags": ["sea", 7]}
    again = await store.upload(kb, metadata={"own": "other"})
    assert again.duplicates[0].applied == ()


async def test_a_new_reading_restates_what_the_file_says_and_keeps_what_was_given(store):
    kb = await store.kb()
    first = document = await store.accept(kb, metadata={"own": "kept"})
    for told in ({"year": 1999, "gone": True}, {"year": 2001}):
        claim = await store.ledger.claim(document.uid, "w1", 60)
        facts = DocumentFacts(pages=1, how=HowRead(metadata=told))
        await store.ledger.release(await store.ledger.finish(claim, 60, units=1, facts=facts))
        await store.run(document)
        found = await store.catalogue.get(reader_of(kb), first.id)
        assert found.metadata == {**told, "own": "kept"}
        scope = await store.passages.scope(reader_of(kb), Filters(metadata={"year": told["year"]}))
        assert scope.include == (document.uid,)
        found = await store.lifecycle.reprocess(reader_of(kb), first.id, Stage.PARSE, ACTOR)
        document = replace(found, uid=found.worked_on)


async def test_a_document_says_how_it_was_read_and_older_ones_are_found(store):
    kb = await store.kb()
    document = await store.accept(kb, labels=("staff",))
    assert document.read is None
    claim = await store.ledger.claim(document.uid, "w1", 60)
    warning = DocumentWarning("no_text", None, 'a "type": "odd" thing')
    facts = DocumentFacts(pages=1, warnings=(warning,), how=HowRead("text", "its name ends in .txt", "latin-1"))
    await store.ledger.finish(claim, 60, units=1, facts=facts)
    found = await store.catalogue.get(reader_of(kb), document.uid)
    assert found.read == Reading(PIPELINE, "text", "its name ends in .txt", "en", "latin-1")
    await store.run(await store.accept(kb, "b.txt", "s2"))
    old = await store.accept(kb, "c.txt", "s3")
    await store.run(old)
    store.tables.forget_pipeline(old.uid)

    async def listed(labels=None, **chosen):
        page = await store.catalogue.page(
            reader_of(kb, labels), status=None, name=None, limit=10, before=None, **chosen
        )
        return [each.name for each in page.documents], page.older

    assert await listed(older=True) == (["c.txt"], 1)
    assert await listed(warning="no_text") == (["a.txt"], 1)
    assert await listed(warning="odd") == ([], 1)
    assert await listed(frozenset(), warning="no_text") == ([], 1)
    assert await store.catalogue.older() == 1


async def test_a_listing_is_of_a_source_or_a_label(store):
    kb = await store.kb()
    for number, (source, labels) in enumerate(
        [("plans", ("a",)), ("plans/old", ("a", "b")), ("plans2", ()), (None, ("b",))]
    ):
        document = await store.accept(kb, f"{number}.txt", f"s{number}", labels=labels)
        if source is not None:
            await store.lifecycle.amend(reader_of(kb), document.uid, Amendment(source=source), ACTOR)

    async def listed(labels=None, **chosen):
        page = await store.catalogue.page(reader_of(kb, labels), status=None, name=None, limit=9, before=None, **chosen)
        return [each.name for each in reversed(page.documents)], sum(page.counts.values())

    assert await listed(source="plans") == (["0.txt", "1.txt"], 2)
    assert await listed(source="plans/old") == (["1.txt"], 1)
    assert await listed(source="plan") == ([], 0)
    assert await listed(label="b") == (["1.txt", "3.txt"], 2)
    assert await listed(label="b", source="plans") == (["1.txt"], 1)
    assert await listed(frozenset({"a"}), label="a") == (["0.txt"], 1)


async def test_an_entity_that_a_replacement_mentions_too_keeps_its_vector(store):
    kb = await store.kb()
    await store.run(await store.accept(kb, "other.txt", "s1"), "Ada built it", ("ada",))
    await store.run(await store.accept(kb, "plan.txt", "s2"), "Ada leads", ("ada", "mole"))
    third = await store.accept(kb, "plan.txt", "s3", replace=True)
    claim = await store.ledger.claim(third.uid, "w1", 60)
    while claim.stage is not Stage.PUBLISH:
        if claim.stage is Stage.STORE:
            content = batch_of(third, "Ada leads on", ("ada", "mole"))
            await store.contents.store_batch(claim, content, next_batch=1, done=1, total=1)
        claim = await store.ledger.finish(claim, 60, units=1)
    # Nobody is asked for a vector: of the two one has it, and the other is in one document before and after.
    assert not isinstance(await store.contents.publish(claim, {}), VectorsWanted)
    assert store.tables.recount() == []
    assert {key: (df, bool(size)) for key, df, size in store.tables.entities(kb.uid)} == {
        "ada": (2, True),
        "mole": (1, False),
    }


async def test_replaced_documents_depart_and_departures_go_with_their_knowledge_base(store):
    kb = await store.kb()
    first = await store.accept(kb, "a", "s1")
    await store.run(first)
    began = await store.changes.latest(reader_of(kb))
    second = await store.accept(kb, "a", "s2", replace=True)
    await store.run(second)
    told = [(each.document, each.is_departure) for each in await store.changes.after(reader_of(kb), began, limit=9)]
    assert told == [(first.uid, True), (second.uid, False)]
    await store.purge(first)
    await store.knowledge_bases.delete(kb.tenant, kb.name, ACTOR)
    await store.purge(second)
    assert await store.changes.after(reader_of(kb), 0, limit=9) == ()


async def test_the_last_owner_key_without_limits_stays(store):
    tenant, other = await store.tenants.ensure("acme"), await store.tenants.ensure("other")
    made, past = datetime(2026, 1, 2, tzinfo=UTC), datetime(2026, 1, 3, tzinfo=UTC)

    async def key(name, role=Role.OWNER, *, within=tenant, kbs=None, labels=None, expires=None):
        found = ApiKey(KeyId(name), within, name, role, kbs, labels, b"h", made, expires, None, None)
        await store.keys.create(found, ACTOR)
        return found.id

    last = await key("last")
    await key("elsewhere", within=other)
    await key("auditor", Role.AUDITOR)
    await key("expired", expires=past)
    narrow = await key("narrow", labels=frozenset({"red"}))
    passing, later = [await key(name, expires=made.replace(year=2999)) for name in ("passing", "later")]
    with pytest.raises(Conflict, match="last key"):
        await store.keys.revoke(tenant, last, ACTOR)
    for gone in (narrow, passing, later):
        await store.keys.revoke(tenant, gone, ACTOR)
    await key("second")
    await store.keys.revoke(tenant, last, ACTOR)
    with pytest.raises(Conflict, match="last key"):
        await store.keys.revoke(tenant, KeyId("second"), ACTOR)
    assert (await store.keys.revoke(tenant, last, ACTOR)).revoked_at is not None, "again is a no-op"


async def test_a_key_is_changed_as_it_was_decided_or_not_at_all(store):
    tenant = await store.tenants.ensure("acme")
    made = datetime(2026, 1, 2, tzinfo=UTC)
    kbs, labels = frozenset({KbUid("k1"), KbUid("k2")}), frozenset({"red"})
    first = ApiKey(KeyId("first"), tenant, "first", Role.OWNER, None, None, b"h", made, None, None, None)
    key = replace(first, id=KeyId("second"), role=Role.READER)
    await store.keys.create(first, ACTOR)
    await store.keys.create(key, ACTOR)
    wider = replace(key, name="new", role=Role.EDITOR, kbs=kbs, labels=labels, expires_at=made.replace(year=2999))
    assert await store.keys.change(key, wider, ACTOR) == wider == await store.keys.find(key.id)
    with pytest.raises(Conflict, match="meanwhile"):
        await store.keys.change(key, replace(key, role=Role.OWNER), ACTOR)
    assert await store.keys.change(wider, replace(key, name="new"), ACTOR) == replace(key, name="new")
    for less in ({"role": Role.EDITOR}, {"kbs": kbs}, {"labels": labels}, {"expires_at": made.replace(year=2999)}):
        with pytest.raises(Conflict, match="last key"):
            await store.keys.change(first, replace(first, **less), ACTOR)
    await store.keys.revoke(tenant, key.id, ACTOR)
    with pytest.raises(Conflict, match="meanwhile"):
        await store.keys.change(replace(key, name="new"), wider, ACTOR)
    events = await store.audit.page(tenant, since=None, action="key.changed", actor=None, after=0, limit=9)
    assert [event.object for event in events] == ["key second"] * 2


async def test_tenants_are_made_limited_and_suspended(store):
    own = await store.tenants.ensure(INSTALLATION)
    made = datetime(2026, 1, 2, tzinfo=UTC)
    north = Tenant(TenantId("n1"), "north", {"documents": 3}, made)
    key = ApiKey(KeyId("k"), north.id, "owner", Role.OWNER, None, None, b"h", made, None, None, None)
    assert await store.tenants.create(north, key, by=own, actor=ACTOR) == north == await store.tenants.get("north")
    with pytest.raises(Conflict, match="north is there already"):
        await store.tenants.create(replace(north, id=TenantId("n2")), replace(key, id=KeyId("l")), by=own, actor=ACTOR)
    assert await store.keys.find(KeyId("l")) is None
    await store.tenants.ensure("acme")
    assert [tenant.name for tenant in await store.tenants.list()] == ["acme", "north"]
    for name in ("nowhere", INSTALLATION):
        with pytest.raises(NotFound):
            await store.tenants.get(name)
        with pytest.raises(NotFound):
            await store.tenants.suspend(name, suspended=True, by=own, actor=ACTOR)
    assert (await store.tenants.set_quota("north", {"bytes": 1}, by=own, actor=ACTOR)).quota == {"bytes": 1}
    bearer = await store.keys.bearer(KeyId("k"))
    assert (bearer.key, bearer.tenant_name, bearer.is_suspended) == (key, "north", False)
    suspended = await store.tenants.suspend("north", suspended=True, by=own, actor=ACTOR)
    assert await store.tenants.suspend("north", suspended=True, by=own, actor=ACTOR) == suspended
    assert (await store.keys.bearer(KeyId("k"))).is_suspended
    assert suspended in (await store.archive.accounts()).tenants
    assert (await store.tenants.suspend("north", suspended=False, by=own, actor=ACTOR)).suspended_at is None
    assert await store.keys.bearer(KeyId("none")) is None
    told = {
        tenant: [
            (event.action, event.object)
            for event in await store.audit.page(tenant, since=None, action=None, actor=None, after=0, limit=9)
        ]
        for tenant in (own, north.id)
    }
    about = [(f"tenant.{act}", "tenant north") for act in ("created", "changed", "suspended", "resumed")]
    assert told == {own: about, north.id: [about[0], ("key.created", "key k"), *about[1:]]}


async def test_a_tenant_has_room_for_so_much_in_all_its_knowledge_bases(store):
    one, two = await store.kb("one"), await store.kb("two")
    own = await store.tenants.ensure(INSTALLATION)
    await store.tenants.set_quota("acme", {"documents": 2}, by=own, actor=ACTOR)
    first = await store.accept(one)
    await store.accept(two)
    for kb in (one, two):
        with pytest.raises(QuotaExceeded, match="the tenant has no room left by its quota of documents") as refused:
            await store.accept(kb, sha="s2")
        assert not re.search(r"[0-9]", refused.value.message), "it tells nobody of other knowledge bases"
    await store.lifecycle.delete(reader_of(one), first.uid, dry_run=False, actor=ACTOR)
    await store.accept(two, sha="s2")
    await store.tenants.set_quota("acme", {"bytes": 25}, by=own, actor=ACTOR)
    with pytest.raises(QuotaExceeded, match="of bytes"):
        await store.accept(one, sha="s3")
    await store.knowledge_bases.delete(two.tenant, "two", ACTOR)
    await store.accept(one, sha="s3")
    other = await store.tenants.ensure("other")
    foreign = await store.knowledge_bases.create(other, "one", language="en", settings={}, quota={}, actor=ACTOR)
    for number in range(4):
        await store.accept(foreign, sha=f"{number}")


async def test_queries_of_a_day_are_counted_and_limited(store):
    one, two = await store.kb("one", queries_per_day=2), await store.kb("two")
    own, usage = await store.tenants.ensure(INSTALLATION), store.usage
    located = await store.knowledge_bases.locate(one.tenant, "one")
    assert (located.uid, located.limits_queries) == (one.uid, True)
    assert not (await store.knowledge_bases.locate(two.tenant, "two")).limits_queries
    results = await asyncio.gather(*(usage.spend(one.tenant, one.uid) for _ in range(5)), return_exceptions=True)
    refused = [each for each in results if each is not None]
    assert [type(each) for each in refused] == [QuotaExceeded] * 3, "gateways that count at once agree"
    assert 0 < refused[0].retry_after_seconds <= 86_400
    await usage.add({(two.tenant, two.uid): 5})
    await usage.add({(two.tenant, two.uid): 1, (one.tenant, one.uid): 1})
    await store.accept(two)
    found = await usage.of_tenant(one.tenant, days=2)
    assert [(kb.name, kb.documents, kb.bytes, kb.passages, kb.queries) for kb in found] == [
        ("one", 0, 0, 0, 3),
        ("two", 1, 10, 0, 6),
    ]
    other = await store.tenants.ensure("other")
    await store.knowledge_bases.create(other, "one", language="en", settings={}, quota={}, actor=ACTOR)
    assert [kb.queries for kb in await usage.of_tenant(other, days=2)] == [0]
    await store.tenants.set_quota("acme", {"queries_per_day": 10}, by=own, actor=ACTOR)
    assert (await store.knowledge_bases.locate(two.tenant, "two")).limits_queries
    await usage.spend(two.tenant, two.uid)
    await store.knowledge_bases.delete(one.tenant, "one", ACTOR)
    with pytest.raises(QuotaExceeded, match="the tenant has used up"):
        await usage.spend(two.tenant, two.uid)


async def test_every_act_is_in_the_audit_trail_of_its_tenant(store):
    kb = await store.kb()
    document = await store.accept(kb)
    await store.run(document)
    await store.lifecycle.delete(reader_of(kb), document.uid, dry_run=False, actor=ACTOR)
    events = await store.audit.page(kb.tenant, since=None, action=None, actor=None, after=0, limit=10)
    assert [e.action for e in events] == ["kb.created", "document.accepted", "document.published", "document.deleted"]
    assert (events[1].actor, events[1].request_id, events[3].revision) == ("k1", "r1", 2)
    only = await store.audit.page(kb.tenant, since=None, action="kb.created", actor="k1", after=0, limit=10)
    assert len(only) == 1


async def test_a_deleted_knowledge_base_is_gone_with_all_it_held(store):
    kb = await store.kb()
    document = await store.accept(kb)
    await store.run(document)
    await store.knowledge_bases.delete(kb.tenant, kb.name, ACTOR)
    with pytest.raises(NotFound):
        await store.passages.scope(reader_of(kb), Filters())
    with pytest.raises(NotFound):
        await store.accept(kb, sha="s2")
    again = await store.kb()
    assert again.uid != kb.uid
    await store.purge(document)
    assert [row["uid"] for row in store.tables.kbs()] == [again.uid]


async def test_a_deletion_of_a_knowledge_base_that_broke_off_is_ended_by_whoever_reconciles(store, monkeypatch):
    kb = await store.kb()
    document = await store.accept(kb)
    await store.run(document)

    async def dies(*_):
        raise DependencyDown("the process ended here")

    module = type(store.knowledge_bases).__module__
    monkeypatch.setattr(f"{module}.hide_documents", dies)
    with pytest.raises(DependencyDown):
        await store.knowledge_bases.delete(kb.tenant, kb.name, ACTOR)
    monkeypatch.undo()
    with pytest.raises(NotFound):
        await store.knowledge_bases.locate(kb.tenant, kb.name)
    assert await store.reconciliation.overdue(10, quiet_seconds=0) == [document.uid]
    assert not await store.ledger.exists(document.uid)
    await store.purge(document)
    assert store.tables.kbs() == []
    assert set(store.tables.counts().values()) == {0}


async def test_entities_of_a_deleted_knowledge_base_all_lose_their_points(store):
    kb = await store.kb()
    documents = [await store.accept(kb, f"{n}", f"s{n}") for n in range(2)]
    for document in documents:
        await store.run(document, entities=("alpha",))
    assert store.tables.entities(kb.uid) == [("alpha", 2, 8)]
    await store.knowledge_bases.delete(kb.tenant, kb.name, ACTOR)
    claim = await store.ledger.claim(documents[0].uid, "purger", 60)
    assert await store.contents.purge_entities(claim, 10) == {entity_id(kb.uid, "alpha"): None}


async def test_a_stored_batch_may_be_written_twice_and_under_another_cut(store):
    kb = await store.kb()
    document = await store.accept(kb)
    claim = await store.ledger.claim(document.uid, "w1", 60)
    while claim.stage is not Stage.STORE:
        claim = await store.ledger.finish(claim, 60, units=1)
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


async def test_counters_and_vectors_follow_what_is_visible(store):
    kb = await store.kb()
    first, second = await store.accept(kb, "a", "s1"), await store.accept(kb, "b", "s2")
    await store.run(first, "alpha beta", ("alpha", "beta"))
    assert store.tables.entities(kb.uid) == [("alpha", 1, None), ("beta", 1, None)]
    await store.run(second, "alpha gamma", ("alpha", "gamma"))
    assert store.tables.entities(kb.uid) == [("alpha", 2, 8), ("beta", 1, None), ("gamma", 1, None)]
    await store.lifecycle.delete(reader_of(kb), first.uid, dry_run=False, actor=ACTOR)
    assert store.tables.entities(kb.uid) == [("alpha", 1, None), ("beta", 0, None), ("gamma", 1, None)]
    assert store.tables.recount() == []
    claim = await store.ledger.claim(first.uid, "w1", 60)
    going = await store.contents.purge_entities(claim, 10)
    assert going == {entity_id(kb.uid, "alpha"): None, entity_id(kb.uid, "beta"): None}


async def test_a_claim_tells_the_types_that_the_knowledge_base_asks_for(store):
    kb = await store.kb()
    document = await store.accept(kb)
    claim = await store.ledger.claim(document.uid, "w1", 60)
    assert (claim.language, claim.entity_types) == ("en", ())
    await store.knowledge_bases.update(
        kb.tenant, kb.name, settings={"entity_types": ["Pump", "ship"]}, quota=None, actor=ACTOR
    )
    claim = await store.ledger.finish(claim, 60, units=1)
    assert claim.entity_types == ("pump", "ship")


async def test_assertions_are_stored_read_and_purged(store):
    kb = await store.kb()
    document = await store.accept(kb)
    plain = batch_of(document, "alpha owns beta", ("alpha", "beta"))
    passage = plain.passages[0].id
    head, tail = entity_id(kb.uid, "alpha"), entity_id(kb.uid, "beta")
    owns = Assertion(passage, 0, head, tail, ("owns", "holds"), "alpha owns beta", 0.5)
    batch = replace(plain, assertions=[owns], assertion_vectors=np.ones((1, 4), np.float16))
    await store.run(document, batch=batch)
    assert store.tables.assertions(passage) == [(0, "alpha", "beta", ("owns", "holds"), "alpha owns beta", 0.5, 8)]
    scope = GraphScope(reader_of(kb))
    found = await store.graph.annotations(scope, [passage, "not there"])
    assert {mention.key for mention in found.mentions[passage]} == {"alpha", "beta"}
    (stated,) = found.stated
    assert (stated.assertion, stated.head.key, stated.tail.key, stated.document) == (
        owns,
        "alpha",
        "beta",
        document.uid,
    )
    assert found.names == {document.uid: "a.txt"}
    by_id = await store.graph.stated(scope, [stated.id, relation_id(passage, 7)])
    assert (by_id.stated, by_id.names) == ((stated,), {document.uid: "a.txt"})
    receipt = await store.lifecycle.delete(reader_of(kb), document.uid, dry_run=False, actor=ACTOR)
    assert (receipt.removed["assertions"], receipt.removed["mentions"]) == (1, 2)
    assert (await store.graph.stated(scope, [stated.id])).stated == ()
    await store.purge(document)
    assert set(store.tables.counts().values()) == {0}


async def test_the_graph_is_read_as_columns_of_what_is_visible(store):
    kb, other = await store.kb(), await store.kb("other")
    seen, secret, foreign = (
        await store.accept(kb, "seen", "s1"),
        await store.accept(kb, "secret", "s2", labels=("board",)),
        await store.accept(other, "foreign", "s1"),
    )
    near = await store.accept(kb, "near", "s3")
    for document, keys in ((seen, ("alpha", "beta")), (secret, ("alpha", "beta", "gamma")), (near, ("beta",))):
        await store.run(document, " ".join(keys), keys)
    await store.run(foreign, "alpha beta", ("alpha", "beta"))
    reach = Reach(max_df=10, max_passages=100, vectors=True)
    points = {document.uid: passage_id(document.uid, 0) for document in (seen, secret, near, foreign)}
    scope = GraphScope(reader_of(kb, frozenset({"staff"})))
    found = await store.graph.neighbourhood(
        scope, [points[seen.uid], points[secret.uid], points[foreign.uid]], keys=["gamma", "nothing"], reach=reach
    )
    keys = [entity.key for entity in found.entities]
    assert sorted(keys) == ["alpha", "beta"], "gamma is mentioned out of sight alone"
    assert [entity.id for entity in found.entities] == sorted(entity_id(kb.uid, key) for key in keys)
    assert dict(zip(keys, found.df.tolist(), strict=True)) == {"alpha": 1, "beta": 2}
    whole = await store.graph.neighbourhood(
        GraphScope(reader_of(kb)), [points[seen.uid]], keys=["gamma", "nothing"], reach=reach
    )
    everything = dict(zip([entity.key for entity in whole.entities], whole.df.tolist(), strict=True))
    assert everything == {"alpha": 2, "beta": 3, "gamma": 1}
    entities = [entity_id(kb.uid, key) for key in ("alpha", "beta", "gamma", "nothing")]
    assert await store.graph.shared(scope.reader, entities) == {entities[1]}
    assert await store.graph.shared(reader_of(kb), entities) == {entities[0], entities[1]}
    assert found.seeds == (points[seen.uid],)
    assert found.headings == (("H",),)
    assert {keys[row] for row in found.seed_mentions.entity} == {"alpha", "beta"}
    assert sorted(found.passages) == sorted([points[seen.uid], points[near.uid]])
    assert found.names == {seen.uid: "seen", near.uid: "near"}
    mentioned = {
        (found.documents[passage], keys[entity], tf)
        for passage, entity, tf in zip(found.mentions.passage, found.mentions.entity, found.mentions.tf, strict=True)
    }
    assert mentioned == {(seen.uid, "alpha", 1), (seen.uid, "beta", 1), (near.uid, "beta", 1)}
    assert found.followed.all()
    assert found.passage_vectors.shape == (2, 4)
    blank = {key for key, row in zip(keys, found.entity_vectors, strict=True) if not row.any()}
    assert blank == {"alpha"}
    narrow = await store.graph.neighbourhood(
        replace(scope, include=(near.uid,)), [points[near.uid]], reach=Reach(max_df=1, max_passages=9, vectors=False)
    )
    assert (narrow.passages, narrow.entity_vectors, narrow.followed.tolist()) == ((), None, [False])
    nobody = await store.graph.neighbourhood(GraphScope(reader_of(KbUid("nobody"))), [points[seen.uid]], reach=reach)
    assert (nobody.seeds, nobody.entities, nobody.passages) == ((), (), ())


async def test_keys_live_expire_and_are_revoked_in_their_tenant(store):
    tenant, other = await store.tenants.ensure("acme"), await store.tenants.ensure("other")
    assert await store.tenants.ensure("acme") == tenant
    made = datetime(2026, 1, 2, tzinfo=UTC)
    keys = [
        ApiKey(KeyId(name), tenant, name, Role.READER, kbs, labels, name.encode(), made, expires, None, None)
        for name, kbs, labels, expires in (
            ("first", None, frozenset(), None),
            ("second", frozenset({"b", "a"}), None, made),
        )
    ]
    for key in keys:
        await store.keys.create(key, ACTOR)
    assert await store.keys.list(tenant) == tuple(keys)
    assert await store.keys.list(other) == ()
    assert await store.keys.find(KeyId("second")) == keys[1]
    assert await store.keys.find(KeyId("third")) is None
    with pytest.raises(NotFound):
        await store.keys.revoke(other, KeyId("first"), ACTOR)
    revoked = await store.keys.revoke(tenant, KeyId("first"), ACTOR)
    assert (await store.keys.revoke(tenant, KeyId("first"), ACTOR)).revoked_at == revoked.revoked_at is not None
    await store.keys.touch([KeyId("second")])
    assert (await store.keys.find(KeyId("second"))).last_used_at is not None
    with pytest.raises(Conflict):
        await store.keys.create(keys[0], ACTOR)


async def test_names_of_knowledge_bases_are_unique_in_their_tenant(store):
    kb = await store.kb("one", documents=3)
    with pytest.raises(Conflict, match="one is there already"):
        await store.kb("one")
    other = await store.tenants.ensure("other")
    with pytest.raises(NotFound):
        await store.knowledge_bases.locate(other, "one")
    await store.knowledge_bases.create(other, "one", language="de", settings={"a": [1]}, quota={}, actor=ACTOR)
    assert (await store.knowledge_bases.locate(kb.tenant, "one")).uid == kb.uid
    changed = await store.knowledge_bases.update(kb.tenant, "one", settings={"x": {"y": None}}, quota=None, actor=ACTOR)
    assert (changed.settings, changed.quota, changed.created_at) == (
        {"x": {"y": None}},
        {"documents": 3},
        kb.created_at,
    )
    await store.kb("another")
    assert [each.name for each in await store.knowledge_bases.list(kb.tenant)] == ["another", "one"]
    assert await store.knowledge_bases.list(other) == (await store.knowledge_bases.get(other, "one"),)


async def test_figures_of_a_knowledge_base_and_of_the_installation(store):
    kb = await store.kb()
    documents = [await store.accept(kb, f"{n}", f"s{n}") for n in range(3)]
    await store.run(documents[0])
    await store.lifecycle.delete(reader_of(kb), documents[1].uid, dry_run=False, actor=ACTOR)
    found = await store.knowledge_bases.get(kb.tenant, kb.name)
    assert (found.documents, found.bytes, found.passages) == (2, 20, 1)
    census = await store.catalogue.census()
    assert (census["ready"], census["queued"], census["failed"]) == (1.0, 1.0, 0.0)


async def test_patterns_and_metadata_mean_the_same_everywhere(store):
    kb = await store.kb()
    values = (1, 1.5, True, "1", "a b", None, [1, "x"], {"k": "ü"})
    for number, value in enumerate(values):
        document = await store.accept(kb, f"N{number} [x]*.txt", f"s{number}", metadata={"v": value})
        await store.run(document)

    async def numbers(**filters):
        scope = await store.passages.scope(reader_of(kb), Filters(**filters))
        found = [await store.catalogue.get(reader_of(kb), uid) for uid in scope.include]
        return "".join(sorted(document.name[1] for document in found))

    async def listed(pattern):
        page = await store.catalogue.page(reader_of(kb), status=None, name=pattern, limit=20, before=None)
        return "".join(sorted(document.name[1] for document in page.documents))

    for wanted, expected in (
        (1, "026"), (1.0, "026"), (True, "026"), ("1", "3"), (["1", 1.5, "nothing"], "13"), ([], ""),
        ({"gte": 1.2}, "1"), ({"gte": 1, "lte": 1.5}, "012"), ({"lte": "9"}, "3"), ([[1, "x"]], "6"),
        ([{"k": "ü"}], "7"), ("x", "6"), ("[1", ""), (["x", 1.5], "16"),
    ):  # fmt: skip
        assert await numbers(metadata={"v": wanted}) == expected, wanted
    for pattern, expected in (
        ("N[0-2]*", "012"), ("N[^0-2]*", "34567"), ("n*", ""), ("N? [[]x]*", "01234567"), ("*[*].txt", "01234567"),
        ("N5", ""), ("N5*txt", "5"), ("*", "01234567"), ("N[5", ""), ("*x*x*x*", ""), ("N1?[[]x?[*].txt", "1"),
        ("N[]0]*", "0"), ("*\\*", ""), ("*.t?t", "01234567"),
    ):  # fmt: skip
        assert await numbers(names=(pattern,)) == await listed(pattern) == expected, pattern


async def test_audit_events_are_filtered_and_stay_with_their_tenant(store):
    tenant, other = await store.tenants.ensure("acme"), await store.tenants.ensure("other")
    for number in range(3):
        await store.audit.record(tenant, Event(ACTOR, "key.refused", f"key {number}", "Forbidden"))
    await store.audit.record(other, Event(ACTOR, "key.refused", "key 9", "Forbidden", 7))
    page = await store.audit.page(tenant, since=None, action=None, actor=None, after=0, limit=2)
    rest = await store.audit.page(tenant, since=None, action=None, actor=None, after=page[-1].id, limit=2)
    assert [event.object for event in (*page, *rest)] == ["key 0", "key 1", "key 2"]
    (only,) = await store.audit.page(
        other, since=datetime(2020, 1, 1, tzinfo=UTC), action=None, actor="k1", after=0, limit=9
    )
    assert (only.revision, only.result) == (7, "Forbidden")
    assert (
        await store.audit.page(other, since=datetime(2100, 1, 1, tzinfo=UTC), action=None, actor=None, after=0, limit=9)
        == ()
    )


async def test_seals_of_the_audit_trail_are_numbered_in_their_tenant(store):
    tenant, other = await store.tenants.ensure("acme"), await store.tenants.ensure("other")
    assert await store.audit.unsealed() == ()
    assert await store.audit.newest_seal(tenant) is None
    for number in range(3):
        await store.audit.record(tenant, Event(ACTOR, "key.refused", f"key {number}", "Forbidden"))
    await store.audit.record(other, Event(ACTOR, "key.refused", "key 9", "Forbidden"))
    assert set(await store.audit.unsealed()) == {tenant, other}
    events = await store.audit.page(tenant, since=None, action=None, actor=None, after=0, limit=9)
    first, second = Seal(tenant, 1, events[1].id, 2, "a"), Seal(tenant, 2, events[2].id, 1, "b")
    await store.audit.seal(first)
    assert set(await store.audit.unsealed()) == {tenant, other}
    await store.audit.seal(second)
    assert await store.audit.unsealed() == (other,)
    with pytest.raises(Conflict, match="seal 2"):
        await store.audit.seal(replace(second, mark="c"))
    assert await store.audit.seals(tenant, after=0, limit=9) == (first, second)
    assert await store.audit.seals(tenant, after=1, limit=9) == (second,) == (await store.audit.newest_seal(tenant),)
    assert await store.audit.seals(other, after=0, limit=9) == ()
    assert (await store.audit.count(tenant), await store.audit.count(other)) == (3, 1)


async def test_names_that_a_publish_will_ask_for_are_foreseen(store):
    kb = await store.kb()
    await store.run(await store.accept(kb, "a.txt", "s1"), entities=("seen", "had"))
    await store.run(await store.accept(kb, "b.txt", "s2"), entities=("had",))  # now it has a vector
    old = await store.accept(kb, "old.txt", "s3")
    await store.run(old, entities=("leaving", "seen"))
    hidden = await store.accept(kb, "c.txt", "s4")
    claim = await store.claimed_at(hidden, Stage.STORE)
    await store.contents.store_batch(claim, batch_of(hidden, "text", ("hidden",)), next_batch=1, done=1, total=1)
    new = await store.claimed_at(await store.accept(kb, "old.txt", "s5", replace=True), Stage.EMBED)
    passages = {"seen": 1, "had": 1, "leaving": 1, "hidden": 1, "nowhere": 1, "twice": 2}
    found = await store.contents.likely_shared(new, {entity_id(kb.uid, key): n for key, n in passages.items()})
    assert found == {entity_id(kb.uid, key) for key in ("hidden", "twice")}, "`seen` has a vector"


async def test_two_that_publish_the_same_name_at_once_leave_one(store):
    kb = await store.kb()
    second = await store.accept(kb, "a.txt", "s2", replace=True)
    third = await store.accept(kb, "a.txt", "s3", replace=True)
    await asyncio.gather(store.run(second, "beta", ("beta",)), store.run(third, "beta", ("beta",)))
    listing = await store.catalogue.page(reader_of(kb), status=Status.READY, name=None, limit=10, before=None)
    assert [document.uid for document in listing.documents] == [third.uid]
    assert store.tables.recount() == []
    assert (await store.knowledge_bases.get(kb.tenant, kb.name)).passages == 1


async def test_workers_on_the_same_hubs_at_once_count_exactly(store):
    kb = await store.kb()
    documents = [await store.accept(kb, f"{n}", f"s{n}") for n in range(12)]
    keys = [("hub", "centre", f"own{n % 4}") for n in range(12)]

    async def live(number):
        for document, found in list(zip(documents, keys, strict=True))[number::4]:
            await store.run(document, " ".join(found), found)
            if number == 0:
                await store.lifecycle.delete(reader_of(kb), document.uid, dry_run=False, actor=ACTOR)
                await store.purge(document)

    await asyncio.gather(*(live(number) for number in range(4)))
    assert store.tables.recount() == []
    assert {key: df for key, df, _ in store.tables.entities(kb.uid)} == {
        "hub": 9, "centre": 9, "own1": 3, "own2": 3, "own3": 3,
    }  # fmt: skip
    found = await store.knowledge_bases.get(kb.tenant, kb.name)
    assert (found.passages, found.documents, found.revision) == (9, 9, 15)
    listing = await store.catalogue.page(reader_of(kb), status=None, name=None, limit=20, before=None)
    numbers = [document.changed_seq for document in listing.documents]
    assert len(set(numbers)) == len(numbers)


async def relabel(store, document):
    """Take stage relabel to its end; return the labels that the index was given."""
    claim = await store.ledger.claim(document.uid, "w1", 60)
    given = []
    while claim is not None:
        assert claim.stage is Stage.RELABEL
        given.append(claim.labels)
        claim = await store.ledger.relabelled(claim, 60)
    return given


async def test_labels_that_are_tightened_hold_from_the_answer_on_and_the_index_follows(store):
    kb = await store.kb()
    document = await store.accept(kb)
    await store.run(document)
    anybody, staff = reader_of(kb, frozenset()), reader_of(kb, frozenset({"staff"}))
    since, revision = await store.changes.latest(anybody), (await store.passages.visible(anybody, []))[0]
    amended = await store.lifecycle.amend(reader_of(kb), document.uid, Amendment(labels=("staff",)), ACTOR)
    assert (amended.labels, amended.status, amended.version) == (("staff",), Status.READY, 1)
    assert await store.passages.visible(anybody, [document.uid]) == (revision + 1, {})
    assert (await store.passages.visible(staff, [document.uid]))[1] == {document.uid: "a.txt"}
    with pytest.raises(NotFound):
        await store.catalogue.get(anybody, document.uid)
    # Points with the labels of before may still be found: searches fetch room for them.
    assert (await store.passages.scope(staff, Filters())).hidden_points == 1
    (departure,) = await store.changes.after(anybody, since, limit=10)
    assert (departure.document, departure.labels, departure.is_departure) == (document.uid, frozenset(), True)
    (_, change) = await store.changes.after(staff, since, limit=10)
    assert (change.labels, change.is_departure) == (frozenset({"staff"}), False)
    assert await store.reconciliation.overdue(10, quiet_seconds=0) == [document.uid]
    assert await relabel(store, document) == [("staff",)]
    assert (await store.passages.scope(staff, Filters())).hidden_points == 0
    left = await store.catalogue.get(staff, document.uid)
    assert ([each.name for each in left.stages], left.status) == (list(JOURNEY), Status.READY)
    assert await store.reconciliation.overdue(10, quiet_seconds=0) == []
    (event,) = [each for each in (await store.events()) if each.action == "document.relabelled"]
    assert (event.result, event.revision, event.actor) == ("labels: none -> staff", revision + 1, "k1")


async def test_labels_that_change_while_the_index_follows_are_written_too(store):
    kb = await store.kb()
    document = await store.accept(kb)
    await store.run(document)
    await store.lifecycle.amend(reader_of(kb), document.uid, Amendment(labels=("a",)), ACTOR)
    claim = await store.ledger.claim(document.uid, "w1", 60)
    await store.lifecycle.amend(reader_of(kb), document.uid, Amendment(labels=("b",)), ACTOR)
    assert await store.ledger.claim(document.uid, "w2", 60) is None
    claim = await store.ledger.relabelled(claim, 60)
    assert claim.labels == ("b",)
    assert await store.ledger.relabelled(claim, 60) is None
    # A worker that was stopped meanwhile has no say in a later round.
    await store.lifecycle.amend(reader_of(kb), document.uid, Amendment(labels=("c",)), ACTOR)
    later = await store.ledger.claim(document.uid, "w2", 60)
    with pytest.raises(LeaseLost):
        await store.ledger.relabelled(claim, 60)
    assert await store.ledger.relabelled(later, 60) is None


async def test_no_two_rounds_of_following_labels_have_a_token_in_common(store):
    kb = await store.kb()
    document = await store.accept(kb)
    await store.run(document)
    tokens = []
    for number in range(30):
        await store.lifecycle.amend(reader_of(kb), document.uid, Amendment(labels=(f"l{number}",)), ACTOR)
        claim = await store.ledger.claim(document.uid, "w1", 60)
        tokens.append(claim.token)
        assert await store.ledger.relabelled(claim, 60) is None
    assert len(set(tokens)) == len(tokens)


async def test_a_document_on_its_way_takes_other_labels(store):
    kb = await store.kb()
    early, late = await store.accept(kb, "a.txt", "s1"), await store.accept(kb, "b.txt", "s2")
    await store.lifecycle.amend(reader_of(kb), early.uid, Amendment(labels=("x",)), ACTOR)
    claim = await store.ledger.claim(late.uid, "w1", 60)
    while claim.stage is not Stage.INDEX:
        if claim.stage is Stage.STORE:
            await store.contents.store_batch(claim, batch_of(late, "alpha"), next_batch=1, done=1, total=1)
        claim = await store.ledger.finish(claim, 60, units=1)
    await store.lifecycle.amend(reader_of(kb), late.uid, Amendment(labels=("x",)), ACTOR)
    assert claim.labels == ()
    claim = await store.ledger.finish(claim, 60, units=1)
    await store.contents.publish(claim, {})
    assert (await store.passages.visible(reader_of(kb, frozenset()), [late.uid]))[1] == {}
    # Points were written with the labels of before; a document without points needs no further stage.
    assert await relabel(store, late) == [("x",)]
    await store.run(early)
    assert await relabel(store, early) == []


async def test_an_amendment_writes_what_differs_and_versions_count_a_place(store):
    kb = await store.kb()
    first, second = await store.accept(kb, "a.txt", "s1"), await store.accept(kb, "b.txt", "s2")
    everybody = reader_of(kb)
    same = await store.lifecycle.amend(everybody, first.uid, Amendment(labels=(), metadata={}, name="a.txt"), ACTOR)
    assert same.changed_seq == first.changed_seq
    moved = await store.lifecycle.amend(
        everybody, first.uid, Amendment(metadata={"k": 1}, name="b.txt", source="wiki"), ACTOR
    )
    assert (moved.name, moved.source, moved.version, moved.metadata) == ("b.txt", "wiki", 1, {"k": 1})
    beside = await store.lifecycle.amend(everybody, first.uid, Amendment(source=""), ACTOR)
    assert (beside.source, beside.version) == (None, 2)
    (amended, _) = [each for each in (await store.events()) if each.action == "document.amended"]
    assert amended.result == "changed: metadata, name, source"
    elsewhere = await store.accept(kb, "c.txt", "s2")
    with pytest.raises(Conflict, match=second.uid):
        await store.lifecycle.amend(everybody, elsewhere.uid, Amendment(name="b.txt"), ACTOR)
    with pytest.raises(Forbidden):
        await store.lifecycle.amend(reader_of(kb, frozenset({"a"})), second.uid, Amendment(labels=("b",)), ACTOR)
    with pytest.raises(NotFound):
        await store.lifecycle.amend(everybody, DocumentUid(new_uid()), Amendment(name="x"), ACTOR)


async def test_labels_and_metadata_of_the_same_bytes_hold_or_are_refused(store):
    kb = await store.kb()
    document = await store.accept(kb, labels=("a",))
    await store.run(document)
    tightened = await store.upload(kb, labels=("a", "b"), metadata={"k": 1})
    (duplicate,) = tightened.duplicates
    assert (duplicate.name, duplicate.document, duplicate.applied) == ("a.txt", document.uid, ("labels", "metadata"))
    assert (tightened.documents[0].labels, tightened.documents[0].metadata) == (("a", "b"), {"k": 1})
    assert (await store.passages.visible(reader_of(kb, frozenset({"a"})), [document.uid]))[1] == {}
    assert await relabel(store, document) == [("a", "b")]
    unsaid = await store.upload(kb)
    assert (unsaid.duplicates[0].applied, unsaid.documents[0].labels) == ((), ("a", "b"))
    for labels in ((), ("b",), ("c",)):
        with pytest.raises(Conflict, match="takes no label away"):
            await store.upload(kb, labels=labels, metadata={"k": 2})
    kept = await store.catalogue.get(reader_of(kb), document.uid)
    assert (kept.labels, kept.metadata) == (("a", "b"), {"k": 1})
    # Who does not see it has a document of its own, and is told nothing.
    own = await store.upload(kb, labels=("a",), reader=frozenset({"a"}))
    assert (own.duplicates, own.namesakes, own.documents[0].uid != document.uid) == ((), (), True)


async def test_a_replacement_goes_by_source_and_name_and_names_are_told(store):
    kb = await store.kb()
    alpha, beta = (
        await store.accept(kb, "r.md", "s1", source="alpha"),
        await store.accept(kb, "r.md", "s2", source="beta"),
    )
    bare = await store.upload(kb, "r.md", "s3")
    assert [(each.source, each.document) for each in bare.namesakes] == [("beta", beta.uid)]
    for each in (alpha, beta, bare.documents[0]):
        await store.run(each)
    renewed = await store.upload(kb, "r.md", "s4", source="alpha", replace=True)
    assert (renewed.namesakes, renewed.documents[0].version) == ((), 2)
    assert (await store.run(renewed.documents[0])).replaced == (alpha.uid,)
    bare_again = await store.upload(kb, "r.md", "s5", replace=True)
    assert (await store.run(bare_again.documents[0])).replaced == (bare.documents[0].uid,)
    listed = await store.catalogue.page(reader_of(kb), status=None, name=None, limit=9, before=None)
    assert {(each.source, each.sha256) for each in listed.documents} == {("alpha", "s4"), ("beta", "s2"), (None, "s5")}
    hidden = await store.upload(kb, "r.md", "s6", source="gamma", reader=frozenset(), labels=())
    assert {each.document for each in hidden.namesakes} == {bare_again.documents[0].uid}


async def test_the_namesake_that_is_told_is_the_one_whose_turn_was_last(store):
    kb = await store.kb()
    first, second = [await store.accept(kb, "r.md", sha, source="alpha") for sha in ("s1", "s2")]
    for each in (first, second, await store.accept(kb, "r.md", "s3", source="beta")):
        await store.run(each)
    await store.upload(kb, "r.md", "s1", source="alpha", replace=True)
    bare = await store.upload(kb, "r.md", "s4")
    assert [(each.source, each.document) for each in bare.namesakes] == [("alpha", first.uid)]


async def test_replacing_with_bytes_that_are_there_replaces_the_others_at_once(store):
    kb = await store.kb()
    first, second = await store.accept(kb, "a.txt", "s1"), await store.accept(kb, "a.txt", "s2")
    await store.run(first)
    await store.run(second)
    third = await store.accept(kb, "a.txt", "s3", replace=True)
    revision = (await store.passages.visible(reader_of(kb), []))[0]
    again = await store.upload(kb, "a.txt", "s1", replace=True)
    assert (again.documents[0].uid, again.duplicates[0].applied) == (first.uid, ())
    assert await store.passages.visible(reader_of(kb), [first.uid, second.uid]) == (revision + 1, {first.uid: "a.txt"})
    # What was uploaded before it comes too late, although it was to replace it.
    assert (await store.run(third)).superseded
    assert (await store.passages.visible(reader_of(kb), [first.uid, third.uid]))[1] == {first.uid: "a.txt"}


async def test_what_is_uploaded_once_more_is_not_replaced_by_what_came_before(store):
    kb = await store.kb()
    first = await store.accept(kb, "a.txt", "s1")
    await store.run(first)
    second = await store.accept(kb, "a.txt", "s2", replace=True)
    again = await store.upload(kb, "a.txt", "s1")
    assert again.documents[0].uid == first.uid
    assert (await store.run(second)).replaced == ()
    assert len((await store.passages.visible(reader_of(kb), [first.uid, second.uid]))[1]) == 2


async def test_a_failed_document_uploaded_again_to_replace_replaces(store):
    kb = await store.kb()
    old, broken = await store.accept(kb, "a.txt", "s1"), await store.accept(kb, "a.txt", "s2")
    await store.run(old)
    claim = await store.ledger.claim(broken.uid, "w1", 60)
    await store.ledger.fail(claim, DocumentError("DocumentUnreadable", Stage.PARSE, None, "broken"))
    again = await store.accept(kb, "a.txt", "s2", replace=True)
    assert (again.uid, again.status) == (broken.uid, Status.QUEUED)
    assert (await store.run(again)).replaced == (old.uid,)


async def test_a_passage_that_is_shown_tells_of_its_document(store):
    kb = await store.kb()
    document = await store.accept(kb, source="docs/2024")
    await store.run(document)
    point = passage_id(document.uid, 0)
    card = (await store.passages.hydrate(reader_of(kb), [point]))[point].card
    assert (card.source, card.version, card.created_at) == ("docs/2024", 1, document.created_at)
    await store.lifecycle.amend(reader_of(kb), document.uid, Amendment(source=""), ACTOR)
    assert (await store.passages.hydrate(reader_of(kb), [point]))[point].card.source is None
