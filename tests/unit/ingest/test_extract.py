"""Stage extract: what is kept of it, what a second run asks for, and what becomes of errors and warnings."""

from __future__ import annotations

import asyncio
import dataclasses
import json

import pytest

from atoll.adapters.memory.extractor import MemoryExtractor
from atoll.domain.document import DocumentWarning, Status
from atoll.domain.ids import entity_id
from atoll.errors import DependencyDown
from atoll.ingest.pipeline import Pipeline
from atoll.ingest.stages import extract as stage
from atoll.ports.extractor import Portions
from tests.support.house import ACTOR, House
from tests.support.readers import reader_of

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect:UserWarning")

#: Each section is over the half of a chunk, so that each is a chunk.
SECTION = "# Part {0}\n" + "\n".join(
    f"Ada Lovelace met Bob Cratchit {{0}} times near the pump and the valve {n}." for n in range(12)
)
LONG = "\n".join(SECTION.format(number) for number in range(5))
ONE_CHUNK = Portions(passages=1, concurrent=1)


class Failing(MemoryExtractor):
    """Fails in the calls that are named, once each; the call with that number hangs a moment before it fails."""

    def __init__(self, failures=(), seconds=0.03, **arguments):
        super().__init__(**arguments)
        self.seconds = seconds
        self.failures = set(failures)
        self.calls = 0

    async def extract(self, passages, scope):
        number, self.calls = self.calls, self.calls + 1
        if number in self.failures:
            await asyncio.sleep(0.01)
            raise DependencyDown("the model is away", 3.0)
        await asyncio.sleep(self.seconds)
        return await super().extract(passages, scope)


class Complaining(MemoryExtractor):
    async def extract(self, passages, scope):
        found = await super().extract(passages, scope)
        return dataclasses.replace(found, warnings=(DocumentWarning("ExtractionInvalid", passages[0].page, "no"),))


@pytest.fixture
async def house(tmp_path):
    opened = House(tmp_path)
    yield opened
    await opened.close()


def pipeline(house, extractor, **changes):
    return Pipeline(dataclasses.replace(house.shop, extractor=extractor, **changes), "w1")


async def rows(house, query, *values):
    return await house.database.read(lambda c: [tuple(row) for row in c.execute(query, values)])


async def again(house, kb, document):
    """Send a document through all its stages once more, as `retry` does with an ended one."""
    await house.database.write(lambda c: c.execute("UPDATE document SET status = 'failed', visible = 0"))
    await house.database.write(lambda c: c.execute("UPDATE entity SET df = 0, vector = NULL"))
    await house.lifecycle.retry(reader_of(kb), document.uid, ACTOR)


async def passages_of(house):
    return [row[0] for row in await rows(house, "SELECT id FROM passage ORDER BY ordinal")]


async def test_mentions_reach_the_record_store_and_the_documents_counts(house):
    (kb,) = await house.open("one")
    document = await house.upload(kb, "a.txt", "# Osk Head\nAda Lovelace met Bob.\nAda Lovelace left.")
    await house.work()
    ready = await house.catalogue.get(reader_of(kb), document.uid)
    assert (ready.status, ready.entities) == (Status.READY, 3)
    assert [(s.name, s.state, s.done, s.total) for s in ready.stages][2] == ("extract", "done", 1, 1)
    found = await rows(
        house, "SELECT e.id, e.key, e.df, m.surface, m.tf FROM mention m JOIN entity e ON e.id = m.entity ORDER BY 2"
    )
    assert found == [
        (entity_id(kb.uid, key), key, 1, surface, tf)
        for key, surface, tf in [("ada lovelace", "Ada Lovelace", 2), ("bob", "Bob", 1), ("osk head", "Osk Head", 2)]
    ]


async def test_a_receipt_counts_what_goes_and_what_others_keep(house):
    (kb,) = await house.open("one")
    document = await house.upload(kb, "a.txt", "Ada met Bob. Bob left.")
    await house.upload(kb, "b.txt", "Bob met Carol.")
    await house.work()
    receipt = await house.lifecycle.delete(reader_of(kb), document.uid, dry_run=True, actor=ACTOR)
    assert (receipt.removed["entities"], receipt.removed["mentions"], receipt.kept_entities) == (1, 2, 1)
    await house.delete(kb, document.uid)
    await house.work()
    assert await rows(house, "SELECT key, df FROM entity ORDER BY key") == [("bob", 1), ("carol", 1)]


async def test_neither_a_retry_nor_a_later_stage_asks_again(house):
    (kb,) = await house.open("one")
    extractor = MemoryExtractor()
    document = await house.upload(kb, "a.txt", LONG)
    worker = pipeline(house, extractor)
    await worker.advance(document.uid)
    asked = len(extractor.asked)
    before = await rows(house, "SELECT * FROM mention ORDER BY passage, entity")
    assert asked == 1
    assert before
    await again(house, kb, document)
    await worker.advance(document.uid)
    assert (await house.catalogue.get(reader_of(kb), document.uid)).status is Status.READY
    assert len(extractor.asked) == asked
    assert await rows(house, "SELECT * FROM mention ORDER BY passage, entity") == before


async def test_another_extractor_or_other_entity_types_ask_anew(house):
    (kb,) = await house.open("one")
    document = await house.upload(kb, "a.txt", LONG)
    await pipeline(house, MemoryExtractor()).advance(document.uid)
    other = MemoryExtractor(fingerprint="other")
    await again(house, kb, document)
    await pipeline(house, other).advance(document.uid)
    assert len(other.asked) == 1
    tenant = await house.tenants.ensure("acme")
    await house.knowledge_bases.update(tenant, "one", settings={"entity_types": ["Pump"]}, quota=None, actor=ACTOR)
    await again(house, kb, document)
    await pipeline(house, other).advance(document.uid)
    assert len(other.asked) == 2


async def test_portions_are_whole_chunks_in_order(house):
    (kb,) = await house.open("one")
    extractor = MemoryExtractor(portions=ONE_CHUNK)
    document = await house.upload(kb, "a.txt", LONG)
    await pipeline(house, extractor).advance(document.uid)
    assert len(extractor.asked) >= 5
    assert all(len({passage.chunk for passage in portion}) == 1 for portion in extractor.asked)
    assert [p.id for portion in extractor.asked for p in portion] == await passages_of(house)


async def test_after_an_error_what_was_in_flight_is_kept_and_nothing_is_asked_twice(house):
    (kb,) = await house.open("one")
    extractor = Failing({1}, portions=Portions(passages=1, concurrent=3))
    document = await house.upload(kb, "a.txt", LONG)
    worker = pipeline(house, extractor)
    await worker.advance(document.uid)
    waiting = await house.catalogue.get(reader_of(kb), document.uid)
    assert (waiting.status, waiting.stages[2].error) == (Status.PROCESSING, "the model is away")
    assert extractor.calls == 3, "nothing was begun after the error"
    assert len(extractor.asked) == 2
    (left,) = await rows(house, "SELECT not_before - claimed_at FROM stage WHERE name = 'extract'")
    assert left[0] >= 3000, "the model said when to come back"
    await house.database.write(lambda c: c.execute("UPDATE stage SET not_before = 0"))
    await worker.advance(document.uid)
    assert (await house.catalogue.get(reader_of(kb), document.uid)).status is Status.READY
    asked = [p.id for portion in extractor.asked for p in portion]
    assert sorted(asked) == sorted(await passages_of(house))


async def test_a_slice_that_is_over_goes_on_where_it_was(house):
    (kb,) = await house.open("one")
    extractor = Failing(portions=ONE_CHUNK, seconds=0.1)  # longer than a slice: each call ends one
    document = await house.upload(kb, "a.txt", LONG)
    worker = pipeline(house, extractor, slice_seconds=0.08)
    turns, done = 0, []
    while (now := await house.catalogue.get(reader_of(kb), document.uid)).status is not Status.READY:
        done.append(now.stages[2].done)
        turns += 1
        assert turns < 40
        await worker.advance(document.uid)
    assert turns > 2
    assert done == sorted(done)
    asked = [p.id for portion in extractor.asked for p in portion]
    assert asked == await passages_of(house)


async def test_a_document_that_was_accepted_before_there_was_this_stage_goes_through_it(house):
    (kb,) = await house.open("one")
    document = await house.upload(kb, "a.txt", LONG)
    claim = await house.ledger.claim(document.uid, "w1", 30)
    await house.ledger.release(claim)
    await house.database.write(lambda c: c.execute("DELETE FROM stage WHERE name = 'extract'"))
    await pipeline(house, MemoryExtractor()).advance(document.uid)
    assert (await house.catalogue.get(reader_of(kb), document.uid)).status is Status.READY
    assert (await rows(house, "SELECT COUNT(*) FROM mention"))[0][0] > 0


async def test_assertions_are_embedded_and_kept_beside_the_passages_vectors(house):
    (kb,) = await house.open("one")
    batches = []

    class Contents:
        def __getattr__(self, name):
            return getattr(house.contents, name)

        async def store_batch(self, claim, batch, **progress):
            batches.append(batch)
            await house.contents.store_batch(claim, batch, **progress)

    document = await house.upload(kb, "a.txt", "Ada met Bob.")
    await pipeline(house, MemoryExtractor(), contents=Contents()).advance(document.uid)
    (batch,) = batches
    (assertion,) = batch.assertions
    assert {assertion.head, assertion.tail} == {m.entity for m in batch.mentions}
    expected = await house.embedder.embed(["Ada near Bob: Ada is near"], input_type=None)
    assert batch.assertion_vectors.dtype == "float16"
    assert (batch.assertion_vectors == expected.astype("float16")).all()


async def test_a_document_without_names_has_no_assertion_vectors(house):
    (kb,) = await house.open("one")
    document = await house.upload(kb, "a.txt", "no names here")
    await pipeline(house, MemoryExtractor()).advance(document.uid)
    ready = await house.catalogue.get(reader_of(kb), document.uid)
    assert (ready.status, ready.entities) == (Status.READY, 0)


async def test_warnings_follow_those_of_parsing_and_are_bounded(house, monkeypatch):
    monkeypatch.setattr(stage, "MAX_WARNINGS", 3)
    (kb,) = await house.open("one")
    document = await house.upload(kb, "a.txt", LONG)
    await house.pipeline.advance(document.uid)  # parsed, so that a warning of parsing can be put in
    (path,) = house.blobs.path(kb.uid, document.uid).parent.glob("artefacts/parse.*/document")
    parsed = json.loads(path.read_text()) | {"warnings": [["PageWithoutText", "page 1 has no text", 1]]}
    path.write_text(json.dumps(parsed))
    await again(house, kb, document)
    extractor = Complaining(portions=ONE_CHUNK, fingerprint="warns")
    await pipeline(house, extractor).advance(document.uid)
    told = (await house.catalogue.get(reader_of(kb), document.uid)).warnings
    assert [w.type for w in told] == ["PageWithoutText", "ExtractionInvalid", "ExtractionInvalid", "MoreWarnings"]
    assert told[-1].message.startswith(f"{len(extractor.asked) - 2} more")
