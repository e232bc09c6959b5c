"""The graph in both record stores: steps of a search, publish and delete at 1 k, 10 k and 100 k passages.

Real record stores, no model and no vector server; Neo4j where NEO4J_TEST_URI names one, or where one can be started.
Mentions as measured on encyclopaedia passages: five names that stand nowhere else, and four of 0.8 shared names a
passage, among them hubs that are in thousands of passages.
Prints JSON: milliseconds of the graph steps of one search (wall and processor), of publishing and of deleting a
document of 12 passages, and of publishing from four workers whose documents name the same hubs. ``--sizes 1000,10000``
for a shorter run, ``--stores sqlite`` for one store.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tests.support.house import ACTOR, House
from tests.support.neo4j_server import STARTER, running
from tests.support.placing import Said, place, published
from tests.support.readers import reader_of
from tests.support.records import STORES, open_neo4j

from atoll.domain.evidence import Filters, Signal
from atoll.domain.ids import DocumentUid, PassageId, new_uid, passage_id
from atoll.domain.knowledge_base import KnowledgeBase
from atoll.query.rank.fuse import Ranked
from atoll.query.retrieve.graph import through_graph
from atoll.query.retrieve.names import WordGroup
from atoll.query.search.read_budget import ReadBudget

SIZES = (1_000, 10_000, 100_000)
DIMENSIONS = 384
#: Passages of a document that is timed, which has two chunks, and of those that are there before, written quicker.
TIMED_PASSAGES, FILLING_PASSAGES = 12, 48
OWN_NAMES, SHARED_NAMES, SHARED_NAMES_A_PASSAGE = 5, 4, 0.8
SEARCHES, DOCUMENTS, WARM_UP, WORKERS = 300, 60, 10, 4
_LEASE_SECONDS = 600.0


class Corpus:
    """Documents of one knowledge base whose names are shared as names in texts are: few often, many hardly ever."""

    def __init__(self, house: House, kb: KnowledgeBase) -> None:
        self.house = house
        self.kb = kb
        self.passages: list[PassageId] = []
        self._random = random.Random(7)  # noqa: S311 - a benchmark's texts
        self._vectors = np.random.default_rng(7)

    def units(self, count: int) -> NDArray[np.float32]:
        """Return random unit rows that have something in common, as texts of one collection do."""
        rows = self._vectors.standard_normal((count, DIMENSIONS)).astype(np.float32) + 0.7
        unit: NDArray[np.float32] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        return unit

    async def embed(self, names: Sequence[str]) -> NDArray[np.float32]:
        """Return a vector a name."""
        return self.units(len(names))

    def name(self) -> str:
        """Return a name that others may share; the first are hubs."""
        names = SHARED_NAMES_A_PASSAGE * (len(self.passages) + FILLING_PASSAGES)
        return f"name {int(names * self._random.random() ** 3)}"

    def names(self) -> dict[str, int]:
        """Return the names of a passage, with their occurrences."""
        own = {f"own {self._random.getrandbits(60)}": 1 for _ in range(OWN_NAMES)}
        return own | {self.name(): 1 + self._random.randrange(2) for _ in range(SHARED_NAMES)}

    def said(self, count: int) -> list[Said]:
        """Return passages."""
        return [
            Said(
                f"Text {self._random.random()} " + "word " * 120,
                vector,
                self.names(),
            )
            for vector in self.units(count)
        ]

    async def grow(self, passages: int) -> None:
        """Publish documents up to a number of passages, several at a time."""

        async def fill() -> None:
            while len(self.passages) < passages:
                said = self.said(FILLING_PASSAGES)
                document = await place(self.house, self.kb, f"d{new_uid()}", said, self.embed)
                self.passages += [passage_id(document.uid, at) for at in range(len(said))]

        await asyncio.gather(*(fill() for _ in range(WORKERS)))

    async def search(self) -> tuple[float, float]:
        """Take the graph steps of one search; return milliseconds, wall and of the processor."""
        chosen = self._random.sample(self.passages, 100)
        ranking = [
            Ranked(at, round(1 - place / 100, 5), {"dense": Signal(place + 1, 1.0)}) for place, at in enumerate(chosen)
        ]
        reads = ReadBudget(self.house.passages, self.house.graph, reader_of(self.kb), Filters())
        scope = await reads.scope()
        groups = (WordGroup(0, 2, self.name()), WordGroup(3, 5, self.name()), WordGroup(5, 6, "nobody"))
        (question,) = self.units(1)
        wall, cpu = time.perf_counter(), time.process_time()
        await through_graph(ranking, reads, question=question, groups=groups, corpus_passages=scope.passages)
        return (time.perf_counter() - wall) * 1000, (time.process_time() - cpu) * 1000

    async def published(self) -> tuple[DocumentUid, float]:
        """Take a document up to its last stage and publish it; return the milliseconds of that."""
        said = self.said(TIMED_PASSAGES)
        document = await place(self.house, self.kb, f"timed {new_uid()}", said, self.embed, publish=False)
        claim = await self.house.ledger.claim(document.uid, "placer", _LEASE_SECONDS)
        assert claim is not None, "the stage publish waits for somebody"
        began = time.perf_counter()
        await published(self.house, claim, self.embed)
        return document.uid, (time.perf_counter() - began) * 1000

    async def published_and_deleted(self) -> tuple[float, float]:
        """Publish and delete a document; return the milliseconds of each."""
        document, took = await self.published()
        began = time.perf_counter()
        await self.house.lifecycle.delete(reader_of(self.kb), document, dry_run=False, actor=ACTOR)
        return took, (time.perf_counter() - began) * 1000

    async def published_together(self) -> list[float]:
        """Publish from several workers, which prepare their next documents meanwhile; return the milliseconds."""

        async def work() -> list[float]:
            return [(await self.published())[1] for _ in range(DOCUMENTS)]

        return [each for found in await asyncio.gather(*(work() for _ in range(WORKERS))) for each in found]


def quantiles(values: Sequence[float]) -> dict[str, float]:
    """Return the median and the 99th percentile."""
    return {"p50": round(float(np.percentile(values, 50)), 2), "p99": round(float(np.percentile(values, 99)), 2)}


async def measure(house: House, sizes: Sequence[int]) -> dict[str, Any]:
    """Return figures by number of passages."""
    warming, kb = await house.open(f"warming {new_uid()}", f"bench {new_uid()}")
    # A server that compiles what runs often is measured as it is after some minutes of work.
    corpus = Corpus(house, warming)
    await corpus.grow(min(sizes))
    for _ in range(SEARCHES):
        await corpus.search()
    await corpus.published_together()
    corpus = Corpus(house, kb)
    report: dict[str, Any] = {}
    for size in sorted(sizes):
        load, began = os.getloadavg()[0], time.perf_counter()
        await corpus.grow(size)
        filled = time.perf_counter() - began
        searches = [await corpus.search() for _ in range(WARM_UP + SEARCHES)][WARM_UP:]
        changes = [await corpus.published_and_deleted() for _ in range(WARM_UP + DOCUMENTS)][WARM_UP:]
        report[str(size)] = {
            "graph_steps_ms": quantiles([wall for wall, _ in searches]),
            "graph_steps_cpu_ms": quantiles([cpu for _, cpu in searches]),
            "publish_ms": quantiles([publish for publish, _ in changes]),
            "delete_ms": quantiles([delete for _, delete in changes]),
            f"publish_{WORKERS}_workers_ms": quantiles(await corpus.published_together()),
            "filling_s": round(filled, 1),
            "load_average_before": round(load, 1),
        }
    await house.close()
    return report


def stores(folder: Path, wanted: Sequence[str], closing: ExitStack) -> Iterator[tuple[str, House]]:
    """Yield the record stores that are here, each in a house of its own."""
    if "sqlite" in wanted:
        yield "sqlite", House(folder / "sqlite")
    if "neo4j" in wanted and ("NEO4J_TEST_URI" in os.environ or STARTER.exists()):
        server = closing.enter_context(running(folder / "server"))
        yield "neo4j", House(folder / "neo4j", records=open_neo4j(server, folder / "neo4j"))


def main() -> None:
    """Run in a folder of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)))
    parser.add_argument("--stores", default=",".join(STORES))
    given = parser.parse_args()
    sizes = [int(size) for size in given.sizes.split(",")]
    with tempfile.TemporaryDirectory() as folder, ExitStack() as closing:
        found = stores(Path(folder), given.stores.split(","), closing)
        print(json.dumps({name: asyncio.run(measure(house, sizes)) for name, house in found}, indent=2))


if __name__ == "__main__":
    main()
