"""Keys of stage outputs: decided once, kept in the ledger, and what happens when a worker would decide otherwise."""

from __future__ import annotations

import dataclasses
from collections import Counter

import pytest

from atoll.adapters.memory.embedder import MemoryEmbedder
from atoll.adapters.memory.extractor import MemoryExtractor
from atoll.adapters.memory.page_embedder import MemoryPageEmbedder
from atoll.adapters.memory.parser import MemoryParser
from atoll.domain.document import Stage, Status
from atoll.ingest import keys
from atoll.ingest.models import Models
from atoll.ingest.outputs import Outputs
from atoll.ingest.pipeline import MAX_RETURNS, Pipeline
from atoll.ingest.workshop import Job
from tests.support.house import DIMENSIONS, House
from tests.support.readers import reader_of

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect:UserWarning")

#: Longer than one batch of passages, so that batches are read again if anything is.
LONG = "\n".join(f"# Part {n}\nAda met Bob in year {n}." for n in range(600))


class Counting:
    """Counts calls of what it stands for, by name."""

    def __init__(self, subject, calls):
        self._subject = subject
        self._calls = calls

    def __getattr__(self, name):
        value = getattr(self._subject, name)
        if not callable(value):
            return value

        def call(*args, **kwargs):
            self._calls[name] += 1
            return value(*args, **kwargs)

        return call


@pytest.fixture
async def house(tmp_path):
    opened = House(tmp_path, page_embedder=MemoryPageEmbedder())
    yield opened
    await opened.close()


def counted(house):
    """Return a pipeline whose model servers and parser are counted, and the counts."""
    calls = Counter()
    embedder, pages = Counting(house.embedder, calls), Counting(house.shop.page_embedder, calls)
    shop = dataclasses.replace(
        house.shop,
        embedder=embedder,
        page_embedder=pages,
        models=Models(embedder, pages),
        extractor=Counting(house.shop.extractor, calls),
        parser=Counting(house.shop.parser, calls),
    )
    return Pipeline(shop, "w1"), shop, calls


def other_embedder():
    """Return the embedder with another tokenizer's window, so that passages are cut elsewhere."""
    return MemoryEmbedder(dimensions=DIMENSIONS, max_tokens=64)


async def ready(house, document):
    return await house.catalogue.get(reader_of(house.kb), document.uid)


async def opened(house, text=LONG):
    (house.kb,) = await house.open("one")
    document = await house.upload(house.kb, "a.txt", text)
    house.doorbell.rings.clear()
    return document


async def test_a_model_server_is_described_once_and_asked_by_no_stage_from_store_on(house):
    pipeline, shop, calls = counted(house)
    document = await opened(house)
    claim = await house.ledger.claim(document.uid, "w1", 30, key=keys.first_key())
    by_stage = {}
    while claim is not None:
        before = Counter(calls)
        stage = claim.stage
        job = Job(claim=claim, shop=shop, ends_at=float("inf"), outputs=Outputs(house.artefacts))
        claim = await pipeline._run(job)
        by_stage[stage] = Counter({name: n for name, n in (calls - before).items() if name != "fingerprint"})
    assert (await ready(house, document)).status is Status.READY
    assert calls["describe"] == 2, "the embedder and the page embedder, at the start"
    for stage in (Stage.STORE, Stage.INDEX, Stage.PUBLISH):
        assert by_stage[stage] == {}, stage
    assert with_vector(house) >= {"ada", "bob"}
    again = await house.upload(house.kb, "b.txt", "Another text about Ada.")
    await pipeline.advance(again.uid)
    assert calls["describe"] == 2


def with_vector(house):
    """Return the keys of the entities that have a vector."""
    return {key for key, _, length in house.tables.entities(house.kb.uid) if length is not None}


async def test_names_that_became_shared_meanwhile_send_the_document_back_once_to_embed_them(house):
    pipeline, shop, calls = counted(house)
    (house.kb,) = await house.open("one")
    first = await house.upload(house.kb, "a.txt", "Ada met Bob.")
    second = await house.upload(house.kb, "b.txt", "Bob met Cleo.")
    claims, trips = {}, {first.uid: [], second.uid: []}
    for uid in trips:
        claims[uid] = await house.ledger.claim(uid, "w1", 30, key=keys.first_key())
    while claims:  # in turns, stage by stage, so that neither is stored when the other looks
        for uid, claim in list(claims.items()):
            trips[uid].append(claim.stage)
            job = Job(claim=claim, shop=shop, ends_at=float("inf"), outputs=Outputs(house.artefacts))
            before = calls["embed"]
            claims[uid] = await pipeline._run(job)
            assert calls["embed"] == before or claim.stage is Stage.EMBED
            if claims[uid] is None:
                del claims[uid]
    assert {(await ready(house, each)).status for each in (first, second)} == {Status.READY}
    assert sorted(trip.count(Stage.EMBED) for trip in trips.values()) == [1, 2]
    assert with_vector(house) == {"bob"}


async def test_the_models_are_described_again_when_a_connection_was_made(house):
    pipeline, _, calls = counted(house)
    document = await opened(house, "words")
    await pipeline.advance(document.uid)
    house.embedder.connections += 1
    document = await house.upload(house.kb, "b.txt", "other words")
    await pipeline.advance(document.uid)
    assert calls["describe"] == 3


async def test_what_a_slice_made_is_not_read_again_in_it(house):
    reads = []

    class Artefacts:
        def __getattr__(self, name):
            return getattr(house.artefacts, name)

        async def get(self, artefact, part):
            reads.append((artefact.stage, part))
            return await house.artefacts.get(artefact, part)

    document = await opened(house, "# Title\nAda met Bob.")
    await Pipeline(dataclasses.replace(house.shop, artefacts=Artefacts()), "w1").advance(document.uid)
    assert (await ready(house, document)).status is Status.READY
    assert reads == [(Stage.EMBED, "pages")], "the list of page vectors, by stage index"


async def test_memory_of_a_slice_is_bounded(house):
    outputs = Outputs(house.artefacts, max_bytes=100)
    document = await opened(house, "words")
    claim = await house.ledger.claim(document.uid, "w1", 30, key="aa")
    output = Job(claim=claim, shop=house.shop, ends_at=0.0, outputs=outputs).artefact(Stage.PARSE)
    for n in range(9):
        await outputs.write(output, f"part{n}", bytes(40), bytes)
    await outputs.write(output, "large", bytes(400), bytes)
    assert outputs._bytes == sum(size for _, size in outputs._values.values()) == 80
    assert [part for _, part in outputs._values] == ["part7", "part8"]
    assert await outputs.read(output, "large", bytes) == bytes(400)


@pytest.mark.parametrize("at", [Stage.EXTRACT, Stage.EMBED, Stage.STORE, Stage.INDEX, Stage.PUBLISH])
async def test_a_changed_setting_sends_the_document_back_to_the_stage_it_shapes(house, at):
    document = await opened(house)
    await until(house, document, at)
    changed = dataclasses.replace(house.shop, chunk_tokens=100)
    await Pipeline(changed, "w2").advance(document.uid)
    done = await ready(house, document)
    assert done.status is Status.READY
    attempts = {stage.name: stage.attempts for stage in done.stages}
    assert (attempts[Stage.PARSE], attempts[Stage.CHUNK]) == (1, 2)
    fresh = House(house.folder / "fresh", page_embedder=MemoryPageEmbedder())
    twin = await opened(fresh)
    await Pipeline(dataclasses.replace(fresh.shop, chunk_tokens=100), "w").advance(twin.uid)
    assert texts(house, document) == texts(fresh, twin)
    assert chunks(house, document) == chunks(fresh, twin)
    assert await house.vectors.count(house.kb.uid) == await fresh.vectors.count(fresh.kb.uid) == done.passages
    await fresh.close()


async def test_another_extractor_means_extracting_again_and_not_inside_store(house):
    document = await opened(house)
    await until(house, document, Stage.STORE)
    extractor = MemoryExtractor(fingerprint="another")
    await Pipeline(dataclasses.replace(house.shop, extractor=extractor), "w2").advance(document.uid)
    done = await ready(house, document)
    attempts = {stage.name: stage.attempts for stage in done.stages}
    assert (done.status, attempts[Stage.CHUNK], attempts[Stage.EXTRACT]) == (Status.READY, 1, 2)
    assert done.artefacts[Stage.EXTRACT] != done.artefacts[Stage.CHUNK]


async def test_another_embedder_is_noticed_by_a_stage_that_needs_it_and_by_no_other(house):
    document = await opened(house)
    await until(house, document, Stage.EMBED)
    embedder = other_embedder()
    embedder.connections = 2
    pages = house.shop.page_embedder
    shop = dataclasses.replace(house.shop, embedder=embedder, models=Models(embedder, pages))
    await Pipeline(shop, "w2").advance(document.uid)
    done = await ready(house, document)
    assert (done.status, {stage.name: stage.attempts for stage in done.stages}[Stage.CHUNK]) == (Status.READY, 2)


async def test_a_new_text_without_passages_leaves_none_of_the_old(house, monkeypatch):
    """A document that was stored under one configuration and has nothing to store under the next one."""
    document = await opened(house, "some words")
    await until(house, document, Stage.INDEX)

    class Blank(MemoryParser):
        async def parse(self, *, source, **arguments):
            source.seek(0, 2)
            return await super().parse(source=source, **arguments)

    monkeypatch.setattr(keys, "PARSE_VERSION", "blank")
    await Pipeline(dataclasses.replace(house.shop, parser=Blank()), "w2").advance(document.uid)
    done = await ready(house, document)
    assert (done.status, done.passages, texts(house, document)) == (Status.READY, 0, [])


async def test_workers_that_differ_do_not_send_a_document_to_and_fro_for_ever(house):
    document = await opened(house)
    pipelines = [
        Pipeline(dataclasses.replace(house.shop, chunk_tokens=tokens, slice_seconds=0.0), f"w{tokens}")
        for tokens in (100, 150)
    ]
    for _ in range(4 * MAX_RETURNS):
        for pipeline in pipelines:
            await house.database.write(lambda c: c.execute("UPDATE stage SET not_before = 0"))
            await pipeline.advance(document.uid)
    failed = await ready(house, document)
    assert failed.status is Status.FAILED
    assert "give all of them the same" in failed.error.message


async def test_an_output_that_was_lost_is_made_again(house):
    document = await opened(house)
    await until(house, document, Stage.STORE)
    (index,) = house.blobs.path(house.kb.uid, document.uid).parent.glob("artefacts/chunk.*/000001")
    index.unlink()
    (index.parent / "index").unlink()
    await house.pipeline.advance(document.uid)
    assert (await ready(house, document)).status is Status.READY


async def until(house, document, stage):
    """Work up to a stage, and let go of it."""
    claim = await house.ledger.claim(document.uid, "w1", 30, key=keys.first_key())
    while claim.stage is not stage:
        job = Job(claim=claim, shop=house.shop, ends_at=float("inf"), outputs=Outputs(house.artefacts))
        claim = await house.pipeline._run(job)
    await house.ledger.release(claim)


def texts(house, document):
    return [row["text"] for row in house.tables.passages(document.uid)]


def chunks(house, document):
    return len(house.tables.chunks(document.uid))
