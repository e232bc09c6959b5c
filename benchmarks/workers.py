"""Two worker processes against one, with model servers that take 200 ms a call.

The whole local stack, 4 threads a worker; the second worker is another process with the environment of the first, as
`docker compose up --scale ingestion=2` starts it. Prints JSON: documents a second with one and with two, three rounds
each in turn, and the ratio of the medians.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from tests.support.stack import Stack

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = 40
ROUNDS = 3
DELAY_MS = 200
PATIENCE_SECONDS = 300.0


@contextmanager
def slow_embedder() -> Iterator[str]:
    """The stub of the embedding server."""
    command = [sys.executable, "-m", "tests.support.stub_embedder", "--delay-ms", str(DELAY_MS)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as stub:
        assert stub.stdout is not None
        try:
            yield f"http://127.0.0.1:{stub.stdout.readline().split()[1]}"
        finally:
            stub.terminate()


@contextmanager
def second_worker(stack: Stack) -> Iterator[None]:
    """Another process like the stack's worker."""
    first = Path(f"/proc/{stack.pid('worker')}")
    environment = dict(entry.split("=", 1) for entry in (first / "environ").read_text().split("\0") if "=" in entry)
    command = [word for word in (first / "cmdline").read_text().split("\0") if word]
    with (stack.data / "logs" / "second-worker.log").open("wb") as log:
        worker = subprocess.Popen(command, env=environment, cwd=(first / "cwd").readlink(), stdout=log, stderr=log)
        try:
            time.sleep(5)  # until it has joined
            assert worker.poll() is None
            yield
        finally:
            worker.terminate()
            worker.wait(60)


def rate(stack: Stack, client: httpx.Client, name: str) -> float:
    """Ingest documents whose texts never repeat; return documents a second."""
    files = {
        f"{name}-{number}.txt": f"Buoy {number} of {name} lies in the fairway. ".encode() * 8
        for number in range(DOCUMENTS)
    }
    wanted = ready(client) + DOCUMENTS
    began = time.perf_counter()
    stack.upload(client, files)
    while ready(client) < wanted:
        time.sleep(0.05)
        assert time.perf_counter() - began < PATIENCE_SECONDS
    return DOCUMENTS / (time.perf_counter() - began)


def ready(client: httpx.Client) -> int:
    """Return how many documents are ready."""
    counts: dict[str, int] = client.get("/v1/kbs/default/documents", params={"limit": 1}).json()["counts"]
    return counts.get("ready", 0)


def main() -> None:
    """Run on a stack of its own."""
    with tempfile.TemporaryDirectory() as folder, slow_embedder() as url:
        stack = Stack(Path(folder), {"ATOLL_EMBEDDINGS__URL": url, "ATOLL_WORKER__THREADS": "4"})
        stack.up()
        one, two = [], []
        try:
            with stack.client() as client:
                rate(stack, client, "warm")
                for turn in range(ROUNDS):
                    one.append(rate(stack, client, f"one-{turn}"))
                    with second_worker(stack):
                        two.append(rate(stack, client, f"two-{turn}"))
        finally:
            stack.down()
    result = {
        "documents_a_second": {
            "one_worker": [round(value, 2) for value in one],
            "two_workers": [round(value, 2) for value in two],
        },
        "ratio": round(statistics.median(two) / statistics.median(one), 2),
    }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
