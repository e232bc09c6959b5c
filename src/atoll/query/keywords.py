"""The words of a question that it is about, as the person wrote them."""

from __future__ import annotations

import re

from atoll.query.terms import Terms

MAX_KEYWORDS = 16

_WORD = re.compile(r"[^\s\"“”„«»?!,;:()\[\]{}<>]+")
_EDGES = ".'’`*_-–—/"


def keywords(question: str, terms: Terms) -> tuple[str, ...]:
    """Return the distinct content words and identifiers of ``question`` in order, at most `MAX_KEYWORDS`."""
    wanted = terms.of_question(question)
    kept: dict[str, str] = {}
    for match in _WORD.finditer(question):
        word = match[0].strip(_EDGES)
        if word and terms.of_passage(word) & wanted:
            kept.setdefault(word.casefold(), word)
        if len(kept) == MAX_KEYWORDS:
            break
    return tuple(kept.values())
