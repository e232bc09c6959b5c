"""A backup taken while documents arrive, restored into an empty installation, answers as the original did."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support import corpus
from tests.support import stack as stacks
from tests.support.neo4j_server import Neo4jServer
from tests.support.stack import ROOT, Stack, until

DATA = ROOT / "tests" / "data"
CHECK = {"ATOLL_WORKER__INDEX_CHECK_SECONDS": "1"}


def questions() -> list[str]:
    named = [json.loads(line)["question"] for line in (DATA / "sample_questions.jsonl").read_text().splitlines()]
    exact = [json.loads(line) for line in (DATA / "sample_identifiers.jsonl").read_text().splitlines()]
    return [*named, *(each.get("query") or each["identifier"] for each in exact)][:50]


def answers(stack: Stack) -> list[Any]:
    found = []
    with stack.client() as client:
        for question in questions():
            answer = client.post("/v1/kbs/default/query", json={"query": question, "answer": "extract"})
            answer.raise_for_status()
            body = answer.json()
            evidence = [(each["passage_id"], round(each["score"], 3)) for each in body["evidence"]]
            found.append((question, body["answer"], body["answered_by"], evidence))
    return found


@contextmanager
def load(stack: Stack) -> Iterator[None]:
    """Upload to a knowledge base beside, and delete from it, until the block ends."""
    stop = threading.Event()

    def work() -> None:
        with stack.client() as client:
            number = 0
            while not stop.is_set():
                number += 1
                body = stack.upload(client, {f"{number}.txt": corpus.text(number, 40)}, kb="busy")
                if number % 3 == 0:
                    client.delete(f"/v1/kbs/busy/documents/{body['documents'][0]['id']}")
                stop.wait(0.2)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(30)


def environment(store: str, request: pytest.FixtureRequest) -> Mapping[str, str]:
    """What a stack on this kind of record store is started with; the store is empty."""
    if store == "sqlite":
        return CHECK
    server: Neo4jServer = request.getfixturevalue("neo4j_server")
    server.wipe()
    return {**CHECK, **server.environment}


def backup_under_load(stack: Stack, saved: Path) -> dict[str, int]:
    """Take a backup while documents come and go; return the revision of each knowledge base in it."""
    with stack.client() as client, load(stack):
        until(lambda: client.get("/v1/kbs/busy/documents").json()["counts"].get("ready", 0) > 2, 60, "load")
        taken = stack.run("backup", "create", "-o", str(saved), "--json")
    assert taken.returncode == 0, taken.stderr
    return {each["name"]: each["revision"] for each in json.loads(taken.stdout)["kbs"]}


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("way", [("sqlite", "sqlite"), ("sqlite", "neo4j", "sqlite")], ids=" to ".join)
def test_a_backup_under_load_is_restored_to_equal_dumps_and_answers(
    tmp_path: Path, request: pytest.FixtureRequest, way: tuple[str, ...]
) -> None:
    saved = tmp_path / "saved"
    with stacks.running(tmp_path / "old", environment(way[0], request)) as old:
        with old.client() as client:
            assert client.post("/v1/kbs", json={"name": "busy"}).status_code in {200, 201}
            old.upload(client, {path.name: path.read_bytes() for path in sorted(stacks.SAMPLES.iterdir())[:14]})
            assert all(each["status"] == "ready" for each in old.settled(client, seconds=180))
            expected = answers(old)
            assert len(expected) == 50
            revisions = backup_under_load(old, saved)
            assert revisions["default"] == client.get("/v1/kbs/default").json()["revision"]
            # The knowledge base beside went on; what it was at the backup is for the contract tests to compare.
            assert client.delete("/v1/kbs/busy").is_success
        dump = old.dump()["default"]
        assert old.run("backup", "restore", str(saved)).returncode == 1  # in use
    assert old.run("backup", "verify", str(saved)).returncode == 0
    for number, store in enumerate(way[1:]):
        folder, settings = tmp_path / f"new{number}", environment(store, request)
        with restored(folder, settings, saved, pepper=old.data / "secrets" / "pepper") as new:
            until(lambda new=new: new.dump()["default"] == dump, 90, f"an equal dump\n{new.logs()}")
            assert answers(new) == expected
            with new.client(key=old.key) as client:  # the old key works, because the pepper came along
                kbs = {each["name"]: each for each in client.get("/v1/kbs").json()["kbs"]}
            assert kbs["default"]["revision"] == revisions["default"]
            assert kbs["busy"]["revision"] >= revisions["busy"]  # what was under way goes on
            with new.client() as client:
                assert all(each["status"] == "ready" for each in new.settled(client, kb="busy"))
            saved = tmp_path / f"saved{number}"
            revisions = backup_under_load(new, saved)


@contextmanager
def restored(folder: Path, settings: Mapping[str, str], saved: Path, *, pepper: Path) -> Iterator[Stack]:
    stack = Stack(folder, settings)
    (stack.data / "secrets").mkdir(parents=True)
    (stack.data / "secrets" / "pepper").write_text(pepper.read_text())
    done = stack.run("backup", "restore", str(saved))
    assert done.returncode == 0, done.stderr
    try:
        stack.up()
        yield stack
    finally:
        stack.down()


@pytest.mark.slow
def test_exit_codes_of_damage(tmp_path: Path) -> None:
    stack = Stack(tmp_path / "data")
    assert stack.run("init").returncode == 0
    assert stack.run("backup", "create", "-o", str(tmp_path / "saved")).returncode == 0
    accounts = tmp_path / "saved" / "accounts.jsonl"
    accounts.write_bytes(accounts.read_bytes().replace(b"default", b"defaulu", 1))
    for command in ("verify", "restore"):
        damaged = stack.run("backup", command, str(tmp_path / "saved"))
        assert damaged.returncode == 4
        assert str(accounts) in damaged.stderr
        assert damaged.stderr.count("\n") == 1
    assert stack.run("backup", "verify", str(tmp_path)).returncode == 1
