"""Passages by what they mention and state: the modes `local`, `global` and `hybrid`.

`local` starts with the entities near the question, by meaning and by name; `global` with the assertions near it, or,
where documents state nothing that was extracted, with the same entities and what stands beside them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from atoll.domain.evidence import Mode, Signal
from atoll.domain.ids import DocumentUid, EntityId, PassageId, RelationId
from atoll.domain.vectors import EntityHit, RelationHit
from atoll.errors import IndexMissing, ungrouped
from atoll.ports.graph import Neighbourhood, Reach
from atoll.ports.graph_index import GraphIndex
from atoll.query.rank.fuse import DECIMALS, DEPTH, Ranked
from atoll.query.retrieve.bridge import FLOOR
from atoll.query.retrieve.graph import MAX_PASSAGES, SIGNAL
from atoll.query.retrieve.half_precision import widened
from atoll.query.retrieve.names import WordGroup, named
from atoll.query.retrieve.spread import idf, weights
from atoll.query.search.read_budget import ReadBudget
from atoll.query.search.shortfalls import Shortfalls, index_incomplete

#: Passages that mention an entity which is followed all the same when the question asks for it.
MAX_DF = 1000
#: How many times as many entities are fetched for a reader who may not see what they are mentioned in.
RESTRICTED_ROOM = 25
#: What an entity counts that the question names; those near in meaning count less.
NAMED = 1.0


@dataclass(frozen=True, slots=True)
class Around:
    """What lies around a question in the graph.

    ``ranking`` is as of `fuse`; ``entities`` and ``relations`` say how much each has to do with the question, 0 to 1;
    ``best_cosine`` is the best of a passage that was looked at.
    """

    ranking: list[Ranked]
    names: dict[DocumentUid, str]
    entities: Mapping[EntityId, float] = field(default_factory=dict)
    relations: Mapping[RelationId, float] = field(default_factory=dict)
    best_cosine: float = 0.0


async def around(
    mode: Mode,
    reads: ReadBudget,
    index: GraphIndex,
    *,
    question: NDArray[np.float32],
    groups: tuple[WordGroup, ...],
    corpus_passages: int,
    limit: int,
    shortfalls: Shortfalls,
) -> Around:
    """Return what lies around a question, ``limit`` entities and ``limit`` assertions considered.

    ``question`` is of zeros when it could not be embedded. Without meaning, or without an index of entities, those
    count that the question names.
    """

    async def stating() -> Around:
        if not question.any():
            return Around([], {})
        try:
            hits = await index.nearest_relations(reads.graph_scope, question, limit)
        except IndexMissing:
            shortfalls.add(index_incomplete("relations"))
            return Around([], {})
        return await _stating(reads, hits)

    async def nearest_entities() -> list[EntityHit]:
        if not question.any():
            return []
        try:
            return await _nearest(reads, index, question, limit)
        except IndexMissing:
            shortfalls.add(index_incomplete("entities"))
            return []

    async def mentioning() -> Around:
        hits = await nearest_entities()
        near = await reads.neighbourhood(
            [],
            entities=[hit.id for hit in hits if hit.score > FLOOR],  # the others would not count
            keys=[group.key for group in groups],
            reach=Reach(MAX_DF, MAX_PASSAGES, vectors=True),
        )
        return _mentioning(near, hits, groups, question, corpus_passages)

    if mode is Mode.HYBRID:
        with ungrouped():
            async with asyncio.TaskGroup() as group:
                stated, mentioned = group.create_task(stating()), group.create_task(mentioning())
        return _joined(mentioned.result(), stated.result())
    if mode is Mode.GLOBAL and (found := await stating()).ranking:
        return found
    return await mentioning()


async def _nearest(reads: ReadBudget, index: GraphIndex, question: NDArray[np.float32], limit: int) -> list[EntityHit]:
    """Return the nearest entities that are shared in the reader's sight.

    The index has a point for what two passages of anybody's documents mention: for a restricted reader more of them
    are fetched, and those that only others share are dropped.
    """
    reader = reads.graph_scope.reader
    if not reader.is_restricted:
        return await index.nearest_entities(reader.kb, question, limit)
    hits = await index.nearest_entities(reader.kb, question, limit * RESTRICTED_ROOM)
    near = [hit for hit in hits if hit.score > FLOOR]  # the others would not count
    shared = await reads.shared([hit.id for hit in near])
    return [hit for hit in near if hit.id in shared][:limit]


async def _stating(reads: ReadBudget, hits: Sequence[RelationHit]) -> Around:
    """Return the passages that state something near the question, by the best of what they state."""
    scores = {hit.id: hit.score for hit in hits if hit.score > FLOOR}
    if not scores:
        return Around([], {})
    known = await reads.stated(list(scores))
    relations = {each.id: scores[each.id] for each in known.stated}
    best: dict[PassageId, float] = {}
    for each in known.stated:
        best[each.assertion.passage] = max(best.get(each.assertion.passage, 0.0), scores[each.id])
    entities: dict[EntityId, float] = {}
    for each in known.stated:
        for end in (each.head.id, each.tail.id):
            entities[end] = max(entities.get(end, 0.0), scores[each.id])
    passages = sorted(best)
    values = np.array([best[passage] for passage in passages])
    ranking = _ranking(passages, values, values)
    return Around(ranking, dict(known.names), entities, relations, max(best.values(), default=0.0))


def _mentioning(
    near: Neighbourhood,
    hits: list[EntityHit],
    groups: tuple[WordGroup, ...],
    question: NDArray[np.float32],
    corpus_passages: int,
) -> Around:
    """Rank the passages that mention entities near the question: half by these, half by their own meaning."""
    relevance = _relevance(near, hits, groups)
    carried = weights(near.mentions) * (relevance * idf(near.df, corpus_passages))[near.mentions.entity]
    mentioned = np.bincount(near.mentions.passage, carried, minlength=len(near.passages)).astype(np.float64, copy=False)
    top = float(mentioned.max()) if mentioned.size else 0.0
    if top <= 0:
        return Around([], {})
    cosines = _cosines(near, question)
    spread = float(np.ptp(cosines))
    meaning = (cosines - cosines.min()) / spread if spread > 0 else np.zeros(len(cosines))
    scores = 0.5 * mentioned / top + 0.5 * meaning
    reached = np.flatnonzero(mentioned > 0)
    seen = np.zeros(len(near.entities), np.bool_)
    seen[near.mentions.entity] = True
    relevant = np.flatnonzero(seen & (relevance > 0)).tolist()
    return Around(
        _ranking([near.passages[row] for row in reached.tolist()], scores[reached], mentioned[reached]),
        dict(near.names),
        {near.entities[row].id: float(relevance[row]) for row in relevant},
        {},
        float(cosines.max()),
    )


def _relevance(near: Neighbourhood, hits: list[EntityHit], groups: tuple[WordGroup, ...]) -> NDArray[np.float64]:
    """Return how much each entity has to do with the question; only those count that the reader can see."""
    seen = {near.entities[row].key for row in set(near.mentions.entity.tolist())}
    asked = set(named(groups, seen))
    by_meaning = {hit.id: max(0.0, hit.score - FLOOR) for hit in hits}
    return np.array(
        [NAMED if entity.key in asked else by_meaning.get(entity.id, 0.0) for entity in near.entities], np.float64
    )


def _cosines(near: Neighbourhood, question: NDArray[np.float32]) -> NDArray[np.float64]:
    if near.passage_vectors is None or near.passage_vectors.shape[1] != len(question):
        return np.zeros(len(near.passages))
    return (widened(near.passage_vectors) @ question).astype(np.float64)


def _joined(first: Around, second: Around) -> Around:
    """Return both with equal weight; what is in one only counts half."""
    if not second.ranking:
        return first
    if not first.ranking:
        return second
    halves = [{ranked.id: ranked.score for ranked in each.ranking} for each in (first, second)]
    passages = sorted(halves[0].keys() | halves[1].keys())
    scores = np.array([sum(half.get(at, 0.0) for half in halves) for at in passages])
    return Around(
        _ranking(passages, scores, scores),
        first.names | second.names,
        {
            at: max(first.entities.get(at, 0.0), second.entities.get(at, 0.0))
            for at in first.entities.keys() | second.entities.keys()
        },
        second.relations,
        max(first.best_cosine, second.best_cosine),
    )


def _ranking(passages: Sequence[PassageId], scores: NDArray[np.float64], signals: NDArray[np.float64]) -> list[Ranked]:
    """Return the best of ``passages``, which are ordered by id, with their rank and raw score in the graph's own list.

    Ties keep the order by id.
    """
    if not passages:
        return []
    final, raw = np.round(scores / scores.max(), DECIMALS), np.round(signals, DECIMALS)
    ranks = np.empty(len(passages), np.int64)
    ranks[np.argsort(-raw, kind="stable")] = np.arange(1, len(passages) + 1)
    return [
        Ranked(passages[at], float(final[at]), {SIGNAL: Signal(int(ranks[at]), float(raw[at]))})
        for at in np.argsort(-final, kind="stable")[:DEPTH].tolist()
    ]
