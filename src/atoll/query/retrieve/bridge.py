"""The bridge: from the best passages over an entity that they mention to passages that say more of it.

A question with two steps names the first thing only. A passage that answers the second step mentions an entity of a
passage that answers the first, and is near in meaning to the question and that entity together. Parameters as
measured on HotpotQA and MuSiQue; they lie on broad plateaus.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from atoll.domain.ids import PassageId
from atoll.domain.names import entity_key, heading_spans
from atoll.ports.graph import Neighbourhood
from atoll.query.retrieve.half_precision import widened

#: Best passages that bridges start from.
SEEDS = 5
#: A rarer entity joins nothing, a more common one everything.
MIN_DF, MAX_DF = 2, 50
#: Cosine below which a passage says nothing of the question and the entity.
FLOOR = 0.2
#: The best bridged passage comes next to a direct hit of this score.
SHARE = 0.8

Step = tuple[PassageId, str]


@dataclass(frozen=True, slots=True)
class Bridged:
    """Scores after the bridge, the best at least as good as before, and for each raised passage where it came from."""

    scores: Mapping[PassageId, float]
    steps: Mapping[PassageId, Step]


def bridge(direct: Mapping[PassageId, float], near: Neighbourhood, question: NDArray[np.float32]) -> Bridged:
    """Raise what the entities of ``near.seeds`` lead to.

    ``direct`` are scores whose best is 1, ``question`` is a unit vector of shape (dimensions,), and ``near`` was
    read with vectors from the best passages of ``direct``. For seed p, entity e and another passage p' with e:
    ``F(p) * max(0, unit(q + v_e) . v_p' - FLOOR)``; the largest over all ways counts, relative to the best of all.
    """
    ways = _ways(direct, near, question)
    best: dict[PassageId, tuple[float, Step]] = {}
    for value, passage, step in ways:
        if passage not in best or (-value, step) < (-best[passage][0], best[passage][1]):
            best[passage] = (value, step)
    top = max((value for value, _ in best.values()), default=0.0)
    if top <= 0:
        return Bridged(direct, {})
    scores, steps = dict(direct), {}
    for passage, (value, step) in best.items():
        raised = SHARE * value / top
        if raised > scores.get(passage, 0.0):
            scores[passage] = raised
            steps[passage] = step
    return Bridged(scores, steps)


def _ways(
    direct: Mapping[PassageId, float], near: Neighbourhood, question: NDArray[np.float32]
) -> list[tuple[float, PassageId, Step]]:
    """Return every way with a positive value: the value, where it leads, and from which passage over which entity."""
    if near.entity_vectors is None or near.passage_vectors is None:
        return []
    if not near.entity_vectors.shape[1] == near.passage_vectors.shape[1] == len(question):
        return []  # no vectors at all, or those of another embedding
    entity_vectors = widened(near.entity_vectors)
    bridging = near.followed & (near.df >= MIN_DF) & (near.df <= MAX_DF) & entity_vectors.any(axis=1)
    usable = bridging[near.mentions.entity]
    passage, entity = near.mentions.passage[usable], near.mentions.entity[usable]
    towards = units(entity_vectors + question)
    passages = widened(near.passage_vectors)
    # in groups of one entity a matrix product would do; there are too few mentions to make that worth while
    cosines = np.einsum("ij,ij->i", towards[entity], passages[passage]).astype(np.float64)
    values = np.round(np.maximum(cosines - FLOOR, 0.0), 5)
    targets, over, worth, positive = passage.tolist(), entity.tolist(), values.tolist(), values > 0
    ways: list[tuple[float, PassageId, Step]] = []
    for row, seed in enumerate(near.seeds):
        mine = near.seed_mentions.entity[near.seed_mentions.passage == row]
        titles = title_keys(near.headings[row])
        own = np.zeros(len(near.entities), np.bool_)
        own[[each for each in mine.tolist() if near.entities[each].key not in titles]] = True
        for at in np.flatnonzero(own[entity] & positive).tolist():
            target = near.passages[targets[at]]
            if target != seed:
                step = (seed, near.entities[over[at]].key)
                ways.append((direct.get(seed, 0.0) * worth[at], target, step))
    return [way for way in ways if way[0] > 0]


def title_keys(headings: tuple[str, ...]) -> frozenset[str]:
    """Return the keys of what headings name."""
    texts = (heading[start:end] for heading in headings for start, end in heading_spans(heading))
    return frozenset(key for text in texts if (key := entity_key(text)) is not None)


def units(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return ``rows`` at length 1; rows of zeros stay what they are."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    unit: NDArray[np.float32] = np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 0)
    return unit
