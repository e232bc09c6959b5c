"""Which lists of passages a question is looked up in."""

from __future__ import annotations

from atoll.domain.vectors import VectorSearch
from atoll.ports.sparse import SparseEncoder
from atoll.query.retrieve.dense import dense_search
from atoll.query.retrieve.sparse import phrase_search, sparse_search
from atoll.query.search.modes import RETRIEVERS, Retriever
from atoll.query.search.results import Question
from atoll.query.search.window import Window

#: What the names of lists of passages that may hold a phrase begin with.
PHRASE = "phrase"


def searches_of(question: Question, window: Window, encoder: SparseEncoder) -> dict[str, VectorSearch]:
    """Return the searches of a question by the names of their lists; one without meaning has no dense list."""
    wanted = RETRIEVERS[question.mode]
    searches: dict[str, VectorSearch] = {}
    if Retriever.DENSE in wanted and question.has_meaning:
        searches[Retriever.DENSE] = dense_search(window, question.vector)
    if Retriever.SPARSE in wanted:
        language = question.terms.language
        query = encoder.encode_query(question.text, language)
        if query.indices.size:
            searches[Retriever.SPARSE] = sparse_search(window, query)
        for phrase in question.phrases:
            searches[f"{PHRASE} {phrase}"] = phrase_search(window, encoder.encode_query(phrase, language))
    return searches
