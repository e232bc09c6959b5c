"""The vector index is made again from the record store: by command, and by itself when it was lost."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.support import stack as stacks
from tests.support.stack import Stack, until

QUESTIONS = ("When was the ramp repaired?", "lantern battery", "Who keeps the beacon of Osk Head?", "ferry timetable")


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("reindex")
    with stacks.running(folder, {"ATOLL_WORKER__INDEX_CHECK_SECONDS": "1"}) as running:
        with running.client() as client:
            files = {path.name: path.read_bytes() for path in sorted(stacks.SAMPLES.glob("*.md"))[:6]}
            running.upload(client, files)
            assert all(each["status"] == "ready" for each in running.settled(client))
        yield running


def answers(stack: Stack) -> list[list[tuple[str, float]]]:
    with stack.client() as client:
        found = []
        for question in QUESTIONS:
            answer = client.post("/v1/kbs/default/search", json={"query": question, "mode": "naive"})
            answer.raise_for_status()
            found.append([(each["passage_id"], round(each["score"], 3)) for each in answer.json()["evidence"]])
        return found


def same(stack: Stack, expected: list[list[tuple[str, float]]]) -> bool:
    try:
        return answers(stack) == expected
    except Exception:  # noqa: BLE001 - the gateway says 503 as long as the collection is away
        return False


def collections(stack: Stack) -> Path:
    return stack.data / "vectors" / "collections"


@pytest.mark.slow
@pytest.mark.parametrize("killed", [True, False])
def test_a_lost_folder_of_the_vector_server_comes_back_without_anybody(stack: Stack, killed: bool) -> None:
    expected = answers(stack)
    assert all(len(each) >= 5 for each in expected)
    pid = stack.table()["vectors"]["pid"]
    shutil.rmtree(stack.data / "vectors")
    if killed:
        os.kill(pid, signal.SIGKILL)
    until(lambda: stack.table()["vectors"]["pid"] not in (None, pid), 60, "a new vector server")
    until(lambda: same(stack, expected), 90, f"the same answers as before\n{stack.logs()}")
    assert "rebuilt passages" in stack.log("worker")


@pytest.mark.slow
def test_the_command_mends_what_is_missing_and_removes_what_is_left_over(stack: Stack) -> None:
    expected = answers(stack)
    first = json.loads(stack.run("reindex", "--json").stdout)
    (passages,) = [each for each in first if each["kb"] == "default" and each["collection"] == "passages"]
    assert (passages["written"], passages["removed"]) == (0, 0)
    everything = json.loads(stack.run("reindex", "--all", "--kb", "default", "--json").stdout)
    assert everything[0]["written"] == passages["points"] > 0
    assert answers(stack) == expected
    # Rows that vanish behind the index's back leave strays: of one document, all but its last passage.
    with closing(sqlite3.connect(stack.data / "records.sqlite3", timeout=30)) as connection, connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        document, count = connection.execute("SELECT uid, passages FROM document WHERE visible = 1 LIMIT 1").fetchone()
        connection.execute("UPDATE document SET passages = 1 WHERE uid = ?", (document,))
        connection.execute("UPDATE kb SET passages = passages - ?", (count - 1,))
        connection.execute("DELETE FROM mention WHERE document = ?", (document,))
        connection.execute("DELETE FROM passage WHERE document = ? AND ordinal < ?", (document, count - 1))
    until(lambda: f"{count - 1} removed" in stack.log("worker"), 60, f"the strays removed\n{stack.logs()}")
    shown = stack.run("reindex")
    assert shown.returncode == 0
    assert "default" in shown.stdout
