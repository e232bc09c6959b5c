"""Throughput and latency of the embedding server over HTTP: the embeddings row of the performance targets.

``python -m benchmarks.embeddings`` starts ``python -m embeddings`` on a free port, measures and prints JSON. Texts
are random words of the model's own vocabulary and never repeat. Client and server share the machine.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import platform
import random
import re
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from embeddings.folder import find

#: Words of a text -> tokens, measured on the default model: one word in thirty takes a second token.
WORDS = {60: 58, 200: 196}
START_SECONDS = 120.0


class Texts:
    """An endless supply; lengths vary by a third around the mean."""

    def __init__(self, seed: int) -> None:
        _, folder = find(None)
        words = (folder / "vocab.txt").read_text(encoding="utf-8").split()
        self._words = [word for word in words if re.fullmatch(r"[a-z]{3,}", word)]
        self._random = random.Random(seed)  # noqa: S311 - load, not secrets
        self._lock = threading.Lock()

    def take(self, count: int, tokens: int) -> list[str]:
        """Return ``count`` texts of about ``tokens`` tokens each."""
        with self._lock:
            lengths = [round(WORDS[tokens] * self._random.uniform(2 / 3, 4 / 3)) for _ in range(count)]
            return [" ".join(self._random.choices(self._words, k=length)) for length in lengths]


class Client:
    """One kept connection."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        self._connection.connect()
        self._connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def embed(self, texts: list[str], input_type: str | None) -> int:
        """Embed and return the number of tokens the server counted."""
        body: dict[str, Any] = {"input": texts, "encoding_format": "base64", "truncate": True}
        if input_type is not None:
            body["input_type"] = input_type
        self._connection.request("POST", "/v1/embeddings", orjson.dumps(body))
        reply = self._connection.getresponse()
        payload = reply.read()
        if reply.status != http.client.OK:
            raise RuntimeError(f"{reply.status}: {payload[:200]!r}")
        tokens: int = orjson.loads(payload)["usage"]["total_tokens"]
        return tokens

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


@dataclass(frozen=True)
class Outcome:
    """One run of one row."""

    texts_per_second: float
    p50_ms: float
    p99_ms: float
    mean_tokens: float
    foreign_cores: float


class Foreign:
    """Cores kept busy by processes other than the server, its client and the neighbour while it is watched."""

    def __init__(self, pids: list[int]) -> None:
        self._pids = [os.getpid(), *pids]
        self._started, self._busy, self._own = time.monotonic(), self._machine(), self._mine()

    def cores(self) -> float:
        """Return the mean since the start."""
        others = (self._machine() - self._busy) - (self._mine() - self._own)
        return max(0.0, others / os.sysconf("SC_CLK_TCK") / (time.monotonic() - self._started))

    @staticmethod
    def _machine() -> int:
        user, nice, system, *_ = map(int, Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:])
        return user + nice + system

    def _mine(self) -> int:
        fields = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in self._pids]
        return sum(int(each[11]) + int(each[12]) for each in fields)


def load(port: int, texts: Texts, pids: list[int], *, clients: int, batch: int, tokens: int, seconds: float) -> Outcome:
    """Keep ``clients`` connections busy with requests of ``batch`` texts."""
    latencies: list[float] = []
    counted: list[int] = []
    failures: list[BaseException] = []
    foreign = Foreign(pids)
    begin = time.perf_counter()

    def work() -> None:
        client = Client(port)
        try:
            while time.perf_counter() - begin < seconds:
                request = texts.take(batch, tokens)
                started = time.perf_counter()
                counted.append(client.embed(request, "document"))
                latencies.append(time.perf_counter() - started)
        except (OSError, RuntimeError) as error:
            failures.append(error)
        finally:
            client.close()

    threads = [threading.Thread(target=work) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    elapsed = time.perf_counter() - begin
    ordered = sorted(latencies)
    return Outcome(
        texts_per_second=len(latencies) * batch / elapsed,
        p50_ms=1000 * statistics.median(ordered),
        p99_ms=1000 * ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))],
        mean_tokens=sum(counted) / (len(counted) * batch),
        foreign_cores=foreign.cores(),
    )


def query_latency_during_ingest(port: int, texts: Texts, seconds: float) -> dict[str, float]:
    """Return the latency of single short queries while one client sends bulk requests."""
    stop = threading.Event()

    def ingest() -> None:
        client = Client(port)
        while not stop.is_set():
            client.embed(texts.take(64, 200), "document")
        client.close()

    thread = threading.Thread(target=ingest)
    thread.start()
    client = Client(port)
    latencies: list[float] = []
    begin = time.perf_counter()
    while time.perf_counter() - begin < seconds:
        question = " ".join(texts.take(1, 60)[0].split()[:12])
        started = time.perf_counter()
        client.embed([question], "query")
        latencies.append(1000 * (time.perf_counter() - started))
        time.sleep(0.02)
    stop.set()
    thread.join()
    client.close()
    ordered = sorted(latencies)
    return {"p50_ms": round(statistics.median(ordered), 1), "p99_ms": round(ordered[int(0.99 * len(ordered))], 1)}


@contextmanager
def busy_neighbour() -> Iterator[int]:
    """Burn one core in another process."""
    process = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield process.pid
    finally:
        process.kill()
        process.wait()


@contextmanager
def server(batch_tokens: int) -> Iterator[tuple[int, int]]:
    """Start the server; yield its port and process id."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ATOLL_")}
    environment |= {"ATOLL_EMBEDDINGS__PORT": str(port), "ATOLL_LOG_LEVEL": "WARNING"}
    environment["ATOLL_EMBEDDINGS__MAX_BATCH_TOKENS"] = str(batch_tokens)
    process = subprocess.Popen([sys.executable, "-m", "embeddings"], env=environment)
    try:
        until = time.monotonic() + START_SECONDS
        while not _ready(port):
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError("the server did not become ready")
            time.sleep(0.1)
        yield port, process.pid
    finally:
        process.terminate()
        process.wait(90)


def _get(port: int, path: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        reply = connection.getresponse()
        return reply.status, reply.read()
    finally:
        connection.close()


def _ready(port: int) -> bool:
    try:
        return _get(port, "/ready")[0] == http.client.OK
    except OSError:
        return False


def _rss_mib(pid: int) -> dict[str, int]:
    status = Path(f"/proc/{pid}/status").read_text()
    found = dict(re.findall(r"^(VmRSS|VmHWM):\s+(\d+) kB", status, re.MULTILINE))
    return {"now": int(found["VmRSS"]) // 1024, "peak": int(found["VmHWM"]) // 1024}


def _median(run: Callable[[], Outcome], runs: int) -> dict[str, float]:
    outcomes = [run() for _ in range(runs)]
    names = ("texts_per_second", "p50_ms", "p99_ms", "mean_tokens", "foreign_cores")
    return {name: round(statistics.median(getattr(outcome, name) for outcome in outcomes), 1) for name in names}


def _machine() -> dict[str, object]:
    cpuinfo = Path("/proc/cpuinfo").read_text()
    model = re.search(r"model name\s*:\s*(.*)", cpuinfo)
    flags = [flag for flag in ("amx_bf16", "avx512_bf16") if flag in cpuinfo]
    return {"cpu": model[1] if model else platform.processor(), "cores": os.cpu_count(), "bf16": flags}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--runs", type=int, default=3)
    arguments.add_argument("--seconds", type=float, default=5.0, help="length of one run")
    arguments.add_argument("--rows", default="", help="only rows whose name contains this")
    arguments.add_argument("--batch-tokens", type=int, default=1024)
    chosen = arguments.parse_args()
    texts = Texts(seed=time.time_ns())
    results: dict[str, object] = {"machine": _machine(), "load_before": os.getloadavg()[0], "runs": chosen.runs}
    shapes = {"bulk of 240": (1, 240), "16 clients x 1": (16, 1), "1 client x 10": (1, 10)}

    with server(chosen.batch_tokens) as (port, pid):
        pids = [pid]

        def row(clients: int, batch: int, tokens: int) -> Outcome:
            return load(port, texts, pids, clients=clients, batch=batch, tokens=tokens, seconds=chosen.seconds)

        row(4, 10, 200)  # the first batches of each length are slower
        results["info"] = json.loads(_get(port, "/info")[1])
        for tokens in (60, 200):
            for name, (clients, batch) in shapes.items():
                if chosen.rows in (title := f"{name} @ {tokens} tokens"):
                    results[title] = _median(lambda c=clients, b=batch, t=tokens: row(c, b, t), chosen.runs)
        if chosen.rows in (title := "1 client x 10 @ 60 tokens, one core busy"):
            with busy_neighbour() as neighbour:
                pids.append(neighbour)
                results[title] = _median(lambda: row(1, 10, 60), chosen.runs)
                pids.remove(neighbour)
        if chosen.rows in (title := "query during ingest"):
            results[title] = query_latency_during_ingest(port, texts, chosen.seconds)
        results["memory_mib"] = _rss_mib(pid)
    print(json.dumps(results, indent=2))


if __name__ == "__main__":
    main()
