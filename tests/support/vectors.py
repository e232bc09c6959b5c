"""The vector server as a real process, and points to put into it."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import numpy as np

from atoll.adapters.qdrant_graph import QdrantGraphIndex
from atoll.domain.ids import DocumentUid, KbUid, PassageId, passage_id
from atoll.domain.vectors import PassagePoint, SparseVector

DIMENSIONS = 32
START_SECONDS = 30.0
STOP_SECONDS = 30.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class VectorServer:
    """One data directory, served by one process at a time; `start` again after `kill` or `stop`."""

    directory: Path
    optimise_points: int = 1_000_000
    port: int = field(default_factory=free_port)
    api_key: str = field(default_factory=lambda: secrets.token_hex(16))
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def spawn(self, **popen: object) -> subprocess.Popen[bytes]:
        self.directory.mkdir(parents=True, exist_ok=True)
        key_file = self.directory / "key"
        key_file.write_text(self.api_key)
        environment = {name: value for name, value in os.environ.items() if not name.startswith("ATOLL_")} | {
            "ATOLL_VECTORS__PORT": str(self.port),
            "ATOLL_VECTORS__DATA_DIR": str(self.directory),
            "ATOLL_VECTORS__API_KEY_FILE": str(key_file),
            "ATOLL_VECTORS__OPTIMISE_POINTS": str(self.optimise_points),
        }
        return subprocess.Popen([sys.executable, "-m", "atoll.local.vectors"], env=environment, **popen)

    def start(self) -> None:
        with (self.directory.parent / f"{self.directory.name}.log").open("ab") as log:
            self.process = self.spawn(stderr=log)
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            assert self.process.poll() is None, f"the server ended with status {self.process.returncode}"
            with contextlib.suppress(httpx.TransportError):
                if httpx.get(f"{self.url}/readyz", trust_env=False).status_code == 200:
                    return
            time.sleep(0.05)
        raise AssertionError("the server did not become ready")

    def kill(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(STOP_SECONDS)

    def stop(self) -> int:
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(STOP_SECONDS)

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=self.url, headers={"api-key": self.api_key}, timeout=30.0, trust_env=False)

    def index(self, *, dimensions: int = DIMENSIONS, fingerprint: str = "test") -> QdrantGraphIndex:
        return QdrantGraphIndex.connect(self.url, api_key=self.api_key, fingerprint=fingerprint, dimensions=dimensions)


@contextlib.contextmanager
def vector_server(directory: Path, *, optimise_points: int = 1_000_000) -> Iterator[VectorServer]:
    server = VectorServer(directory, optimise_points)
    server.start()
    try:
        yield server
    finally:
        if server.process is not None and server.process.poll() is None:
            server.process.kill()
            server.process.wait(STOP_SECONDS)


def kb(name: str) -> KbUid:
    return KbUid(name.encode().hex().ljust(32, "0"))


def document(name: str) -> DocumentUid:
    return DocumentUid(name.encode().hex().ljust(32, "0"))


def sparse(weights: dict[int, float]) -> SparseVector:
    return SparseVector(np.array(list(weights), dtype=np.uint32), np.array(list(weights.values()), dtype=np.float32))


def dense(*components: float, dimensions: int = DIMENSIONS) -> np.ndarray:
    vector = np.zeros(dimensions, dtype=np.float32)
    vector[: len(components)] = components
    return vector


def point(
    owner: KbUid,
    source: DocumentUid,
    ordinal: int,
    *,
    vector: np.ndarray | None = None,
    terms: dict[int, float] | None = None,
    labels: Sequence[str] = (),
) -> PassagePoint:
    return PassagePoint(
        id=passage_id(source, ordinal),
        kb=owner,
        document_uid=source,
        labels=tuple(labels),
        dense=dense(1.0) if vector is None else vector,
        sparse=sparse(terms or {}),
    )


def random_points(
    owner: KbUid, count: int, *, seed: int, dimensions: int = DIMENSIONS, terms: int = 10, start: int = 0
) -> list[PassagePoint]:
    """Points around 20 centres, ten to a document, with Zipf-like terms; the same seed gives the same points."""
    random = np.random.default_rng(seed)
    centres = np.random.default_rng(0).standard_normal((20, dimensions))
    vectors = centres[random.integers(0, 20, count)] + 0.6 * random.standard_normal((count, dimensions))
    rarity = random.zipf(1.3, (count, terms)) % 5_000
    made = []
    for row in range(count):
        source = DocumentUid(f"{seed:08x}{(start + row) // 10:024x}")
        weights = dict.fromkeys(rarity[row].tolist(), 1.0)
        made.append(
            PassagePoint(
                passage_id(source, (start + row) % 10),
                owner,
                source,
                (),
                vectors[row].astype(np.float32),
                sparse(weights),
            )
        )
    return made


def ids(points: Sequence[PassagePoint]) -> set[PassageId]:
    return {each.id for each in points}
