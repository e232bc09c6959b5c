"""Searches over HTTP with an embedder that answers at once: 1 k, 10 k and 100 k passages in one knowledge base.

The whole local stack but for the model: gateway, record store, vector server. Documents are put into the stores by
the real stages within this process. Prints JSON: milliseconds of one client, throughput of four, memory of each
process, and the time from start to ready. ``--sizes 1000,10000`` for a shorter run.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import httpx
from tests.support.readers import reader_of
from tests.support.vectors import free_port

from atoll import settings
from atoll.adapters.memory.doorbell import MemoryDoorbell
from atoll.adapters.memory.parser import MemoryParser
from atoll.bootstrap import clients, installation, stores
from atoll.domain.document import NewDocument
from atoll.domain.ids import DocumentUid, new_uid
from atoll.domain.principal import Actor
from atoll.ingest.models import Models
from atoll.ingest.pipeline import Pipeline
from atoll.ingest.workshop import Workshop

ROOT = Path(__file__).resolve().parent.parent
PASSAGES_PER_DOCUMENT = 100
WARM_UP, SINGLE, PER_CLIENT, CLIENTS = 20, 200, 100, 4
VOCABULARY = 20_000
OPTIMISED_SECONDS = 600.0


def words(generator: random.Random, count: int) -> str:
    """Return words in about the frequencies of a language."""
    return " ".join(f"w{int(generator.paretovariate(0.7)) % VOCABULARY}" for _ in range(count))


def document(number: int) -> bytes:
    """Return a document of a hundred passages, one a heading."""
    generator = random.Random(number)  # noqa: S311 - texts of a benchmark
    parts = [f"# Part {part} of {number}\n{words(generator, 60)}." for part in range(PASSAGES_PER_DOCUMENT)]
    return "\n".join(parts).encode()


class Stack:
    """The local stack on ports of its own, with the stub embedder in place of the embedding server."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.stub = subprocess.Popen(
            [sys.executable, "-m", "tests.support.stub_embedder", "--port", "0"],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.stub.stdout is not None
        stub_port = self.stub.stdout.readline().split()[1]
        self.port = free_port()
        vectors, pages = free_port(), free_port()
        os.environ.update(
            ATOLL_DATA_DIR=str(folder),
            ATOLL_GATEWAY__PORT=str(self.port),
            ATOLL_GATEWAY__REQUESTS_PER_MINUTE="1000000",
            ATOLL_VECTORS__PORT=str(vectors),
            ATOLL_PAGES__PORT=str(pages),
            ATOLL_QUEUE__PORT=str(free_port()),
            ATOLL_EMBEDDINGS__URL=f"http://127.0.0.1:{stub_port}",
        )
        self.pages_url = f"http://127.0.0.1:{pages}"
        self.vectors_url = f"http://127.0.0.1:{vectors}"

    def atoll(self, *arguments: str) -> str:
        """Run one command and return what it prints."""
        command = [str(Path(sys.executable).parent / "atoll"), *arguments]
        return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout

    def start(self) -> float:
        """Start, and return the seconds until ready."""
        began = time.perf_counter()
        self.atoll("up", "--local")
        return time.perf_counter() - began

    def client(self) -> httpx.Client:
        """Return a client with the owner's key and kept connections."""
        key = (self.folder / "owner.key").read_text().strip()
        return httpx.Client(
            base_url=f"http://127.0.0.1:{self.port}", headers={"Authorization": f"Bearer {key}"}, timeout=30
        )

    def memory_mib(self) -> dict[str, float]:
        """Return the resident memory of each process."""
        status = json.loads(self.atoll("status", "--json"))
        return {
            each["role"]: round(each["rss_bytes"] / 2**20, 1) for each in status["processes"] if each.get("rss_bytes")
        }

    def anonymous_mib(self, role: str) -> float:
        """Return the memory of a process that no file stands behind."""
        line = next(
            line
            for line in Path(f"/proc/{self.pid(role)}/status").read_text().splitlines()
            if line.startswith("RssAnon")
        )
        return round(int(line.split()[1]) / 1024, 1)

    def cpu_seconds(self, role: str) -> float:
        """Return the processor time that a role's process has used."""
        fields = Path(f"/proc/{self.pid(role)}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def pid(self, role: str) -> int:
        """Return a role's process."""
        status = json.loads(self.atoll("status", "--json"))
        (pid,) = [each["pid"] for each in status["processes"] if each["role"] == role]
        return int(pid)

    def stop(self) -> None:
        """Stop everything."""
        self.atoll("down")
        self.stub.send_signal(signal.SIGTERM)
        self.stub.wait(10)


async def fill(stack: Stack, first: int, last: int) -> float:
    """Put documents ``first`` to ``last - 1`` into the stores; return passages a second."""
    os.environ["ATOLL_VECTORS__URL"] = stack.vectors_url
    os.environ["ATOLL_VECTORS__API_KEY_FILE"] = str(stack.folder / "run" / "vectors.key")
    os.environ["ATOLL_PAGES__URL"] = stack.pages_url
    os.environ["ATOLL_PAGES__TOKEN_FILE"] = str(stack.folder / "run" / "pages.token")
    values = settings.load()
    for name in ("VECTORS__URL", "VECTORS__API_KEY_FILE", "PAGES__URL", "PAGES__TOKEN_FILE"):
        del os.environ[f"ATOLL_{name}"]
    store, files, embedder = stores.records(values), stores.blobs(values), clients.embedder(values)
    index, pages = clients.vectors(values, await embedder.describe()), clients.page_index(values)
    page_embedder, extractor = clients.page_embedder(values), clients.extractor(values)
    doorbell = MemoryDoorbell()
    shop = Workshop(
        ledger=store.ledger,
        contents=store.contents,
        blobs=files,
        artefacts=stores.artefacts(values),
        passwords=stores.passwords(values),
        parser=MemoryParser(),
        extractor=extractor,
        embedder=embedder,
        models=Models(embedder, page_embedder),
        sparse=clients.sparse(),
        vectors=index,
        graph_index=index,
        doorbell=doorbell,
        chunk_tokens=1200,
        overlap_tokens=100,
        lease_seconds=60.0,
        slice_seconds=60.0,
        purge_grace_seconds=0.0,
        page_embedder=page_embedder,
        page_index=pages,
    )
    pipeline = Pipeline(shop, "bench")
    tenant = await store.tenants.ensure(installation.DEFAULT_TENANT)
    kb = await store.knowledge_bases.get(tenant, installation.DEFAULT_KB)
    began = time.perf_counter()
    for number in range(first, last):
        intake = await files.receive(kb.uid)
        uid = DocumentUid(new_uid())
        file = await intake.open(uid)
        await file.write(document(number))
        stored = await file.close()
        await intake.keep()
        new = NewDocument(uid, f"{number}.txt", None, "text/plain", stored.bytes, stored.sha256, (), {})
        await store.catalogue.accept(reader_of(kb), [new], replace=False, actor=Actor("bench", "-"))
        await intake.settle([uid])
        await pipeline.advance(uid)
    seconds = time.perf_counter() - began
    await embedder.aclose()
    await index.close()
    await extractor.aclose()
    await store.aclose()
    await pages.close()
    if page_embedder is not None:
        await page_embedder.aclose()
    files.close()
    return (last - first) * PASSAGES_PER_DOCUMENT / seconds


def ask(client: httpx.Client, number: int) -> float:
    """Search once; return milliseconds."""
    query = words(random.Random(10_000_000 + number), 8)  # noqa: S311 - texts of a benchmark
    began = time.perf_counter()
    answer = client.post("/v1/kbs/default/search", json={"query": query, "mode": "mix", "top_k": 20})
    answer.raise_for_status()
    assert len(answer.json()["evidence"]) == 20
    return (time.perf_counter() - began) * 1000


def percentiles(samples: Sequence[float]) -> dict[str, float]:
    """Return median and 99th percentile."""
    ordered = sorted(samples)
    return {"p50": round(statistics.median(ordered), 1), "p99": round(ordered[int(len(ordered) * 0.99) - 1], 1)}


def measure(stack: Stack) -> dict[str, Any]:
    """Search with one client, then with four at once."""
    with stack.client() as client:
        for number in range(WARM_UP):
            ask(client, number)
        before = {role: stack.cpu_seconds(role) for role in ("gateway", "vectors")}
        single = [ask(client, 1000 + number) for number in range(SINGLE)]
        cpu = {role: round((stack.cpu_seconds(role) - seconds) * 1000 / SINGLE, 1) for role, seconds in before.items()}
    together: list[float] = []

    def run(offset: int) -> None:
        with stack.client() as own:
            together.extend(ask(own, offset + number) for number in range(PER_CLIENT))

    threads = [threading.Thread(target=run, args=(5000 + 1000 * n,)) for n in range(CLIENTS)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - began
    return {
        "one_client_ms": percentiles(single),
        "cpu_ms_per_search": cpu,
        "four_clients_ms": percentiles(together),
        "four_clients_per_second": round(len(together) / seconds, 1),
    }


def wait(condition: Callable[[], bool], seconds: float) -> bool:
    """Return whether the condition came true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(1)
    return True


def optimised(stack: Stack) -> bool:
    """Return whether the vector server has no optimisation to do or under way."""
    key = (stack.folder / "run" / "vectors.key").read_text().strip()
    headers = {"api-key": key}
    listed = httpx.get(f"{stack.vectors_url}/collections", headers=headers).json()["result"]["collections"]
    states = [
        httpx.get(f"{stack.vectors_url}/collections/{each['name']}", headers=headers).json()["result"]["status"]
        for each in listed
    ]
    return all(state == "green" for state in states)


def main() -> None:
    """Measure at each size in one growing knowledge base."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="1000,10000,100000")
    sizes = [int(size) for size in parser.parse_args().sizes.split(",")]
    with tempfile.TemporaryDirectory() as folder:
        stack = Stack(Path(folder) / "data")
        try:
            report: dict[str, Any] = {"start_to_ready_seconds": {"first": round(stack.start(), 1)}}
            done = 0
            for size in sizes:
                rate = asyncio.run(fill(stack, done // PASSAGES_PER_DOCUMENT, size // PASSAGES_PER_DOCUMENT))
                done = size
                is_optimised = wait(lambda: optimised(stack), OPTIMISED_SECONDS)
                report[str(size)] = {
                    "passages_per_second_filled": round(rate),
                    "optimised": is_optimised,
                    **measure(stack),
                    "memory_mib": stack.memory_mib(),
                    "vectors_anonymous_mib": stack.anonymous_mib("vectors"),
                }
            stack.atoll("down")
            report["start_to_ready_seconds"]["warm"] = round(stack.start(), 1)
            print(json.dumps(report, indent=2))
        finally:
            stack.stop()


if __name__ == "__main__":
    main()
