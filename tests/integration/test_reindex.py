"""The vector index is made again from the record store: by command, and by itself when it was lost."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from tests.support.stack import SAMPLES, Stack, until

QUESTIONS = ("When was the ramp repaired?", "lantern battery", "Who keeps the beacon of Osk Head?", "ferry timetable")


@pytest.fixture(scope="module")
def stack(shared_stack: Stack, own_kb: str) -> Stack:
    with shared_stack.client() as client:
        files = {path.name: path.read_bytes() for path in sorted(SAMPLES.glob("*.md"))[:6]}
        shared_stack.upload(client, files, kb=own_kb)
        assert all(each["status"] == "ready" for each in shared_stack.settled(client, kb=own_kb))
    return shared_stack


def answers(stack: Stack, kb: str) -> list[list[tuple[str, float]]]:
    with stack.client() as client:
        found = []
        for question in QUESTIONS:
            answer = client.post(f"/v1/kbs/{kb}/search", json={"query": question, "mode": "naive"})
            answer.raise_for_status()
            found.append([(each["passage_id"], round(each["score"], 3)) for each in answer.json()["evidence"]])
        return found


def same(stack: Stack, kb: str, expected: list[list[tuple[str, float]]]) -> bool:
    try:
        return answers(stack, kb) == expected
    except Exception:  # noqa: BLE001 - the gateway says 503 as long as the collection is away
        return False


def collections(stack: Stack) -> Path:
    return stack.data / "vectors" / "collections"


def model_work(stack: Stack) -> dict[str, list[str]]:
    """Return what each model server has counted of batches, and of requests that need its model."""
    counted = {}
    for role in ("embeddings", "pages"):
        row = stack.table()[role]
        token = Path(row["token_file"]).read_text().strip()
        answer = httpx.get(f"{row['address']}/metrics", headers={"Authorization": f"Bearer {token}"})
        answer.raise_for_status()
        counted[role] = [
            line
            for line in answer.text.splitlines()
            if line.startswith("atoll_model_batch_items_count") or 'route="/v1/' in line
        ]
    return counted


@pytest.mark.slow
@pytest.mark.parametrize("killed", [True, False])
def test_a_lost_folder_of_the_vector_server_comes_back_without_anybody(stack: Stack, own_kb: str, killed: bool) -> None:
    expected = answers(stack, own_kb)
    assert all(len(each) >= 5 for each in expected)
    pid = stack.table()["vectors"]["pid"]
    shutil.rmtree(stack.data / "vectors")
    if killed:
        os.kill(pid, signal.SIGKILL)
    until(lambda: stack.table()["vectors"]["pid"] not in (None, pid), 60, "a new vector server")
    until(lambda: same(stack, own_kb, expected), 90, f"the same answers as before\n{stack.logs()}")
    assert "rebuilt passages" in stack.log("worker")


@pytest.mark.slow
def test_the_command_mends_what_is_missing_and_removes_what_is_left_over(stack: Stack, own_kb: str) -> None:
    expected = answers(stack, own_kb)
    asked = model_work(stack)
    first = json.loads(stack.run("reindex", "--json").stdout)
    (passages,) = [each for each in first if each["kb"] == own_kb and each["collection"] == "passages"]
    assert (passages["written"], passages["removed"]) == (0, 0)
    everything = json.loads(stack.run("reindex", "--all", "--kb", own_kb, "--json").stdout)
    assert everything[0]["written"] == passages["points"] > 0
    assert model_work(stack) == asked, "vectors come from the records, not from a model"
    assert any("batch" in line for line in asked["embeddings"])
    assert answers(stack, own_kb) == expected
    # Rows that vanish behind the index's back leave strays: of one document, all but its last passage.
    with closing(sqlite3.connect(stack.data / "records.sqlite3", timeout=30)) as connection, connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        document, count = connection.execute(
            "SELECT uid, passages FROM document WHERE visible = 1 AND kb = (SELECT uid FROM kb WHERE name = ?) LIMIT 1",
            (own_kb,),
        ).fetchone()
        connection.execute("UPDATE document SET passages = 1 WHERE uid = ?", (document,))
        connection.execute("UPDATE kb SET passages = passages - ? WHERE name = ?", (count - 1, own_kb))
        connection.execute("DELETE FROM mention WHERE document = ?", (document,))
        connection.execute("DELETE FROM passage WHERE document = ? AND ordinal < ?", (document, count - 1))
    until(lambda: f"{count - 1} removed" in stack.log("worker"), 60, f"the strays removed\n{stack.logs()}")
    shown = stack.run("reindex")
    assert shown.returncode == 0
    assert own_kb in shown.stdout
