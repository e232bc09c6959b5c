"""P2 over real processes: whatever dies, what was accepted becomes ready, once, without anybody's help."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import psutil
import pytest

from tests.support import corpus
from tests.support.killing import Kills, differences, unsettled, upload_all
from tests.support.stack import SAMPLES, Stack, running, until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

SEED = int(os.environ.get("KILL_SEED", random.SystemRandom().randrange(10_000)))
LEASE_SECONDS = 3.0
SETTINGS = {
    "ATOLL_WORKER__LEASE_SECONDS": str(LEASE_SECONDS),
    "ATOLL_WORKER__RECONCILE_SECONDS": "1",
    "ATOLL_WORKER__PURGE_GRACE_SECONDS": "1",
}
DOCUMENTS = 40
SETTLE_SECONDS = 180.0
LEAST_KILLS = 20
MIN_COSINE = 0.999


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    samples = {path.name: path.read_bytes() for path in sorted(SAMPLES.iterdir())}
    mixed = list((samples | corpus.documents(11, DOCUMENTS - len(samples))).items())
    random.Random(11).shuffle(mixed)
    return dict(mixed)


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack that nobody kills."""
    with running(tmp_path_factory.mktemp("calm"), SETTINGS) as stack:
        yield stack


@pytest.fixture(scope="module")
def undisturbed(calm: Stack, files: dict[str, bytes]) -> dict[str, Any]:
    """The canonical content after an ingest without any death."""
    with calm.client() as client:
        calm.upload(client, files)
        assert {each["status"] for each in calm.settled(client)} == {"ready"}
    return calm.dump()


def test_nothing_accepted_is_lost_or_doubled_by_kill_9(
    tmp_path: Path,
    calm: Stack,
    files: dict[str, bytes],
    undisturbed: dict[str, Any],
    capsys: pytest.CaptureFixture[str],
) -> None:
    with running(tmp_path, SETTINGS) as stack:
        _ingest_amid_kills(stack, files, 1, capsys)
        assert not differences(_swept_dump(stack), undisturbed)
        _assert_same_vectors(stack.embeddings(), calm.embeddings())


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_the_same_for_longer(
    tmp_path: Path,
    calm: Stack,
    files: dict[str, bytes],
    undisturbed: dict[str, Any],
    capsys: pytest.CaptureFixture[str],
) -> None:
    with running(tmp_path, SETTINGS) as stack:
        _ingest_amid_kills(stack, files, 12, capsys)
        assert not differences(_swept_dump(stack), undisturbed)
        _assert_same_vectors(stack.embeddings(), calm.embeddings())


def _ingest_amid_kills(
    stack: Stack, files: dict[str, bytes], rounds: int, capsys: pytest.CaptureFixture[str]
) -> None:
    started = time.monotonic()
    kills = Kills(stack, SEED, rounds)
    uploads = upload_all(stack, files, kills)
    try:
        kills.run()
    finally:
        with capsys.disabled():
            print(f"\n{kills.report()}\n  {[(round(at, 1), role, amid) for at, role, amid in kills.log]}")
    accepted = uploads.result(SETTLE_SECONDS)
    killed_seconds = time.monotonic() - started
    with stack.client(timeout=10.0) as client:
        documents = stack.settled(client, seconds=SETTLE_SECONDS, retry=True)
    with capsys.disabled():
        print(f"  killing took {killed_seconds:.0f} s, all ready {time.monotonic() - started - killed_seconds:.0f} s later")
    assert len(kills.log) >= LEAST_KILLS
    assert sum(1 for *_, amid in kills.log if amid) >= LEAST_KILLS // 2, "the kills came when nothing was going on"
    assert {each["name"]: each["id"] for each in documents} == accepted
    assert len(documents) == len(files)
    wrong = [(each["name"], each["status"], each["error"]) for each in documents if each["status"] != "ready"]
    assert not wrong, f"{wrong}\n{stack.logs()}"


def _swept_dump(stack: Stack) -> dict[str, Any]:
    """Dump once the gateway has swept what its dead predecessors were receiving."""
    until(lambda: not list((stack.data / "blobs" / ".incoming").iterdir()), 90, "abandoned uploads are swept")
    return stack.dump()


def _assert_same_vectors(
    ours: dict[tuple[str, str, int], np.ndarray], theirs: dict[tuple[str, str, int], np.ndarray]
) -> None:
    assert ours.keys() == theirs.keys()
    for key, vector in ours.items():
        other = theirs[key]
        cosine = float(vector @ other / (np.linalg.norm(vector) * np.linalg.norm(other)))
        assert cosine >= MIN_COSINE, (key, cosine)


@pytest.mark.parametrize("stage", ["embed", "index"])
def test_a_worker_that_slept_past_its_lease_writes_nothing(
    calm: Stack, stage: str, capsys: pytest.CaptureFixture[str]
) -> None:
    long = {"long.txt": corpus.text(5, 2500)}
    with calm.client() as client:
        for kb in (f"calm-{stage}", f"slept-{stage}"):
            assert client.post("/v1/kbs", json={"name": kb, "language": "en"}).status_code < 300
        calm.upload(client, long, kb=f"calm-{stage}")
        assert calm.settled(client, kb=f"calm-{stage}")[0]["status"] == "ready"
        calm.upload(client, long, kb=f"slept-{stage}")
        worker = psutil.Process(calm.pid("worker"))
        _until_stage(calm, stage)
        worker.suspend()
        try:
            holder = _holder(calm)
            time.sleep(LEASE_SECONDS + 0.5)
            with _another_worker(worker.environ(), calm.data / "logs" / f"second-{stage}.log"):
                [document] = calm.settled(client, kb=f"slept-{stage}", seconds=SETTLE_SECONDS)
                assert document["status"] == "ready", document
                before = calm.dump()
                lost = _lost(calm)
                worker.resume()
                until(lambda: _lost(calm) > lost, 60, f"the worker notices; it held {holder}\n{calm.log('worker')[-3000:]}")
                time.sleep(2 * LEASE_SECONDS)
        finally:
            if worker.is_running():
                worker.resume()
        after = calm.dump()
    with capsys.disabled():
        print(f"\nstopped while it held {holder}; then its log says that a lease was lost {_lost(calm) - lost} times")
    assert not differences(after, before)
    assert not differences(after[f"slept-{stage}"], after[f"calm-{stage}"])


def _until_stage(stack: Stack, stage: str) -> None:
    until(lambda: any(name == stage for name, _ in _holder(stack)), 60, f"the worker is at stage {stage}")


def _holder(stack: Stack) -> list[tuple[str, int]]:
    with sqlite3.connect(f"file:{stack.data / 'records.sqlite3'}?mode=ro", uri=True, timeout=10) as records:
        return records.execute("SELECT name, batch FROM stage WHERE state = 'running'").fetchall()


def _lost(stack: Stack) -> int:
    return stack.log("worker").count("lease lost")


@contextmanager
def _another_worker(environment: dict[str, str], log: Path) -> Iterator[None]:
    with log.open("wb") as output:
        worker = subprocess.Popen(
            [sys.executable, "-P", "-m", "ingestion"], env=environment, stdout=output, stderr=output, cwd="/"
        )
        try:
            yield
        finally:
            worker.send_signal(signal.SIGTERM)
            worker.wait(30)
