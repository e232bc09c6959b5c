"""The vector index keeps one contract on the local server, in the client's local mode and on a real Qdrant.

A real Qdrant is used where `QDRANT_TEST_URL` is set (`QDRANT_TEST_GRPC_PORT` for its gRPC port, default 6334); it is
the one server whose absence skips everywhere.
"""

from __future__ import annotations

import asyncio
import math
import os
import secrets
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest
from qdrant_client import AsyncQdrantClient

from atoll.adapters.qdrant import TIE_ROOM, UPSERT_POINTS, QdrantIndex
from atoll.domain.vectors import Hit, PassagePoint, VectorSearch
from atoll.errors import AtollError, DependencyDown
from tests.support.readers import reader_of
from tests.support.vectors import (
    DIMENSIONS,
    VectorServer,
    dense,
    document,
    ids,
    kb,
    point,
    random_points,
    sparse,
    vector_server,
)

A, B = kb("a"), kb("b")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VectorServer]:
    with vector_server(tmp_path_factory.mktemp("vectors") / "shards") as running:
        yield running


def _local_mode() -> QdrantIndex:
    return QdrantIndex(AsyncQdrantClient(":memory:"), fingerprint=secrets.token_hex(4), dimensions=DIMENSIONS)


def _real(*, prefer_grpc: bool) -> Callable[[], QdrantIndex]:
    url = os.environ.get("QDRANT_TEST_URL")
    if url is None:
        pytest.skip("QDRANT_TEST_URL is not set")
    fingerprint = secrets.token_hex(4)
    return lambda: QdrantIndex.connect(
        url,
        api_key=os.environ.get("QDRANT_TEST_API_KEY"),
        fingerprint=fingerprint,
        dimensions=DIMENSIONS,
        prefer_grpc=prefer_grpc,
        grpc_port=int(os.environ.get("QDRANT_TEST_GRPC_PORT", "6334")),
    )


@pytest.fixture(
    params=[
        "server",
        pytest.param("local mode", marks=pytest.mark.filterwarnings("ignore:Payload indexes have no effect")),
        "qdrant rest",
        "qdrant grpc",
    ]
)
def make_index(request: pytest.FixtureRequest) -> Callable[[], QdrantIndex]:
    """Makes indexes on one and the same collection, which does not exist yet."""
    match request.param:
        case "server":
            running: VectorServer = request.getfixturevalue("server")
            fingerprint = secrets.token_hex(4)
            return lambda: running.index(fingerprint=fingerprint)
        case "local mode":
            index = _local_mode()  # its points live in the client
            return lambda: index
        case which:
            return _real(prefer_grpc=which == "qdrant grpc")


@pytest.fixture
async def bare(make_index: Callable[[], QdrantIndex]) -> AsyncIterator[QdrantIndex]:
    index = make_index()
    yield index
    await index._client.delete_collection(index._passages.name)
    await index.close()


@pytest.fixture
async def index(bare: QdrantIndex) -> QdrantIndex:
    await bare.prepare()
    return bare


async def found(index: QdrantIndex, search: VectorSearch) -> list[Hit]:
    (hits,) = await index.search([search])
    return hits


async def names(index: QdrantIndex, search: VectorSearch) -> list[str]:
    return [bytes.fromhex(hit.document_uid).rstrip(b"\0").decode() for hit in await found(index, search)]


# Collections


async def test_collections_of_earlier_ways_to_index_are_retired_and_nobody_elses(server: VectorServer) -> None:
    older, today = (server.index(fingerprint=secrets.token_hex(6)) for _ in range(2))
    foreign = server.index(fingerprint="theirs")
    for each in (older, today, foreign):
        await each.prepare()
    await older.upsert([point(A, document("gone"), 0, terms={1: 1.0})])
    names = sorted(schema.name for schema in older._schemas())
    assert await today.retire() == names
    assert (await older.missing(), await today.missing(), await foreign.missing()) == (
        ["passages", "entities", "relations"], [], [],
    )  # fmt: skip
    assert await today.retire() == []
    for schema in (*today._schemas(), *foreign._schemas()):
        await today._calls.drop(schema.name)
    for each in (older, today, foreign):
        await each.close()


async def test_prepare_may_run_twice_and_in_two_starts_at_once(
    make_index: Callable[[], QdrantIndex], bare: QdrantIndex
) -> None:
    other = make_index()
    await asyncio.gather(bare.prepare(), other.prepare())
    await bare.upsert([point(A, document("d"), 0)])
    await other.prepare()
    assert await other.count(A) == 1
    if other is not bare:
        await other.close()


async def test_a_lost_collection_is_an_error_until_it_has_been_made_again(
    request: pytest.FixtureRequest, bare: QdrantIndex
) -> None:
    # The library's local mode tells a missing collection by no type of its own.
    kind = AtollError if "local" in request.node.callspec.id else DependencyDown
    with pytest.raises(kind):
        await found(bare, VectorSearch(reader_of(A), dense(1), 3))
    await bare.prepare()
    assert await found(bare, VectorSearch(reader_of(A), dense(1), 3)) == []


async def test_an_empty_collection_answers_nothing(index: QdrantIndex) -> None:
    assert await index.search([]) == []
    assert await index.search(
        [VectorSearch(reader_of(A), dense(1), 3), VectorSearch(reader_of(A), sparse({1: 1.0}), 3)]
    ) == [[], []]
    assert await index.count(A) == 0
    await index.delete(A, [document("d")])
    await index.upsert([])


# Scores


async def test_dense_hits_come_by_cosine(index: QdrantIndex) -> None:
    near, middle, far = dense(10), dense(1, 1), dense(0, 3)
    await index.upsert(
        [point(A, document(name), 0, vector=vector) for name, vector in zip("abc", (far, near, middle), strict=True)]
    )
    hits = await found(index, VectorSearch(reader_of(A), dense(0.5), 3))
    assert [hit.document_uid for hit in hits] == [document("b"), document("c"), document("a")]
    assert [hit.score for hit in hits] == pytest.approx([1.0, math.sqrt(0.5), 0.0], abs=2e-5)


async def test_lexical_scores_are_weights_times_the_knowledge_bases_idf(index: QdrantIndex) -> None:
    texts = [{1: 1.0, 2: 0.5}, {1: 0.8}, {1: 0.9, 3: 1.2}, {4: 1.0}]
    await index.upsert([point(A, document(f"d{row}"), 0, terms=terms) for row, terms in enumerate(texts)])
    await index.upsert([point(B, document(f"e{row}"), 0, terms={1: 1.0}) for row in range(20)])
    query = {1: 1.0, 3: 2.0}

    def idf(term: int) -> float:
        holders = sum(term in terms for terms in texts)
        return math.log((len(texts) - holders + 0.5) / (holders + 0.5) + 1)

    expected = {
        document(f"d{row}"): sum(weight * query[term] * idf(term) for term, weight in terms.items() if term in query)
        for row, terms in enumerate(texts)
        if terms.keys() & query.keys()
    }
    hits = await found(index, VectorSearch(reader_of(A), sparse(query), 10))
    assert {hit.document_uid: hit.score for hit in hits} == pytest.approx(expected, abs=2e-5)
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


async def test_a_query_without_terms_has_no_hits_and_a_point_without_terms_is_found_by_its_vector(
    index: QdrantIndex,
) -> None:
    await index.upsert([point(A, document("d"), 0, terms={})])
    assert await index.search(
        [VectorSearch(reader_of(A), sparse({}), 3), VectorSearch(reader_of(A), sparse({7: 1.0}), 3)]
    ) == [[], []]
    assert await names(index, VectorSearch(reader_of(A), dense(1), 3)) == ["d"]


async def test_ties_come_by_id_and_the_cut_among_them_is_by_id_too(index: QdrantIndex) -> None:
    points = [point(A, document(f"d{row}"), 0, terms={5: 1.0}) for row in range(TIE_ROOM)]
    await index.upsert(points[::-1])
    smallest = sorted(ids(points))[:3]
    for query in (dense(2), sparse({5: 1.0})):
        assert [hit.id for hit in await found(index, VectorSearch(reader_of(A), query, 3))] == smallest


async def test_one_round_trip_answers_in_the_order_asked(index: QdrantIndex) -> None:
    await index.upsert([point(A, document("d"), 0, terms={1: 1.0}), point(B, document("e"), 0, vector=dense(0, 1))])
    answers = await index.search(
        [
            VectorSearch(reader_of(B), dense(1), 2),
            VectorSearch(reader_of(kb("unknown")), dense(1), 2),
            VectorSearch(reader_of(A), sparse({1: 1.0}), 2),
            VectorSearch(reader_of(A), dense(1), 2),
        ]
    )
    assert [[hit.document_uid for hit in hits] for hits in answers] == [
        [document("e")],
        [],
        [document("d")],
        [document("d")],
    ]


# Tenants


async def test_no_other_knowledge_bases_point_is_ever_returned_or_counted(index: QdrantIndex) -> None:
    mine = random_points(A, 60, seed=1)
    await index.upsert(mine + random_points(B, 200, seed=2))
    for each in mine[:5]:
        for query in (each.dense, each.sparse):
            assert {hit.id for hit in await found(index, VectorSearch(reader_of(A), query, 200))} <= ids(mine)
    assert (await index.count(A), await index.count(B), await index.count(kb("c"))) == (60, 200, 0)


async def test_what_another_knowledge_base_holds_moves_no_score(index: QdrantIndex) -> None:
    mine, theirs = random_points(A, 120, seed=3), random_points(B, 300, seed=4)
    await index.upsert(mine)
    searches = [VectorSearch(reader_of(A), each.sparse, 20) for each in mine[:20]]
    before = await index.search(searches)
    await index.upsert(theirs)
    assert_same_scores(await index.search(searches), before)
    await index.delete(B, sorted({each.document_uid for each in theirs})[:15])
    assert_same_scores(await index.search(searches), before)


async def test_what_a_reader_does_not_see_moves_no_score_of_its_own(index: QdrantIndex) -> None:
    held = frozenset({"red"})
    mine = [replace(each, labels=("red",) * (row % 2)) for row, each in enumerate(random_points(A, 120, seed=3))]
    hidden = [replace(each, labels=("red", "board")) for each in random_points(A, 300, seed=4)]
    await index.upsert(mine)
    searches = [VectorSearch(reader_of(A, held), each.sparse, 20) for each in mine[:20]]
    before = await index.search(searches)
    await index.upsert(hidden)
    assert_same_scores(await index.search(searches), before)


async def test_deleting_what_was_added_gives_the_scores_back(index: QdrantIndex) -> None:
    mine, more = random_points(A, 120, seed=5), random_points(A, 120, seed=6)
    await index.upsert(mine)
    searches = [VectorSearch(reader_of(A), each.sparse, 20) for each in mine[:20]]
    before = await index.search(searches)
    await index.upsert(more)
    assert [[hit.score for hit in hits] for hits in await index.search(searches)] != [
        [hit.score for hit in hits] for hits in before
    ]
    await index.delete(A, sorted({each.document_uid for each in more}))
    assert_same_scores(await index.search(searches), before)


def assert_same_scores(after: list[list[Hit]], before: list[list[Hit]]) -> None:
    for now, then in zip(after, before, strict=True):
        assert [hit.score for hit in now] == pytest.approx([hit.score for hit in then], abs=2e-5)
        cut = then[-1].score + 1e-4
        assert {hit.id for hit in now if hit.score > cut} == {hit.id for hit in then if hit.score > cut}


# Scope


async def test_a_point_is_seen_only_when_all_its_labels_are_held(index: QdrantIndex) -> None:
    labels = {"none": [], "red": ["red"], "blue": ["blue"], "both": ["red", "blue"]}
    await index.upsert([point(A, document(name), 0, labels=held, terms={1: 1.0}) for name, held in labels.items()])
    expected = {
        None: {"none", "red", "blue", "both"},
        frozenset(): {"none"},
        frozenset({"red"}): {"none", "red"},
        frozenset({"red", "green"}): {"none", "red"},
        frozenset({"red", "blue"}): {"none", "red", "blue", "both"},
    }
    for scope, visible in expected.items():
        for query in (dense(1), sparse({1: 1.0})):
            assert set(await names(index, VectorSearch(reader_of(A, scope), query, 10))) == visible


async def test_a_documents_points_get_other_labels_and_keep_everything_else(index: QdrantIndex) -> None:
    await index.upsert([point(A, document("a"), at, vector=dense(1, at), terms={1: 1.0}) for at in range(3)])
    await index.upsert([point(A, document("b"), 0, terms={1: 1.0}), point(B, document("a"), 9)])
    before = await index.search([VectorSearch(reader_of(A), sparse({1: 1.0}), 10)])
    for _ in range(2):
        await index.relabel(A, document("a"), ["red", "blue"])
    await index.relabel(A, document("unknown"), ["red"])
    for query in (dense(1), sparse({1: 1.0})):
        assert set(await names(index, VectorSearch(reader_of(A, frozenset({"red"})), query, 10))) == {"b"}
        assert set(await names(index, VectorSearch(reader_of(A, frozenset({"red", "blue"})), query, 10))) == {"a", "b"}
    assert await index.search([VectorSearch(reader_of(A), sparse({1: 1.0}), 10)]) == before
    assert set(await names(index, VectorSearch(reader_of(B, frozenset()), dense(1), 10))) == {"a"}
    await index.relabel(A, document("a"), [])
    assert set(await names(index, VectorSearch(reader_of(A, frozenset()), dense(1), 10))) == {"a", "b"}


async def test_documents_can_be_included_and_excluded(index: QdrantIndex) -> None:
    await index.upsert([point(A, document(name), 0) for name in "abcd"])

    async def seen(**scope: tuple[str, ...] | None) -> list[str]:
        documents = {key: None if value is None else tuple(map(document, value)) for key, value in scope.items()}
        return sorted(await names(index, VectorSearch(reader_of(A), dense(1), 10, **documents)))  # type: ignore[arg-type]

    assert await seen(include_documents=None) == ["a", "b", "c", "d"]
    assert await seen(include_documents=("a", "c")) == ["a", "c"]
    assert await seen(include_documents=()) == []
    assert await seen(exclude_documents=("a",)) == ["b", "c", "d"]
    assert await seen(include_documents=("a", "c"), exclude_documents=("c", "d")) == ["a"]
    assert await seen(include_documents=("a", *(f"x{row}" for row in range(4_095)))) == ["a"]


async def test_excluded_points_do_not_shorten_a_list(index: QdrantIndex) -> None:
    best = [point(A, document("hidden"), row, vector=dense(1, 0.001 * row)) for row in range(500)]
    rest = [point(A, document(f"d{row}"), 0, vector=dense(1, 1)) for row in range(10)]
    await index.upsert(best + rest)
    hits = await found(index, VectorSearch(reader_of(A), dense(1), 10, exclude_documents=(document("hidden"),)))
    assert [hit.id for hit in hits] == sorted(ids(rest))


# Writes


async def test_a_point_written_again_replaces_the_old_one(index: QdrantIndex) -> None:
    await index.upsert([point(A, document("d"), 0, vector=dense(1), terms={1: 1.0}, labels=["red"])])
    await index.upsert([point(A, document("d"), 0, vector=dense(0, 1), terms={2: 1.0})])
    assert await index.count(A) == 1
    open_scope = frozenset[str]()
    answers = await index.search(
        [
            VectorSearch(reader_of(A, open_scope), dense(0, 1), 3),
            VectorSearch(reader_of(A), sparse({1: 1.0}), 3),
            VectorSearch(reader_of(A), sparse({2: 1.0}), 3),
        ]
    )
    assert [len(hits) for hits in answers] == [1, 0, 1]
    assert answers[0][0].score == pytest.approx(1.0, abs=2e-5)


async def test_delete_takes_the_named_documents_of_one_knowledge_base(index: QdrantIndex) -> None:
    await index.upsert([point(A, document(name), row) for name in "abc" for row in range(3)])
    await index.upsert([point(B, document("f"), 0)])
    await index.delete(A, [document("a"), document("c"), document("f"), document("unknown")])
    await index.delete(A, [])
    assert await index.count(A) == await index.count(A, [document("b")]) == 3
    assert await index.count(A, [document("a"), document("c")]) == await index.count(A, []) == 0
    assert await index.count(B) == 1
    assert set(await names(index, VectorSearch(reader_of(A), dense(1), 10))) == {"b"}


async def test_more_points_than_fit_one_request_arrive_whole(index: QdrantIndex) -> None:
    points = random_points(A, 2 * UPSERT_POINTS + 7, seed=7)
    await index.upsert(points)
    assert await index.count(A) == len(points)
    await assert_exact(index, points, points[::100])


async def assert_exact(index: QdrantIndex, points: list[PassagePoint], questions: list[PassagePoint]) -> None:
    """Dense answers equal those of numpy over all points."""
    matrix = np.stack([each.dense / np.linalg.norm(each.dense) for each in points])
    for question in questions:
        scores = matrix @ (question.dense / np.linalg.norm(question.dense))
        hits = await found(index, VectorSearch(reader_of(A), question.dense, 10))
        assert [hit.score for hit in hits] == pytest.approx(np.sort(scores)[::-1][:10].tolist(), abs=3e-5)
