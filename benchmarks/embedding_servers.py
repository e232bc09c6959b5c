"""The embedding servers that are compared: ours, the plain one of the guides, and infinity-emb in an environment."""

from __future__ import annotations

import http.client
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from embeddings.folder import find

START_SECONDS = 180.0
_PLAIN = Path(__file__).parent / "baselines" / "plain_embeddings.py"
_OFFLINE = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "DO_NOT_TRACK": "1"}


@dataclass(frozen=True)
class Server:
    """One running server. ``ours`` takes ``input_type`` and ``truncate``."""

    name: str
    port: int
    pid: int
    ours: bool = False

    def memory_mib(self) -> dict[str, int]:
        """Return resident memory, now and at its highest."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        found = dict(re.findall(r"^(VmRSS|VmHWM):\s+(\d+) kB", status, re.MULTILINE))
        return {"now": int(found["VmRSS"]) // 1024, "peak": int(found["VmHWM"]) // 1024}


@contextmanager
def ours(batch_tokens: int) -> Iterator[Server]:
    """Start ``python -m embeddings``."""
    with _free_port() as port:
        pass
    settings = {
        "ATOLL_EMBEDDINGS__PORT": str(port),
        "ATOLL_EMBEDDINGS__MAX_BATCH_TOKENS": str(batch_tokens),
        "ATOLL_LOG_LEVEL": "WARNING",
    }
    with _running("ours", [sys.executable, "-m", "embeddings"], port, "/ready", settings) as pid:
        yield Server("ours", port, pid, ours=True)


@contextmanager
def plain() -> Iterator[Server]:
    """Start the plain server."""
    with _free_port() as port:
        pass
    command = [sys.executable, str(_PLAIN), str(find(None)[1]), str(port)]
    with _running("plain", command, port, "/health", _OFFLINE) as pid:
        yield Server("plain", port, pid)


@contextmanager
def infinity(executable: Path) -> Iterator[Server]:
    """Start infinity's torch engine; the two options it cannot run without a compiler or another library are off."""
    with _free_port() as port:
        pass
    command = [str(executable), "v2", "--model-id", str(find(None)[1]), "--served-model-name", "m"]
    command += ["--engine", "torch", "--device", "cpu", "--no-bettertransformer", "--no-compile"]
    command += ["--no-trust-remote-code", "--url-prefix", "/v1", "--host", "127.0.0.1", "--port", str(port)]
    quiet = {**_OFFLINE, "INFINITY_ANONYMOUS_USAGE_STATS": "0", "INFINITY_LOG_LEVEL": "error"}
    with _running("infinity", command, port, "/health", quiet) as pid:
        yield Server("infinity", port, pid)


@contextmanager
def _free_port() -> Iterator[int]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        yield free.getsockname()[1]


@contextmanager
def _running(name: str, command: Sequence[str], port: int, ready: str, settings: Mapping[str, str]) -> Iterator[int]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("ATOLL_", "OMP_", "GOMP_"))}
    process = subprocess.Popen(
        command, env={**environment, **settings}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        until = time.monotonic() + START_SECONDS
        while not _answers(port, ready):
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"the {name} server did not become ready")
            time.sleep(0.2)
        yield process.pid
    finally:
        process.terminate()
        try:
            process.wait(90)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def get(port: int, path: str) -> tuple[int, bytes]:
    """Return status and body."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        reply = connection.getresponse()
        return reply.status, reply.read()
    finally:
        connection.close()


def _answers(port: int, path: str) -> bool:
    try:
        return get(port, path)[0] == http.client.OK
    except OSError:
        return False
