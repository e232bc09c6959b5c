"""Uploading while processes are killed: a client that tries again until it is answered, and a plan of deaths."""

from __future__ import annotations

import random
import shutil
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import httpx

from tests.support.stack import Stack, until

#: What is killed, and how often, in one round of at least 20 deaths.
ROUND = {"worker": 5, "parser": 3, "vectors": 4, "embeddings": 3, "gateway": 4, "queue": 3, "supervisor": 2}
LOST_QUEUES = 2
_PAUSE_SECONDS = (0.1, 2.4)
_RETRY_SECONDS = 0.25
_UPLOAD_SECONDS = 150.0
_SHOWN_DIFFERENCES = 20


@dataclass
class Kills:
    """Kills the roles of a stack by a plan that the seed decides; ``log`` tells when, whom and amid how much work."""

    stack: Stack
    seed: int
    log: list[tuple[float, str, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._chance = random.Random(self.seed)
        self._plan = [role for role, times in ROUND.items() for _ in range(times)]
        self._chance.shuffle(self._plan)
        self._losses = LOST_QUEUES
        self._started = time.monotonic()

    @property
    def planned(self) -> int:
        """How many processes are to be killed."""
        return len(self._plan)

    def run(self) -> None:
        """Kill one after the other."""
        for role in self._plan:
            time.sleep(self._chance.uniform(*_PAUSE_SECONDS))
            amid = unsettled(self.stack)
            name = self._queue() if role == "queue" else role
            until(lambda role=role: self.stack.kill(role), 60, f"{role} lives, so that it can be killed")
            self.log.append((time.monotonic() - self._started, name, amid))
            if role == "supervisor":
                until(lambda: self.stack.run("up", "--local").returncode == 0, 180, "the stack is up again")

    def _queue(self) -> str:
        """Take the queue's files away as well, as often as planned."""
        if self._losses == 0:
            return "queue"
        self._losses -= 1
        shutil.rmtree(self.stack.data / "queue", ignore_errors=True)  # it may be writing there
        return "queue+data"

    def report(self) -> str:
        """Return what was done, for people."""
        by_role = Counter(name for _, name, _ in self.log)
        amid = sum(1 for *_, open_documents in self.log if open_documents)
        return f"seed {self.seed}: {len(self.log)} kills {dict(by_role)}, {amid} of them amid unfinished documents"


def upload_all(stack: Stack, files: Mapping[str, bytes], kills: Kills) -> Future[dict[str, str]]:
    """Upload in the background, spread over the kills; the result is the accepted ids by name."""
    executor = ThreadPoolExecutor(1, thread_name_prefix="uploads")
    future = executor.submit(_upload_all, stack, files, kills, threading.Event())
    executor.shutdown(wait=False)
    return future


def _upload_all(stack: Stack, files: Mapping[str, bytes], kills: Kills, pause: threading.Event) -> dict[str, str]:
    accepted = {}
    for number, (name, content) in enumerate(files.items()):
        turn = number * kills.planned // len(files) - 3
        deadline = time.monotonic() + _UPLOAD_SECONDS
        while len(kills.log) < turn:
            assert time.monotonic() < deadline, f"the kills do not go on; {name} waits for number {turn}"
            pause.wait(0.05)
        accepted[name] = _upload(stack, name, content, pause)
    return accepted


def _upload(stack: Stack, name: str, content: bytes, pause: threading.Event) -> str:
    """Send one file until it is answered 202: whatever else comes, nothing was promised."""
    deadline = time.monotonic() + _UPLOAD_SECONDS
    last: object = None
    while time.monotonic() < deadline:
        try:
            with stack.client(timeout=20.0) as client:
                answer = client.post("/v1/kbs/default/documents", files={"file": (name, content)})
            if answer.status_code == 202:
                uid: str = answer.json()["documents"][0]["id"]
                return uid
            assert answer.status_code in {429, 503}, answer.text
            last = answer.text
        except httpx.HTTPError as error:
            last = error
        pause.wait(_RETRY_SECONDS)
    raise AssertionError(f"{name} was not accepted in time: {last}")


def unsettled(stack: Stack) -> int:
    """Return how many documents are accepted and not ready, by the record store itself."""
    with sqlite3.connect(f"file:{stack.data / 'records.sqlite3'}?mode=ro", uri=True, timeout=10) as records:
        row = records.execute("SELECT COUNT(*) FROM document WHERE status IN ('queued', 'processing')").fetchone()
    return int(row[0])


def differences(ours: object, theirs: object, at: str = "") -> list[str]:
    """Return where two dumps differ, at most `_SHOWN_DIFFERENCES` places."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        keys = [*ours, *(key for key in theirs if key not in ours)]
        found = [
            line
            for key in keys
            for line in differences(ours.get(key, "absent"), theirs.get(key, "absent"), f"{at}/{key}")
        ]
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        pairs = enumerate(zip(ours, theirs, strict=True))
        found = [line for number, (a, b) in pairs for line in differences(a, b, f"{at}[{number}]")]
    else:
        found = [] if ours == theirs else [f"{at}: {str(ours)[:300]} != {str(theirs)[:300]}"]
    return found[:_SHOWN_DIFFERENCES]
