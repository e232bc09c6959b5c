"""The spread: one round of relevance flowing from the best passages over their entities to passages that share them.

One step of personalised PageRank over passages and entities, kept local: rare entities carry more, common ones none.
Parameters as measured on HotpotQA and MuSiQue; they lie on broad plateaus.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from atoll.domain.ids import PassageId
from atoll.ports.graph import Incidence, Neighbourhood
from atoll.query.retrieve.bridge import MAX_DF, MIN_DF, Step

#: Best passages that relevance flows from.
SOURCES = 10
#: How sharply the best of them stands out: after the bridge, and where there was none.
SHARPNESS, SHARPNESS_UNBRIDGED = 6.0, 10.0
#: What flows on instead of staying, and what starts at passages where the question names entities.
ALPHA, PASSAGES_SHARE = 0.5, 0.7
#: Weight of the score before, which orders what the spread does not reach.
BEFORE = 0.001


@dataclass(frozen=True, slots=True)
class Spread:
    """Scores after the spread, what entities carried to passages, and how it came to those that are no sources."""

    scores: Mapping[PassageId, float]
    flow: Mapping[PassageId, float]
    steps: Mapping[PassageId, Step]


def sources(scores: Mapping[PassageId, float]) -> list[PassageId]:
    """Return the `SOURCES` best passages, ties by id."""
    return heapq.nsmallest(SOURCES, scores, key=lambda passage: (-scores[passage], passage))


def spread(
    scores: Mapping[PassageId, float],
    near: Neighbourhood,
    named: Sequence[str],
    *,
    corpus_passages: int,
    sharpness: float = SHARPNESS,
) -> Spread | None:
    """Let relevance flow once; None when there is no graph to flow over.

    Args:
        scores: Scores with a best of about 1; passages that are absent have 0.
        near: Read from ``sources(scores)`` and the names of the question.
        named: Keys that the question names.
        corpus_passages: Passages of visible documents of the knowledge base, for idf.
        sharpness: Factor in the softmax over the sources.
    """
    if not near.seed_mentions.entity.size and not near.mentions.entity.size:
        return None
    rarity = idf(near.df, corpus_passages)
    asked = _asked(near, named, rarity)
    share = PASSAGES_SHARE if asked.any() else 1.0
    start = _softmax(np.array([scores.get(seed, 0.0) for seed in near.seeds]), sharpness)
    out = _outflow(near, start, rarity)
    arriving = _arriving(near, ALPHA * share * out.sum(axis=0) + (1 - ALPHA) * (1 - share) * asked)
    gains = ALPHA * np.bincount(near.mentions.passage, arriving, minlength=len(near.passages))
    flow = {passage: gain for passage, gain in zip(near.passages, gains.tolist(), strict=True) if gain > 0}
    held = dict(zip(near.seeds, ((1 - ALPHA) * share * start).tolist(), strict=True))
    reached = {passage: held.get(passage, 0.0) + flow.get(passage, 0.0) for passage in held.keys() | flow.keys()}
    top = max(reached.values(), default=0.0)
    if top <= 0:
        return None
    after = {
        passage: reached.get(passage, 0.0) / top + BEFORE * scores.get(passage, 0.0)
        for passage in scores.keys() | reached.keys()
    }
    return Spread(after, flow, _steps(near, out, arriving))


def idf(df: NDArray[np.int64], passages: int) -> NDArray[np.float64]:
    """Return ln(1 + P/df) / ln(1 + P): 1 for what one passage mentions, 0 where there is nothing to count."""
    if passages < 1:
        return np.zeros(len(df))
    counted = np.maximum(df, 1)
    rarity: NDArray[np.float64] = np.where(df > 0, np.log1p(passages / counted) / math.log1p(passages), 0.0)
    return rarity


def weights(mentions: Incidence) -> NDArray[np.float64]:
    """Return how much each mention says about its passage: 1 + ln tf."""
    weight: NDArray[np.float64] = 1.0 + np.log(np.maximum(mentions.tf, 1))
    return weight


def _asked(near: Neighbourhood, named: Sequence[str], rarity: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the weight of each entity that the question names and the reader can see, together 1."""
    wanted = set(named)
    seen = np.zeros(len(near.entities), np.bool_)
    seen[near.mentions.entity] = True
    chosen = np.array([entity.key in wanted for entity in near.entities], np.bool_) & seen & (near.df <= MAX_DF)
    asked = np.where(chosen, rarity, 0.0)
    total = asked.sum()
    return asked / total if total > 0 else asked


def _softmax(values: NDArray[np.float64], sharpness: float) -> NDArray[np.float64]:
    if not values.size:
        return values
    powers: NDArray[np.float64] = np.exp(sharpness * (values - values.max()))
    powers /= powers.sum()
    return powers


def _outflow(near: Neighbourhood, start: NDArray[np.float64], rarity: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what flows from each seed to each entity, (seeds, entities).

    A seed's relevance is divided among all its entities; the part of those that are not followed is lost, and so is
    that of entities that no other passage mentions.
    """
    mentions = near.seed_mentions
    strength = np.zeros((len(near.seeds), len(near.entities)))
    strength[mentions.passage, mentions.entity] = weights(mentions) * rarity[mentions.entity]
    total = strength.sum(axis=1, keepdims=True)
    shares = np.divide(strength, total, out=np.zeros_like(strength), where=total > 0)
    carrying = near.followed & (near.df >= MIN_DF) & (near.df <= MAX_DF)
    flow: NDArray[np.float64] = start[:, None] * shares * carrying
    return flow


def _arriving(near: Neighbourhood, entity: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what each mention of a followed entity carries to its passage."""
    weight = weights(near.mentions)
    total = np.bincount(near.mentions.entity, weight, minlength=len(near.entities))[near.mentions.entity]
    carried: NDArray[np.float64] = entity[near.mentions.entity] * np.divide(
        weight, total, out=np.zeros_like(weight), where=total > 0
    )
    return carried


def _steps(near: Neighbourhood, out: NDArray[np.float64], arriving: NDArray[np.float64]) -> dict[PassageId, Step]:
    """Return for each passage that is no seed the entity that carried most to it, and the seed that gave it most."""
    steps: dict[PassageId, Step] = {}
    if not near.seeds:
        return steps
    order = np.lexsort((near.mentions.entity, -np.round(arriving, 9)))
    giver = out.argmax(axis=0)
    gives = (out[giver, np.arange(len(near.entities))] > 0).tolist()
    givers, seeds = giver.tolist(), set(near.seeds)
    arrivals = zip(near.mentions.passage[order].tolist(), near.mentions.entity[order].tolist(), strict=True)
    for row, entity in arrivals:
        passage = near.passages[row]
        if gives[entity] and passage not in steps and passage not in seeds:
            steps[passage] = (near.seeds[givers[entity]], near.entities[entity].key)
    return steps
