"""The indexes of entities and of assertions keep one contract on the local server, in the client's local mode, in
memory, and on a real Qdrant where `QDRANT_TEST_URL` is set."""

from __future__ import annotations

import os
import secrets
from collections.abc import AsyncIterator, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray
from qdrant_client import AsyncQdrantClient

from atoll.adapters.memory.graph_index import MemoryGraphIndex
from atoll.adapters.qdrant_graph import QdrantGraphIndex
from atoll.domain.ids import EntityId, RelationId, entity_id, passage_id, relation_id
from atoll.domain.vectors import EntityPoint, RelationPoint
from atoll.ports.graph import GraphScope
from tests.support.readers import reader_of
from tests.support.vectors import DIMENSIONS, dense, document, kb, vector_server

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect:UserWarning")

A, B = kb("a"), kb("b")
QUESTION = dense(1)


@pytest.fixture(params=["server", "local mode", "memory", "qdrant"])
async def index(request, tmp_path) -> AsyncIterator[QdrantGraphIndex | MemoryGraphIndex]:
    match request.param:
        case "server":
            with vector_server(tmp_path / "shards") as running:
                served = running.index(fingerprint=secrets.token_hex(4))
                await served.prepare()
                await served.prepare()  # again is no error
                yield served
                await served.close()
        case "local mode":
            local = QdrantGraphIndex(AsyncQdrantClient(":memory:"), fingerprint="t", dimensions=DIMENSIONS)
            await local.prepare()
            yield local
            await local.close()
        case "memory":
            yield MemoryGraphIndex()
        case _:
            url = os.environ.get("QDRANT_TEST_URL")
            if url is None:
                pytest.skip("QDRANT_TEST_URL is not set")
            key, fingerprint = os.environ.get("QDRANT_TEST_API_KEY"), secrets.token_hex(4)
            real = QdrantGraphIndex.connect(url, api_key=key, fingerprint=fingerprint, dimensions=DIMENSIONS)
            await real.prepare()
            yield real
            await real.close()


def entity(where, key: str, *vector: float) -> EntityPoint:
    return EntityPoint(entity_id(where, key), where, unit(*vector))


def unit(*vector: float) -> NDArray[np.float32]:
    row = dense(*vector)
    length: np.float32 = np.linalg.norm(row)
    return row / length


def relation(where, name: str, ordinal: int, *vector: float, labels: Sequence[str] = ()) -> RelationPoint:
    uid = document(name)
    return RelationPoint(relation_id(passage_id(uid, 0), ordinal), where, uid, tuple(labels), unit(*vector))


async def entities(index, where=A, limit=10) -> list[EntityId]:
    return [hit.id for hit in await index.nearest_entities(where, QUESTION, limit)]


async def relations(index, scope=None, limit=10) -> set[RelationId]:
    return {hit.id for hit in await index.nearest_relations(scope or GraphScope(reader_of(A)), QUESTION, limit)}


async def test_entities_come_by_cosine_within_their_knowledge_base(index) -> None:
    near, far, foreign = entity(A, "near", 1, 0.1), entity(A, "far", 0.1, 1), entity(B, "near", 1)
    await index.upsert_graph([near, far, foreign], [])
    hits = await index.nearest_entities(A, QUESTION, 10)
    assert [hit.id for hit in hits] == [near.id, far.id]
    assert hits[0].score == pytest.approx(float(near.dense @ QUESTION), abs=3e-5)
    assert await entities(index, limit=1) == [near.id]
    assert await entities(index, B) == [foreign.id]
    assert await index.count_graph(A) == (2, 0)


async def test_ties_come_by_id(index) -> None:
    points = [entity(A, f"e{number}", 1) for number in range(8)]
    await index.upsert_graph(points, [])
    assert await entities(index, limit=5) == sorted(point.id for point in points)[:5]


async def test_relations_are_seen_within_labels_and_documents(index) -> None:
    free, red, both = (
        relation(A, "free", 0, 1), relation(A, "red", 0, 1, labels=["red"]), relation(A, "x", 0, 1, labels=["red", "blue"])
    )  # fmt: skip
    await index.upsert_graph([], [free, red, both, relation(B, "f", 0, 1)])
    assert await relations(index) == {free.id, red.id, both.id}
    assert await relations(index, GraphScope(reader_of(A, frozenset()))) == {free.id}
    assert await relations(index, GraphScope(reader_of(A, frozenset({"red"})))) == {free.id, red.id}
    assert await relations(index, GraphScope(reader_of(A), (document("red"),))) == {red.id}
    assert await relations(index, GraphScope(reader_of(A), ())) == set()


async def test_relations_get_other_labels_with_their_document(index) -> None:
    own, beside, foreign = relation(A, "d", 0, 1), relation(A, "e", 0, 1), relation(B, "d", 0, 1)
    await index.upsert_graph([entity(A, "ada", 1)], [own, beside])
    await index.relabel(A, document("d"), ["red"])
    assert await relations(index, GraphScope(reader_of(A, frozenset()))) == {beside.id}
    assert await relations(index, GraphScope(reader_of(A, frozenset({"red"})))) == {own.id, beside.id}
    assert await index.count_graph(A) == (1, 2)
    await index.upsert_graph([], [foreign])  # of the same id: the last one of the test
    await index.relabel(A, document("d"), ["blue"])
    assert await relations(index, GraphScope(reader_of(B, frozenset()))) == {foreign.id}


async def test_points_written_again_are_one_and_what_is_removed_is_gone(index) -> None:
    ada, ben, foreign = entity(A, "ada", 1), entity(A, "ben", 1), entity(B, "ada", 1)
    first, second, other = relation(A, "d", 0, 1), relation(A, "d", 1, 1), relation(A, "e", 0, 1)
    for _ in range(2):
        await index.upsert_graph([ada, ben, foreign], [first, second, other])
    assert await index.count_graph(A) == (2, 3)
    await index.delete_graph(A, [ada.id, foreign.id, entity_id(A, "unknown")], [document("d"), document("unknown")])
    assert await index.count_graph(A) == (1, 1)
    assert await index.count_graph(B) == (1, 0)
    assert await entities(index) == [ben.id]
    assert await relations(index) == {other.id}
    await index.delete_graph(A, [], [])
    await index.upsert_graph([], [])
    assert await index.count_graph(A) == (1, 1)


async def test_more_points_than_fit_one_request(index) -> None:
    points = [entity(A, f"e{number}", 1, number / 1000) for number in range(600)]
    await index.upsert_graph(points, [])
    assert await index.count_graph(A) == (600, 0)
    await index.delete_graph(A, [point.id for point in points[:500]], [])
    assert await index.count_graph(A) == (100, 0)
