"""What a question becomes on its way through a search."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from atoll.domain.answer import Caution
from atoll.domain.evidence import Evidence, Mode, Signal
from atoll.domain.ids import PassageId, passage_id
from atoll.domain.page_vectors import PageQuery
from atoll.domain.passage import Passage
from atoll.domain.text.titles import titles_of
from atoll.query.question.asked import Asked
from atoll.query.search.shortfalls import Shortfalls
from atoll.query.text.terms import Terms


@dataclass(frozen=True, slots=True)
class Question:
    """A question in the forms that the indexes understand.

    ``vector`` is (dimensions,), all zeros when the embedding server did not answer. ``shortfalls`` gathers what the
    search goes without.
    """

    text: str
    mode: Mode
    terms: Terms
    phrases: tuple[str, ...]
    vector: NDArray[np.float32]
    pages: PageQuery | None
    asked: Asked
    counted: Sequence[int] = ()
    shortfalls: Shortfalls = field(default_factory=Shortfalls)

    @property
    def has_meaning(self) -> bool:
        """Whether the question was embedded."""
        return bool(self.vector.any())


@dataclass(frozen=True, slots=True)
class SearchResult:
    """What retrieval hands to answering.

    ``vector`` is the question's, (dimensions,), or None when nothing was searched; ``indexed`` says whether there was
    anything to search. ``asked`` is what is understood of the question, and ``rarity`` how rare each of its parts is in
    the knowledge base, 0 to 1. ``warnings`` tell the reader what the ranking went without. ``revision`` is None for a
    restricted reader.
    """

    question: str
    revision: int | None
    terms: Terms
    keywords: tuple[str, ...]
    vector: NDArray[np.float32] | None = None
    evidence: tuple[Evidence, ...] = ()
    passages: Mapping[PassageId, Passage] = field(default_factory=dict)
    asked: Asked | None = None
    rarity: Mapping[int, float] = field(default_factory=dict)
    indexed: bool = True
    warnings: tuple[Caution, ...] = ()

    def headings_of(self, entry: Evidence) -> tuple[str, ...]:
        """Return the headings that a piece of evidence stands under."""
        passage = self.passage_of(entry)
        return () if passage is None else passage.headings

    def titles_of(self, entry: Evidence) -> tuple[str, ...]:
        """Return what the document of a piece of evidence calls itself, where that was read."""
        opening = self.passages.get(passage_id(entry.document_id, 0))
        return () if opening is None else titles_of(opening.text)

    def passage_of(self, entry: Evidence) -> Passage | None:
        """Return the passage that a piece of evidence shows; a page without text has none."""
        return None if entry.passage_id is None else self.passages.get(entry.passage_id)


def withheld(found: SearchResult) -> SearchResult:
    """Return a result as a restricted reader is told it: with the ranks of signals, without raw scores and revision.

    The revision moves with every document that is published or deleted, those out of sight included.
    """
    evidence = [
        replace(entry, signals={name: Signal(signal.rank, None) for name, signal in entry.signals.items()})
        for entry in found.evidence
    ]
    return replace(found, evidence=tuple(evidence), revision=None)
