"""What a rebuild writes and removes, and when a look says that one is needed."""

from __future__ import annotations

import pytest

from atoll.adapters.memory.graph_index import MemoryGraphIndex
from atoll.adapters.memory.page_embedder import MemoryPageEmbedder
from atoll.domain.evidence import Filters, Mode
from atoll.domain.ids import DocumentUid, PassageId, entity_id, new_uid
from atoll.domain.page_archive import ARCHIVE
from atoll.domain.vectors import PassagePoint
from atoll.errors import Conflict, DependencyDown
from atoll.ingest.outputs import Outputs
from atoll.ingest.rebuild.collections import Reindex
from atoll.ingest.rebuild.graph import EntityCollection, RelationCollection
from atoll.ingest.rebuild.pages import PageCollection
from atoll.ingest.rebuild.passages import PassageCollection
from atoll.ingest.rebuild.watch import IndexWatch
from atoll.ingest.workshop import Job
from atoll.query.requests import SearchRequest
from tests.support.house import DIMENSIONS, House
from tests.support.readers import reader_of
from tests.support.records import STORES, open_either
from tests.support.written import Line, write


class Watched(MemoryGraphIndex):
    """Counts what is written and lets a test act in the middle of it."""

    def __init__(self):
        super().__init__()
        self.written = 0
        self.before_upsert = None

    async def upsert(self, points):
        self.written += len(points)
        await super().upsert(points)
        if self.before_upsert:
            act, self.before_upsert = self.before_upsert, None
            await act()


@pytest.fixture(params=STORES)
def records(request, tmp_path):
    return open_either(request, request.param, tmp_path / "house")


@pytest.fixture
async def house(records, tmp_path):
    opened = House(tmp_path / "house", vectors=Watched(), records=records, page_embedder=MemoryPageEmbedder())
    (opened.kb,) = await opened.open("main")
    for number in range(4):
        text = "\n\n".join(f"Paragraph {n} of report {number} about the harbour. " * 8 for n in range(12))
        await opened.upload(opened.kb, f"{number}.txt", text)
    await opened.work()
    yield opened
    await opened.close_stores()


def reindex(house, *, embedding="model", dimensions=DIMENSIONS):
    passages = PassageCollection(house.index_source, house.vectors, house.sparse, dimensions=dimensions)
    entities = EntityCollection(house.index_source, house.vectors)
    relations = RelationCollection(house.index_source, house.vectors)
    pages = PageCollection(house.index_source, house.page_index, house.artefacts, quiet_seconds=0)
    collections = {"passages": passages, "entities": entities, "relations": relations, "pages": pages}
    return Reindex(house.index_source, collections, embedding=embedding)


async def run(work, **options):
    return [each async for each in work.rebuild(**options) if each.collection == "passages"][-1]


async def test_an_empty_index_is_filled_with_the_points_that_were_there(house):
    before = dict(house.vectors._points)
    found = await house.search(house.kb, "harbour report 3")
    assert await reindex(house).check() == []
    house.vectors._points.clear()
    ((name, kb),) = await reindex(house).check()
    assert (name, kb.uid) == ("passages", house.kb.uid)
    done = await run(reindex(house), only=(name, kb.uid))
    assert done.written == done.seen == len(before)
    after = house.vectors._points
    assert after.keys() == before.keys()
    for point, was in before.items():
        assert after[point].dense @ was.dense >= 0.999
        assert after[point].sparse.indices.tolist() == was.sparse.indices.tolist()
        assert after[point].sparse.values.tolist() == was.sparse.values.tolist()
        assert (after[point].labels, after[point].document_uid) == (was.labels, was.document_uid)
    assert await reindex(house).check() == []
    again = await house.search(house.kb, "harbour report 3")
    assert [(each.passage_id, round(each.score, 3)) for each in again] == [
        (each.passage_id, round(each.score, 3)) for each in found
    ]


async def test_a_rebuild_that_was_stopped_goes_on_where_it_was(house):
    documents = await house.index_source.documents(house.kb.uid, after=None, limit=10)
    lost = documents[1]
    await house.vectors.delete(house.kb.uid, [lost.uid])
    house.vectors.written = 0
    done = await run(reindex(house))
    assert house.vectors.written == lost.passages
    done = await run(reindex(house), kb_name="main")
    assert (done.written, done.removed) == (0, 0)
    done = await run(reindex(house), kb_name="main", everything=True)
    assert done.written == sum(each.passages for each in documents)


async def test_points_that_nothing_stands_for_are_removed(house):
    point = next(iter(house.vectors._points.values()))
    for kb in (house.kb.uid, new_uid()):
        stray = PassagePoint(
            id=PassageId(new_uid()), kb=kb, document_uid=DocumentUid(new_uid()), labels=(), dense=point.dense,
            sparse=point.sparse,
        )  # fmt: skip
        await house.vectors.upsert([stray])
    assert [name for name, _ in await reindex(house).check()] == ["passages"]
    progress = [each async for each in reindex(house).rebuild() if each.collection == "passages"]
    assert [(each.kb, each.removed) for each in progress[-2:]] == [("main", 1), ("*", 1)]
    assert await reindex(house).check() == []


async def test_points_of_documents_under_way_are_no_reason_to_rebuild(house):
    document = await house.upload(house.kb, "late.txt", "Late news of the harbour. " * 30)
    house.doorbell.rings.clear()
    claim = await house.ledger.claim(document.uid, "w9", 30)
    while claim.stage != "publish":
        job = Job(claim=claim, shop=house.shop, ends_at=float("inf"), outputs=Outputs(house.artefacts))
        claim = await house.pipeline._run(job)
    assert await house.vectors.count(house.kb.uid, [document.uid]) > 0
    assert await reindex(house).check() == []


async def test_a_document_that_is_deleted_while_it_is_written_leaves_nothing(house):
    document = (await house.index_source.documents(house.kb.uid, after=None, limit=1))[0]

    async def delete_and_purge():
        await house.delete(house.kb, document.uid)
        await house.work()
        # The write that was under way lands after the purge.
        for point in points:
            house.vectors._points[point.id] = point

    points = [point for point in house.vectors._points.values() if point.document_uid == document.uid]
    house.vectors._points.clear()
    house.vectors.before_upsert = delete_and_purge
    await run(reindex(house), kb_name="main")
    assert await house.vectors.count(house.kb.uid, [document.uid]) == 0
    assert await reindex(house).check() == []


async def test_vectors_of_another_model_are_never_put_into_its_index(house):
    assert await reindex(house).check() == []
    with pytest.raises(Conflict, match="embedding"):
        await reindex(house, embedding="another model").check()
    house.vectors._points.clear()
    with pytest.raises(Conflict, match="dimensions"):
        await run(reindex(house, dimensions=7))


async def test_an_empty_installation_takes_any_model(records, tmp_path):
    house = House(tmp_path / "house", vectors=MemoryGraphIndex(), records=records)
    await house.open("main")
    for model in ("one", "two"):
        assert await reindex(house, embedding=model).check() == []
    await house.close_stores()


async def test_lost_entities_and_relations_come_back_from_stored_vectors(house):
    lines = [Line("Ada met Bob.", ["ada", "bob"], [("ada", "bob", "Ada met Bob.")]), Line("Ada.", ["ada"])]
    await write(house, house.kb.uid, "crew", lines, labels=["crew"], dimensions=DIMENSIONS)
    await run(reindex(house), everything=True)
    entities, relations = dict(house.vectors._entities), dict(house.vectors._relations)
    assert entity_id(house.kb.uid, "ada") in entities
    assert entity_id(house.kb.uid, "bob") not in entities
    assert [each.labels for each in relations.values()] == [("crew",)]
    done = [each async for each in reindex(house).rebuild()]
    assert sum(each.written for each in done if each.collection == "entities") == 0
    house.vectors._entities.clear()
    house.vectors._relations.clear()
    wrong = await reindex(house).check()
    assert [name for name, _ in wrong] == ["entities", "relations"]
    for name, kb in wrong:
        assert [each async for each in reindex(house).rebuild(only=(name, kb.uid))]
    assert house.vectors._entities.keys() == entities.keys()
    assert house.vectors._relations.keys() == relations.keys()
    assert await reindex(house).check() == []


async def test_lost_pages_come_back_from_the_documents_folders(house):
    before = dict(house.page_index._points)
    documents = await house.index_source.documents(house.kb.uid, after=None, limit=10)
    assert {point.document_uid for point in before.values()} == {each.uid for each in documents}
    work = reindex(house)
    assert await work.check() == []
    await house.page_index.delete(house.kb.uid, [documents[1].uid])
    lost = before.keys() - house.page_index._points.keys()
    assert lost
    ((name, kb),) = await work.check()
    assert (name, kb.uid) == ("pages", house.kb.uid)
    done = [each async for each in work.rebuild(only=(name, kb.uid))][-1]
    assert (done.written, done.seen) == (len(lost), len(before))
    after = house.page_index._points
    assert after.keys() == before.keys()
    for key, was in before.items():
        assert (after[key].labels, after[key].page, after[key].passages) == (was.labels, was.page, was.passages)
        assert (after[key].vectors.vectors == was.vectors.vectors).all()
    assert await work.check() == []


async def test_a_document_that_was_ingested_without_pages_asks_for_none(house):
    work = reindex(house)
    uid = (await house.index_source.documents(house.kb.uid, after=None, limit=1))[0].uid
    (archive,) = house.blobs.path(house.kb.uid, uid).parent.glob(f"artefacts/embed.*/{ARCHIVE}")
    archive.unlink()
    await house.page_index.delete(house.kb.uid, [uid])
    assert await work.check() == []


async def test_pages_of_a_document_that_is_deleted_while_they_are_written_are_taken_back(house):
    uid = (await house.index_source.documents(house.kb.uid, after=None, limit=1))[0].uid
    points = {key: point for key, point in house.page_index._points.items() if point.document_uid == uid}
    await house.page_index.delete(house.kb.uid, [uid])
    upsert = house.page_index.upsert

    async def deleted_before(fingerprint, more):
        house.page_index.upsert = upsert
        await house.delete(house.kb, uid)
        await house.work()
        house.page_index._points.update(points)
        await upsert(fingerprint, more)

    house.page_index.upsert = deleted_before
    assert [each async for each in reindex(house).rebuild(kb_name="main")]
    assert await house.page_index.count(house.kb.uid, [uid]) == 0


async def test_lost_pages_are_missed_at_the_first_look_and_whenever_points_go_while_passages_stay(house):
    pages = PageCollection(house.index_source, house.page_index, house.artefacts, quiet_seconds=1e9)
    work = Reindex(house.index_source, {"pages": pages}, embedding="model")
    points = dict(house.page_index._points)
    assert await work.check() == []
    uid = next(iter(points.values())).document_uid
    await house.page_index.delete(house.kb.uid, [uid])
    assert [name for name, _ in await work.check()] == ["pages"]
    house.page_index._points.update(points)
    assert await work.check() == []
    # A document that comes meanwhile does not hide that the others went.
    house.page_index._points.clear()
    await house.upload(house.kb, "more.txt", "More of the harbour. " * 40)
    await house.work()
    assert [name for name, _ in await work.check()] == ["pages"]
    house.page_index._points.clear()
    fresh = PageCollection(house.index_source, house.page_index, house.artefacts, quiet_seconds=1e9)
    assert [name for name, _ in await Reindex(house.index_source, {"pages": fresh}, embedding="model").check()] == [
        "pages"
    ]


async def test_searches_are_told_what_a_look_found_missing_until_one_finds_it_whole(house):
    async def gaps():
        return (await house.passages.scope(reader_of(house.kb), Filters())).gaps

    assert await gaps() == ()
    uid = (await house.index_source.documents(house.kb.uid, after=None, limit=1))[0].uid
    await house.vectors.delete(house.kb.uid, [uid])
    await house.page_index.delete(house.kb.uid, [uid])
    whole = []

    async def retire():
        whole.append(await gaps() == ())
        return ["passages_of_an_earlier_version"]

    watch = IndexWatch(reindex(house), every_seconds=1e9, retire=retire)
    assert await reindex(house).check()
    assert await gaps() == ("pages", "passages")
    assert await house.index_source.gaps() == {"pages", "passages"}
    outcome = await house.ask.search(asking(house))
    assert {warning.type for warning in outcome.warnings} == {"index_incomplete"}
    assert len(outcome.warnings) == 2
    watch.look()
    await watch._task
    assert await gaps() == ()
    assert whole == [True], "what an earlier version kept goes when all is there again, not before"
    assert await house.index_source.gaps() == frozenset()
    assert (await house.ask.search(asking(house))).warnings == ()


async def test_a_collection_that_cannot_be_rebuilt_does_not_keep_the_others_waiting(house):
    async def fails(fingerprint, points):
        raise DependencyDown("not now")

    for document in await house.index_source.documents(house.kb.uid, after=None, limit=10):
        await house.vectors.delete(house.kb.uid, [document.uid])
        await house.page_index.delete(house.kb.uid, [document.uid])
    work, upsert = reindex(house), house.page_index.upsert
    house.page_index.upsert = fails
    collections = dict(reversed(work._collections.items()))  # pages first
    watch = IndexWatch(
        Reindex(house.index_source, collections, embedding="model"), every_seconds=1e9, retire=house.vectors.retire
    )
    watch.look()
    await watch._task
    assert await house.index_source.gaps() == {"pages"}
    house.page_index.upsert = upsert
    watch.hurry()
    await watch._task
    assert await house.index_source.gaps() == frozenset()


def asking(house):
    return SearchRequest(reader=reader_of(house.kb), query="harbour", mode=Mode.MIX, top_k=5, filters=Filters())


async def test_pages_are_counted_once_nothing_has_come_or_gone_for_a_while(house):
    now = 0.0
    pages = PageCollection(house.index_source, house.page_index, house.artefacts, quiet_seconds=60, clock=lambda: now)
    expected = len(house.page_index._points)

    async def at_least():
        (kb,) = await house.index_source.kbs()
        return (await pages.bounds(kb))[0]

    assert await at_least() == 0
    now = 59.0
    assert await at_least() == 0
    now = 61.0
    assert await at_least() == expected
    await house.upload(house.kb, "more.txt", "More of the harbour. " * 40)
    await house.work()
    assert await at_least() == 0
    now = 122.0
    assert await at_least() == len(house.page_index._points) > expected
