"""P2 over real processes: whatever dies, what was accepted becomes ready, once, without anybody's help."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from tests.support import corpus
from tests.support.killing import AIMED, Kills, at_random, differences, upload_all
from tests.support.stack import SAMPLES, Stack, running, until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

#: The first seed of the kills at random.
SEED = int(os.environ.get("KILL_SEED", random.SystemRandom().randrange(10_000)))
LEASE_SECONDS = 3.0
SETTINGS = {
    "ATOLL_WORKER__LEASE_SECONDS": str(LEASE_SECONDS),
    "ATOLL_WORKER__RECONCILE_SECONDS": "1",
    "ATOLL_WORKER__PURGE_GRACE_SECONDS": "1",
}
DOCUMENTS = 28
SETTLE_SECONDS = 180.0
SOAK_ROUNDS = 20
MIN_COSINE = 0.999
#: Long enough that every stage can be met at work.
LONG = {"long.txt": corpus.text(5, 2500)}


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    samples = {path.name: path.read_bytes() for path in sorted(SAMPLES.iterdir())}
    mixed = list((samples | corpus.documents(11, DOCUMENTS - len(samples), sentences=(3, 900))).items())
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
    _survives(Kills(Stack(tmp_path, SETTINGS), AIMED), calm, files, undisturbed, capsys)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(SEED + 1, SEED + 1 + SOAK_ROUNDS))
def test_the_same_for_many_other_seeds(
    tmp_path: Path,
    calm: Stack,
    files: dict[str, bytes],
    undisturbed: dict[str, Any],
    seed: int,
    capsys: pytest.CaptureFixture[str],
) -> None:
    _survives(Kills(Stack(tmp_path, SETTINGS), at_random(seed)), calm, files, undisturbed, capsys)


def _survives(
    kills: Kills,
    calm: Stack,
    files: dict[str, bytes],
    undisturbed: dict[str, Any],
    capsys: pytest.CaptureFixture[str],
) -> None:
    try:
        kills.stack.up()
        _ingest_amid_kills(kills, files, capsys)
        assert not differences(_swept_dump(kills.stack), undisturbed)
        _assert_same_vectors(kills.stack.embeddings(), calm.embeddings())
    finally:
        kills.stack.down()


def _ingest_amid_kills(kills: Kills, files: dict[str, bytes], capsys: pytest.CaptureFixture[str]) -> None:
    stack, started = kills.stack, time.monotonic()
    uploads = upload_all(stack, files, kills)
    try:
        kills.run()
    finally:
        with capsys.disabled():
            print(f"\n{kills.report()}\n  {[(round(at, 1), name, amid) for at, name, amid in kills.log]}")
    accepted = uploads.result(SETTLE_SECONDS)
    killed_seconds = time.monotonic() - started
    with stack.client(timeout=10.0) as client:
        documents = stack.settled(client, seconds=SETTLE_SECONDS, retry=True)
    with capsys.disabled():
        print(
            f"  killing took {killed_seconds:.0f} s, all ready {time.monotonic() - started - killed_seconds:.0f} s later"
        )
    assert len(kills.log) == len(kills.plan)
    assert sum(1 for *_, amid in kills.log if amid) >= len(kills.plan) // 2, "the kills came when nothing was going on"
    aimed = sum(1 for death in kills.plan if death.stage is not None)
    assert kills.met >= 2 * aimed // 3, f"the kills missed the stages that they were aimed at: {kills.report()}"
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


@pytest.mark.parametrize("stage", ["extract", "embed", "index"])
def test_a_worker_that_slept_past_its_lease_writes_nothing(
    calm: Stack, stage: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with calm.client() as client:
        for kb in (f"calm-{stage}", f"slept-{stage}"):
            assert client.post("/v1/kbs", json={"name": kb, "language": "en"}).status_code < 300
        calm.upload(client, LONG, kb=f"calm-{stage}")
        assert calm.settled(client, kb=f"calm-{stage}")[0]["status"] == "ready"
        calm.upload(client, LONG, kb=f"slept-{stage}")
        with _worker_asleep(calm, stage) as wake:
            [document] = calm.settled(client, kb=f"slept-{stage}", seconds=SETTLE_SECONDS)
            assert document["status"] == "ready", document
            before = calm.dump()
            told = wake()
        after = calm.dump()
    with capsys.disabled():
        print(f"\nslept during {stage}: {told}")
    assert not differences(after, before)
    assert not differences(after[f"slept-{stage}"], after[f"calm-{stage}"])


@pytest.mark.parametrize("stage", ["embed", "index"])
def test_a_worker_that_slept_while_its_document_was_deleted_brings_nothing_back(
    calm: Stack, stage: str, capsys: pytest.CaptureFixture[str]
) -> None:
    kb = f"deleted-{stage}"
    with calm.client() as client:
        assert client.post("/v1/kbs", json={"name": kb, "language": "en"}).status_code < 300
        before = calm.dump()
        [document] = calm.upload(client, LONG, kb=kb)["documents"]
        with _worker_asleep(calm, stage) as wake:
            assert client.delete(f"/v1/kbs/{kb}/documents/{document['id']}").status_code == 200
            until(lambda: not differences(calm.dump(), before), 60, "the document is purged")
            told = wake()
        assert not differences(calm.dump(), before)
    with capsys.disabled():
        print(f"\nslept during {stage}, deleted meanwhile: {told}")


@contextmanager
def _worker_asleep(stack: Stack, stage: str) -> Iterator[Callable[[], str]]:
    """Stop the worker at a stage until its lease is over, with another one at work; yield what wakes it."""
    worker = psutil.Process(stack.pid("worker"))
    try:
        until(lambda: _suspended_at(stack, worker, stage), SETTLE_SECONDS, f"the worker is stopped at stage {stage}")
        held = _held_stages(stack)
        time.sleep(LEASE_SECONDS + 0.5)
        lost = _lost(stack)

        def wake() -> str:
            worker.resume()
            until(
                lambda: _lost(stack) > lost,
                60,
                f"the worker notices that it lost {held}\n{stack.log('worker')[-3000:]}",
            )
            time.sleep(2 * LEASE_SECONDS)
            return f"it held {held}; its log then says {_lost(stack) - lost} times that a lease was lost"

        with _another_worker(worker.environ(), stack.data / "logs" / "second.log"):
            yield wake
    finally:
        worker.resume()


def _suspended_at(stack: Stack, worker: psutil.Process, stage: str) -> bool:
    """Stop the worker at a stage, outside a transaction of the record store.

    SQLite's write lock belongs to the process: one that is stopped within a transaction keeps everybody from writing
    until it goes on or dies, and no lease can change that.
    """
    if not any(name == stage for name, _ in _held_stages(stack)):
        return False
    worker.suspend()
    if any(name == stage for name, _ in _held_stages(stack)) and _is_writable(stack):
        return True
    worker.resume()
    return False


def _is_writable(stack: Stack) -> bool:
    records = sqlite3.connect(stack.data / "records.sqlite3", timeout=0.5, isolation_level=None)
    try:
        records.execute("BEGIN IMMEDIATE")
        records.execute("ROLLBACK")
    except sqlite3.OperationalError:
        return False
    finally:
        records.close()
    return True


def _held_stages(stack: Stack) -> list[tuple[str, int]]:
    with sqlite3.connect(f"file:{stack.data / 'records.sqlite3'}?mode=ro", uri=True, timeout=10) as records:
        return records.execute("SELECT name, batch FROM stage WHERE state = 'running'").fetchall()


def _lost(stack: Stack) -> int:
    return stack.log("worker").count("lease lost")


@contextmanager
def _another_worker(environment: dict[str, str], log: Path) -> Iterator[None]:
    with log.open("ab") as output:
        worker = subprocess.Popen(
            [sys.executable, "-P", "-m", "ingestion"], env=environment, stdout=output, stderr=output, cwd="/"
        )
        try:
            yield
        finally:
            worker.send_signal(signal.SIGTERM)
            worker.wait(30)
