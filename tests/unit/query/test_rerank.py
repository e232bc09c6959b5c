from __future__ import annotations

from collections.abc import Sequence

import pytest

from atoll.adapters.memory.reranker import MemoryReranker
from atoll.errors import BadInput, DependencyDown, ModelReplyInvalid
from atoll.query.rank.rerank import NOT_RERANKED, Reranking
from tests.unit.query.twins import Library

QUESTION = "What is painted every spring?"
TEXTS = [f"Pump {number} is painted red, pump {number} is painted often." for number in range(8)]
ANSWER = "What is worn is painted every spring."


class Scripted:
    """Gives the scores it was made with, and keeps what it was asked."""

    def __init__(self, scores: list[float] | Exception | None) -> None:
        self._scores = scores
        self.asked: list[tuple[str, list[str]]] = []

    async def relevance(self, question: str, texts: Sequence[str]) -> list[float] | None:
        self.asked.append((question, list(texts)))
        if isinstance(self._scores, Exception):
            raise self._scores
        return self._scores if self._scores is None else self._scores[: len(texts)]


async def library(reranker, depth: int = 30) -> Library:
    made = Library(reranking=None if reranker is None else Reranking(reranker, depth))
    for number, text in enumerate([*TEXTS, ANSWER]):
        await made.add(f"{number}.md", text)
    return made


async def test_the_passage_that_the_reranker_prefers_comes_first_and_says_why():
    outcome = await (await library(MemoryReranker())).search(QUESTION)
    best = outcome.evidence[0]
    assert best.text == ANSWER
    assert best.signals["rerank"].rank == 1
    assert best.signals["rerank"].score == pytest.approx(1.0)
    assert {"dense", "rerank"} <= best.signals.keys()
    assert outcome.warnings == ()
    assert "rerank" in outcome.timings_ms
    assert [each.signals["rerank"].rank for each in outcome.evidence] == list(range(1, 10))


async def test_equal_relevance_keeps_the_order_of_the_search_and_scores_stay_sorted():
    plain = await (await library(None)).search(QUESTION)
    outcome = await (await library(Scripted([0.5] * 9))).search(QUESTION)
    assert [each.text for each in outcome.evidence] == [each.text for each in plain.evidence]
    assert {each.score for each in outcome.evidence} == {1.0}


async def test_only_the_best_are_read_and_the_rest_follows_below_them():
    plain = [each.text for each in (await (await library(None)).search(QUESTION)).evidence]
    reranker = Scripted([0.1, 0.2, 0.4])
    outcome = await (await library(reranker, depth=3)).search(QUESTION)
    assert reranker.asked == [(QUESTION, plain[:3])]
    assert [each.text for each in outcome.evidence] == [plain[2], plain[1], plain[0], *plain[3:]]
    scores = [each.score for each in outcome.evidence]
    assert scores == sorted(scores, reverse=True)
    assert scores[:3] == [1.0, 0.5, 0.25]
    assert all("rerank" not in each.signals for each in outcome.evidence[3:])


async def test_a_small_top_k_is_chosen_from_all_that_was_reranked():
    outcome = await (await library(MemoryReranker())).search(QUESTION, top_k=1)
    assert [each.text for each in outcome.evidence] == [ANSWER]


@pytest.mark.parametrize("failure", [DependencyDown("away"), ModelReplyInvalid("nonsense"), BadInput("too long")])
async def test_a_reranker_that_fails_leaves_the_ranking_and_the_answer_says_so(failure):
    plain = await (await library(None)).search(QUESTION)
    with_failure = await library(Scripted(failure))
    outcome = await with_failure.search(QUESTION)
    assert outcome.evidence == plain.evidence
    assert outcome.warnings == (NOT_RERANKED,)
    assert (await with_failure.service.query(with_failure.asking(QUESTION))).warnings == (NOT_RERANKED,)


async def test_a_server_without_a_cross_encoder_changes_nothing_and_says_nothing():
    plain = await (await library(None)).search(QUESTION)
    outcome = await (await library(Scripted(None))).search(QUESTION)
    assert (outcome.evidence, outcome.warnings) == (plain.evidence, ())
