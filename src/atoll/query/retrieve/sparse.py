"""Passages that share words with the question or with a quoted phrase."""

from __future__ import annotations

from atoll.domain.vectors import SparseVector, VectorSearch
from atoll.query.search.window import Window

#: Passages with a phrase's words that are looked through for the phrase itself.
PHRASE_DEPTH = 300


def sparse_search(window: Window, terms: SparseVector) -> VectorSearch:
    """Return the search for the passages that score best for a question's terms."""
    return _search(window, terms, window.limit)


def phrase_search(window: Window, terms: SparseVector) -> VectorSearch:
    """Return the search for passages that may hold a phrase, by its words."""
    return _search(window, terms, PHRASE_DEPTH + window.room)


def _search(window: Window, terms: SparseVector, limit: int) -> VectorSearch:
    return VectorSearch(window.reader, terms, limit, window.include, window.exclude)
