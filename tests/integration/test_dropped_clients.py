"""Clients that hang up at any moment, and what the next one sees."""

from __future__ import annotations

import asyncio
import json
import random
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from atoll.adapters.http_embedder import HttpEmbedder
from atoll.domain.embedding import InputType
from atoll.errors import DependencyDown
from tests.support.embedding_server import Server, running

pytestmark = pytest.mark.slow

DROPPED = 200
#: What a request may take after all the others left; a batch takes a tenth of it.
ANSWER_SECONDS = 2.0
WORDS = [f"word{number}" for number in range(500)]


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("dropped")) as started:
        started.vectors(["warm"] * 40)
        yield started


def body(chance: random.Random, input_type: str) -> bytes:
    texts = [" ".join(chance.choices(WORDS, k=chance.randint(1, 60))) for _ in range(chance.choice([1, 2, 10]))]
    return json.dumps({"input": texts, "input_type": input_type, "truncate": True}).encode()


def drop(server: Server, seed: int) -> None:
    """Send part of a request, or all of it and wait a moment, or read a little of the answer; then hang up."""
    chance = random.Random(seed)
    content = body(chance, chance.choice(["query", "document"]))
    head = f"POST /v1/embeddings HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(content)}\r\n\r\n".encode()
    request = head + content
    sent = chance.choice([chance.randint(1, len(request)), len(request), len(request)])
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as caller:
        caller.sendall(request[:sent])
        time.sleep(chance.uniform(0, 0.3))
        if sent == len(request) and chance.random() < 0.3:
            caller.recv(100)
        if chance.random() < 0.3:  # a reset instead of an orderly end
            caller.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")


def answered_within(server: Server, input_type: str) -> float:
    started = time.monotonic()
    reply = httpx.post(
        f"{server.url}/v1/embeddings", json={"input": "anyone left?", "input_type": input_type}, timeout=60
    )
    assert reply.status_code == 200, reply.text
    return time.monotonic() - started


@pytest.mark.parametrize("seed", [1, 2])
def test_the_next_request_is_answered_at_once_after_200_connections_were_dropped(server, seed):
    with ThreadPoolExecutor(50) as crowd:
        list(crowd.map(lambda number: drop(server, 1000 * seed + number), range(DROPPED)))
    # refused at most while the last of them are still inside
    for input_type in ("query", "document"):
        assert answered_within(server, input_type) < ANSWER_SECONDS
    assert server.process.poll() is None


def test_the_next_of_our_own_clients_is_answered_at_once_after_200_cancelled_calls(server):
    chance = random.Random(7)

    async def call(embedder: HttpEmbedder) -> None:
        texts = [" ".join(chance.choices(WORDS, k=chance.randint(1, 60))) for _ in range(chance.choice([1, 2, 10]))]
        try:
            async with asyncio.timeout(chance.uniform(0, 0.2)):
                await embedder.embed(texts, input_type=InputType.QUERY)
        except (TimeoutError, DependencyDown):
            pass

    async def all_of_them() -> float:
        async with HttpEmbedder(url=server.url) as embedder:
            for _ in range(DROPPED // 20):
                await asyncio.gather(*(call(embedder) for _ in range(20)))
            started = time.monotonic()
            await embedder.embed(["anyone left?"], input_type=InputType.QUERY)
            return time.monotonic() - started

    assert asyncio.run(all_of_them()) < ANSWER_SECONDS
