"""The words of a question that it is about, as the person wrote them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from atoll.query.text.terms import Terms, TermSet

MAX_KEYWORDS = 16

_WORD = re.compile(r"[^\s\"“”„«»?!,;:()\[\]{}<>]+")
_EDGES = ".'’`*_-–—/"


def keywords(question: str, terms: Terms) -> tuple[str, ...]:
    """Return the distinct content words and identifiers of ``question`` in order, at most `MAX_KEYWORDS`."""
    wanted = terms.of_question(question)
    kept: dict[str, str] = {}
    for word in _words(question):
        if terms.of_passage(word) & wanted:
            kept.setdefault(word.casefold(), word)
        if len(kept) == MAX_KEYWORDS:
            break
    return tuple(kept.values())


def name_terms(question: str, terms: Terms) -> TermSet:
    """Return the terms of words with a digit or a capital first letter, the question's first word aside.

    They are names, codes and numbers mostly: documents may put anything else in other words, but hardly these.
    """
    names = (
        word
        for place, word in enumerate(_words(question))
        if any(map(str.isdigit, word)) or (place > 0 and word[0].isupper())
    )
    return frozenset[int]().union(*(terms.of_passage(word) for word in names))


def _words(question: str) -> Iterator[str]:
    return (word for match in _WORD.finditer(question) if (word := match[0].strip(_EDGES)))
