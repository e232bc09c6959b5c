"""Publish, delete and graph reads of both record stores: python -m benchmarks.records [PASSAGES...].

Documents of 12 passages in two chunks, 6 mentions a passage, entities by a cubic distribution, so that a few are in a
large part of all passages. Neo4j is the server of NEO4J_TEST_URI (with _USERNAME and _PASSWORD); what is written there
stays in knowledge bases of a tenant of its own. Without one only SQLite is measured.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import numpy as np

from atoll.bootstrap import stores
from atoll.domain.document import NewDocument, Stage
from atoll.domain.entity import Mention
from atoll.domain.ids import DocumentUid, KbUid, PassageId, chunk_id, entity_id, new_uid, passage_id
from atoll.domain.page import Box
from atoll.domain.passage import Chunk, Passage
from atoll.domain.principal import Actor
from atoll.ports.contents import ContentBatch, VectorsWanted
from atoll.ports.graph import GraphScope, Reach
from atoll.ports.ledger import Claim, DocumentFacts
from atoll.settings import RecordSettings, RecordStoreKind, Settings

SIZES = (1_000, 10_000)
PASSAGES, MENTIONS, DIMENSIONS = 12, 6, 384
SAMPLES, WORKERS = 60, 4
SEEDS, KEYS = 20, 6
REACH = Reach(max_df=200, max_passages=2_000, vectors=True)
LEASE_SECONDS = 600.0
ACTOR = Actor(key="benchmark", request_id="-")


class Load:
    """One knowledge base that documents are put into through the ports, as a worker puts them."""

    def __init__(self, store: stores.Records, kb: KbUid, entities: int) -> None:
        self._store = store
        self._kb = kb
        self._entities = entities
        self._chance = random.Random(7)  # noqa: S311 - the same documents in every run
        self._rows = np.random.default_rng(7)
        self.documents: list[DocumentUid] = []

    async def prepare(self) -> Claim:
        """Take a document up to the stage publish."""
        uid = DocumentUid(new_uid())
        new = NewDocument(uid, f"{uid}.txt", None, "text/plain", 10, uid, (), {})
        await self._store.catalogue.accept(self._kb, [new], replace=False, labels=None, actor=ACTOR)
        claim = await self._store.ledger.claim(uid, "benchmark", LEASE_SECONDS)
        while claim is not None and claim.stage is not Stage.PUBLISH:
            if claim.stage is Stage.STORE:
                await self._store.contents.store_batch(claim, self._batch(uid), next_batch=1, done=1, total=1)
            facts = DocumentFacts(pages=1, passages=PASSAGES)
            claim = await self._store.ledger.finish(claim, LEASE_SECONDS, units=1, facts=facts)
        assert claim is not None
        return claim

    async def publish(self, claim: Claim) -> float:
        """Publish; return the milliseconds of the call that made the document visible."""
        vectors = {}
        while True:
            began = time.perf_counter()
            outcome = await self._store.contents.publish(claim, vectors)
            if not isinstance(outcome, VectorsWanted):
                self.documents.append(claim.document)
                return (time.perf_counter() - began) * 1000
            vectors |= {name.id: self._vector(1)[0] for name in outcome.entities}

    async def delete(self, document: DocumentUid) -> None:
        """Delete, as the gateway does."""
        await self._store.lifecycle.delete(self._kb, document, None, dry_run=False, actor=ACTOR)

    async def look(self) -> None:
        """Read what the graph steps of one question read."""
        seeds = [self._some_passage() for _ in range(SEEDS)]
        keys = [self._key() for _ in range(KEYS)]
        scope = GraphScope(self._kb, None)
        await self._store.graph.neighbourhood(scope, seeds, keys=keys, reach=REACH)

    def _some_passage(self) -> PassageId:
        return passage_id(self._chance.choice(self.documents), self._chance.randrange(PASSAGES))

    def _key(self) -> str:
        return f"entity {int(self._entities * self._chance.random() ** 3)}"

    def _vector(self, rows: int) -> np.ndarray:
        return self._rows.standard_normal((rows, DIMENSIONS)).astype(np.float16)

    def _batch(self, uid: DocumentUid) -> ContentBatch:
        chunks = [Chunk(chunk_id(uid, n), uid, n, 0, 4000, ("Heading",)) for n in range(2)]
        passages = [
            Passage(passage_id(uid, n), uid, n, chunks[n % 2].id, 1, (Box(0, 0, 9, 9),), 0, 900, "word " * 180, ("H",))
            for n in range(PASSAGES)
        ]
        mentions = [
            Mention(passage.id, entity_id(self._kb, key), key, key, "ORG", 1, (0, 4))
            for passage in passages
            for key in {self._key() for _ in range(MENTIONS)}
        ]
        return ContentBatch(chunks, passages, self._vector(PASSAGES), mentions)


async def measure(store: stores.Records, size: int) -> dict[str, object]:
    """Fill a knowledge base to ``size`` passages and time the calls there."""
    tenant = await store.tenants.ensure("benchmark")
    name = f"records-{size}-{new_uid()[:8]}"
    kb = await store.knowledge_bases.create(tenant, name, language="en", settings={}, quota={}, actor=ACTOR)
    load = Load(store, kb.uid, entities=max(500, size // 2))
    began = time.perf_counter()
    while len(load.documents) * PASSAGES < size:
        await asyncio.gather(*(_put(load) for _ in range(WORKERS)))
    filled_seconds = time.perf_counter() - began
    alone = [await load.publish(await load.prepare()) for _ in range(SAMPLES)]
    together = await _together(load)
    graph = [await _timed(load.look) for _ in range(SAMPLES)]
    deletes = [await _timed(lambda: load.delete(load.documents.pop())) for _ in range(SAMPLES)]
    return {
        "passages": size,
        "passages_per_second": round(size / filled_seconds, 1),
        "publish_ms": _percentiles(alone),
        f"publish_{WORKERS}_workers_ms": _percentiles(together),
        "graph_ms": _percentiles(graph),
        "delete_ms": _percentiles(deletes),
        "load": round(os.getloadavg()[0], 1),
    }


async def _put(load: Load) -> None:
    await load.publish(await load.prepare())


async def _together(load: Load) -> list[float]:
    """Publish from several workers at once, each of which prepares its documents meanwhile."""

    async def work() -> list[float]:
        return [await load.publish(await load.prepare()) for _ in range(SAMPLES)]

    return [each for found in await asyncio.gather(*(work() for _ in range(WORKERS))) for each in found]


async def _timed(call: Callable[[], Awaitable[None]]) -> float:
    began = time.perf_counter()
    await call()
    return (time.perf_counter() - began) * 1000


def _percentiles(found: list[float]) -> dict[str, float]:
    return {"p50": round(float(np.percentile(found, 50)), 1), "p99": round(float(np.percentile(found, 99)), 1)}


async def run(settings: Settings, sizes: list[int]) -> list[dict[str, object]]:
    """Measure one store at all sizes."""
    store = stores.records(settings)
    try:
        return [await measure(store, size) for size in sizes]
    finally:
        await store.database.aclose()


def main() -> None:
    """Print the figures of all stores that are there."""
    sizes = [int(word) for word in sys.argv[1:]] or list(SIZES)
    result: dict[str, object] = {}
    with tempfile.TemporaryDirectory() as folder:
        result["sqlite"] = asyncio.run(run(Settings(data_dir=Path(folder)), sizes))
        if "NEO4J_TEST_URI" in os.environ:
            section = RecordSettings(
                store=RecordStoreKind.NEO4J,
                url=os.environ["NEO4J_TEST_URI"],
                username=os.environ.get("NEO4J_TEST_USERNAME", "neo4j"),
                password=os.environ["NEO4J_TEST_PASSWORD"],
            )
            result["neo4j"] = asyncio.run(run(Settings(data_dir=Path(folder), records=section), sizes))
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
