"""The vector server as a process: crashes, optimising, limits and refusals."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import psutil
import pytest
from qdrant_client import AsyncQdrantClient, models

from atoll.adapters.qdrant import QdrantIndex
from atoll.domain.ids import PassageId
from atoll.domain.vectors import PassagePoint, VectorSearch
from atoll.errors import DependencyDown
from atoll.local.vectors.edge import EdgeEngine
from atoll.local.vectors.engine import Point, Upsert
from atoll.local.vectors.lanes import EngineThread, Lane
from atoll.local.vectors.optimiser import Optimiser, OptimiserLimits
from atoll.local.vectors.schema import collection_config
from atoll.local.vectors.store import Store
from tests.support.readers import reader_of
from tests.support.vectors import VectorServer, dense, document, free_port, ids, kb, point, random_points, vector_server

A = kb("a")
COLLECTION = "passages_test"
COLLECTION_PATH = f"/collections/{COLLECTION}"
PATIENCE_SECONDS = 60.0
#: Dimensions at which some 12,000 points are past the size from which the engine builds a graph.
WIDE = 256


@pytest.fixture
def server(tmp_path: Path) -> Iterator[VectorServer]:
    with vector_server(tmp_path / "shards") as running:
        yield running


def until(happened: Callable[[], bool], *, every_seconds: float = 0.02) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not happened():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(every_seconds)


def stored(server: VectorServer) -> set[PassageId]:
    """Every id in the collection, page by page."""
    found: list[PassageId] = []
    with server.client() as client:
        offset = None
        for _ in range(1_000):
            request = {"limit": 1_000, "offset": offset, "with_payload": False}
            result = client.post(f"{COLLECTION_PATH}/points/scroll", json=request).raise_for_status().json()["result"]
            found += [each["id"] for each in result["points"]]
            offset = result["next_page_offset"]
            if offset is None:
                assert len(found) == len(set(found))
                return set(found)
    raise AssertionError("the scroll did not end")


def generation(server: VectorServer) -> int:
    truth = server.directory / "collections" / COLLECTION / "collection.json"
    return int(json.loads(truth.read_bytes())["generation"])


def shard_folders(server: VectorServer) -> list[str]:
    return sorted(path.name for path in (server.directory / "collections" / COLLECTION).glob("shard-*"))


class Writer(threading.Thread):
    """Upserts batch after batch until the server goes away or `stop` is set; deletes some; knows what was answered."""

    def __init__(
        self, server: VectorServer, *, seed: int, batch: int = 100, limit: int = 400, pause_seconds: float = 0.0
    ) -> None:
        super().__init__()
        self.there: set[PassageId] = set()
        self.gone: set[PassageId] = set()
        self.stopped = threading.Event()
        self._server, self._seed, self._batch, self._limit = server, seed, batch, limit
        self._pause_seconds = pause_seconds

    def run(self) -> None:
        asyncio.run(self._write())

    async def _write(self) -> None:
        index = self._server.index()
        with contextlib.suppress(DependencyDown):
            for number in range(self._limit):
                if self.stopped.is_set():
                    break
                points = random_points(A, self._batch, seed=self._seed + number)
                await index.upsert(points)
                self.there |= ids(points)
                if number % 5 == 4:
                    document = points[0].document_uid
                    removed = {each.id for each in points if each.document_uid == document}
                    self.there -= removed
                    await index.delete(A, [document])
                    self.gone |= removed
                await asyncio.sleep(self._pause_seconds)
        await index.close()


async def prepared(server: VectorServer) -> None:
    index = server.index()
    await index.prepare()
    await index.close()


# Crashes


@pytest.mark.parametrize("seed", [11, 12, 13])
async def test_every_acknowledged_write_survives_kill_9(server: VectorServer, seed: int) -> None:
    await prepared(server)
    delay = random.Random(seed).uniform(0.3, 1.5)
    for round_number in range(2):
        writer = Writer(server, seed=1_000 * (10 * seed + round_number))
        writer.start()
        time.sleep(delay)
        server.kill()
        writer.join(PATIENCE_SECONDS)
        server.start()
        after = stored(server)
        assert writer.there
        assert writer.there <= after
        assert not writer.gone & after


def _child_runs(server: VectorServer) -> bool:
    return bool(psutil.Process(server.pid).children())


MOMENTS: dict[str, Callable[[VectorServer], bool]] = {
    "while copying": lambda server: len(shard_folders(server)) > 1,
    "as the child starts": _child_runs,
    "when the child has ended": lambda server: getattr(server, "child_ran", False) and not _child_runs(server),
    "right after the swap": lambda server: generation(server) > 1,
    "when the old folder is gone": lambda server: generation(server) > 1 and len(shard_folders(server)) == 1,
}


@pytest.mark.parametrize("moment", MOMENTS)
async def test_kill_9_around_the_swap_loses_no_acknowledged_write(tmp_path: Path, moment: str) -> None:
    with vector_server(tmp_path / "shards", optimise_points=1_500) as server:
        await prepared(server)
        # Fewer points in all than an attempt remembers: on a busy machine the child, which yields to everybody, may take
        # so long that the attempt would be given up for a minute.
        writer = Writer(server, seed=500, limit=190, pause_seconds=0.02)
        writer.start()
        if moment == "when the child has ended":
            until(lambda: _child_runs(server), every_seconds=0.001)
            server.child_ran = True  # type: ignore[attr-defined]
        until(lambda: MOMENTS[moment](server), every_seconds=0.001)
        children = psutil.Process(server.pid).children()
        server.kill()
        writer.join(PATIENCE_SECONDS)
        until(lambda: not any(child.is_running() and child.status() != psutil.STATUS_ZOMBIE for child in children))

        server.optimise_points = 1_000_000
        server.start()
        after = stored(server)
        assert len(writer.there) >= 1_000
        assert writer.there <= after
        assert not writer.gone & after
        assert shard_folders(server) == [f"shard-{generation(server):06d}"]


async def test_an_unfinished_creation_is_removed_at_start(server: VectorServer) -> None:
    await prepared(server)
    server.kill()
    unfinished = server.directory / "collections" / "unfinished" / "shard-000001"
    unfinished.mkdir(parents=True)
    server.start()
    with server.client() as client:
        names = [each["name"] for each in client.get("/collections").json()["result"]["collections"]]
    assert COLLECTION in names
    assert "unfinished" not in names
    assert not unfinished.parent.exists()


async def test_a_collection_that_cannot_be_read_is_a_refusal_that_says_what_to_do(server: VectorServer) -> None:
    await prepared(server)
    server.stop()
    truth = server.directory / "collections" / COLLECTION / "collection.json"
    truth.write_bytes(b"{")
    refused = server.spawn(stderr=subprocess.PIPE)
    _, said = refused.communicate(timeout=PATIENCE_SECONDS)
    assert refused.returncode == 1
    assert str(truth.parent).encode() in said
    assert b"atoll reindex" in said


# Stopping, starting, owning


async def test_sigterm_finishes_requests_and_keeps_everything(server: VectorServer) -> None:
    await prepared(server)
    writer = Writer(server, seed=900)
    writer.start()
    until(lambda: len(writer.there) > 300)
    assert server.stop() == 0
    writer.join(PATIENCE_SECONDS)
    server.start()
    assert writer.there <= stored(server)


def test_a_second_process_on_the_directory_is_refused(server: VectorServer) -> None:
    rival = VectorServer(server.directory)
    started = rival.spawn(stderr=subprocess.PIPE)
    _, said = started.communicate(timeout=PATIENCE_SECONDS)
    assert started.returncode == 1
    (line,) = said.decode().splitlines()
    assert str(server.directory) in line
    assert str(server.pid) in line


def test_a_taken_port_is_refused_by_name(server: VectorServer, tmp_path: Path) -> None:
    rival = VectorServer(tmp_path / "other", port=server.port)
    started = rival.spawn(stderr=subprocess.PIPE)
    _, said = started.communicate(timeout=PATIENCE_SECONDS)
    assert started.returncode == 1
    assert str(server.port).encode() in said


# Optimising


@pytest.mark.slow
async def test_optimising_changes_no_answer_and_stops_nobody(tmp_path: Path) -> None:
    with vector_server(tmp_path / "shards", optimise_points=12_000) as server:
        index = server.index(dimensions=WIDE)
        await index.prepare()
        points = random_points(A, 11_900, seed=21, dimensions=WIDE)
        await index.upsert(points)
        questions = points[::200]
        searches = [VectorSearch(reader_of(A), each.dense, 10) for each in questions]
        lexical = [VectorSearch(reader_of(A), each.sparse, 10) for each in questions[:20]]

        late = random_points(A, 1_500, seed=22, dimensions=WIDE)
        dropped = late[0].document_uid
        waits, states, written = [], set(), 0
        deadline = time.monotonic() + 3 * PATIENCE_SECONDS
        while generation(server) == 1:
            assert time.monotonic() < deadline, "the shard was not optimised"
            await asyncio.sleep(0.01)
            if written < len(late):
                await index.upsert(late[written : written + 50])
                written += 50
            started = time.perf_counter()
            await index.search(searches[:1])
            waits.append(time.perf_counter() - started)
            states.add((await index._client.get_collection(COLLECTION)).status)
        await index.upsert(late[written:])
        await index.delete(A, [dropped])
        points += [each for each in late if each.document_uid != dropped]

        assert models.CollectionStatus.YELLOW in states
        described = await index._client.get_collection(COLLECTION)
        assert (described.indexed_vectors_count or 0) >= 2 * 11_900  # lexical and dense: a graph was built
        assert max(waits) < 2.0  # generous: the engine's own optimise would stop every thread for its whole length
        assert await index.count(A) == len(points)
        assert stored(server) == ids(points)
        assert_recall(await index.search(searches), points, questions, at_least=0.97)
        before = await index.search(lexical)
        assert server.stop() == 0
        server.start()
        assert await index.count(A) == len(points)
        assert_recall(await index.search(searches), points, questions, at_least=0.97)
        assert [[hit.score for hit in hits] for hits in await index.search(lexical)] == [
            pytest.approx([hit.score for hit in hits], abs=2e-5) for hits in before
        ]
        await index.close()
        until(lambda: shard_folders(server) == [f"shard-{generation(server):06d}"])


def assert_recall(
    answers: list[list[Any]], points: list[PassagePoint], questions: list[PassagePoint], *, at_least: float
) -> None:
    matrix = np.stack([each.dense / np.linalg.norm(each.dense) for each in points])
    found = 0
    for hits, question in zip(answers, questions, strict=True):
        nearest = np.argsort(-(matrix @ question.dense))[: len(hits)]
        found += len({hit.id for hit in hits} & {points[row].id for row in nearest})
    assert found / sum(map(len, answers)) >= at_least


async def test_the_child_dies_with_the_server(tmp_path: Path) -> None:
    with vector_server(tmp_path / "shards", optimise_points=3_000) as server:
        index = server.index()
        await index.prepare()
        await index.upsert(random_points(A, 3_100, seed=51))
        await index.close()
        until(lambda: _child_runs(server), every_seconds=0.001)
        (child,) = psutil.Process(server.pid).children()
        until(lambda: child.nice() > 0, every_seconds=0.001)  # it has asked the kernel by then
        child.suspend()  # it could not end by itself
        server.kill()
        until(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)


async def test_a_child_that_dies_costs_nothing(tmp_path: Path) -> None:
    with vector_server(tmp_path / "shards", optimise_points=3_000) as server:
        index = server.index()
        await index.prepare()
        points = random_points(A, 3_100, seed=41)
        await index.upsert(points)
        until(lambda: _child_runs(server), every_seconds=0.002)
        for child in psutil.Process(server.pid).children():
            child.kill()
        until(lambda: shard_folders(server) == ["shard-000001"])
        assert stored(server) == ids(points)
        assert (await index._client.get_collection(COLLECTION)).status is models.CollectionStatus.GREY
        await index.close()


async def test_an_attempt_is_given_up_when_more_is_written_meanwhile_than_can_be_remembered(tmp_path: Path) -> None:
    engine = EdgeEngine()
    store = Store(tmp_path, engine)
    store.open()
    spec = {"vectors": {"dense": {"size": 2, "distance": "Dot"}}}
    store.create("c", spec, collection_config(spec))
    collection = store.get("c")

    def write(start: int) -> None:
        vector = np.ones(2, dtype=np.float32)
        collection.apply(Upsert([Point(number, {"dense": vector}, {}) for number in range(start, start + 100)]))

    write(0)
    thread = EngineThread(max_waiting=10)
    optimiser = Optimiser(store, engine, thread, OptimiserLimits(points=100, remembered_points=150))
    running = asyncio.create_task(optimiser.run())
    while collection.recorder is None:
        await asyncio.sleep(0.001)
    for start in (100, 200):
        await thread.run(Lane.WRITE, lambda start=start: write(start))  # type: ignore[misc]
    while collection.optimising:
        await asyncio.sleep(0.01)
    optimiser.stop()
    await running
    assert collection.shard.count(None) == 300
    assert [path.name for path in collection.folder.iterdir() if path.is_dir()] == ["shard-000001"]
    await thread.run(Lane.UPKEEP, store.close)
    thread.stop()


async def test_removing_a_collection_that_is_being_optimised_ends_the_child(tmp_path: Path) -> None:
    with vector_server(tmp_path / "shards", optimise_points=3_000) as server:
        index = server.index()
        await index.prepare()
        await index.upsert(random_points(A, 3_100, seed=31))
        until(lambda: _child_runs(server), every_seconds=0.002)
        assert await index._client.delete_collection(COLLECTION)
        until(lambda: not _child_runs(server))
        await index.prepare()
        assert await index.count(A) == 0
        await index.upsert([point(A, random_points(A, 1, seed=1)[0].document_uid, 0)])
        assert await index.count(A) == 1
        assert not await index._client.delete_collection("unknown")
        await index.close()


# Late interaction


async def test_multi_vectors_are_found_by_prefetch_and_ranked_by_exact_maxsim(server: VectorServer) -> None:
    client = AsyncQdrantClient(
        url=server.url, headers={"api-key": server.api_key}, check_compatibility=False, timeout=30
    )
    multi = models.MultiVectorConfig(comparator=models.MultiVectorComparator.MAX_SIM)
    size = 16
    await client.create_collection(
        "pages",
        vectors_config={
            "original": models.VectorParams(
                size=size,
                distance=models.Distance.COSINE,
                multivector_config=multi,
                datatype=models.Datatype.FLOAT16,
                on_disk=True,
                hnsw_config=models.HnswConfigDiff(m=0),
            ),
            "rows": models.VectorParams(size=size, distance=models.Distance.COSINE, multivector_config=multi),
        },
    )
    numbers = np.random.default_rng(5)
    pages = numbers.standard_normal((40, 30, size)).astype(np.float32)
    pages /= np.linalg.norm(pages, axis=2, keepdims=True)
    await client.upsert(
        "pages",
        [
            models.PointStruct(
                id=number,
                vector={"original": page.tolist(), "rows": page.reshape(6, 5, size).mean(axis=1).tolist()},
                payload={"kb": "even" if number % 2 == 0 else "odd"},
            )
            for number, page in enumerate(pages)
        ],
    )
    question = numbers.standard_normal((8, size)).astype(np.float32)
    question /= np.linalg.norm(question, axis=1, keepdims=True)
    maxsim = (np.einsum("qd,prd->pqr", question, pages)).max(axis=2).sum(axis=1)
    even = models.Filter(must=[models.FieldCondition(key="kb", match=models.MatchValue(value="even"))])

    exact = await client.query_points("pages", query=question.tolist(), using="original", limit=5)
    assert [each.id for each in exact.points] == np.argsort(-maxsim)[:5].tolist()
    assert [each.score for each in exact.points] == pytest.approx(np.sort(maxsim)[::-1][:5].tolist(), abs=5e-2)

    two_steps = await client.query_points(
        "pages",
        prefetch=[models.Prefetch(query=question.tolist(), using="rows", limit=40, filter=even)],
        query=question.tolist(),
        using="original",
        limit=5,
    )
    expected = [number for number in np.argsort(-maxsim).tolist() if number % 2 == 0][:5]
    assert [each.id for each in two_steps.points] == expected

    either = models.Filter(
        should=[
            models.HasIdCondition(has_id=[3]),
            models.Filter(must=[models.HasIdCondition(has_id=[4, 6])], must_not=[models.HasIdCondition(has_id=[6])]),
            models.IsEmptyCondition(is_empty=models.PayloadField(key="kb")),
        ]
    )
    assert (await client.count("pages", either)).count == 2
    records = await client.retrieve("pages", [3, 99], with_vectors=["rows"])
    assert [(each.id, each.payload) for each in records] == [(3, {"kb": "odd"})]
    assert np.asarray(records[0].vector["rows"]).shape == (6, size)  # type: ignore[index,call-overload]
    await client.close()


# Refusals


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VectorServer]:
    with vector_server(tmp_path_factory.mktemp("vectors") / "shards") as running:
        asyncio.run(prepared(running))
        yield running


def error_of(answer: httpx.Response) -> str:
    said = answer.json()["status"]["error"]
    assert isinstance(said, str)
    return said


@pytest.mark.parametrize(
    "headers", [{}, {"api-key": "wrong"}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic KEY"}]
)
def test_without_the_key_only_the_health_routes_answer(shared: VectorServer, headers: dict[str, str]) -> None:
    sent = {name: value.replace("KEY", shared.api_key) for name, value in headers.items()}
    with httpx.Client(base_url=shared.url, headers=sent, trust_env=False) as client:
        for path in ("/", "/healthz", "/livez", "/readyz"):
            assert client.get(path).status_code == 200
        for method, path in (("GET", "/collections"), ("DELETE", COLLECTION_PATH), ("GET", "/telemetry")):
            answer = client.request(method, path)
            assert answer.status_code == 401
            assert "API key" in error_of(answer)


def test_the_key_may_come_as_a_bearer_token(shared: VectorServer) -> None:
    headers = {"Authorization": f"Bearer {shared.api_key}"}
    assert httpx.get(f"{shared.url}/collections", headers=headers, trust_env=False).status_code == 200


@pytest.mark.parametrize(
    ("host", "status"),
    [("evil.example", 403), ("127.0.0.1.evil.example:80", 403), ("", 403), ("localhost", 200), ("[::1]:1234", 200)],
)
def test_only_loopback_names_are_answered(shared: VectorServer, host: str, status: int) -> None:
    with shared.client() as client:
        for path in ("/collections", "/readyz"):
            assert client.get(path, headers={"Host": host}).status_code == status


POINT: dict[str, Any] = {"id": 1, "vector": {"dense": [0.5] * 32}}


@pytest.mark.parametrize(
    ("method", "path", "sent", "feature"),
    [
        ("POST", "/points/query", {"using": "dense", "query": {"fusion": "rrf"}}, "query.fusion"),
        ("POST", "/points/query", {"using": "dense", "query": {"recommend": {}}}, "query.recommend"),
        ("POST", "/points/query", {"using": "dense", "query": 7}, "point id"),
        ("POST", "/points/query", {"using": "dense", "limit": 3}, "without a vector"),
        ("POST", "/points/query", {"query": [1.0] * 32, "using": "dense", "lookup_from": {}}, "lookup_from"),
        (
            "POST",
            "/points/query",
            {"query": [1.0] * 32, "using": "dense", "params": {"quantization": {}}},
            "quantization",
        ),
        ("POST", "/points/count", {"filter": {"must": [{"key": "n", "range": {"gte": 1}}]}}, "range"),
        ("POST", "/points/count", {"filter": {"must": {"key": "n", "match": {"text": "x"}}}}, "text"),
        ("POST", "/points/scroll", {"order_by": "kb"}, "order_by"),
        ("PUT", "/points", {"batch": {}}, "batch"),
        ("PUT", "/points", {"points": [{"id": 1, "vector": [1.0]}]}, "unnamed vector"),
        ("PUT", "/points", {"points": [POINT], "shard_key": "s"}, "shard_key"),
        ("PUT", "/index", {"field_name": "n", "field_schema": "integer"}, "integer"),
        ("POST", "/points/search", {}, "/points/search"),
        ("POST", "/points/recommend", {}, "/points/recommend"),
        ("POST", "/facet", {}, "/facet"),
        ("POST", "/snapshots", {}, "/snapshots"),
        ("PATCH", "", {}, "PATCH"),
    ],
)
def test_what_is_not_served_is_a_501_that_names_it(
    shared: VectorServer, method: str, path: str, sent: object, feature: str
) -> None:
    with shared.client() as client:
        answer = client.request(method, COLLECTION_PATH + path, json=sent)
    assert answer.status_code == 501, answer.text
    assert feature in error_of(answer)


@pytest.mark.parametrize(
    ("method", "path", "sent"),
    [
        ("PUT", "/points", b"{"),
        ("PUT", "/points", b"\xff\xfe"),
        ("PUT", "/points", []),
        ("PUT", "/points", {}),
        ("PUT", "/points", {"points": [{**POINT, "id": "not a uuid"}]}),
        ("PUT", "/points", {"points": [{**POINT, "id": -1}]}),
        ("PUT", "/points", {"points": [{**POINT, "id": True}]}),
        ("PUT", "/points", {"points": [{**POINT, "payload": 3}]}),
        ("PUT", "/points", {"points": [{"id": 1, "vector": {"dense": [0.5] * 31}}]}),
        ("PUT", "/points", {"points": [{"id": 1, "vector": {"dense": ["1"] * 32}}]}),
        ("PUT", "/points", {"points": [{"id": 1, "vector": {"dense": [None] * 32}}]}),
        ("PUT", "/points", {"points": [{"id": 1, "vector": {"dense": [1e39] * 32}}]}),
        ("PUT", "/points", {"points": [{"id": 1, "vector": {"other": [0.5] * 32}}]}),
        ("PUT", "/points", {"points": [{"id": 1, "vector": {"bm25": {"indices": [1, 1], "values": [1, 2]}}}]}),
        ("PUT", "/points", {"points": [{"id": 1, "vector": {"bm25": {"indices": [1], "values": []}}}]}),
        ("PUT", "/points", {"points": [{"id": 1, "vector": {"bm25": {"indices": [-1], "values": [1]}}}]}),
        ("PUT", "/points", {"points": [{"id": 1, "vector": {"bm25": {"indices": [2**32], "values": [1]}}}]}),
        ("PUT", "/points", {"points": [{"id": number} for number in range(10_001)]}),
        ("POST", "/points/delete", {}),
        ("POST", "/points/delete", {"points": [1], "filter": {}}),
        ("POST", "/points/query", {"query": [0.5] * 32}),
        ("POST", "/points/query", {"query": [0.5] * 32, "using": "dense", "limit": 0}),
        ("POST", "/points/query", {"query": [0.5] * 32, "using": "dense", "limit": 10_001}),
        ("POST", "/points/query", {"query": [0.5] * 32, "using": "dense", "filter": {"must": 3}}),
        ("POST", "/points/query", {"query": [0.5] * 32, "using": "dense", "filter": {"must": {"key": "kb"}}}),
        ("POST", "/points/query/batch", {"searches": [{}] * 65}),
        ("POST", "/points/count", {"filter": {"must": [{"key": "kb", "match": {"value": 1.5}}]}}),
        ("POST", "/points/count", {"filter": {"must": [{"key": "kb", "match": {"any": ["a", 1]}}]}}),
        ("PUT", "/index", {"field_name": ""}),
    ],
)
def test_a_wrong_body_is_a_400_and_changes_nothing(shared: VectorServer, method: str, path: str, sent: object) -> None:
    content = sent if isinstance(sent, bytes) else json.dumps(sent).encode()
    with shared.client() as client:
        answer = client.request(method, COLLECTION_PATH + path, content=content)
        assert answer.status_code == 400, answer.text
        assert error_of(answer)
        assert client.post(f"{COLLECTION_PATH}/points/count", json={}).json()["result"] == {"count": 0}


def test_deeply_nested_filters_are_refused(shared: VectorServer) -> None:
    nested: dict[str, Any] = {}
    for _ in range(200):
        nested = {"must": [nested]}
    with shared.client() as client:
        answer = client.post(f"{COLLECTION_PATH}/points/count", json={"filter": nested})
    assert answer.status_code == 400
    assert "nested" in error_of(answer)


@pytest.mark.parametrize("name", ["..", "a b", "%2e%2e", "a%2Fb", "x" * 201, "ä"])
def test_collection_names_cannot_leave_their_folder(shared: VectorServer, name: str) -> None:
    with shared.client() as client:
        answer = client.put(f"/collections/{name}", json={"vectors": {"v": {"size": 2, "distance": "Dot"}}})
    assert answer.status_code in {400, 501}


def test_collections_exist_once_and_are_missed_by_name(shared: VectorServer) -> None:
    with shared.client() as client:
        again = client.put(COLLECTION_PATH, json={"vectors": {"v": {"size": 2, "distance": "Dot"}}})
        assert (again.status_code, COLLECTION in error_of(again)) == (409, True)
        missing = client.post("/collections/unknown/points/count", json={})
        assert (missing.status_code, "unknown" in error_of(missing)) == (404, True)
        assert client.get("/collections/unknown/exists").json()["result"] == {"exists": False}
        assert client.get(f"{COLLECTION_PATH}/exists").json()["result"] == {"exists": True}


@pytest.mark.parametrize("chunked", [False, True])
def test_an_oversized_body_is_refused_whole_and_counted_as_it_comes(shared: VectorServer, *, chunked: bool) -> None:
    block = b" " * (1 << 20)
    with shared.client() as client:
        content = (block for _ in range(33)) if chunked else block * 33
        answer = client.put(f"{COLLECTION_PATH}/points", content=content)
        assert answer.status_code == 413
        assert error_of(answer)
    assert psutil.Process(shared.pid).memory_info().rss < 600 << 20


def test_past_its_bound_the_server_answers_429_and_recovers(shared: VectorServer) -> None:
    head = (
        f"PUT {COLLECTION_PATH}/points HTTP/1.1\r\nHost: 127.0.0.1\r\napi-key: {shared.api_key}\r\n"
        "Content-Length: 10\r\n\r\n"
    ).encode()
    with contextlib.ExitStack() as stack:
        for _ in range(128):
            waiting = stack.enter_context(socket.create_connection(("127.0.0.1", shared.port)))
            waiting.sendall(head)
        client = stack.enter_context(shared.client())
        until(lambda: client.post(f"{COLLECTION_PATH}/points/count", json={}).status_code == 429)
        answer = client.post(f"{COLLECTION_PATH}/points/count", json={})
        assert int(answer.headers["Retry-After"]) >= 1
        assert client.get("/readyz").status_code == 200
        with pytest.raises(DependencyDown, match="overloaded") as raised:
            asyncio.run(_count(shared.index()))
        assert raised.value.retry_after_seconds >= 1
    with shared.client() as client:
        until(lambda: client.post(f"{COLLECTION_PATH}/points/count", json={}).status_code == 200)


async def _count(index: QdrantIndex) -> int:
    try:
        return await index.count(A)
    finally:
        await index.close()


# The adapter against a server that is away


@pytest.mark.parametrize("prefer_grpc", [False, True])
async def test_a_server_that_is_away_is_a_dependency_down(*, prefer_grpc: bool) -> None:
    index = QdrantIndex.connect(
        f"http://127.0.0.1:{free_port()}",
        api_key="key",
        fingerprint="test",
        dimensions=32,
        prefer_grpc=prefer_grpc,
        grpc_port=free_port(),
        timeout_seconds=3,
    )
    scoped = VectorSearch(
        reader_of(A, frozenset({"red"})),
        random_points(A, 1, seed=1)[0].sparse,
        3,
        (document("d"),),
        (document("e"),),
    )
    for call in (
        index.prepare(),
        index.count(A, [document("d")]),
        index.upsert([point(A, document("d"), 0, terms={1: 1.0})]),
        index.delete(A, [document("d")]),
        index.search([VectorSearch(reader_of(A), dense(1), 3), scoped]),
    ):
        with pytest.raises(DependencyDown):
            await call
    await index.close()


async def test_a_server_that_hangs_is_a_dependency_down_within_the_timeout(server: VectorServer) -> None:
    index = QdrantIndex.connect(
        server.url, api_key=server.api_key, fingerprint="test", dimensions=32, timeout_seconds=1
    )
    await index.prepare()
    assert server.process is not None
    server.process.send_signal(signal.SIGSTOP)
    started = time.monotonic()
    with pytest.raises(DependencyDown):
        await index.count(A)
    assert time.monotonic() - started < 5
    server.process.send_signal(signal.SIGCONT)
    assert await index.count(A) == 0
    await index.close()
