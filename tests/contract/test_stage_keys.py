"""Keys of stage outputs in the ledger, on every store there is."""

from __future__ import annotations

import pytest

from atoll.domain.document import JOURNEY, Stage, StageState
from atoll.errors import LeaseLost
from tests.contract.test_records import ACTOR, Store
from tests.support.readers import reader_of
from tests.support.records import STORES, open_either


@pytest.fixture(params=STORES)
async def store(request, tmp_path):
    opened = open_either(request, request.param, tmp_path, waiting_documents=50)
    yield Store(opened)
    await opened.ports.aclose()


async def document_of(store, kb, document):
    return await store.catalogue.get(reader_of(kb), document.uid)


async def test_a_key_is_noted_when_the_stage_before_ends_and_comes_with_the_claim(store):
    kb = await store.kb()
    document = await store.accept(kb)
    claim = await store.ledger.claim(document.uid, "w1", 60, key="p1")
    assert (claim.stage, dict(claim.artefacts), claim.returns) == (Stage.PARSE, {Stage.PARSE: "p1"}, 0)
    await store.ledger.release(claim)
    claim = await store.ledger.claim(document.uid, "w1", 60, key="p2")
    assert dict(claim.artefacts) == {Stage.PARSE: "p1"}, "decided once"
    claim = await store.ledger.finish(claim, 60, units=1, key="c1")
    assert (claim.stage, dict(claim.artefacts)) == (Stage.CHUNK, {Stage.PARSE: "p1", Stage.CHUNK: "c1"})
    assert dict((await document_of(store, kb, document)).artefacts) == {Stage.PARSE: "p1", Stage.CHUNK: "c1"}
    for _ in range(3):
        claim = await store.ledger.finish(claim, 60, units=1, key="x")
    assert claim.stage is Stage.STORE
    claim = await store.ledger.finish(claim, 60, units=1)
    assert (claim.stage, set(claim.artefacts)) == (Stage.INDEX, set(JOURNEY[:5]))


async def test_a_document_sent_back_begins_there_anew_and_forgets_later_keys(store):
    kb = await store.kb()
    document = await store.accept(kb)
    claim = await store.ledger.claim(document.uid, "w1", 60, key="p1")
    for key in ("c1", "x1"):
        claim = await store.ledger.finish(claim, 60, units=1, key=key)
    await store.ledger.advance(claim, batch=7, done=8, total=9)
    again = await store.ledger.send_back(claim, 60, stage=Stage.CHUNK, key="c2")
    assert (again.stage, again.batch, again.returns, again.attempts) == (Stage.CHUNK, 0, 1, 2)
    assert dict(again.artefacts) == {Stage.PARSE: "p1", Stage.CHUNK: "c2"}
    states = {stage.name: stage.state for stage in (await document_of(store, kb, document)).stages}
    assert (states[Stage.PARSE], states[Stage.CHUNK]) == (StageState.DONE, StageState.RUNNING)
    assert states[Stage.EXTRACT] is StageState.WAITING
    with pytest.raises(LeaseLost):
        await store.ledger.advance(claim, batch=8, done=9, total=9)
    with pytest.raises(LeaseLost):
        await store.ledger.send_back(claim, 60, stage=Stage.PARSE, key="p3")
    extract = await store.ledger.finish(again, 60, units=1, key="x2")
    assert (extract.stage, extract.batch) == (Stage.EXTRACT, 0)
    same = await store.ledger.send_back(extract, 60, stage=Stage.EXTRACT, key="x3")
    assert (same.stage, same.artefacts[Stage.EXTRACT], same.returns) == (Stage.EXTRACT, "x3", 2)


async def test_a_document_of_an_earlier_journey_gets_the_stages_it_lacks(store):
    kb = await store.kb()
    document = await store.accept(kb)
    claim = await store.ledger.claim(document.uid, "w1", 60, key="p1")
    claim = await store.ledger.finish(claim, 60, units=1, key="c1")
    store.tables.forget_stage(document.uid, Stage.EXTRACT)
    claim = await store.ledger.finish(claim, 60, units=1)
    assert claim.stage is Stage.EMBED
    claim = await store.ledger.send_back(claim, 60, stage=Stage.EXTRACT, key="x1")
    assert claim.stage is Stage.EXTRACT
    assert [stage.name for stage in (await document_of(store, kb, document)).stages] == list(JOURNEY)


async def test_a_retry_counts_returns_anew(store):
    kb = await store.kb()
    document = await store.accept(kb)
    claim = await store.ledger.claim(document.uid, "w1", 60, key="p1")
    claim = await store.ledger.send_back(claim, 60, stage=Stage.PARSE, key="p2")
    assert claim.returns == 1
    await store.lifecycle.cancel(reader_of(kb), document.uid, ACTOR)
    await store.lifecycle.retry(reader_of(kb), document.uid, ACTOR)
    store.tables.end_leases()
    claim = await store.ledger.claim(document.uid, "w1", 60, key="p9")
    assert (claim.returns, claim.artefacts[Stage.PARSE]) == (0, "p2")
