"""The index of pages keeps one contract on the local server, in the client's local mode, in memory and on a real Qdrant.

A real Qdrant is used where `QDRANT_TEST_URL` is set; its absence skips everywhere.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import AsyncIterator, Iterator

import numpy as np
import pytest
from qdrant_client import AsyncQdrantClient

from atoll.adapters import qdrant_pages
from atoll.adapters.memory.pages import MemoryPageIndex
from atoll.adapters.qdrant_pages import QdrantPageIndex
from atoll.domain.ids import passage_id
from atoll.domain.page_vectors import PageHit, PagePoint, PageQuery, PageSearch, PageVectors
from atoll.domain.reader import Labels
from atoll.errors import IndexMissing
from tests.support.readers import reader_of
from tests.support.vectors import VectorServer, document, kb, vector_server

A, B = kb("a"), kb("b")
DIMENSIONS = 16
#: Vectors are stored with three digits.
NEAR = {"abs": 5e-3}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VectorServer]:
    with vector_server(tmp_path_factory.mktemp("vectors") / "shards") as running:
        yield running


Index = QdrantPageIndex | MemoryPageIndex


@pytest.fixture(
    params=[
        "memory",
        "server",
        pytest.param("local mode", marks=pytest.mark.filterwarnings("ignore:Payload indexes have no effect")),
        "qdrant rest",
        "qdrant grpc",
    ]
)
async def index(request: pytest.FixtureRequest, fingerprint: str) -> AsyncIterator[Index]:
    match request.param:
        case "memory":
            yield MemoryPageIndex()
            return
        case "server":
            running: VectorServer = request.getfixturevalue("server")
            made = QdrantPageIndex.connect(running.url, api_key=running.api_key)
        case "local mode":
            made = QdrantPageIndex(AsyncQdrantClient(":memory:"))
        case which:
            url = os.environ.get("QDRANT_TEST_URL")
            if url is None:
                pytest.skip("QDRANT_TEST_URL is not set")
            made = QdrantPageIndex.connect(
                url,
                api_key=os.environ.get("QDRANT_TEST_API_KEY"),
                prefer_grpc=which == "qdrant grpc",
                grpc_port=int(os.environ.get("QDRANT_TEST_GRPC_PORT", "6334")),
            )
    yield made
    for name in await made._collections():
        with contextlib.suppress(Exception):
            await made._client.delete_collection(name)
    await made.close()


@pytest.fixture
def fingerprint() -> str:
    return secrets.token_hex(32)


def rows(count: int, seed: int) -> np.ndarray:
    drawn = np.random.default_rng(seed).standard_normal((count, DIMENSIONS)).astype(np.float32)
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


def page(count: int, seed: int) -> PageVectors:
    """A page of a grid of one column."""
    vectors = rows(count, seed)
    mean = vectors.mean(axis=0, keepdims=True)
    mean /= np.linalg.norm(mean)
    return PageVectors(
        vectors.astype(np.float16), vectors.astype(np.float16), mean.astype(np.float16), (1, count), None
    )


def point(owner, source: str, number: int, *, seed: int, labels: tuple[str, ...] = (), count: int = 5) -> PagePoint:
    uid = document(source)
    return PagePoint(owner, uid, labels, number, page(count, seed), (passage_id(uid, number), passage_id(uid, 90)))


def question(fingerprint: str, seed: int = 99, count: int = 4) -> PageQuery:
    return PageQuery(fingerprint, rows(count, seed))


def max_sim(query: PageQuery, point: PagePoint) -> float:
    return float((query.vectors @ point.vectors.vectors.astype(np.float32).T).max(axis=1).sum())


def expected(query: PageQuery, points: list[PagePoint], limit: int) -> list[tuple[str, int]]:
    ranked = sorted(points, key=lambda each: -max_sim(query, each))[:limit]
    return [(each.document_uid, each.page) for each in ranked]


def places(hits: list[PageHit]) -> list[tuple[str, int]]:
    return [(hit.document_uid, hit.page) for hit in hits]


async def test_pages_come_by_the_sum_of_their_best_cosines(index: Index, fingerprint: str) -> None:
    points = [point(A, f"d{seed % 7}", seed, seed=seed, count=1 + seed % 9) for seed in range(1, 40)]
    await index.upsert(fingerprint, points)
    query = question(fingerprint)
    hits = await index.search(PageSearch(reader_of(A), query, 10))
    assert places(hits) == expected(query, points, 10)
    by_place = {(each.document_uid, each.page): each for each in points}
    for hit in hits:
        wanted = by_place[hit.document_uid, hit.page]
        assert hit.score == pytest.approx(max_sim(query, wanted), **NEAR)
        assert hit.passages == wanted.passages


async def test_a_row_that_comes_twice_counts_twice(index: Index, fingerprint: str) -> None:
    points = [point(A, "d", number, seed=number) for number in range(1, 9)]
    await index.upsert(fingerprint, points)
    once = rows(2, 5)
    query = PageQuery(fingerprint, np.repeat(once, [3, 1], axis=0))
    hits = await index.search(PageSearch(reader_of(A), query, 8))
    assert places(hits) == expected(query, points, 8)
    assert hits[0].score == pytest.approx(max(max_sim(query, each) for each in points), **NEAR)


async def test_what_is_searched_first_by_rows_and_columns_ends_in_the_same_order(
    index: Index, fingerprint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With room for all pages in the first stage the second one gives the exact answer."""
    points = [point(A, f"d{seed % 5}", seed, seed=seed) for seed in range(1, 60)]
    others = [point(B, "e", seed, seed=seed) for seed in range(1, 60)]
    await index.upsert(fingerprint, points + others)
    if isinstance(index, QdrantPageIndex):
        monkeypatch.setattr(index, "_exact_pages", 10)
    query = question(fingerprint)
    hits = await index.search(PageSearch(reader_of(A), query, 12))
    assert places(hits) == expected(query, points, 12)
    inside = tuple(document(f"d{number}") for number in (1, 2))
    narrowed = await index.search(PageSearch(reader_of(A), query, 12, include_documents=inside))
    assert places(narrowed) == expected(query, [each for each in points if each.document_uid in inside], 12)


async def test_the_first_stage_cuts_and_the_second_ranks(
    index: Index, fingerprint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not isinstance(index, QdrantPageIndex):
        pytest.skip("the twin has one stage")
    monkeypatch.setattr(index, "_exact_pages", 10)
    monkeypatch.setattr(qdrant_pages, "PREFETCHED", 20)
    points = [point(A, "d", seed, seed=seed) for seed in range(1, 150)]
    await index.upsert(fingerprint, points)
    # every row of these pages is a vector of its own, so that the first stage misses nothing
    query = question(fingerprint)
    assert places(await index.search(PageSearch(reader_of(A), query, 5))) == expected(query, points, 5)


async def test_labels_documents_and_tenants_bound_a_search(index: Index, fingerprint: str) -> None:
    held = {"none": (), "red": ("red",), "both": ("red", "blue")}
    await index.upsert(fingerprint, [point(A, name, 1, seed=3, labels=labels) for name, labels in held.items()])
    await index.upsert(fingerprint, [point(B, "other", 1, seed=3)])
    query = question(fingerprint)

    async def seen(labels: Labels = None, **scope) -> list[str]:
        hits = await index.search(PageSearch(reader_of(A, labels), query, 10, **scope))
        return sorted(bytes.fromhex(hit.document_uid).rstrip(b"\0").decode() for hit in hits)

    assert await seen() == ["both", "none", "red"]
    assert await seen(labels=frozenset()) == ["none"]
    assert await seen(labels=frozenset({"red"})) == ["none", "red"]
    assert await seen(include_documents=(document("red"), document("other"))) == ["red"]
    assert await seen(include_documents=()) == []
    assert await seen(exclude_documents=(document("red"),)) == ["both", "none"]


async def test_pages_of_every_model_get_other_labels(index: Index, fingerprint: str) -> None:
    other = secrets.token_hex(32)
    for model in (fingerprint, other):
        await index.upsert(model, [point(A, "d", 1, seed=1), point(A, "e", 1, seed=2), point(B, "d", 2, seed=1)])
    await index.relabel(A, document("d"), ["red"])
    for model in (fingerprint, other):
        (free,) = await index.search(PageSearch(reader_of(A, frozenset()), question(model), 10))
        assert free.document_uid == document("e")
        red = await index.search(PageSearch(reader_of(A, frozenset({"red"})), question(model), 10))
        assert {(hit.document_uid, hit.page, len(hit.passages)) for hit in red} == {
            (document("d"), 1, 2), (document("e"), 1, 2)
        }  # fmt: skip
        assert len(await index.search(PageSearch(reader_of(B, frozenset()), question(model), 10))) == 1


async def test_models_lie_apart_and_are_deleted_and_counted_together(index: Index, fingerprint: str) -> None:
    other = secrets.token_hex(32)
    await index.upsert(fingerprint, [point(A, "d", 1, seed=1), point(A, "e", 1, seed=2)])
    await index.upsert(other, [point(A, "d", 1, seed=1)])
    assert len(await index.search(PageSearch(reader_of(A), question(fingerprint), 10))) == 2
    assert len(await index.search(PageSearch(reader_of(A), question(other), 10))) == 1
    assert await index.count(A) == 3
    assert await index.count(A, [document("d")]) == 2
    await index.delete(A, [document("d"), document("unknown")])
    await index.delete(A, [])
    assert (await index.count(A), await index.count(A, [document("d")]), await index.count(B)) == (1, 0, 0)


async def test_a_page_written_again_replaces_itself(index: Index, fingerprint: str) -> None:
    await index.upsert(fingerprint, [point(A, "d", 1, seed=1, labels=("red",))])
    await index.upsert(fingerprint, [point(A, "d", 1, seed=2)])
    await index.upsert(fingerprint, [])
    (hit,) = await index.search(PageSearch(reader_of(A, frozenset()), question(fingerprint), 10))
    assert hit.score == pytest.approx(max_sim(question(fingerprint), point(A, "d", 1, seed=2)), **NEAR)


async def test_a_model_that_embedded_nothing_yet_and_a_question_without_vectors_find_nothing(
    index: Index, fingerprint: str
) -> None:
    with pytest.raises(IndexMissing):  # a search goes on without pages and says so
        await index.search(PageSearch(reader_of(A), question(fingerprint), 10))
    nothing = PageQuery(fingerprint, np.zeros((0, DIMENSIONS), dtype=np.float32))
    assert await index.search(PageSearch(reader_of(A), nothing, 10)) == []
    assert await index.count(A) == 0
    await index.delete(A, [document("d")])


async def test_more_than_fits_one_request_arrives_whole(
    index: Index, fingerprint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(qdrant_pages, "UPSERT_NUMBERS", 1_000)
    points = [point(A, "d", number, seed=number, count=1 + number % 60) for number in range(1, 30)]
    await index.upsert(fingerprint, points)
    assert await index.count(A) == len(points)
    query = question(fingerprint)
    assert places(await index.search(PageSearch(reader_of(A), query, 29))) == expected(query, points, 29)
