"""What becomes of a document when a stage fails, by the type of the error."""

from __future__ import annotations

import asyncio
import dataclasses

import pytest

from atoll.adapters.memory.parser import MemoryParser
from atoll.domain.document import Amendment, Stage, Status
from atoll.errors import AtollError, DependencyDown, DocumentUnreadable, ParserDied
from atoll.ingest.pipeline import Pipeline
from atoll.ingest.rebuild.differences import overtaken
from atoll.ingest.reconcile import reconcile
from tests.support.house import ACTOR, House
from tests.support.readers import reader_of

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect:UserWarning")


class FailingParser(MemoryParser):
    """Raises the given errors, one a call, and works after that."""

    def __init__(self, *errors):
        self.errors = list(errors)
        self.calls = 0

    async def parse(self, **arguments):
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return await super().parse(**arguments)


class SlowParser(MemoryParser):
    def __init__(self, seconds):
        self.seconds = seconds

    async def parse(self, **arguments):
        await asyncio.sleep(self.seconds)
        return await super().parse(**arguments)


@pytest.fixture
async def house(tmp_path):
    opened = House(tmp_path)
    yield opened
    await opened.close()


def with_parser(house, parser, owner="w1", **changes):
    return Pipeline(dataclasses.replace(house.shop, parser=parser, **changes), owner)


async def release_delays(house):
    await house.database.write(lambda c: c.execute("UPDATE stage SET not_before = 0"))


async def test_a_document_reaches_ready_and_its_artefacts_make_a_second_run_silent(house):
    (kb,) = await house.open("one")
    document = await house.upload(kb, "a.txt", "# Title\nSome words about a crane.")
    await house.work()
    ready = await house.catalogue.get(reader_of(kb), document.uid)
    assert (ready.status, ready.pages, ready.passages) == (Status.READY, 1, 1)
    assert all((stage.state, stage.done, stage.total) == ("done", 1, 1) for stage in ready.stages)


async def test_a_typed_error_of_the_document_fails_it_at_once_with_its_page(house):
    (kb,) = await house.open("one")
    document = await house.upload(kb, "a.txt", "words")
    parser = FailingParser(DocumentUnreadable("a.txt: page 7 is encrypted", page=7))
    await with_parser(house, parser).advance(document.uid)
    failed = await house.catalogue.get(reader_of(kb), document.uid)
    assert (failed.status, failed.error.type, failed.error.page) == (Status.FAILED, "DocumentUnreadable", 7)
    assert failed.error.message == "a.txt: page 7 is encrypted"


async def test_two_deaths_of_the_parser_quarantine_and_one_does_not(house):
    (kb,) = await house.open("one")
    document = await house.upload(kb, "a.txt", "words")
    pipeline = with_parser(house, FailingParser(ParserDied("killed by memory"), ParserDied("killed by memory")))
    await pipeline.advance(document.uid)
    assert (await house.catalogue.get(reader_of(kb), document.uid)).status is Status.PROCESSING
    await release_delays(house)
    await pipeline.advance(document.uid)
    assert (await house.catalogue.get(reader_of(kb), document.uid)).status is Status.QUARANTINED


async def test_a_dependency_that_is_away_never_counts_as_a_failure(house):
    (kb,) = await house.open("one")
    document = await house.upload(kb, "a.txt", "words")
    parser = FailingParser(*[DependencyDown("the parser is away") for _ in range(6)])
    pipeline = with_parser(house, parser)
    for _ in range(6):
        await pipeline.advance(document.uid)
        waiting = await house.catalogue.get(reader_of(kb), document.uid)
        assert (waiting.status, waiting.stages[0].error) == (Status.PROCESSING, "the parser is away")
        await release_delays(house)
    await pipeline.advance(document.uid)
    assert (await house.catalogue.get(reader_of(kb), document.uid)).status is Status.READY


async def test_backoff_grows_to_thirty_seconds(house):
    (kb,) = await house.open("one")
    document = await house.upload(kb, "a.txt", "words")
    pipeline = with_parser(house, FailingParser(*[DependencyDown("away") for _ in range(7)]))
    delays = []
    for _ in range(7):
        await release_delays(house)
        await pipeline.advance(document.uid)
        row = await house.database.read(
            lambda c: c.execute(
                "SELECT not_before - CAST((julianday('now') - 2440587.5) * 86400000.0 AS INTEGER) FROM stage "
                "WHERE name = 'parse'"
            ).fetchone()
        )
        delays.append(round(row[0] / 1000))
    assert delays == [1, 2, 4, 8, 16, 30, 30]


async def test_a_bug_is_tried_again_once_and_then_fails_the_document_alone(house):
    (kb,) = await house.open("one")
    document = await house.upload(kb, "a.txt", "words")
    pipeline = with_parser(house, FailingParser(ZeroDivisionError("x"), ZeroDivisionError("x")))
    await pipeline.advance(document.uid)
    await release_delays(house)
    await pipeline.advance(document.uid)
    failed = await house.catalogue.get(reader_of(kb), document.uid)
    assert failed.error.type == "InternalError"
    assert "ZeroDivisionError" in failed.error.message


async def test_a_long_stage_keeps_its_lease(house):
    (kb,) = await house.open("one")
    document = await house.upload(kb, "a.txt", "words")
    slow = with_parser(house, SlowParser(1.0), lease_seconds=0.4)
    task = asyncio.create_task(slow.advance(document.uid))
    await asyncio.sleep(0.7)
    assert await house.ledger.claim(document.uid, "w2", 10) is None
    await task
    assert (await house.catalogue.get(reader_of(kb), document.uid)).status is Status.READY


async def test_a_worker_that_lost_its_lease_stops_and_writes_nothing(house):
    (kb,) = await house.open("one")
    document = await house.upload(kb, "a.txt", "words")
    slow = asyncio.create_task(with_parser(house, SlowParser(30), lease_seconds=0.6).advance(document.uid))
    await asyncio.sleep(0.1)
    await house.lifecycle.cancel(reader_of(kb), document.uid, ACTOR)
    await asyncio.wait_for(slow, 2)  # its next beat finds the token gone and ends the stage
    assert (await house.catalogue.get(reader_of(kb), document.uid)).status is Status.CANCELLED


async def test_a_stopped_worker_gives_its_claim_back_at_once(house):
    (kb,) = await house.open("one")
    document = await house.upload(kb, "a.txt", "words")
    slow = asyncio.create_task(with_parser(house, SlowParser(30)).advance(document.uid))
    await asyncio.sleep(0.1)
    slow.cancel()
    with pytest.raises(asyncio.CancelledError):
        await slow
    await house.work()
    assert (await house.catalogue.get(reader_of(kb), document.uid)).status is Status.READY


async def test_a_slice_that_is_over_lets_others_go_first_and_goes_on_where_it_was(house, monkeypatch):
    (kb,) = await house.open("one")
    monkeypatch.setattr("atoll.ingest.stages.chunk.BATCH_PASSAGES", 2)
    body = "\n".join(f"# Part {n}\nwords of part {n}" for n in range(9))
    document = await house.upload(kb, "long.txt", body)
    house.doorbell.rings.clear()
    eager = with_parser(house, MemoryParser(), slice_seconds=0.0)
    slices = 0
    await eager.advance(document.uid)
    while house.doorbell.rings and slices < 50:
        slices += 1
        house.doorbell.rings.clear()
        await with_parser(house, MemoryParser(), slice_seconds=0.03).advance(document.uid)
    assert slices >= 1
    assert (await house.catalogue.get(reader_of(kb), document.uid)).status is Status.READY


async def test_the_reconciler_rings_for_what_was_never_rung(house):
    (kb,) = await house.open("one")
    document = await house.upload(kb, "a.txt", "words")
    house.doorbell.rings.clear()  # the broker lost it
    await house.database.write(lambda c: c.execute("UPDATE stage SET rung_at = 0"))
    await reconcile(house.ledger, house.doorbell, owner="w1", every_seconds=0.01, rounds=3)
    assert list(house.doorbell.rings) == [document.uid]


class UnwillingIndex:
    """The house's index, whose labels cannot be changed."""

    def __init__(self, index, error):
        self._index = index
        self._error = error

    def __getattr__(self, name):
        return getattr(self._index, name)

    async def relabel(self, kb, document, labels):
        raise self._error


@pytest.mark.parametrize("error", [DependencyDown("away"), AtollError("refused"), ZeroDivisionError()])
async def test_an_index_that_does_not_take_labels_takes_no_document_away(house, error):
    (kb,) = await house.open("one")
    document = await house.upload(kb, "a.txt", "Some words about a crane.")
    await house.work()
    await house.lifecycle.amend(reader_of(kb), document.uid, Amendment(labels=("staff",)), ACTOR)
    unwilling = UnwillingIndex(house.vectors, error)
    pipeline = Pipeline(dataclasses.replace(house.shop, vectors=unwilling, graph_index=unwilling), "w1")
    for _ in range(4):
        await pipeline.advance(document.uid)
        waiting = await house.catalogue.get(reader_of(kb), document.uid)
        assert (waiting.status, waiting.stages[-1].name, waiting.error) == (Status.READY, Stage.RELABEL, None)
        assert waiting.stages[-1].error
        await release_delays(house)
    assert [each.document_id for each in await house.search(kb, "crane", labels=frozenset({"staff"}))] == [document.uid]
    assert await house.search(kb, "crane", labels=frozenset()) == ()
    # A worker that died in the middle: its lease runs out and the reconciler rings.
    assert (await house.ledger.claim(document.uid, "dead", 60)).stage is Stage.RELABEL
    await house.database.write(lambda c: c.execute("UPDATE stage SET lease_until = 0, rung_at = 0"))
    await house.doorbell.ring(await house.ledger.overdue(10, quiet_seconds=0))
    await house.work()
    done = await house.catalogue.get(reader_of(kb), document.uid)
    assert [each.name for each in done.stages][-1] is Stage.PUBLISH


async def test_a_rebuild_that_read_the_labels_of_before_leaves_those_of_now(house):
    (kb,) = await house.open("one")
    document = await house.upload(kb, "a.txt", "Some words about a crane.")
    await house.work()
    written = {document.uid: document.labels}
    await house.lifecycle.amend(reader_of(kb), document.uid, Amendment(labels=("staff",)), ACTOR)
    await house.work()
    relabelled = []

    class Index:
        async def relabel(self, *arguments):
            relabelled.append(arguments)

    assert await overtaken(Index(), house.index_source, kb.uid, written) == []
    assert relabelled == [(kb.uid, document.uid, ("staff",))]
