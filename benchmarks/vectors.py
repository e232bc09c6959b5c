"""Speed and memory of the local vector server through Atoll's own adapter. Prints one JSON object.

    python benchmarks/vectors.py [--points 10000 100000]

The points are clustered 384-dimensional vectors and Zipf-distributed terms in four knowledge bases of 60, 30, 9 and
1 %. Questions never repeat. Latencies are those of one client in sequence; "both" is a dense and a lexical search
in one round trip, as a question sends them.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from numpy.typing import NDArray
from tests.support.readers import reader_of

from atoll.adapters.qdrant import QdrantIndex
from atoll.domain.ids import DocumentUid, KbUid, passage_id
from atoll.domain.vectors import PassagePoint, SparseVector, VectorSearch

DIMENSIONS = 384
CLUSTERS = 200
TERMS = 60
VOCABULARY = 60_000
SHARES = {"60%": 0.60, "30%": 0.30, "9%": 0.09, "1%": 0.01}
QUESTIONS = 200
RECALL_AT = 20
NEVER = 10**9
KEY = "benchmark"
PATIENCE_SECONDS = 900.0


class Corpus:
    """Points and questions of one seed."""

    def __init__(self, count: int, seed: int = 7) -> None:
        self._random = np.random.default_rng(seed)
        self._centres = self._random.standard_normal((CLUSTERS, DIMENSIONS)).astype(np.float32)
        self.kbs = {name: KbUid(f"{number:032x}") for number, name in enumerate(SHARES)}
        owners = self._random.choice(len(SHARES), count, p=list(SHARES.values()))
        self.owner = np.array(list(SHARES))[owners]
        self.dense = self._vectors(count)

    def _vectors(self, count: int) -> NDArray[np.float32]:
        noise = self._random.standard_normal((count, DIMENSIONS)).astype(np.float32)
        vectors: NDArray[np.float32] = self._centres[self._random.integers(0, CLUSTERS, count)] + 0.8 * noise
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors

    def _sparse(self, terms: int) -> SparseVector:
        drawn = np.unique(self._random.zipf(1.2, terms) % VOCABULARY)
        weights = self._random.uniform(0.3, 2.0, len(drawn))
        return SparseVector(drawn.astype(np.uint32), weights.astype(np.float32))

    def points(self, start: int, end: int) -> list[PassagePoint]:
        """Return the points of some rows."""
        made = []
        for row in range(start, end):
            document = DocumentUid(f"{row // 10:032x}")
            kb = self.kbs[str(self.owner[row])]
            made.append(
                PassagePoint(passage_id(document, row % 10), kb, document, (), self.dense[row], self._sparse(TERMS))
            )
        return made

    def questions(self, count: int) -> list[tuple[NDArray[np.float32], SparseVector]]:
        """Return questions that were not asked yet."""
        return [(vector, self._sparse(8)) for vector in self._vectors(count)]

    def recall(self, name: str, question: NDArray[np.float32], found: Sequence[str]) -> float:
        """Return which share of ``found`` an exact scan would have found too."""
        rows = np.flatnonzero(self.owner == name)
        nearest = rows[np.argsort(-(self.dense[rows] @ question))[: len(found)]]
        exact = {passage_id(DocumentUid(f"{row // 10:032x}"), int(row) % 10) for row in nearest}
        return len(exact & set(found)) / max(1, len(found))


@contextlib.contextmanager
def serving(directory: Path, optimise_points: int) -> Iterator[tuple[str, int]]:
    """A vector server on a free port; yields its address and pid."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    key_file = directory.with_suffix(".key")
    key_file.write_text(KEY)
    settings = {
        "ATOLL_VECTORS__PORT": str(port),
        "ATOLL_VECTORS__DATA_DIR": str(directory),
        "ATOLL_VECTORS__API_KEY_FILE": str(key_file),
        "ATOLL_VECTORS__OPTIMISE_POINTS": str(optimise_points),
        "ATOLL_LOG_LEVEL": "WARNING",
    }
    server = subprocess.Popen([sys.executable, "-m", "atoll.local.vectors"], env=os.environ | settings)
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_ready(url)
        yield url, server.pid
    finally:
        server.terminate()
        server.wait(60)


def _wait_ready(url: str) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(f"{url}/readyz", trust_env=False).is_success:
                return
        time.sleep(0.05)
    sys.exit("the vector server did not become ready")


def anonymous_mib(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith("RssAnon"))
    return round(int(line.split()[1]) / 1024, 1)


def cpu_seconds(pid: int) -> float:
    """Return the processor time of a process: unlike a latency, hardly moved by what else runs."""
    user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def milliseconds(seconds: Sequence[float]) -> dict[str, float]:
    ordered = sorted(seconds)
    last = ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))]
    return {"p50": round(statistics.median(ordered) * 1e3, 2), "p99": round(last * 1e3, 2)}


async def measure_queries(index: QdrantIndex, corpus: Corpus, pid: int) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    for name, kb in corpus.kbs.items():
        dense_seconds, both_seconds, answers = [], [], []
        for vector, _ in corpus.questions(QUESTIONS):
            started = time.perf_counter()
            (hits,) = await index.search([VectorSearch(reader_of(kb), vector, RECALL_AT)])
            dense_seconds.append(time.perf_counter() - started)
            answers.append((vector, [hit.id for hit in hits]))
        cpu = cpu_seconds(pid)
        for vector, terms in corpus.questions(QUESTIONS):
            started = time.perf_counter()
            await index.search(
                [
                    VectorSearch(reader_of(kb), vector, RECALL_AT),
                    VectorSearch(reader_of(kb), terms, RECALL_AT),
                ]
            )
            both_seconds.append(time.perf_counter() - started)
        # Afterwards: numpy's threads, busy between two searches, would be measured with them.
        recalls = [corpus.recall(name, vector, found) for vector, found in answers]
        figures[name] = {
            "dense_ms": milliseconds(dense_seconds),
            "both_ms": milliseconds(both_seconds),
            "both_server_cpu_ms": round((cpu_seconds(pid) - cpu) / QUESTIONS * 1e3, 2),
            f"recall@{RECALL_AT}": round(statistics.mean(recalls), 4),
        }
    return figures


def connect(url: str) -> QdrantIndex:
    return QdrantIndex.connect(url, api_key=KEY, fingerprint="bench", dimensions=DIMENSIONS, timeout_seconds=60)


async def fill(index: QdrantIndex, corpus: Corpus, count: int) -> float:
    """Write everything; return points a second, the making of the points left out."""
    await index.prepare()
    spent = 0.0
    for start in range(0, count, 2_000):
        points = corpus.points(start, min(start + 2_000, count))
        started = time.perf_counter()
        await index.upsert(points)
        spent += time.perf_counter() - started
    return round(count / spent, 1)


async def wait_optimised(index: QdrantIndex, corpus: Corpus, directory: Path) -> dict[str, Any]:
    """Search while the server optimises, until it has gone over to the optimised shard."""
    truth = directory / "collections" / "passages_bench" / "collection.json"
    generation = json.loads(truth.read_bytes())["generation"]
    kb = next(iter(corpus.kbs.values()))
    started, waits = time.monotonic(), []
    while json.loads(truth.read_bytes())["generation"] == generation:
        if time.monotonic() - started > PATIENCE_SECONDS:
            sys.exit("the shard was not optimised")
        ((vector, _),) = corpus.questions(1)
        asked = time.perf_counter()
        await index.search([VectorSearch(reader_of(kb), vector, RECALL_AT)])
        waits.append(time.perf_counter() - asked)
    return {
        "seconds": round(time.monotonic() - started, 1),
        "dense_ms_meanwhile": {**milliseconds(waits), "max": round(max(waits) * 1e3, 1)},
    }


async def measure(count: int, directory: Path) -> dict[str, Any]:
    corpus = Corpus(count)
    figures: dict[str, Any] = {"points": count}
    with serving(directory, NEVER) as (url, pid):
        index = connect(url)
        figures["upsert_points_per_second"] = await fill(index, corpus, count)
        figures["anonymous_mib_after_upsert"] = anonymous_mib(pid)
        figures["flat"] = await measure_queries(index, corpus, pid)
        figures["anonymous_mib_flat"] = anonymous_mib(pid)
        await index.close()
    started = time.monotonic()
    with serving(directory, 1_000) as (url, pid):
        figures["start_seconds"] = round(time.monotonic() - started, 2)
        index = connect(url)
        figures["optimising"] = await wait_optimised(index, corpus, directory)
        figures["optimised"] = await measure_queries(index, corpus, pid)
        figures["anonymous_mib_optimised"] = anonymous_mib(pid)
        await index.close()
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the local vector server.")
    parser.add_argument("--points", type=int, nargs="+", default=[10_000, 100_000])
    counts = parser.parse_args().points
    results = []
    for count in counts:
        with tempfile.TemporaryDirectory() as directory:
            results.append(asyncio.run(measure(count, Path(directory) / "vectors")))
    print(json.dumps({"cores": os.cpu_count(), "dimensions": DIMENSIONS, "results": results}, indent=2))


if __name__ == "__main__":
    main()
