"""Every reranker keeps the port's promises: the memory twin, and the HTTP adapter before scripted servers."""

from __future__ import annotations

import time

import pytest

from atoll.adapters.http_reranker import ABSENT_SECONDS, AWAY_SECONDS, HttpReranker
from atoll.adapters.memory.reranker import MemoryReranker
from atoll.errors import BadInput, DependencyDown, ModelReplyInvalid
from tests.contract.test_embedder import scripted, serving

TEXTS = ["tide tables", "harbour office", "tide and harbour"]


def results(*scores: tuple[int, float]) -> dict:
    return {"results": [{"index": at, "relevance_score": score} for at, score in scores]}


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize("kind", ["memory", "http"])
async def test_one_relevance_a_text_in_the_order_of_the_texts(kind):
    if kind == "memory":
        scores = await MemoryReranker().relevance("tide harbour", TEXTS)
    else:
        server, asked = scripted((200, results((2, 1.0), (0, 0.5), (1, 0.5)), {}))
        with serving(server) as url:
            reranker = HttpReranker(url=url)
            scores = await reranker.relevance("tide harbour", TEXTS)
            await reranker.aclose()
        assert asked == [{"model": "local", "query": "tide harbour", "documents": TEXTS, "truncate": True}]
    assert scores == [0.5, 0.5, 1.0]


async def test_a_foreign_server_gets_only_what_it_knows():
    server, asked = scripted((200, results((0, 0.1)), {}))
    with serving(server) as url:
        reranker = HttpReranker(url=url + "/v1", ours=False, model="bge")
        assert await reranker.relevance("q", ["d"]) == [0.1]
        await reranker.aclose()
    assert asked == [{"model": "bge", "query": "q", "documents": ["d"]}]


async def test_a_server_without_a_cross_encoder_is_asked_again_after_a_while():
    clock = Clock()
    server, asked = scripted((501, {}, {}), (200, results((0, 0.7)), {}))
    with serving(server) as url:
        reranker = HttpReranker(url=url, clock=clock)
        assert await reranker.relevance("q", ["d"]) is None
        assert await reranker.relevance("q", ["d"]) is None
        assert len(asked) == 1
        clock.now = ABSENT_SECONDS + 1
        assert await reranker.relevance("q", ["d"]) == [0.7]
        await reranker.aclose()


async def test_a_server_that_is_away_costs_one_wait_and_not_one_a_question():
    clock = Clock()
    server, _ = scripted((200, results((0, 0.7)), {}))
    with serving(server) as url:
        pass
    reranker = HttpReranker(url=url, clock=clock)
    with pytest.raises(DependencyDown, match="did not answer"):
        await reranker.relevance("q", ["d"])
    with pytest.raises(DependencyDown, match="a moment ago"):
        await reranker.relevance("q", ["d"])
    clock.now = AWAY_SECONDS + 1
    with pytest.raises(DependencyDown, match="ClientConnectorError"):
        await reranker.relevance("q", ["d"])
    await reranker.aclose()


async def test_a_server_that_trickles_is_given_up_in_time():
    import socket

    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        reranker = HttpReranker(url=f"http://127.0.0.1:{silent.getsockname()[1]}", timeout_seconds=0.3)
        started = time.monotonic()
        with pytest.raises(DependencyDown):
            await reranker.relevance("q", ["d"])
        assert time.monotonic() - started < 2
        await reranker.aclose()


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (429, {}, DependencyDown),
        (503, {}, DependencyDown),
        (400, {}, BadInput),
        (500, {}, ModelReplyInvalid),
        (200, {}, ModelReplyInvalid),
        (200, b"nonsense", ModelReplyInvalid),
        (200, results((0, 0.1)), ModelReplyInvalid),
        (200, results((0, 0.1), (1, float("nan"))), ModelReplyInvalid),
        (200, results((0, 0.1), (1, 0.2), (2, 0.3)), ModelReplyInvalid),
    ],
)
async def test_what_goes_wrong_has_a_type(status, body, kind):
    server, _ = scripted((status, body, {}))
    with serving(server) as url:
        reranker = HttpReranker(url=url)
        with pytest.raises(kind):
            await reranker.relevance("q", ["a", "b"])
        await reranker.aclose()
