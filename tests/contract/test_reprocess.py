"""Reading a document again: readers see the old reading until the new one is published, which then is the document."""

from __future__ import annotations

import pytest

from atoll.domain.document import JOURNEY, Amendment, DocumentError, Stage, Status
from atoll.domain.evidence import Filters
from atoll.domain.ids import document_id
from atoll.errors import Conflict, DocumentUnreadable, NotFound
from tests.support import canonical
from tests.support.house import ACTOR, House
from tests.support.readers import reader_of
from tests.support.records import STORES, open_either

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect:UserWarning")

PLAN = "Ada Berg leads the work at Osk Head.\n\nThe crane lifts five tons."
OTHER = "Ada Berg lives at the pier of Osk Head."


@pytest.fixture(params=STORES)
async def house(request, tmp_path):
    opened = House(tmp_path, records=open_either(request, request.param, tmp_path / "records"))
    yield opened
    await opened.close()


async def filled(house):
    (kb,) = await house.open("main")
    plan = await house.upload(kb, "plan.txt", PLAN, labels=("staff",))
    await house.upload(kb, "other.txt", OTHER)
    await house.work()
    return kb, await house.catalogue.get(reader_of(kb), plan.uid)


async def again(house, kb, document, stage=Stage.PARSE):
    document = await house.lifecycle.reprocess(reader_of(kb), document.id, stage, ACTOR)
    await house.doorbell.ring([document.worked_on])
    return document


async def dumped(house):
    house.tables.end_leases()
    await house.work()
    return await canonical.dump(house.tables, house.folder / "blobs", house.vectors, house.page_index)


def counted(house, monkeypatch):
    asked = []
    for name in ("embed", "tokenize", "embed_spans"):
        real = getattr(house.embedder, name)

        def call(*given, real=real, name=name, **more):
            asked.append(name)
            return real(*given, **more)

        monkeypatch.setattr(house.embedder, name, call)
    return asked


async def test_until_the_new_reading_is_published_everything_is_as_it_was(house):
    kb, plan = await filled(house)
    before = await dumped(house)
    revision = (await house.passages.scope(reader_of(kb), Filters())).revision
    began = await house.changes.latest(reader_of(kb))
    house.tables.forget_pipeline(plan.uid)
    told = await again(house, kb, plan)
    assert (told.id, told.status, told.read.is_older) == (plan.id, Status.READY, True)
    assert [stage.state for stage in told.stages] == ["waiting"] * len(JOURNEY)
    listing = await house.catalogue.page(reader_of(kb), status=None, name=None, limit=10, before=None)
    assert ([each.name for each in listing.documents], listing.counts) == (["other.txt", "plan.txt"], {"ready": 2})
    room = await house.knowledge_bases.get(kb.tenant, "main")
    assert (room.documents, room.bytes) == (2, len(PLAN) + len(OTHER))
    while house.doorbell.rings:
        assert "crane" in " ".join(each.text for each in await house.search(kb, "crane tons"))
        await house.work(1)
    now = await house.catalogue.get(reader_of(kb), plan.id)
    assert now.uid != plan.uid
    assert (document_id(now.uid), now.version, now.created_at) == (plan.id, plan.version, plan.created_at)
    assert (now.read.is_older, now.error, now.other_reading, now.labels) == (False, None, None, ("staff",))
    assert (await house.passages.scope(reader_of(kb), Filters())).revision == revision + 1
    told = [(each.document, each.is_departure) for each in await house.changes.after(reader_of(kb), began, limit=9)]
    assert told == [(plan.id, False)]
    texts = await house.passages.of_document(reader_of(kb), plan.id, after=-1, limit=9)
    assert {each.document for each in texts} == {now.uid}
    found = [each for each in await house.search(kb, "crane tons") if "crane" in each.text]
    assert [document_id(each.document_id) for each in found] == [plan.id]
    assert (await house.passages.scope(reader_of(kb), Filters(document_ids=(plan.id,)))).include == (now.uid,)
    listing = await house.catalogue.page(reader_of(kb), status=None, name=None, limit=10, before=None)
    assert [each.name for each in listing.documents] == ["other.txt", "plan.txt"]
    assert await dumped(house) == before
    events = [
        each.action
        for each in await house.audit.page(kb.tenant, since=None, action=None, actor=None, after=0, limit=99)
    ]
    assert events[-2:] == ["document.reprocessed", "document.published"]
    await again(house, kb, now)
    await house.work()
    assert await dumped(house) == before
    await house.delete(kb, plan.id)
    assert (await dumped(house))["main"]["documents"] == [
        each for each in before["main"]["documents"] if each["name"] == "other.txt"
    ]


async def test_stages_before_the_first_call_no_model(house, monkeypatch):
    kb, plan = await filled(house)
    before = await dumped(house)
    asked = counted(house, monkeypatch)
    told = await again(house, kb, plan, Stage.STORE)
    shown = {each.name: (each.state, each.done, each.total) for each in told.stages}
    once = {each.name: (each.state, each.done, each.total) for each in plan.stages}
    for stage in JOURNEY[: JOURNEY.index(Stage.STORE)]:
        assert shown[stage] == once[stage], "what is not done again counts what was done"
    assert shown[Stage.EMBED][2] > 0
    await house.work()
    assert asked == []
    assert await dumped(house) == before
    await again(house, kb, plan, Stage.EMBED)
    await house.work()
    assert "tokenize" not in asked
    assert asked
    assert await dumped(house) == before


async def test_a_new_reading_that_fails_leaves_the_old_one_and_says_so(house, monkeypatch):
    kb, plan = await filled(house)
    before = await dumped(house)

    async def refused(**_):
        raise DocumentUnreadable("page 3 is torn", page=3)

    with monkeypatch.context() as patch:
        patch.setattr(house.shop.parser, "parse", refused)
        await again(house, kb, plan)
        await house.work()
    now = await house.catalogue.get(reader_of(kb), plan.id)
    assert (now.status, now.uid) == (Status.READY, plan.uid)
    assert now.error == DocumentError("DocumentUnreadable", Stage.PARSE, 3, "page 3 is torn")
    assert now.stages[0].state == "failed"
    assert len(await house.search(kb, "crane tons", labels=frozenset({"staff"}))) > 0
    queued = await house.lifecycle.retry(reader_of(kb), plan.id, ACTOR)
    assert queued.error is None
    await house.doorbell.ring([queued.worked_on])
    await house.work()
    now = await house.catalogue.get(reader_of(kb), plan.id)
    assert (now.uid != plan.uid, now.error) == (True, None)
    assert await dumped(house) == before


async def test_a_new_reading_can_be_given_up_and_begun_anew(house):
    kb, plan = await filled(house)
    before = await dumped(house)
    await again(house, kb, plan)
    with pytest.raises(Conflict, match="already"):
        await again(house, kb, plan)
    await house.pipeline.advance((await house.catalogue.get(reader_of(kb), plan.id)).worked_on)
    await again(house, kb, await house.catalogue.get(reader_of(kb), plan.id))
    house.doorbell.rings.clear()
    told = await house.lifecycle.cancel(reader_of(kb), plan.id, ACTOR)
    assert (told.status, told.other_reading) == (Status.READY, None)
    house.tables.end_leases()
    await house.doorbell.ring(await house.reconciliation.overdue(10, quiet_seconds=0))
    assert await dumped(house) == before
    with pytest.raises(Conflict):
        await house.lifecycle.cancel(reader_of(kb), plan.id, ACTOR)


async def test_what_is_changed_meanwhile_holds_for_the_new_reading(house, monkeypatch):
    kb, plan = await filled(house)
    publish = house.contents.publish

    async def late(claim, vectors):
        amendment = Amendment(labels=("secret",), metadata={"year": 1902}, name="old plan.txt")
        await house.lifecycle.amend(reader_of(kb), plan.id, amendment, ACTOR)
        return await publish(claim, vectors)

    monkeypatch.setattr(house.contents, "publish", late)
    await again(house, kb, plan)
    await house.work()
    now = await house.catalogue.get(reader_of(kb), plan.id)
    assert (now.uid != plan.uid, now.name, now.labels, now.metadata) == (
        True, "old plan.txt", ("secret",), {"year": 1902},
    )  # fmt: skip
    await house.doorbell.ring(await house.reconciliation.overdue(10, quiet_seconds=0))
    after = await dumped(house)
    assert [name for name, _ in after["main"]["documents"][0]["stages"]] == list(JOURNEY)
    for labels, there in ((frozenset({"staff"}), False), (frozenset({"secret"}), True)):
        found = await house.search(kb, "crane tons", labels=labels)
        assert any("crane" in each.text for each in found) is there


@pytest.mark.parametrize("way", ["delete", "replace", "kb"])
async def test_what_takes_the_document_away_takes_its_new_reading_along(house, way):
    kb, plan = await filled(house)
    told = await again(house, kb, plan)
    claim = await house.ledger.claim(told.worked_on, "w2", 60)
    assert claim.rereads == plan.uid
    if way == "delete":
        await house.delete(kb, plan.id)
    elif way == "kb":
        await house.knowledge_bases.delete(kb.tenant, "main", ACTOR)
    else:
        await house.upload(kb, "plan.txt", "Another plan.", replace=True)
        await house.work()
        assert await house.ledger.exists(told.worked_on) is False
    with pytest.raises(NotFound):
        await house.catalogue.get(reader_of(kb), plan.id)
    house.tables.end_leases()
    await house.doorbell.ring(await house.reconciliation.overdue(10, quiet_seconds=0))
    after = await dumped(house)
    kept = {"delete": ["other.txt"], "kb": [], "replace": ["other.txt", "plan.txt"]}[way]
    assert [each["name"] for each in after.get("main", {"documents": []})["documents"]] == kept
    assert (after["folders"], after["recount"]) == (len(kept), [])


async def test_a_worker_that_dies_in_a_new_reading_leaves_the_old_one(house):
    kb, plan = await filled(house)
    before = await dumped(house)
    told = await again(house, kb, plan)
    house.doorbell.rings.clear()
    claim = await house.ledger.claim(told.worked_on, "dead", 60)
    await house.blobs.share(kb.uid, plan.uid, told.worked_on)
    assert claim.stage is Stage.PARSE
    assert (await house.catalogue.get(reader_of(kb), plan.id)).uid == plan.uid
    house.tables.end_leases()
    await house.doorbell.ring(await house.reconciliation.overdue(10, quiet_seconds=0))
    await house.work()
    assert (await house.catalogue.get(reader_of(kb), plan.id)).uid == told.worked_on
    assert await dumped(house) == before
