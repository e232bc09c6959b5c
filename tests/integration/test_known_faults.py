"""Faults that were reproduced in LightRAG 1.5.7, each as a test that fails if we had them too."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from atoll.adapters.memory.chat import MemoryChat
from atoll.adapters.memory.graph_index import MemoryGraphIndex
from tests.support import corpus
from tests.support.house import House
from tests.support.stack import Stack, until
from tests.unit.query.twins import Library


@pytest.fixture(scope="module")
def stack(shared_stack: Stack) -> Stack:
    # Nothing of the caches that model libraries look for is there, and every address outside is unreachable by name.
    return shared_stack


def ask(stack: Stack, kb: str, question: str) -> dict:
    with stack.client() as client:
        answer = client.post(f"/v1/kbs/{kb}/query", json={"query": question, "answer": "extract"})
        answer.raise_for_status()
        return answer.json()


@pytest.mark.slow
def test_an_answer_is_never_taken_from_before_a_delete(stack: Stack, own_kb: str) -> None:
    """Its answer cache knew no revision: a deleted document went on answering, beside references to another one."""
    question = "What is the door code of the Lindvik archive?"
    with stack.client() as client:
        first = stack.upload(client, {"a.txt": b"The door code of the Lindvik archive is 4711."}, kb=own_kb)[
            "documents"
        ][0]
        stack.upload(client, {"c.txt": b"The door of the Lindvik archive is painted green."}, kb=own_kb)
        stack.settled(client, kb=own_kb)
        assert "4711" in ask(stack, own_kb, question)["answer"]
        assert client.delete(f"/v1/kbs/{own_kb}/documents/{first['id']}").status_code == 200
        for _ in range(3):
            body = ask(stack, own_kb, question)
            assert "4711" not in str(body)
            assert first["id"] not in str(body)
            cited = {each["evidence"]["document_id"] for each in body["citations"]}
            assert cited <= {each["document_id"] for each in body["evidence"]}


@pytest.mark.slow
def test_documents_go_on_after_kill_9_without_anybody_asking(stack: Stack, own_kb: str) -> None:
    """After a kill its documents stayed "processing" until somebody called scan or uploaded something."""
    with stack.client() as client:
        stack.upload(client, {f"work {number}.txt": corpus.text(number, 300) for number in range(12)}, kb=own_kb)
        until(
            lambda: any(each["status"] == "processing" for each in stack.documents(client, own_kb)), 60, "work to begin"
        )
        os.kill(stack.table()["worker"]["pid"], signal.SIGKILL)
        documents = stack.settled(client, kb=own_kb, seconds=180)
        assert {each["status"] for each in documents} == {"ready"}


@pytest.mark.slow
def test_not_ready_while_a_model_server_is_away_and_what_hangs_comes_back_by_itself(stack: Stack, own_kb: str) -> None:
    """It said that it was ready, and healthy, with the addresses of its models dead; what hung stayed so for ever."""
    asked = {"query": "What is painted green at Lindvik?", "top_k": 5}
    with stack.client(timeout=90.0) as client:
        stack.upload(client, {"green.txt": b"The fence of the Lindvik depot is painted green."}, kb=own_kb)
        stack.settled(client, kb=own_kb)
        assert client.get("/health/ready").status_code == 200
        hung = {role: stack.table()[role]["pid"] for role in ("embeddings", "parser", "worker")}
        for pid in hung.values():
            os.kill(pid, signal.SIGSTOP)
        until(lambda: client.get("/health/ready").status_code == 503, 120, "not ready")
        assert client.get("/health/live").status_code == 200
        for mode in ("mix", "naive", "local", "global", "hybrid"):
            found = client.post(f"/v1/kbs/{own_kb}/search", json={**asked, "mode": mode}).json()
            assert "embedder_away" in {each["type"] for each in found["warnings"]}, (mode, found)
        answer = client.post(f"/v1/kbs/{own_kb}/query", json={**asked, "answer": "extract"})
        assert answer.status_code == 200, answer.text
        uploaded = stack.upload(client, {"late.txt": b"The gate of the Lindvik depot is painted red."}, kb=own_kb)
        until(lambda: all(stack.table()[role]["pid"] not in {pid, None} for role, pid in hung.items()), 120, "restarts")
        until(lambda: client.get("/health/ready").status_code == 200, 120, "ready again")
        documents = {each["id"]: each["status"] for each in stack.settled(client, kb=own_kb)}
        assert documents[uploaded["documents"][0]["id"]] == "ready"
        body = client.post(f"/v1/kbs/{own_kb}/search", json=asked).json()
        assert "embedder_away" not in {each["type"] for each in body["warnings"]}


async def test_a_long_answer_keeps_every_word() -> None:
    """Answers longer than their prompt lost the words "user", "model", "system" and more."""
    said = (
        "The user chooses the model in the system menu. The assistant of the user writes the query into the model log. "
    )
    library = Library(MemoryChat(said * 25 + "[1]"))
    await library.add("manual.txt", said)
    outcome = await library.service.query(library.asking("Who chooses the model in the system menu?"))
    for word in ("user", "model", "system", "assistant", "query"):
        assert outcome.answer.text.count(word) >= said.count(word) * 25, word


async def test_the_work_for_a_document_does_not_grow_with_their_number(tmp_path: Path) -> None:
    """Its stores were rewritten whole for each document: from 50 to 200 documents the time for one more than doubled.

    Processor time of this process, so that a busy machine does not matter; the median of rounds of twenty documents.
    """
    house = House(tmp_path / "house", vectors=MemoryGraphIndex())
    (kb,) = await house.open("main")
    spent: list[float] = []
    for number in range(400):
        started = time.process_time()
        await house.upload(kb, f"{number}.txt", corpus.text(number, 20))
        await house.work()
        spent.append(time.process_time() - started)
    early, late = (sorted(spent[start : start + 50])[25] for start in (25, 350))
    house.database.close()
    house.blobs.close()
    assert late < early * 1.5, f"{early * 1000:.1f} ms a document at 50, {late * 1000:.1f} ms at 400"
