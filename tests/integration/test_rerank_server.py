"""``/v1/rerank`` over HTTP with a tiny random cross-encoder: protocol, order, truncation, what is locked."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import numpy as np
import pytest

from atoll.adapters.http_reranker import HttpReranker
from atoll.ops.models import Role, hashing, lock
from tests.support import tiny_models
from tests.support.embedding_server import Server, running

pytestmark = pytest.mark.slow

QUESTION = "How often is the safety valve checked?"
DOCUMENTS = [f"paragraph {number} about valve {number % 7}, checked" for number in range(60)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tiny_models.bert_cross_encoder(tmp_path_factory.mktemp("models") / "ranker", window=96)


@pytest.fixture(scope="module")
def server(tmp_path_factory, folder) -> Iterator[Server]:
    with running(
        tmp_path_factory.mktemp("rerank"), RERANKER__MODEL_DIR=str(folder), EMBEDDINGS__DTYPE="fp32"
    ) as started:
        yield started


@pytest.fixture(scope="module")
def reference(folder) -> np.ndarray:
    from sentence_transformers import CrossEncoder

    model = CrossEncoder(str(folder), device="cpu", local_files_only=True)
    return model.predict([(QUESTION, document) for document in DOCUMENTS])


def test_results_are_sorted_by_relevance_and_equal_sentence_transformers(server, reference):
    reply = server.rerank(QUESTION, DOCUMENTS).json()
    scores = [row["relevance_score"] for row in reply["results"]]
    assert scores == sorted(scores, reverse=True)
    assert sorted(row["index"] for row in reply["results"]) == list(range(len(DOCUMENTS)))
    ours = {row["index"]: row["relevance_score"] for row in reply["results"]}
    np.testing.assert_allclose([ours[at] for at in range(len(DOCUMENTS))], reference, atol=1e-4)
    assert np.ptp(reference) > 0.001
    assert reply["model"] == "ranker"
    assert reply["usage"]["total_tokens"] > len(DOCUMENTS)
    assert "document" not in reply["results"][0]


def test_top_n_and_documents_as_cohere_and_jina_send_them(server):
    wrapped = [{"text": document, "id": at} for at, document in enumerate(DOCUMENTS)]
    reply = server.rerank(QUESTION, wrapped, top_n=3, return_documents=True, model="rerank-x", max_chunks=4).json()
    whole = server.rerank(QUESTION, DOCUMENTS).json()["results"]
    assert [row["index"] for row in reply["results"]] == [row["index"] for row in whole[:3]]
    for row in reply["results"]:
        assert row["document"] == {"text": DOCUMENTS[row["index"]]}
    assert len(server.rerank(QUESTION, DOCUMENTS[:2], top_n=50).json()["results"]) == 2


@pytest.mark.parametrize(
    ("body", "param", "words"),
    [
        ({"documents": ["a"]}, "query", "required"),
        ({"query": "", "documents": ["a"]}, "query", "at least 1"),
        ({"query": "q"}, "documents", "required"),
        ({"query": "q", "documents": []}, "documents", "at least 1"),
        ({"query": "q", "documents": "a"}, "documents", "list"),
        ({"query": "q", "documents": ["a", {"title": "b"}]}, "documents.1", "string"),
        ({"query": "q", "documents": ["a"] * 513}, "documents", "512"),
        ({"query": "q", "documents": ["a"], "top_n": 0}, "top_n", "greater"),
        ({"query": "q", "documents": ["a", "b" * 200_000]}, "documents", "131072"),
    ],
)
def test_bad_requests_name_the_field_and_the_remedy(server, body, param, words):
    reply = httpx.post(f"{server.url}/v1/rerank", json=body, timeout=30)
    assert reply.status_code == 400, reply.text
    error = reply.json()["error"]
    assert error["param"] == param
    assert words in error["message"]


def test_a_long_document_is_refused_with_limit_and_count_or_cut_and_told(server):
    refused = server.rerank("tide", ["short", "tide " * 60])
    assert refused.status_code == 400
    assert refused.json()["error"]["code"] == "context_length_exceeded"
    assert "the model reads 96" in refused.json()["error"]["message"]
    cut = server.rerank("tide", ["short", "tide " * 60], truncate=True)
    assert cut.headers["X-Truncated"] == "1"
    assert len(cut.json()["results"]) == 2


def test_info_and_metrics_know_the_cross_encoder(server):
    card = httpx.get(f"{server.url}/info").json()["rerank"]
    assert (card["model"], card["max_tokens"], card["dtype"], card["agreement_with_fp32"]) == ("ranker", 96, "fp32", 1)
    assert len(card["weights_sha256"]) == 64
    server.rerank(QUESTION, DOCUMENTS[:2])
    assert 'route="/v1/rerank",status="200"' in httpx.get(f"{server.url}/metrics").text


def test_both_models_share_the_queue_without_mixing_their_results(server, reference):
    texts = [f"harbour {number}" for number in range(5)]
    expected = server.vectors(texts)

    def embed(_: int) -> None:
        np.testing.assert_allclose(server.vectors(texts, input_type="query"), expected, atol=1e-4)

    def rank(_: int) -> None:
        rows = server.rerank(QUESTION, DOCUMENTS[:20]).json()["results"]
        scores = {row["index"]: row["relevance_score"] for row in rows}
        np.testing.assert_allclose([scores[at] for at in range(20)], reference[:20], atol=1e-4)

    with ThreadPoolExecutor(12) as crowd:
        for each in [crowd.submit(work, number) for number in range(20) for work in (embed, rank)]:
            each.result(timeout=60)


def test_the_adapter_asks_it_as_it_is(server, reference):
    async def ask() -> list[float] | None:
        reranker = HttpReranker(url=server.url, timeout_seconds=30)
        try:
            return await reranker.relevance(QUESTION, DOCUMENTS)
        finally:
            await reranker.aclose()

    np.testing.assert_allclose(asyncio.run(ask()), reference, atol=1e-4)


def test_one_changed_byte_of_either_model_is_a_refusal_that_names_the_file(tmp_path):
    ranker = tiny_models.bert_cross_encoder(tmp_path / "ranker")
    embedder = tiny_models.bert_embedder(tmp_path / "embedder")
    lock_file = tmp_path / "models.lock.json"
    roles = {ranker: Role.RERANKER, embedder: Role.EMBEDDING}
    lock.write(
        lock_file,
        [
            hashing.entry(folder, place=folder.name, name=folder.name, role=role, license_id="MIT")
            for folder, role in roles.items()
        ],
    )
    environment = {
        **os.environ,
        "ATOLL_EMBEDDINGS__MODEL_DIR": str(embedder),
        "ATOLL_RERANKER__MODEL_DIR": str(ranker),
        "ATOLL_MODELS__LOCK_FILE": str(lock_file),
        "ATOLL_MODELS__VERIFY": "full",
    }
    for folder in roles:
        file = folder / "model.safetensors"
        whole = file.read_bytes()
        file.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
        ended = subprocess.run(
            [sys.executable, "-m", "embeddings"],
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        file.write_bytes(whole)
        assert ended.returncode == 1
        assert f"{file} has changed: sha256" in ended.stderr
        assert len(ended.stderr.strip().splitlines()) == 1, ended.stderr
