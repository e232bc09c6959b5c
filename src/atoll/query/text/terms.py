"""Terms of a text as the sparse encoder sees them: stems and parts of identifiers, as opaque numbers."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from atoll.ports.sparse import SparseEncoder

TermSet = frozenset[int]


@dataclass(frozen=True, slots=True)
class Terms:
    """Gives term sets in the language of one knowledge base."""

    encoder: SparseEncoder
    language: str

    @property
    def primary(self) -> str:
        """The language without region and script: ``en`` for ``en-GB``."""
        return re.split("[-_]", self.language, maxsplit=1)[0].lower()

    def of_words(self, words: Iterable[str]) -> TermSet:
        """Return the terms of some words."""
        return frozenset[int]().union(*(self.of_passage(word) for word in words))

    def forms(self, word: str) -> TermSet:
        """Return the terms of a word as a whole, in every spelling."""
        return self.encoder.forms(word, self.language)

    def of_question(self, text: str) -> TermSet:
        """Return the terms that say what a text is about: function words are left out where the language is known."""
        return frozenset(self.encoder.encode_query(text, self.language).indices.tolist())

    def of_passage(self, text: str) -> TermSet:
        """Return all terms of a text."""
        return self.encoder.terms(text, self.language)


def rarity(wanted: TermSet, texts: Iterable[AbstractSet[int]]) -> Mapping[int, float]:
    """Return how much each wanted term says, by how few of ``texts`` have it: ln(1 + n / (found + 0.5))."""
    found: Counter[int] = Counter()
    count = 0
    for terms in texts:
        found.update(wanted & terms)
        count += 1
    return {term: math.log1p(max(count, 1) / (found[term] + 0.5)) for term in wanted}


def covered_share(weights: Mapping[int, float], present: AbstractSet[int]) -> float:
    """Return the weighted share of terms that are ``present``, 0 to 1; 0 when nothing is wanted."""
    total = sum(weights.values())
    return sum(weight for term, weight in weights.items() if term in present) / total if total > 0 else 0.0
