"""How rare the words of a question are in the knowledge base, read off the lexical index within one search.

A word that no passage holds is the surest sign that the documents say nothing about it. For each word a short list is
fetched: a list that is not full counts the passages that hold the word, and the scores at the end of a full one tell
the index's own inverse document frequency. The index counts only what the reader may see.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from atoll.domain.vectors import Hit, SparseVector, VectorSearch
from atoll.query.question.concept import Concept, Part
from atoll.query.search.window import Window

#: Passages that a word is looked up in, and words of a question that are looked up.
DEPTH = 30
MAX_WORDS = 12
#: What a term weighs in a passage that is among the best for it: the saturated frequency of two occurrences or three.
_TYPICAL_WEIGHT = 1.6


def counted(parts: Sequence[Concept]) -> list[int]:
    """Return the places of the parts whose rarity is looked up: words and names, those that say something first."""
    words = [at for at, part in enumerate(parts) if part.part in (Part.WORD, Part.NAME) and part.terms]
    return sorted(sorted(words, key=lambda at: parts[at].generic)[:MAX_WORDS])


def rarity_search(window: Window, part: Concept) -> VectorSearch:
    """Return the search for passages that hold a word in any spelling."""
    indices = np.array(sorted(part.terms), np.uint32)
    query = SparseVector(indices, np.ones(len(indices), np.float32))
    return VectorSearch(window.reader, query, DEPTH, window.include, window.exclude)


def rarity(hits: Sequence[Hit], visible: int, passages: int) -> float:
    """Return how rare a word is, 0 to 1, from the list of `rarity_search`: 1 for one that nothing holds.

    Args:
        hits: the whole list.
        visible: how many of them are in visible documents.
        passages: of the knowledge base.
    """
    most = math.log1p((passages + 0.5) / 0.5)
    if len(hits) < DEPTH:
        return _idf(visible, passages) / most
    told = hits[-1].score / _TYPICAL_WEIGHT
    return min(max(told, 0.0), _idf(DEPTH, max(passages, DEPTH))) / most


def _idf(count: int, passages: int) -> float:
    return math.log1p(max(passages - count + 0.5, 0.5) / (count + 0.5))
