"""The embedding server as a process of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import numpy as np
import psutil

START_SECONDS = 120.0


class Server:
    def __init__(self, process: subprocess.Popen[bytes], port: int, log: Path) -> None:
        self.process, self.port, self.log = process, port, log
        self.url = f"http://127.0.0.1:{port}"

    def embed(self, texts, **fields) -> httpx.Response:
        return httpx.post(f"{self.url}/v1/embeddings", json={"input": texts, **fields}, timeout=120)

    def vectors(self, texts, **fields) -> np.ndarray:
        reply = self.embed(texts, **fields)
        assert reply.status_code == 200, reply.text
        return np.array([row["embedding"] for row in reply.json()["data"]], dtype=np.float32)

    def rerank(self, query: str, documents, **fields) -> httpx.Response:
        return httpx.post(f"{self.url}/v1/rerank", json={"query": query, "documents": documents, **fields}, timeout=120)

    def rss_mib(self) -> float:
        return psutil.Process(self.process.pid).memory_info().rss / 2**20


@contextmanager
def running(folder: Path, **settings: str) -> Iterator[Server]:
    """Start the server with its log in ``folder``; settings are named without ``ATOLL_``."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("ATOLL_", "HF_"))}
    environment |= {"ATOLL_EMBEDDINGS__PORT": str(port), "HF_HOME": str(folder / "empty")}
    environment |= {f"ATOLL_{name}": value for name, value in settings.items()}
    log = folder / f"{port}.log"
    with log.open("wb") as output:
        process = subprocess.Popen([sys.executable, "-m", "embeddings"], env=environment, stdout=output, stderr=output)
    server = Server(process, port, log)
    try:
        until = time.monotonic() + START_SECONDS
        while not answers(server, "/ready"):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.1)
        yield server
    finally:
        process.kill()
        process.wait(10)


def answers(server: Server, path: str) -> bool:
    try:
        return httpx.get(server.url + path, timeout=5).status_code == 200
    except httpx.TransportError:
        return False
