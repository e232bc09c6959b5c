"""The order of the best passages as a cross-encoder sees it, which reads question and passage together.

What it reads comes first, by relevance; what lies below its depth follows in the order it had. The best still has
the score 1. Relevance and fused scores have no common scale, so the latter are put below the least relevance: the
list stays sorted by score.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from atoll.domain.answer import Caution
from atoll.domain.evidence import Signal
from atoll.errors import BadInput, DependencyDown, ModelReplyInvalid
from atoll.ports.reranker import Reranker
from atoll.query.rank.fuse import DECIMALS, Ranked
from atoll.query.rank.near_duplicates import Shared

SIGNAL = "rerank"
#: What a search says when its ranking is not what it could be.
NOT_RERANKED = Caution(
    "reranker_away", "not reranked: the reranker did not answer; results are in the order of the search"
)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Reranking:
    """A reranker and how many of the best passages it reads."""

    reranker: Reranker
    depth: int


async def rerank(
    reranking: Reranking, question: str, shared: Sequence[Shared], ranking: Sequence[Ranked]
) -> tuple[list[Shared], list[Ranked], tuple[Caution, ...]]:
    """Return passages and ranking in their new order, and what the reader is to be told.

    ``shared`` are passages of ``ranking`` in its order. Without a cross-encoder, and when it fails, both stay.
    """
    head, tail = list(shared[: reranking.depth]), list(shared[reranking.depth :])
    try:
        scores = await reranking.reranker.relevance(question, [entry.passage.text for entry in head])
    except (DependencyDown, ModelReplyInvalid, BadInput) as error:
        _log.warning("results are not reranked: %s", error.message)
        return list(shared), list(ranking), (NOT_RERANKED,)
    if not scores:
        return list(shared), list(ranking), ()
    by_id = {ranked.id: ranked for ranked in ranking}
    order = sorted(range(len(head)), key=lambda at: (-scores[at], at))
    most = max(*scores, 0.0) or 1.0
    for rank, at in enumerate(order, start=1):
        ranked = by_id[head[at].passage.id]
        signals = {**ranked.signals, SIGNAL: Signal(rank, scores[at])}
        by_id[ranked.id] = ranked._replace(score=round(scores[at] / most, DECIMALS), signals=signals)
    for entry in tail:
        ranked = by_id[entry.passage.id]
        by_id[ranked.id] = ranked._replace(score=round(ranked.score * min(scores) / most, DECIMALS))
    reordered = [*(head[at] for at in order), *tail]
    return reordered, [by_id[entry.passage.id] for entry in reordered], ()
