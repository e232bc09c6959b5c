"""How a search goes on when something that it leans on is away: with what is left, and with a word to its reader."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import replace

from atoll.domain.evidence import Mode
from atoll.domain.page_vectors import PageHit
from atoll.errors import IndexMissing
from atoll.query.search.modes import RETRIEVERS, Retriever
from atoll.query.search.results import Question
from atoll.query.search.shortfalls import EMBEDDER_AWAY, PAGES_AWAY, index_incomplete


def noted(question: Question, *, has_pages: bool) -> Question:
    """Return the question; what could not be embedded of it is noted. ``has_pages``: a page-image server is set up."""
    if not question.has_meaning and question.mode is not Mode.VISUAL:
        question.shortfalls.add(EMBEDDER_AWAY)
    if has_pages and question.pages is None and Retriever.PAGES in RETRIEVERS[question.mode]:
        question.shortfalls.add(PAGES_AWAY)
    return question


def without_passages(question: Question, error: IndexMissing) -> Question:
    """Return a mixed question as one that starts in the graph: it lies in the record store and knows passages too.

    Raises:
        IndexMissing: ``error``, which said that the index of passages is gone: the mode needs it.
    """
    if question.mode is not Mode.MIX:
        raise error
    question.shortfalls.add(index_incomplete("passages"))
    return replace(question, mode=Mode.LOCAL)


async def pages_of(question: Question, finding: Awaitable[list[PageHit]]) -> list[PageHit]:
    """Return the pages that are found: none, and a word to the reader, when their index is gone."""
    try:
        return await finding
    except IndexMissing:
        question.shortfalls.add(index_incomplete("pages"))
        return []
