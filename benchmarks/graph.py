"""The graph in the record store: steps of a search, publish and delete at 1 k, 10 k and 100 k passages.

Real record store, no model and no vector server. Mentions as measured on encyclopaedia passages: five names that stand
nowhere else, and four of 0.8 shared names a passage, among them hubs that are in thousands of passages.
Prints JSON: milliseconds of the graph steps of one search (wall and processor), of publishing and of deleting a
document of two passages. ``--sizes 1000,10000`` for a shorter run.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tests.support.house import ACTOR, House
from tests.support.placing import Said, place, published

from atoll.domain.evidence import Filters, Signal
from atoll.domain.ids import PassageId, passage_id
from atoll.domain.knowledge_base import KnowledgeBase
from atoll.query.fuse import Ranked
from atoll.query.reads import SearchReads
from atoll.query.retrieve.graph import through_graph
from atoll.query.retrieve.names import WordGroup

SIZES = (1_000, 10_000, 100_000)
DIMENSIONS = 384
PASSAGES_PER_DOCUMENT = 12
OWN_NAMES, SHARED_NAMES, SHARED_NAMES_A_PASSAGE = 5, 4, 0.8
SEARCHES, DOCUMENTS, WARM_UP = 300, 60, 10
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
        names = SHARED_NAMES_A_PASSAGE * (len(self.passages) + PASSAGES_PER_DOCUMENT)
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
        """Publish documents up to a number of passages."""
        while len(self.passages) < passages:
            said = self.said(PASSAGES_PER_DOCUMENT)
            document = await place(self.house, self.kb, f"d{len(self.passages)}", said, self.embed)
            self.passages += [passage_id(document.uid, at) for at in range(len(said))]

    async def search(self) -> tuple[float, float]:
        """Take the graph steps of one search; return milliseconds, wall and of the processor."""
        chosen = self._random.sample(self.passages, 100)
        ranking = [
            Ranked(at, round(1 - place / 100, 5), {"dense": Signal(place + 1, 1.0)}) for place, at in enumerate(chosen)
        ]
        reads = SearchReads(self.house.passages, self.house.graph, self.kb.uid, None, Filters())
        scope = await reads.scope()
        groups = (WordGroup(0, 2, self.name()), WordGroup(3, 5, self.name()), WordGroup(5, 6, "nobody"))
        (question,) = self.units(1)
        wall, cpu = time.perf_counter(), time.process_time()
        await through_graph(ranking, reads, question=question, groups=groups, corpus_passages=scope.passages)
        return (time.perf_counter() - wall) * 1000, (time.process_time() - cpu) * 1000

    async def publish_and_delete(self, number: int) -> tuple[float, float]:
        """Publish and delete a document of two passages; return the milliseconds of each."""
        document = await place(self.house, self.kb, f"timed {number}", self.said(2), self.embed, publish=False)
        claim = await self.house.ledger.claim(document.uid, "placer", _LEASE_SECONDS)
        assert claim is not None, "the stage publish waits for somebody"
        began = time.perf_counter()
        await published(self.house, claim, self.embed)
        done = time.perf_counter()
        await self.house.lifecycle.delete(self.kb.uid, document.uid, None, dry_run=False, actor=ACTOR)
        return (done - began) * 1000, (time.perf_counter() - done) * 1000


def quantiles(values: Sequence[float]) -> dict[str, float]:
    """Return the median and the 99th percentile."""
    return {"p50": round(float(np.percentile(values, 50)), 2), "p99": round(float(np.percentile(values, 99)), 2)}


async def measure(folder: Path, sizes: Sequence[int]) -> dict[str, Any]:
    """Return figures by number of passages."""
    house = House(folder)
    (kb,) = await house.open("bench")
    corpus = Corpus(house, kb)
    report: dict[str, Any] = {}
    for size in sorted(sizes):
        await corpus.grow(size)
        searches = [await corpus.search() for _ in range(WARM_UP + SEARCHES)][WARM_UP:]
        changes = [await corpus.publish_and_delete(size + number) for number in range(WARM_UP + DOCUMENTS)][WARM_UP:]
        report[str(size)] = {
            "graph_steps_ms": quantiles([wall for wall, _ in searches]),
            "graph_steps_cpu_ms": quantiles([cpu for _, cpu in searches]),
            "publish_ms": quantiles([publish for publish, _ in changes]),
            "delete_ms": quantiles([delete for _, delete in changes]),
            "load": round(os.getloadavg()[0], 1),
        }
    await house.close()
    return report


def main() -> None:
    """Run in a folder of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)))
    sizes = [int(size) for size in parser.parse_args().sizes.split(",")]
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(asyncio.run(measure(Path(folder) / "house", sizes)), indent=2))


if __name__ == "__main__":
    main()
