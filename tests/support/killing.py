"""Uploading while processes are killed: a client that tries again until it is answered, and a plan of deaths."""

from __future__ import annotations

import random
import shutil
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field

import httpx

from tests.support.stack import Stack, until

#: How long the work of a stage is waited for before its process is killed all the same.
_AIM_SECONDS = 30.0
_LOOK_SECONDS = 0.005
#: How often a role is killed in a round of random kills, and how many of its queues lose their files.
_ROUND = {"worker": 5, "parser": 3, "vectors": 4, "embeddings": 3, "gateway": 4, "queue": 3, "supervisor": 2}
_LOST_QUEUES = 2
_PAUSE_SECONDS = (0.1, 2.4)
_RETRY_SECONDS = 0.25
_UPLOAD_SECONDS = 150.0
_SHOWN_DIFFERENCES = 20


@dataclass(frozen=True)
class Death:
    """Who is killed, and when: while a stage of some document is at work, or after a pause."""

    role: str
    stage: str | None = None
    pause_seconds: float = 0.0
    loses_files: bool = False

    def __str__(self) -> str:
        return f"{self.role}{'+data' if self.loses_files else ''}{f' at {self.stage}' if self.stage else ''}"


#: Each process while it does what it is there for.
AIMED = (
    Death("parser", "parse"),
    Death("worker", "extract"),
    Death("embeddings", "embed"),
    Death("worker", "embed"),
    Death("vectors", "index"),
    Death("gateway", pause_seconds=0.2),
    Death("worker", "index"),
    Death("queue", "extract", loses_files=True),
    Death("worker", "publish"),
    Death("vectors", "index"),
    Death("worker", "store"),
    Death("supervisor", "embed"),
    Death("gateway", pause_seconds=0.5),
)


def at_random(seed: int) -> tuple[Death, ...]:
    """Return a round of kills that come at any time, as the seed decides."""
    chance = random.Random(seed)
    roles = [role for role, times in _ROUND.items() for _ in range(times)]
    chance.shuffle(roles)
    losing = [at for at, role in enumerate(roles) if role == "queue"][:_LOST_QUEUES]
    return tuple(
        Death(role, pause_seconds=chance.uniform(*_PAUSE_SECONDS), loses_files=at in losing)
        for at, role in enumerate(roles)
    )


@dataclass
class Kills:
    """Kills the roles of a stack as planned; ``log`` tells when, whom, amid how much work, and whether it was met."""

    stack: Stack
    plan: Sequence[Death]
    log: list[tuple[float, str, int]] = field(default_factory=list)
    #: Kills that were to meet a stage at work and did.
    met: int = 0
    _before: set[tuple[str, str, int, int]] = field(default_factory=set)

    def run(self) -> None:
        """Kill one after the other."""
        started = time.monotonic()
        for death in self.plan:
            time.sleep(death.pause_seconds)
            if death.stage is not None:
                self.met += self._meets(death.stage)
            amid = unsettled(self.stack)
            if death.loses_files:
                shutil.rmtree(self.stack.data / death.role, ignore_errors=True)  # it may be writing there
            until(lambda role=death.role: self.stack.kill(role), 60, f"{death.role} lives, so that it can be killed")
            self._before = self._claims()
            self.log.append((time.monotonic() - started, str(death), amid))
            if death.role == "supervisor":
                until(lambda: self.stack.run("up", "--local").returncode == 0, 180, "the stack is up again")

    def _meets(self, stage: str) -> bool:
        """Wait until a document is at a stage by a claim made since the last kill; tell whether one was."""
        deadline = time.monotonic() + _AIM_SECONDS
        while time.monotonic() < deadline:
            if any(name == stage for name, *_ in self._claims() - self._before):
                return True
            time.sleep(_LOOK_SECONDS)
        return False

    def _claims(self) -> set[tuple[str, str, int, int]]:
        """Return what somebody claimed and has not ended: stage, document, batch and token."""
        with _records(self.stack) as records:
            return set(
                records.execute("SELECT name, document, batch, token FROM stage WHERE state = 'running'").fetchall()
            )

    def report(self) -> str:
        """Return what was done, for people."""
        by_name = Counter(name for _, name, _ in self.log)
        amid = sum(1 for *_, open_documents in self.log if open_documents)
        return (
            f"{len(self.log)} kills {dict(by_name)}, {amid} of them amid unfinished documents, "
            f"{self.met} at the stage that they were aimed at"
        )


def upload_all(stack: Stack, files: Mapping[str, bytes], kills: Kills) -> Future[dict[str, str]]:
    """Upload in the background, spread over the kills; the result is the accepted ids by name."""
    executor = ThreadPoolExecutor(1, thread_name_prefix="uploads")
    future = executor.submit(_upload_all, stack, files, kills, threading.Event())
    executor.shutdown(wait=False)
    return future


def _upload_all(stack: Stack, files: Mapping[str, bytes], kills: Kills, pause: threading.Event) -> dict[str, str]:
    accepted = {}
    for number, (name, content) in enumerate(files.items()):
        turn = number * len(kills.plan) // len(files) - 3
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
    with _records(stack) as records:
        row = records.execute("SELECT COUNT(*) FROM document WHERE status IN ('queued', 'processing')").fetchone()
    return int(row[0])


def _records(stack: Stack) -> closing[sqlite3.Connection]:
    return closing(
        sqlite3.connect(f"file:{stack.data / 'records.sqlite3'}?mode=ro", uri=True, timeout=10, isolation_level=None)
    )


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
