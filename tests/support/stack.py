"""The local stack as an operator runs it, in a folder of its own: started, looked at, killed and taken down."""

from __future__ import annotations

import asyncio
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import psutil
import pytest

from atoll.bootstrap import clients
from atoll.settings import EmbeddingSettings, RecordSettings, RecordStoreKind, Settings, VectorSettings
from tests.support import canonical
from tests.support.neo4j_server import Neo4jServer
from tests.support.tables import Neo4jTables, SqliteTables, Tables

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "samples"
ATOLL = Path(sys.executable).with_name("atoll")
START_SECONDS = 180.0
STOP_SECONDS = 60.0
#: Every role that has a process of its own.
ROLES = ("gateway", "worker", "parser", "embeddings", "pages", "vectors", "queue")
UNSETTLED = frozenset({"queued", "processing"})
_PORTS = ("GATEWAY", "QUEUE", "VECTORS", "EMBEDDINGS", "PAGES")
#: Below the range from which the kernel takes the ports of outgoing connections, so that none is taken by chance.
_PORT_RANGE = (20_000, 32_000)


def until(condition: Callable[[], Any], seconds: float, what: str) -> Any:
    """Return the first true value of ``condition``."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}"
        time.sleep(0.1)
    return value


def require(program: str) -> str:
    """Return a program's path. Where it is missing a laptop skips the test, and CI fails it."""
    found = shutil.which(program)
    if found is None:
        unavailable(f"{program} is not installed")
    return found or ""


def unavailable(reason: str) -> None:
    """Skip the test, or fail it where CI is set."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


class Stack:
    """One local stack.

    Args:
        folder: where its data directory is made.
        settings: ``ATOLL_*`` variables beside folder and ports.
        prefix: a command that runs `atoll`, such as one that enters namespaces.
        root: where the root folder of those namespaces is seen from outside.
        path: what ``PYTHONPATH`` is to be, if anything.
    """

    def __init__(
        self,
        folder: Path,
        settings: Mapping[str, str] | None = None,
        *,
        prefix: Sequence[str] = (),
        root: Path = Path("/"),
        path: Path | None = None,
    ) -> None:
        self._inner = folder / "data"
        self.data = root / self._inner.relative_to("/")
        self.ports = dict(zip(_PORTS, free_ports(len(_PORTS)), strict=True))
        self.address = f"http://127.0.0.1:{self.ports['GATEWAY']}"
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "ATOLL_DATA_DIR": str(self._inner),
            **{f"ATOLL_{name}__PORT": str(port) for name, port in self.ports.items()},
            **({"PYTHONPATH": str(path)} if path else {}),
            **(settings or {}),
        }
        self._prefix = tuple(prefix)
        self._seen: dict[int, float] = {}

    # --- the command line ---------------------------------------------------------------------------------------

    def run(self, *words: str, seconds: float = START_SECONDS) -> subprocess.CompletedProcess[str]:
        """Run `atoll` with these words."""
        return self.execute(str(ATOLL), *words, seconds=seconds)

    def execute(
        self, *command: str, seconds: float = START_SECONDS, folder: Path = Path("/")
    ) -> subprocess.CompletedProcess[str]:
        """Run a command as the operator of this stack would, where the stack runs."""
        return subprocess.run(
            [*self._prefix, *command],
            env=self.environment, cwd=folder, capture_output=True, text=True, timeout=seconds, check=False,
        )  # fmt: skip

    def up(self) -> float:
        """Start, wait until it is ready, and return the seconds that took."""
        started = time.monotonic()
        result = self.run("up", "--local", "--timeout", str(START_SECONDS - 10))
        assert result.returncode == 0, f"{result.stdout}\n{result.stderr}\n{self.logs()}"
        self.table()
        return time.monotonic() - started

    def down(self) -> None:
        """Stop, and see that nothing is left."""
        result = self.run("down", seconds=STOP_SECONDS)
        assert result.returncode == 0, result.stderr
        left = self.orphans()
        assert not left, f"left behind: {left}"

    def table(self) -> dict[str, dict[str, Any]]:
        """Return the rows of `atoll status` by role."""
        state = json.loads((self.data / "run" / "state.json").read_text())
        rows = {row["role"]: row for row in state["rows"]}
        for row in rows.values():
            self._remember(row["pid"])
        return rows

    def pid(self, role: str) -> int | None:
        """Return a role's process."""
        pid: int | None = self.table()[role]["pid"]
        return pid

    def kill(self, role: str, number: int = signal.SIGKILL) -> bool:
        """Send a signal to a role; return whether there was a process to get it."""
        pid = self.pid(role)
        if pid is None:
            return False
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return False
        return True

    def orphans(self) -> list[str]:
        """Return what runs of this stack: by the folder in its environment or command, or by a pid seen before."""
        mark = str(self._inner)
        found = []
        for process in psutil.process_iter():
            try:
                known = self._seen.get(process.pid) == process.create_time()
                ours = known or mark in " ".join((*process.cmdline(), *process.environ().values()))
                if ours and process.pid != os.getpid() and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(f"{process.pid} {' '.join(process.cmdline())}")
            except psutil.Error:
                continue
        return found

    def _remember(self, pid: int | None) -> None:
        if pid is None:
            return
        try:
            self._seen[pid] = psutil.Process(pid).create_time()
        except psutil.Error:
            return

    def rss_mib(self) -> dict[str, float]:
        """Return the resident memory of each role, its children included, in MiB."""
        sizes: dict[str, float] = {}
        for role, row in self.table().items():
            if row["pid"] is not None and role != "supervisor":
                try:
                    process = psutil.Process(row["pid"])
                    family = [process, *process.children(recursive=True)]
                    sizes[role] = sum(member.memory_info().rss for member in family) / 2**20
                except psutil.NoSuchProcess:
                    continue
        return sizes

    def log(self, role: str) -> str:
        """Return a role's log."""
        path = self.data / "logs" / f"{role}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def logs(self, lines: int = 15) -> str:
        """Return the end of every log, to be shown with a failure."""
        folder = self.data / "logs"
        return "\n".join(
            f"--- {path.stem}\n" + "\n".join(path.read_text(errors="replace").splitlines()[-lines:])
            for path in sorted(folder.glob("*.log"))
        )

    # --- the HTTP API -------------------------------------------------------------------------------------------

    @property
    def key(self) -> str:
        """The owner's key."""
        return (self.data / "owner.key").read_text().strip()

    def client(self, key: str | None = None, **options: Any) -> httpx.Client:
        """Return a client that the caller closes."""
        headers = {"Authorization": f"Bearer {key or self.key}"}
        return httpx.Client(base_url=self.address, headers=headers, trust_env=False, **{"timeout": 60.0, **options})

    def upload(
        self, client: httpx.Client, files: Mapping[str, bytes], *, kb: str = "default", **fields: str
    ) -> dict[str, Any]:
        """Upload files in one request and return the answer."""
        answer = client.post(
            f"/v1/kbs/{kb}/documents", files=[("file", (name, data)) for name, data in files.items()], data=fields
        )
        assert answer.status_code == 202, answer.text
        body: dict[str, Any] = answer.json()
        return body

    def settled(
        self, client: httpx.Client, *, kb: str = "default", seconds: float = 120.0, retry: bool = False
    ) -> list[dict[str, Any]]:
        """Wait until no document is queued or processing; return all documents."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                documents = list(self.documents(client, kb))
            except httpx.HTTPError:
                if not retry:
                    raise
                documents = [{"name": "?", "status": "queued", "stages": []}]
            open_ones = [each for each in documents if each["status"] in UNSETTLED]
            if not open_ones:
                return documents
            assert time.monotonic() < deadline, f"not settled: {_brief(open_ones)}\n{self.logs()}"
            time.sleep(0.3)

    def documents(self, client: httpx.Client, kb: str = "default") -> Iterator[dict[str, Any]]:
        """Yield all documents."""
        cursor = None
        while True:
            answer = client.get(
                f"/v1/kbs/{kb}/documents", params={"limit": 100, **({"cursor": cursor} if cursor else {})}
            )
            answer.raise_for_status()
            body = answer.json()
            yield from body["documents"]
            cursor = body["next_cursor"]
            if cursor is None:
                return

    # --- the inside ---------------------------------------------------------------------------------------------

    @property
    def settings(self) -> Settings:
        """The settings of a process of this stack, for looking into its stores."""
        rows = self.table()
        return Settings(
            data_dir=self.data,
            records=self._records,
            vectors=VectorSettings(url=rows["vectors"]["address"], api_key_file=Path(rows["vectors"]["token_file"])),
            embeddings=EmbeddingSettings(
                url=rows["embeddings"]["address"], token_file=Path(rows["embeddings"]["token_file"])
            ),
        )

    def dump(self) -> dict[str, Any]:
        """Return the canonical content of all stores."""
        return asyncio.run(self._dump())

    async def _dump(self) -> dict[str, Any]:
        settings = self.settings
        embedder = clients.embedder(settings)
        index, pages = clients.vectors(settings, await embedder.describe()), clients.page_index(settings)
        try:
            return await canonical.dump(self.tables, settings.blobs_dir, index, pages)
        finally:
            await embedder.aclose()
            await index.close()
            await pages.close()

    def embeddings(self) -> dict[tuple[str, str, int], np.ndarray]:
        """Return all passage vectors."""
        return canonical.embeddings(self.tables)

    @property
    def tables(self) -> Tables:
        """What the record store holds."""
        if self._records.store is RecordStoreKind.NEO4J:
            records = self._records
            return Neo4jTables(Neo4jServer(records.url, records.username, records.password or ""))
        return SqliteTables(self.data / "records.sqlite3")

    @property
    def _records(self) -> RecordSettings:
        mark = "ATOLL_RECORDS__"
        return RecordSettings.model_validate(
            {
                name.removeprefix(mark).lower(): value
                for name, value in self.environment.items()
                if name.startswith(mark)
            }
        )


@contextmanager
def running(
    folder: Path,
    settings: Mapping[str, str] | None = None,
    *,
    prefix: Sequence[str] = (),
    root: Path = Path("/"),
    path: Path | None = None,
) -> Iterator[Stack]:
    """Run a stack that is ready; in the end nothing of it is left."""
    stack = Stack(folder, settings, prefix=prefix, root=root, path=path)
    try:
        stack.up()
        yield stack
    finally:
        stack.down()


def free_ports(count: int, among: Sequence[int] = ()) -> list[int]:
    """Return ports that nobody listens on."""
    candidates = among or random.SystemRandom().sample(range(*_PORT_RANGE), count * 20)
    return list(_free(candidates, count))


def _free(candidates: Iterable[int], count: int) -> Iterator[int]:
    for port in candidates:
        if count == 0:
            return
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        count -= 1
        yield port


def _brief(documents: list[dict[str, Any]]) -> list[tuple[str, str, list[tuple[str, str, int, str | None]]]]:
    return [
        (
            each["name"],
            each["status"],
            [(s["name"], s["state"], s["attempts"], s["error"]) for s in each["stages"] if s["state"] != "done"],
        )
        for each in documents
    ]
