"""Collections that are lost under living processes: documents go on, searches say what they miss, all comes back."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from atoll.adapters.memory.page_embedder import MemoryPageEmbedder
from atoll.adapters.qdrant_graph import QdrantGraphIndex
from atoll.adapters.qdrant_pages import QdrantPageIndex
from atoll.domain.document import Status
from atoll.domain.evidence import Filters, Mode
from atoll.errors import DependencyDown
from atoll.ingest.rebuild.collections import Reindex
from atoll.ingest.rebuild.graph import EntityCollection, RelationCollection
from atoll.ingest.rebuild.pages import PageCollection
from atoll.ingest.rebuild.passages import PassageCollection
from atoll.ingest.rebuild.watch import IndexWatch
from atoll.query.requests import SearchOutcome, SearchRequest
from tests.support.house import DIMENSIONS, House
from tests.support.readers import reader_of
from tests.support.vectors import START_SECONDS, VectorServer, vector_server

TEXT = "The keeper of Osk Head, Ada Merrin, wrote to Bob Kettle of the harbour office about report {}. "
QUESTION = "What did Ada Merrin of Osk Head write to Bob Kettle?"
COLLECTIONS = ("passages", "entities", "relations", "pages")


class Home(House):
    """A house whose four collections lie in a real vector server, and what watches over them."""

    def __init__(self, folder: Path, server: VectorServer) -> None:
        self.index = QdrantGraphIndex.connect(
            server.url, api_key=server.api_key, fingerprint="test", dimensions=DIMENSIONS
        )
        self.points = QdrantPageIndex.connect(server.url, api_key=server.api_key)
        super().__init__(folder, vectors=self.index, page_embedder=MemoryPageEmbedder(), page_index=self.points)
        self.server = server
        pages = PageCollection(self.index_source, self.points, self.artefacts)
        collections = {
            "passages": PassageCollection(self.index_source, self.index, self.sparse, dimensions=DIMENSIONS),
            "entities": EntityCollection(self.index_source, self.index),
            "relations": RelationCollection(self.index_source, self.index),
            "pages": pages,
        }
        work = Reindex(self.index_source, collections, embedding="test")
        self.watch = IndexWatch(work, every_seconds=0.0, retire=self.vectors.retire)

    async def look(self) -> None:
        self.watch.look()
        assert self.watch._task is not None
        await self.watch._task

    async def mix(self, mode: Mode = Mode.MIX) -> SearchOutcome:
        return await self.ask.search(
            SearchRequest(reader=reader_of(self.kb), query=QUESTION, mode=mode, top_k=20, filters=Filters())
        )

    async def ingest(self, number: int) -> Status:
        document = await self.upload(self.kb, f"{number}.txt", TEXT.format(number) * 6)
        await self.work()
        return (await self.catalogue.get(reader_of(self.kb), document.uid)).status

    def names(self) -> list[str]:
        with self.server.client() as client:
            found = client.get("/collections").json()["result"]["collections"]
        return [each["name"] for each in found]

    def drop(self, collection: str) -> None:
        (name,) = [name for name in self.names() if name.startswith(collection)]
        with self.server.client() as client:
            assert client.delete(f"/collections/{name}").json()["result"] is True


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[Home]:
    with vector_server(tmp_path / "vectors") as server:
        opened = Home(tmp_path / "house", server)
        (opened.kb,) = await opened.open("main")
        for number in range(3):
            assert await opened.ingest(number) is Status.READY
        await opened.look()
        yield opened
        await opened.points.close()
        await opened.close()


def found(outcome: SearchOutcome) -> list[tuple[str | None, float]]:
    return sorted((each.passage_id, round(each.score, 3)) for each in outcome.evidence)


def told(outcome: SearchOutcome) -> list[str]:
    return [warning.message.rpartition("index of ")[2].partition(" ")[0] for warning in outcome.warnings]


@pytest.mark.parametrize("collection", COLLECTIONS)
async def test_a_dropped_collection_stops_no_document_and_no_search(home: Home, collection: str) -> None:
    before = await home.mix()
    assert before.evidence
    assert before.warnings == ()
    home.drop(collection)
    # Nobody has noticed yet, and the search that first needs it says so.
    mode = Mode.LOCAL if collection in {"entities", "relations"} else Mode.MIX
    outcome = await home.mix(Mode.GLOBAL if collection == "relations" else mode)
    assert told(outcome) == [collection]
    assert outcome.evidence
    assert (await home.mix()).evidence
    # A document that comes now is read, indexed and found; what it brings is not taken for the whole.
    hurried: list[bool] = []
    for index in (home.index, home.points):
        index.when_made(lambda: hurried.append(True))
    assert await home.ingest(3) is Status.READY
    # The document makes no further name shared: nothing was written to the entities.
    assert bool(hurried) == (collection != "entities")
    await home.watch._reindex.check()
    assert await home.index_source.gaps() == {collection}
    assert told(await home.mix(mode)) == [collection]
    await home.look()
    assert await home.index_source.gaps() == frozenset()
    outcome = await home.mix()
    assert outcome.warnings == ()
    assert {passage for passage, _ in found(before)} < {passage for passage, _ in found(outcome)}
    assert {name.partition("_")[0] for name in home.names()} == set(COLLECTIONS)


async def test_a_lost_folder_is_noticed_and_filled_again_while_documents_go_on(home: Home) -> None:
    before = await home.mix()
    await lost(home, lambda folder: shutil.rmtree(folder / "collections"))
    outcome = await home.mix()
    assert told(outcome) == ["passages", "entities"]
    assert outcome.evidence  # by the names in the question, from the record store
    assert await home.index.missing() == ["passages", "entities", "relations"]
    assert await home.ingest(3) is Status.READY
    await home.look()
    await home.look()
    assert (await home.mix()).warnings == ()
    assert {passage for passage, _ in found(before)} < {passage for passage, _ in found(await home.mix())}


async def test_an_older_folder_put_into_place_is_noticed_and_completed(home: Home, tmp_path: Path) -> None:
    old = tmp_path / "old"
    home.server.stop()
    shutil.copytree(home.server.directory / "collections", old)
    home.server.start()
    assert await home.ingest(3) is Status.READY
    await home.look()
    before = found(await home.mix())

    def restore(folder: Path) -> None:
        shutil.rmtree(folder / "collections")
        shutil.copytree(old, folder / "collections")

    await lost(home, restore)
    await home.watch._reindex.check()
    assert {"passages", "pages"} <= await home.index_source.gaps()
    assert "passages" in told(await home.mix())
    await home.look()
    outcome = await home.mix()
    assert (found(outcome), outcome.warnings) == (before, ())


async def lost(home: Home, damage: object) -> None:
    """Damage the files under the running server, which ends by itself, and start it again as the supervisor does."""
    damage(home.server.directory)  # type: ignore[operator]
    assert home.server.process is not None
    for _ in range(int(START_SECONDS / 0.1)):
        if home.server.process.poll() is not None:
            break
        await asyncio.sleep(0.1)
    assert home.server.process.returncode == 1
    home.server.start()


async def test_a_search_by_another_mode_than_mix_is_refused_while_its_lists_are_gone(home: Home) -> None:
    home.drop("passages")
    with pytest.raises(DependencyDown, match="being rebuilt"):
        await home.mix(Mode.NAIVE)
