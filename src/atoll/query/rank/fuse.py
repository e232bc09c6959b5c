"""Linear fusion of dense and sparse lists by normalised scores.

Dense scores are stretched so that the list's best is 1 and its last is 0, sparse scores are divided by their best;
the sum of both, absent counting 0, is divided by its own best. Rank fusion would be simpler, but ranks say nothing
about confidence, which the later graph steps live on.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from atoll.domain.evidence import Signal
from atoll.domain.ids import PassageId
from atoll.domain.vectors import Hit

#: Length of the lists that are fused.
DEPTH = 100
#: Decimals that scores are compared at, the same as of a `Hit`: past these, sums of float32 depend on their order.
DECIMALS = 5


class Ranked(NamedTuple):
    """A passage with its score (the best of a ranking has exactly 1) and what each list said about it.

    ``path`` is the way through the graph to a passage that its own words and meaning would not have put here.
    """

    id: PassageId
    score: float
    signals: dict[str, Signal]
    path: tuple[tuple[PassageId, str], ...] | None = None


def fuse(dense: Sequence[Hit], sparse: Sequence[Hit], phrases: Sequence[Sequence[Hit]] = ()) -> list[Ranked]:
    """Return every passage of the lists, best first, ties by id.

    All lists are best first. ``phrases`` are sparse lists of quoted phrases, which weigh like ``sparse``.
    """
    scores: dict[PassageId, float] = {}
    signals: dict[PassageId, dict[str, Signal]] = {}
    for name, hits, parts in (
        ("dense", dense, stretched([hit.score for hit in dense])),
        ("sparse", sparse, _divided(sparse)),
        *(("", hits, _divided(hits)) for hits in phrases),
    ):
        for rank, ((passage, _, score), part) in enumerate(zip(hits, parts, strict=True), start=1):
            scores[passage] = scores.get(passage, 0.0) + 0.5 * part
            of_passage = signals.setdefault(passage, {})
            if name:
                of_passage[name] = Signal(rank, score)
    top = max(scores.values(), default=0.0)
    ranking = [
        Ranked(passage, round(score / top, DECIMALS) if top > 0 else 0.0, signals[passage])
        for passage, score in scores.items()
    ]
    ranking.sort(key=lambda ranked: (-ranked.score, ranked.id))
    return ranking


def stretched(scores: Sequence[float]) -> list[float]:
    """Return scores, the best first, with the first at 1 and the last at 0; all 1 where they are equal."""
    if not scores:
        return []
    high, low = scores[0], scores[-1]
    return [(score - low) / (high - low) if high > low else 1.0 for score in scores]


def _divided(hits: Sequence[Hit]) -> list[float]:
    """Scores divided by the first; 0 where the first is not positive."""
    high = hits[0].score if hits else 0.0
    return [max(hit.score, 0.0) / high if high > 0 else 0.0 for hit in hits]
