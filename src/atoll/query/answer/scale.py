"""What an embedder's cosines mean, and which languages it brings together: read off the embedder itself.

One model gives texts about different things a cosine of 0.05, another of 0.75. Pairs of sentences that say the same and
pairs that do not, embedded once, tell what each model means by near and far, so that nothing else here depends on it.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from atoll.domain.embedding import InputType
from atoll.errors import DependencyDown
from atoll.ports.embedder import Embedder
from atoll.query.text.lists import entries_of

#: The list of questions with their answers, and of the first of them in other languages.
_PROBES, _PAIR = "probes", "pair"
#: Part of the distance between near and far from which translations count as near.
_BROUGHT_TOGETHER = 0.6
#: Distance that two means keep, should a model give everything the same cosine.
_LEAST = 1e-3


@dataclass(frozen=True, slots=True)
class CosineScale:
    """``apart`` is the cosine of texts about different things, ``alike`` that of a question and its answer.

    ``joined`` are the pairs of languages whose texts are near each other when they say the same.
    """

    apart: float
    alike: float
    joined: frozenset[frozenset[str]] = frozenset()

    def of(self, cosine: float) -> float:
        """Return a cosine on the scale from 0, nothing in common, to 1, as near as a question and its answer."""
        return min(1.0, max(0.0, (cosine - self.apart) / (self.alike - self.apart)))

    def joins(self, first: str, second: str) -> bool:
        """Whether questions in one language find texts in the other; a language that was not tried is taken to."""
        known = {"en", *_translations()}
        return first == second or not {first, second} <= known or frozenset((first, second)) in self.joined


async def measured(embedder: Embedder) -> CosineScale:
    """Return the scale of an embedder.

    Raises:
        DependencyDown, ModelReplyInvalid: as `Embedder.embed`.
    """
    asked, told = zip(*(value.split(" | ") for key, value in entries_of(_PROBES) if key == _PAIR), strict=True)
    translations = _translations()
    translated = [text for texts in translations.values() for text in texts]
    rows = await embedder.embed([*asked, *told, *translated], input_type=InputType.QUERY)
    if not rows.any():  # what stands for an embedder that is away says nothing about it
        raise DependencyDown("the embedding server did not answer")
    questions, answers = rows[: len(asked)], rows[len(asked) : 2 * len(asked)]
    apart, alike = _means(questions @ answers.T)
    scale = alike - apart
    size = len(next(iter(translations.values())))
    spoken = {"en": questions[:size]}
    for at, language in enumerate(translations):
        start = 2 * len(asked) + at * size
        spoken[language] = rows[start : start + size]
    joined = {
        frozenset((one, other))
        for one in spoken
        for other in spoken
        if one < other and _told_apart(spoken[one] @ spoken[other].T) >= _BROUGHT_TOGETHER * scale
    }
    return CosineScale(apart, max(alike, apart + _LEAST), frozenset(joined))


def _translations() -> dict[str, list[str]]:
    return {key: value.split(" | ") for key, value in entries_of(_PROBES) if key != _PAIR}


class Scale:
    """The scale of one embedder, measured when it is first asked for and again when another model may answer.

    While the embedder is away the last one stands, or, before there was any, one on which nothing is near: then no
    question has a vector either, and what words say decides.
    """

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._known: tuple[str, CosineScale] | None = None
        self._connections = -1
        self._lock = asyncio.Lock()

    async def get(self) -> CosineScale:
        """Return the scale. Raises ModelReplyInvalid when the embedding server answers what is no vector."""
        if self._known is not None and self._connections == self._embedder.connections:
            return self._known[1]
        async with self._lock:
            with contextlib.suppress(DependencyDown):  # asked again at the next question
                fingerprint = (await self._embedder.describe()).fingerprint
                if self._known is None or self._known[0] != fingerprint:
                    self._known = (fingerprint, await measured(self._embedder))
                self._connections = self._embedder.connections
            return self._known[1] if self._known is not None else _unmeasured()


def _unmeasured() -> CosineScale:
    """Return a scale that calls nothing near, and no language foreign."""
    languages = ("en", *_translations())
    return CosineScale(0.0, 1.0, frozenset(frozenset((one, other)) for one in languages for other in languages))


def _means(cosines: NDArray[np.float32]) -> tuple[float, float]:
    """Return the mean cosine of pairs that do not belong together, and of those that do."""
    together = np.eye(len(cosines), dtype=bool)
    return float(cosines[~together].mean()), float(cosines[together].mean())


def _told_apart(cosines: NDArray[np.float32]) -> float:
    apart, alike = _means(cosines)
    return alike - apart
