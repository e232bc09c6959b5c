"""The embedding server as a process: protocol, agreement with the reference, floods, drain, neighbours."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import random
import signal
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import numpy as np
import psutil
import pytest

from atoll.adapters.http_embedder import HttpEmbedder
from atoll.domain.embedding import InputType
from atoll.errors import DependencyDown
from embeddings.folder import find
from tests.support.embedding_server import START_SECONDS, Server, answers, running

pytestmark = pytest.mark.slow


def report(figures: str) -> None:
    """Figures are shown, not asserted: they belong to the machine."""
    sys.stdout.write(f"\n{figures}\n")


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("embeddings")) as started:
        yield started


@pytest.fixture(scope="module")
def words() -> list[str]:
    _, folder = find(None)
    return [word for word in (folder / "vocab.txt").read_text(encoding="utf-8").split() if word.isalpha()]


def sentences(words: list[str], count: int, length: int, seed: int) -> list[str]:
    chosen = random.Random(seed)
    return [" ".join(chosen.choices(words, k=length)) for _ in range(count)]


def varied(words: list[str]) -> list[str]:
    """500 texts of every kind that a document may hold."""
    special = [
        "",
        " ",
        "\n\t",
        "a",
        "🙂",
        "🚢⚓🌊 tide 🌊" * 20,
        "x" * 10_000,
        "word " * 2_000,
        "يجب فحص صمام الأمان كل ستة أشهر.",
        "בדיקת שסתום הביטחון",
        "安全阀每六个月检查一次。" * 40,
        "e\u0301 é ﬁ Ⅳ ½",
        "\u200b\u200fzero\u00adwidth",
        "<b>&amp;</b> {} [] \\ \" '",
        "[CLS] [SEP] [MASK] [PAD]",
        "0123456789" * 100,
        "!?" * 500,
    ]
    rest = [sentences(words, 1, 1 + at % 300, at)[0] for at in range(500 - len(special))]
    return special + rest


# The protocol


def test_openai_shape_for_one_text_and_for_a_list(server):
    one = server.embed("tide tables").json()
    assert one["object"] == "list"
    assert [row["index"] for row in one["data"]] == [0]
    assert one["data"][0]["object"] == "embedding"
    assert len(one["data"][0]["embedding"]) == 384
    assert one["usage"] == {"prompt_tokens": 4, "total_tokens": 4}
    many = server.embed(["tide tables", "harbour"], model="whatever", user="u").json()
    assert [row["index"] for row in many["data"]] == [0, 1]
    np.testing.assert_allclose(many["data"][0]["embedding"], one["data"][0]["embedding"], atol=0.01)


def test_base64_equals_float(server, words):
    texts = sentences(words, 20, 30, seed=1)
    as_float = server.vectors(texts)
    np.testing.assert_array_equal(from_base64(server, texts), as_float)


def from_base64(server: Server, texts: list[str]) -> np.ndarray:
    rows = server.embed(texts, encoding_format="base64", truncate=True).json()["data"]
    return np.stack([np.frombuffer(base64.b64decode(row["embedding"]), dtype="<f4") for row in rows])


def test_dimensions_are_a_prefix_of_length_one(server):
    whole, prefix = server.vectors(["tide tables"]), server.vectors(["tide tables"], dimensions=64)
    assert prefix.shape == (1, 64)
    assert np.linalg.norm(prefix) == pytest.approx(1, abs=1e-5)
    np.testing.assert_allclose(prefix, whole[:, :64] / np.linalg.norm(whole[:, :64]), atol=1e-5)


@pytest.mark.parametrize(
    ("body", "param", "words_in_message"),
    [
        ({}, "input", "required"),
        ({"input": []}, "input", "at least 1"),
        ({"input": 7}, "input", "list"),
        ({"input": ["a", None]}, "input.1", "string"),
        ({"input": ["a"] * 513}, "input", "512"),
        ({"input": "a", "dimensions": 0}, "dimensions", "greater"),
        ({"input": "a", "dimensions": 385}, "dimensions", "384"),
        ({"input": "a", "encoding_format": "hex"}, "encoding_format", "base64"),
        ({"input": "a", "input_type": "passage"}, "input_type", "query"),
        ({"input": [[101, 102]]}, "input", "check_embedding_ctx_length=False"),
        ({"input": [101, 102]}, "input", "check_embedding_ctx_length=False"),
        ({"input": "x" * 200_000}, "input", "131072"),
        ([], "body", "dictionary"),
    ],
)
def test_bad_requests_name_the_field_and_the_remedy(server, body, param, words_in_message):
    reply = httpx.post(f"{server.url}/v1/embeddings", json=body, timeout=30)
    assert reply.status_code == 400, reply.text
    error = reply.json()["error"]
    assert error["param"] == param
    assert words_in_message in error["message"]
    assert error["type"] == "invalid_request_error"


def test_a_long_input_is_refused_with_limit_and_count_or_cut_and_told(server):
    refused = server.embed(["short", "tide " * 300])
    assert refused.status_code == 400
    assert refused.json()["error"]["code"] == "context_length_exceeded"
    assert "input 1 has 302 tokens, the model reads 256" in refused.json()["error"]["message"]
    cut = server.embed(["short", "tide " * 300], truncate=True)
    assert cut.headers["X-Truncated"] == "1"
    assert cut.json()["usage"]["total_tokens"] == 3 + 256
    assert "X-Truncated" not in server.embed("short", truncate=True).headers


def test_a_body_over_the_limit_is_413_in_the_same_shape(server):
    reply = server.embed(["x" * 100_000] * 50)
    assert reply.status_code == 413
    assert reply.json()["error"]["code"] == "request_too_large"


def test_tokenize_counts_equal_usage_and_offsets_cut_the_text(server, words):
    texts = [text for text in varied(words)[:40] if len(text) < 250]
    reply = httpx.post(f"{server.url}/v1/tokenize", json={"input": texts, "offsets": True}, timeout=30).json()
    counted = sum(row["tokens"] + reply["special_tokens"] for row in reply["data"])
    assert counted == server.embed(texts, truncate=True).json()["usage"]["total_tokens"]
    assert reply["max_tokens"] == 256
    at = texts.index("🙂")
    assert reply["data"][at]["offsets"] == [[0, 1]]
    bare = httpx.post(f"{server.url}/v1/tokenize", json={"input": texts}, timeout=30).json()
    assert [row["tokens"] for row in bare["data"]] == [row["tokens"] for row in reply["data"]]
    assert "offsets" not in bare["data"][0]


def test_the_other_routes(server):
    assert httpx.get(f"{server.url}/health").json() == {"status": "ok"}
    info = httpx.get(f"{server.url}/info").json()
    assert (info["model"], info["dimensions"], info["max_tokens"]) == ("all-MiniLM-L6-v2", 384, 256)
    assert len(info["weights_sha256"]) == 64
    assert info["dtype"] in {"fp32", "bf16"}
    assert info["agreement_with_fp32"] >= 0.999
    rerank = httpx.post(f"{server.url}/v1/rerank", json={"query": "a", "documents": ["b"]})
    assert rerank.status_code == 501
    assert rerank.json()["error"]["code"] == "not_available"
    assert "ATOLL_RERANKER__MODEL_DIR" in rerank.json()["error"]["message"]
    assert info["rerank"] is False
    metrics = httpx.get(f"{server.url}/metrics").text
    for name in ("phase_seconds", "batch_tokens", "batch_items", "queue_tokens", "requests_total", "ready"):
        assert f"atoll_model_{name}" in metrics
    assert httpx.get(f"{server.url}/health", headers={"Host": "evil.example"}).status_code == 403


# The vectors


@pytest.fixture(scope="module")
def reference(words) -> np.ndarray:
    from sentence_transformers import SentenceTransformer

    _, folder = find(None)
    network = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
    return network.encode(varied(words), normalize_embeddings=True)


def test_vectors_agree_with_sentence_transformers(server, words, reference):
    texts = varied(words)
    cosines = (server.vectors(texts, truncate=True) * reference).sum(axis=1)
    report(f"least cosine over {len(texts)} texts: {cosines.min():.6f}")
    assert cosines.min() >= 0.999
    assert (from_base64(server, texts) * reference).sum(axis=1).min() >= 0.999


def test_fp32_vectors_are_those_of_sentence_transformers(words, reference):
    from embeddings.model import load

    _, folder = find(None)
    model = load(folder, dtype="fp32", threads_per_worker=2, tokenizing_threads=1)
    prepared = model.tokenizer.prepare(varied(words), input_type=None, truncate=True)
    rows = np.zeros_like(reference)
    order = sorted(range(len(prepared.texts)), key=lambda at: len(prepared.texts[at].ids))
    for start in range(0, len(order), 16):
        some = order[start : start + 16]
        rows[some] = np.concatenate(list(model.forward([prepared.texts[at] for at in some])))
    assert (rows * reference).sum(axis=1).min() >= 0.9999


def test_parts_of_a_text_have_vectors_from_its_own_pass(server, words):
    """With a whole sentence as its part, a text of one sentence is that part; parts of one text are told apart."""
    text = "The safety valve is tested every six months. The ferry leaves at nine."
    cut = text.index("The ferry")
    reply = server.embed([text], spans=[[[0, cut], [cut, len(text)], [0, len(text)], [3, 3]]]).json()["data"][0]
    valve, ferry, whole, nothing = np.asarray(reply["spans"], dtype=np.float32)
    mean = np.asarray(reply["mean"], dtype=np.float32)
    np.testing.assert_allclose(nothing, mean, atol=1e-5)
    assert cosine(whole, mean) > 0.98  # but for the two special tokens
    assert cosine(mean, np.asarray(reply["embedding"])) > 0.999  # this model's own pooling is the mean
    about_valve, about_ferry = server.vectors(["When is the valve inspected?", "When does the ferry depart?"])
    assert cosine(valve, about_valve) > cosine(ferry, about_valve) + 0.1
    assert cosine(ferry, about_ferry) > cosine(valve, about_ferry) + 0.1
    assert httpx.get(f"{server.url}/info", timeout=5).json()["spans"] is True


@pytest.mark.parametrize(
    ("spans", "said"),
    [
        ([[[0, 1]]], "lists for 1 texts"),
        ([[[0, 99]], []], "input 0"),
        ([[], [[2, 1]]], "input 1"),
        ([[[-1, 1]], []], "input 0"),
        ([[[0, 1]] * 4097, []], "4096"),
        ([[["a", 1]], []], "spans"),
    ],
)
def test_parts_that_are_not_of_the_texts_are_refused_by_name(server, spans, said):
    reply = server.embed(["tide table", "ferry"], spans=spans)
    assert reply.status_code == 400
    assert said in reply.json()["error"]["message"]
    assert reply.json()["error"]["param"].startswith("spans")


def cosine(one: np.ndarray, other: np.ndarray) -> float:
    return float(one @ other / (np.linalg.norm(one) * np.linalg.norm(other)))


# The client


async def test_the_adapter_embeds_describes_and_cuts_windows(server, words):
    async with HttpEmbedder(url=server.url, request_texts=7, concurrent_requests=3) as embedder:
        card = await embedder.describe()
        assert (card.dimensions, card.max_tokens, card.text_tokens) == (384, 256, 254)
        texts = sentences(words, 50, 20, seed=3)
        rows = await embedder.embed(texts, input_type=InputType.DOCUMENT)
        assert rows.dtype == np.float32
        np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
        assert ((rows * server.vectors(texts)).sum(axis=1) > 0.999).all()
        long = " ".join(sentences(words, 300, 40, seed=4))
        (spans,) = await embedder.tokenize([long])
        window = long[: spans.ends[card.text_tokens - 1]]
        assert server.embed(window).json()["usage"]["total_tokens"] <= card.max_tokens + 2
        assert list(spans.ends) == sorted(spans.ends)
        assert spans.ends[-1] == len(long)


# Under pressure


def test_a_flood_is_refused_in_bounded_memory_and_queries_still_pass(server, words):
    text = sentences(words, 8, 200, seed=5)
    server.vectors(text, truncate=True)
    before, statuses, lock = server.rss_mib(), [], threading.Lock()

    def send(number: int) -> None:
        reply = server.embed([f"{number} {part}" for part in text], truncate=True, input_type="document")
        if reply.status_code == 429:
            assert int(reply.headers["Retry-After"]) >= 1
            assert reply.json()["error"]["type"] == "rate_limit_error"
        with lock:
            statuses.append(reply.status_code)

    with ThreadPoolExecutor(100) as crowd:
        sent = [crowd.submit(send, number) for number in range(150)]
        time.sleep(0.5)
        assert server.embed("a question", input_type="query").status_code == 200
        for each in sent:
            each.result(timeout=120)
    report(
        f"{statuses.count(200)} answered, {statuses.count(429)} refused, rss {before:.0f} -> {server.rss_mib():.0f} MiB"
    )
    assert set(statuses) == {200, 429}
    assert statuses.count(429) > 10
    assert server.rss_mib() < before + 700


def test_clients_that_hang_up_cost_at_most_the_batch_they_are_in(server, words):
    def dropped() -> float:
        lines = httpx.get(f"{server.url}/metrics").text.splitlines()
        return sum(float(line.split()[-1]) for line in lines if 'failures_total{reason="dropped"}' in line)

    before = dropped()
    bulk = json.dumps({"input": sentences(words, 200, 150, seed=6), "input_type": "document"}).encode()
    head = f"POST /v1/embeddings HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(bulk)}\r\n\r\n".encode()
    callers = []
    for _ in range(6):
        caller = socket.create_connection(("127.0.0.1", server.port))
        caller.sendall(head + bulk)
        callers.append(caller)
    time.sleep(0.5)
    for caller in callers:
        caller.close()
    started = time.monotonic()
    server.vectors(["afterwards"] * 3, input_type="document")
    report(f"answered {time.monotonic() - started:.2f} s after 1200 abandoned texts")
    assert dropped() - before >= 5


def test_query_latency_during_a_bulk_ingest_and_beside_a_busy_neighbour(server, words):
    stop = threading.Event()

    def ingest() -> None:
        for number in range(1000):
            if stop.is_set():
                return
            server.vectors(sentences(words, 64, 150, seed=1000 + number), input_type="document", truncate=True)

    def ask(count: int) -> list[float]:
        took = []
        with httpx.Client() as client:
            for number in range(count):
                started = time.monotonic()
                body = {"input": f"question {number}", "input_type": "query"}
                client.post(f"{server.url}/v1/embeddings", json=body, timeout=60).raise_for_status()
                took.append(1000 * (time.monotonic() - started))
        return took

    def say(name: str, took: list[float]) -> None:
        report(f"{name}: p50 {statistics.median(took):.0f} ms, p99 {sorted(took)[int(0.99 * len(took))]:.0f} ms")

    say("queries alone", ask(60))
    with ThreadPoolExecutor(1) as pool:
        worker = pool.submit(ingest)
        try:
            say("queries during an ingest", during := ask(40))
        finally:
            stop.set()
        worker.result(timeout=60)
    alone = time.monotonic()
    server.vectors(sentences(words, 64, 150, seed=7), input_type="document", truncate=True)
    alone = time.monotonic() - alone
    assert statistics.median(during) < 1000 * alone  # a queue without lanes waits for the whole bulk request
    neighbour = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        say("queries beside a busy neighbour", ask(60))
    finally:
        neighbour.kill()
        neighbour.wait()


# Life and death


def test_sigterm_answers_every_accepted_request_and_leaves_with_0(tmp_path, words):
    with running(tmp_path) as server, ThreadPoolExecutor(12) as crowd:
        texts = sentences(words, 40, 150, seed=8)
        sent = [crowd.submit(server.embed, texts, input_type="document", truncate=True) for _ in range(12)]
        until = time.monotonic() + 30
        while 'route="/v1/embeddings",status="200"' not in httpx.get(f"{server.url}/metrics").text:
            assert time.monotonic() < until
            time.sleep(0.02)
        server.process.send_signal(signal.SIGTERM)
        time.sleep(0.1)
        late = httpx.get(f"{server.url}/ready", timeout=10)
        replies = [each.result(timeout=120) for each in sent]
        assert late.status_code == 503
        assert [reply.status_code for reply in replies] == [200] * 12
        assert all(len(reply.json()["data"]) == 40 for reply in replies)
        assert server.process.wait(30) == 0
        assert not answers(server, "/health")


def test_sigkill_leaves_no_process_and_the_client_says_who_is_down(tmp_path):
    with running(tmp_path) as server:
        assert psutil.Process(server.process.pid).children(recursive=True) == []
        server.process.kill()
        server.process.wait(10)

        async def embed() -> None:
            async with HttpEmbedder(url=server.url) as embedder:
                await embedder.embed(["anyone?"], input_type=InputType.QUERY)

        with pytest.raises(DependencyDown, match="away"):
            asyncio.run(embed())


def test_the_token_is_wanted_when_one_is_configured(tmp_path):
    (tmp_path / "token").write_text("s3cret\n")

    async def embed(url: str, token: str | None) -> int:
        async with HttpEmbedder(url=url, token=token) as embedder:
            return len(await embedder.embed(["a", "b"], input_type=InputType.QUERY))

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {
        **os.environ,
        "ATOLL_EMBEDDINGS__PORT": str(port),
        "ATOLL_EMBEDDINGS__TOKEN_FILE": str(tmp_path / "token"),
    }
    process = subprocess.Popen([sys.executable, "-m", "embeddings"], env=environment, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + START_SECONDS
        ready = 0
        while ready != 200 and time.monotonic() < until:
            time.sleep(0.2)
            try:
                headers = {"Authorization": "Bearer s3cret"}
                ready = httpx.get(f"http://127.0.0.1:{port}/ready", headers=headers).status_code
            except httpx.TransportError:
                continue
        assert httpx.get(f"http://127.0.0.1:{port}/info").status_code == 401
        assert asyncio.run(embed(f"http://127.0.0.1:{port}", "s3cret")) == 2
        with pytest.raises(DependencyDown, match="401"):
            asyncio.run(embed(f"http://127.0.0.1:{port}", "wrong"))
    finally:
        process.kill()
        process.wait(10)


def refusal(settings: dict[str, str]) -> str:
    environment = {**os.environ, **{f"ATOLL_EMBEDDINGS__{name}": value for name, value in settings.items()}}
    ended = subprocess.run(
        [sys.executable, "-m", "embeddings"], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 1
    assert len(ended.stderr.strip().splitlines()) == 1, ended.stderr
    return ended.stderr


def test_a_missing_or_dangerous_model_is_a_refusal_in_one_line(tmp_path):
    assert "absent" in refusal({"MODEL_DIR": str(tmp_path / "nowhere")})
    folder = tmp_path / "model"
    folder.mkdir()
    assert "modules.json" in refusal({"MODEL_DIR": str(folder)})
    (folder / "modules.json").write_text("[]")
    (folder / "tokenizer.json").write_text("{}")
    assert "safetensors" in refusal({"MODEL_DIR": str(folder)})
    (folder / "pytorch_model.bin").write_bytes(b"\x80")
    assert "pytorch_model.bin is a pickle" in refusal({"MODEL_DIR": str(folder)})


def test_a_taken_port_is_a_refusal_in_one_line():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert "choose another port" in refusal({"PORT": str(taken.getsockname()[1])})


def test_a_damaged_model_is_a_refusal_that_names_the_folder(tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "modules.json").write_text("[]")
    (folder / "tokenizer.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(b"not weights")
    environment = {**os.environ, "ATOLL_EMBEDDINGS__MODEL_DIR": str(folder), "ATOLL_EMBEDDINGS__PORT": "1"}
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        environment["ATOLL_EMBEDDINGS__PORT"] = str(free.getsockname()[1])
    ended = subprocess.run(
        [sys.executable, "-m", "embeddings"], env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert ended.returncode == 1
    assert str(folder) in ended.stderr.splitlines()[-1]
    assert "Traceback" not in ended.stderr
