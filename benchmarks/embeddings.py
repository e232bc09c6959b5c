"""Throughput and latency of the embedding server over HTTP: the embeddings row of the performance targets.

``python -m benchmarks.embeddings`` starts our server, the plain server that guides show and, where ``--infinity`` names
it, infinity-emb on free ports, measures each row on each in turn, alone and with one core busy, and prints JSON.
Texts are random words of the model's own vocabulary and never repeat. Clients and servers share the machine;
``server_cores`` is what the measured server got of it, ``foreign_cores`` what others took.
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
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from benchmarks.cores import Foreign, Used, busy_neighbour
from benchmarks.embedding_servers import Server, get, infinity, ours, plain

from embeddings.folder import find

#: Words of a text -> tokens, measured on the default model: one word in thirty takes a second token.
WORDS = {60: 58, 200: 196}
#: Clients at a time, texts in a request.
Shape = tuple[int, int]
SHAPES: Mapping[str, Shape] = {"1 client x 10": (1, 10), "16 clients x 1": (16, 1), "bulk of 240": (1, 240)}


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

    def __init__(self, server: Server) -> None:
        self._ours = server.ours
        self._connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=300)
        self._connection.connect()
        self._connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def embed(self, texts: list[str], input_type: str) -> None:
        """Embed, as OpenAI's client asks: in base64, where the server knows it."""
        body: dict[str, Any] = {"model": "m", "input": texts, "encoding_format": "base64"}
        if self._ours:
            body |= {"input_type": input_type, "truncate": True}
        headers = {"Content-Type": "application/json"}
        self._connection.request("POST", "/v1/embeddings", orjson.dumps(body), headers)
        reply = self._connection.getresponse()
        payload = reply.read()
        if reply.status != http.client.OK:
            raise RuntimeError(f"{reply.status}: {payload[:200]!r}")
        if len(orjson.loads(payload)["data"]) != len(texts):
            raise RuntimeError("not one vector a text")

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


@dataclass(frozen=True)
class Outcome:
    """One run of one row."""

    texts_per_second: float
    p50_ms: float
    p99_ms: float
    server_cores: float
    foreign_cores: float


def load(server: Server, texts: Texts, shape: Shape, *, tokens: int, seconds: float, neighbour: int | None) -> Outcome:
    """Keep connections busy with requests of that shape."""
    clients, batch = shape
    latencies: list[float] = []
    failures: list[BaseException] = []
    foreign = Foreign([server.pid, *([neighbour] if neighbour is not None else [])])
    used = Used(server.pid)
    begin = time.perf_counter()

    def work() -> None:
        client = Client(server)
        try:
            while time.perf_counter() - begin < seconds:
                request = texts.take(batch, tokens)
                started = time.perf_counter()
                client.embed(request, "document")
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
        server_cores=used.cores(),
        foreign_cores=foreign.cores(),
    )


def query_latency_during_ingest(server: Server, texts: Texts, seconds: float) -> dict[str, float]:
    """Return the latency of single short queries while one client sends bulk requests."""
    stop = threading.Event()

    def ingest() -> None:
        client = Client(server)
        while not stop.is_set():
            client.embed(texts.take(64, 200), "document")
        client.close()

    thread = threading.Thread(target=ingest)
    thread.start()
    client = Client(server)
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


def _median(outcomes: list[Outcome]) -> dict[str, float]:
    """Return the medians of several runs."""
    names = {"texts_per_second": 1, "p50_ms": 1, "p99_ms": 1, "server_cores": 2, "foreign_cores": 2}
    return {
        name: round(statistics.median(getattr(outcome, name) for outcome in outcomes), digits)
        for name, digits in names.items()
    }


def _machine() -> dict[str, object]:
    cpuinfo = Path("/proc/cpuinfo").read_text()
    model = re.search(r"model name\s*:\s*(.*)", cpuinfo)
    flags = [flag for flag in ("amx_bf16", "avx512_bf16") if flag in cpuinfo]
    return {"cpu": model[1] if model else platform.processor(), "cores": os.cpu_count(), "bf16": flags}


def compare(servers: list[Server], texts: Texts, chosen: argparse.Namespace) -> dict[str, dict[str, Any]]:
    """Measure every row on every server in turn, so that what else the machine does meets all of them alike."""
    rows: dict[str, dict[str, Any]] = {}
    for tokens in (60, 200):
        for shape_name, shape in SHAPES.items():
            for busy in (False, True):
                title = f"{shape_name} @ {tokens} tokens" + (", one core busy" if busy else "")
                if chosen.rows not in title:
                    continue
                outcomes: dict[str, list[Outcome]] = {server.name: [] for server in servers}
                with busy_neighbour() if busy else nullcontext() as neighbour:
                    for server in servers * chosen.runs:
                        outcomes[server.name].append(
                            load(server, texts, shape, tokens=tokens, seconds=chosen.seconds, neighbour=neighbour)
                        )
                rows[title] = {name: _median(each) for name, each in outcomes.items()}
                sys.stderr.write(f"{title}: {rows[title]}\n")
    return rows


def summary(rows: dict[str, dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Return for each row how much faster we are, and what the neighbour costs each server in texts and in cores.

    Both costs are shares. A server that loses no larger share of texts than of cores wastes nothing: it waits for its
    turn and does not spin.
    """
    ratios: dict[str, dict[str, float]] = {}
    for title, found in rows.items():
        speed = {name: outcome["texts_per_second"] for name, outcome in found.items()}
        entry = {f"ours / {name}": round(speed["ours"] / rate, 2) for name, rate in speed.items() if name != "ours"}
        alone = rows.get(title.removesuffix(", one core busy"))
        if alone is not None and alone is not found:
            for name, rate in speed.items():
                before, after = alone[name]["server_cores"], found[name]["server_cores"]
                entry[f"neighbour costs {name}"] = round(1 - rate / alone[name]["texts_per_second"], 2)
                entry[f"cores taken from {name}"] = round(1 - after / before, 2) if before else 0.0
        ratios[title] = entry
    return ratios


def table(result: dict[str, Any]) -> str:
    """Return a result's rows as a Markdown table: texts/s, p50 and p99 in milliseconds, of each server."""
    names = list(next(iter(result["rows"].values())))
    lines = ["| row | " + " | ".join(names) + " | ratios |", "|---" * (len(names) + 2) + "|"]
    for title, found in result["rows"].items():
        cells = [
            f"{one['texts_per_second']:.0f}/s, {one['p50_ms']:.0f} / {one['p99_ms']:.0f} ms" for one in found.values()
        ]
        ratios = ", ".join(f"{name} {value}" for name, value in result["summary"][title].items())
        lines.append(f"| {title} | " + " | ".join(cells) + f" | {ratios} |")
    return "\n".join(lines)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--runs", type=int, default=3)
    arguments.add_argument("--seconds", type=float, default=4.0, help="length of one run")
    arguments.add_argument("--rows", default="", help="only rows whose name contains this")
    arguments.add_argument("--batch-tokens", type=int, default=1024)
    arguments.add_argument("--no-plain", action="store_true", help="leave the plain server out")
    arguments.add_argument(
        "--infinity",
        type=Path,
        default=os.environ.get("INFINITY_EMB"),
        help="the infinity_emb program of an environment of its own (also: INFINITY_EMB)",
    )
    arguments.add_argument("--table", type=Path, help="print this result file as a table and measure nothing")
    chosen = arguments.parse_args()
    if chosen.table is not None:
        print(table(json.loads(chosen.table.read_text())["result"]))
        return
    texts = Texts(seed=time.time_ns())
    results: dict[str, object] = {"machine": _machine(), "load_before": os.getloadavg()[0], "runs": chosen.runs}
    with ExitStack() as stack:
        servers = [stack.enter_context(ours(chosen.batch_tokens))]
        if not chosen.no_plain:
            servers.append(stack.enter_context(plain()))
        if chosen.infinity is not None:
            servers.append(stack.enter_context(infinity(chosen.infinity)))
        for server in servers:  # the first batches of each length are slower
            load(server, texts, (4, 10), tokens=200, seconds=chosen.seconds, neighbour=None)
        results["info"] = json.loads(get(servers[0].port, "/info")[1])
        results["rows"] = rows = compare(servers, texts, chosen)
        results["summary"] = summary(rows)
        if chosen.rows in (title := "query during ingest"):
            results[title] = query_latency_during_ingest(servers[0], texts, chosen.seconds)
        results["memory_mib"] = {server.name: server.memory_mib() for server in servers}
        results["load_after"] = os.getloadavg()[0]
    print(json.dumps(results, indent=2))


if __name__ == "__main__":
    main()
