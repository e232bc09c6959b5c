from __future__ import annotations

import errno
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest

from atoll import files
from atoll.errors import StorageFull
from atoll.local import control, pids, room, state
from atoll.local.roles import Stack
from atoll.local.state import Phase, Row, StackState
from atoll.local.supervisor import Supervisor
from atoll.local.vectors.copies import disk_bytes
from atoll.local.vectors.edge import EdgeEngine
from atoll.local.vectors.engine import Point, Sparse, Upsert
from atoll.local.vectors.schema import collection_config
from atoll.local.vectors.store import Store

MIB = 2**20


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, content: bytes, *, mode: int | None = None) -> NoReturn:
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr(files, "write", refuse)


def test_a_start_without_room_says_how_much_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    room.require(tmp_path / "not" / "there" / "yet", needed_bytes=1)
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=24 * MIB + 1))
    with pytest.raises(StorageFull, match="has 24 MiB free and a start needs 64: free 40 MiB more"):
        room.require(tmp_path)


@pytest.mark.usefixtures("full")
def test_a_full_disk_ends_no_supervisor(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    supervisor = Supervisor(Stack("http://unused", tmp_path, tmp_path / "run", tmp_path / "logs", ()))
    supervisor._publish()
    supervisor._publish()
    assert caplog.text.count("the state file cannot be written: No space left on device") == 1


def test_down_works_on_a_full_disk(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    state.write(tmp_path, StackState(pids.boot_id(), Phase.RUNNING, "http://unused", (Row("gateway", "running"),)))
    request.getfixturevalue("full")
    assert control.stop(tmp_path) is False


@pytest.fixture
def memory_disk() -> Iterator[Path]:
    """A folder on a file system in memory, where what is read of a hole takes room."""
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        yield Path(folder)


def test_one_document_takes_little_room_after_two_starts(memory_disk: Path) -> None:
    """It took 152 MiB for pages and 55 for passages: the engine read its preallocated files whole at the second start."""
    rows = {"size": 128, "distance": "Dot", "datatype": "float16", "multivector_config": {"comparator": "max_sim"}}
    specs: dict[str, dict[str, Any]] = {
        "passages_a": {"vectors": {"dense": {"size": 384, "distance": "Cosine"}}, "sparse_vectors": {"bm25": {}}},
        "entities_a": {"vectors": {"dense": {"size": 384, "distance": "Cosine"}}},
        "pages_a": {"vectors": {"full": {**rows, "on_disk": True}, "rows": rows, "cols": rows}},
    }
    store = Store(memory_disk, EdgeEngine())
    store.open()
    for name, spec in specs.items():
        config = collection_config(spec)
        store.create(name, spec, config)
        dense = {
            each: np.ones((3, 128) if given.multivector else given.size, "f4") for each, given in config.dense.items()
        }
        sparse = {each: Sparse(np.array([1, 2], "u4"), np.ones(2, "f4")) for each in config.sparse}
        store.get(name).apply(Upsert([Point(number, {**dense, **sparse}, {"kb": "k"}) for number in range(20)]))
    for _ in range(2):
        store.close()
        store = Store(memory_disk, EdgeEngine())
        store.open()
        assert [each.shard.count(None) for each in store.all()] == [20, 20, 20]
    taken = disk_bytes(memory_disk)
    store.close()
    assert taken < 16 * MIB, f"{taken / MIB:.0f} MiB"
