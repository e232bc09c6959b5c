"""The graph steps of a search: from a ranking to one that knows what the passages have to do with each other.

Two reads of the record store: around the best passages for the bridge, around the best after it for the spread.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from atoll.domain.evidence import Signal
from atoll.domain.ids import DocumentUid, PassageId
from atoll.ports.graph import Neighbourhood, Reach
from atoll.query.rank.fuse import DECIMALS, DEPTH, Ranked
from atoll.query.retrieve.bridge import MAX_DF, SEEDS, Bridged, Step, bridge
from atoll.query.retrieve.names import WordGroup, named
from atoll.query.retrieve.spread import SHARPNESS, SHARPNESS_UNBRIDGED, Spread, sources, spread
from atoll.query.search.read_budget import ReadBudget

SIGNAL = "graph"
#: Mentions that one step loads at most, give or take the last entity's.
MAX_PASSAGES = 2000
#: Round trips of both steps, and of the texts that are read after them.
_READS_OF_BOTH, _READS_AFTER = 2, 1
#: Digits of a score that do not depend on the order in which the record store lists mentions.
_STEADY = 9


async def through_graph(
    ranking: Sequence[Ranked],
    reads: ReadBudget,
    *,
    question: NDArray[np.float32],
    groups: tuple[WordGroup, ...],
    corpus_passages: int,
) -> tuple[list[Ranked], Mapping[DocumentUid, str]]:
    """Return the ranking after bridge and spread, and the names of documents that it may add.

    A search that was made again has one round trip less: it spreads without a bridge, and more sharply. So does one
    over entities that have no vectors.
    """
    direct = {ranked.id: ranked.score for ranked in ranking}
    seeds = [ranked.id for ranked in ranking[:SEEDS]]
    bridged, around = Bridged(direct, {}), None
    if reads.left >= _READS_OF_BOTH + _READS_AFTER:
        around = await reads.neighbourhood(seeds, reach=Reach(MAX_DF, MAX_PASSAGES, vectors=True))
        bridged = bridge(direct, around, question)
    sharpness = SHARPNESS if around is not None and _has_vectors(around) else SHARPNESS_UNBRIDGED
    near = await reads.neighbourhood(
        sources(bridged.scores),
        keys=[group.key for group in groups],
        reach=Reach(MAX_DF, MAX_PASSAGES, vectors=False),
    )
    names = {**(around.names if around else {}), **near.names}
    asked = named(groups, {near.entities[row].key for row in set(near.mentions.entity.tolist())})
    spreading = spread(bridged.scores, near, asked, corpus_passages=corpus_passages, sharpness=sharpness)
    return (list(ranking) if spreading is None else _reordered(ranking, bridged, spreading)), names


def _has_vectors(near: Neighbourhood) -> bool:
    """Whether any entity that could be a bridge has one; also True where there is no such entity."""
    assert near.entity_vectors is not None
    return not near.entity_vectors.size or bool(near.entity_vectors.any()) or not near.followed.any()


def _reordered(ranking: Sequence[Ranked], bridged: Bridged, spreading: Spread) -> list[Ranked]:
    """Return every passage of ``ranking`` and the `DEPTH` best that the graph adds, best first, ties by id."""
    known = {ranked.id: ranked for ranked in ranking}
    scores, flows = _best_first(spreading.scores), _best_first(spreading.flow)
    ranks = {passage: rank for rank, passage in enumerate(flows, start=1)}
    added = set(islice((passage for passage in scores if passage not in known), DEPTH))
    top = next(iter(scores.values()))
    reordered = []
    for passage, score in scores.items():
        before = known.get(passage)
        if before is None and passage not in added:
            continue
        signals = {} if before is None else before.signals
        if passage in ranks:
            signals = {**signals, SIGNAL: Signal(ranks[passage], round(flows[passage], DECIMALS))}
        path = _path(passage, before is not None, bridged.steps, spreading.steps)
        reordered.append(Ranked(passage, round(score / top, DECIMALS), signals, path))
    return reordered


def _best_first(scores: Mapping[PassageId, float]) -> dict[PassageId, float]:
    """Return the scores without the digits that are not steady, the best first, ties by id."""
    passages = sorted(scores)
    steady = np.round([scores[passage] for passage in passages], _STEADY)
    order = np.argsort(-steady, kind="stable")
    return {passages[at]: score for at, score in zip(order.tolist(), steady[order].tolist(), strict=True)}


def _path(
    passage: PassageId, found: bool, bridged: Mapping[PassageId, Step], spread_to: Mapping[PassageId, Step]
) -> tuple[Step, ...] | None:
    """Return the steps to a passage that the bridge raised, or that only the graph found."""
    if passage in bridged:
        return (bridged[passage],)
    if found or passage not in spread_to:
        return None
    step = spread_to[passage]
    before = bridged.get(step[0])
    return (step,) if before is None else (before, step)
