"""What a question becomes on its way through a search."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from atoll.domain.evidence import Evidence, Mode
from atoll.domain.ids import PassageId
from atoll.domain.page_vectors import PageQuery
from atoll.query.text.terms import Terms


@dataclass(frozen=True, slots=True)
class Question:
    """A question in the forms that the indexes understand: ``vector`` is (dimensions,)."""

    text: str
    mode: Mode
    terms: Terms
    phrases: tuple[str, ...]
    vector: NDArray[np.float32]
    pages: PageQuery | None


@dataclass(frozen=True, slots=True)
class SearchResult:
    """What retrieval hands to answering.

    ``vector`` is the question's, (dimensions,), or None when nothing was searched. ``best_cosine`` is the best raw
    dense score among visible passages, 0 without any. ``warnings`` tell the reader what the ranking went without.
    """

    question: str
    revision: int
    terms: Terms
    keywords: tuple[str, ...]
    vector: NDArray[np.float32] | None = None
    evidence: tuple[Evidence, ...] = ()
    headings: Mapping[PassageId, tuple[str, ...]] = field(default_factory=dict)
    best_cosine: float = 0.0
    warnings: tuple[str, ...] = ()

    def headings_of(self, entry: Evidence) -> tuple[str, ...]:
        """Return the headings that a piece of evidence stands under."""
        return () if entry.passage_id is None else self.headings.get(entry.passage_id, ())
