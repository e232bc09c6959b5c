"""Entities that a question names: its groups of words, looked up exactly as the keys of entities."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from atoll.domain.names import entity_key
from atoll.query.text.terms import Terms

#: Words in the longest name that is looked up.
MAX_WORDS = 6
#: Words of a question that are looked at, and the shortest name of one word.
MAX_QUESTION_WORDS = 64
MIN_LETTERS = 4

_WORD = re.compile(r"\S+")
_EDGES = '.,;:!?"“”„«»()[]{}<>'


@dataclass(frozen=True, slots=True)
class WordGroup:
    """Words ``start`` to ``end`` (excluded) of a question, as the key of an entity."""

    start: int
    end: int
    key: str


def word_groups(question: str, terms: Terms) -> tuple[WordGroup, ...]:
    """Return the groups of up to `MAX_WORDS` words that could be names, longest first, then from the left.

    A single word needs `MIN_LETTERS` letters and must not be a function word of the question's language.
    """
    words = _WORD.findall(question)[:MAX_QUESTION_WORDS]
    content = terms.of_question(question)
    groups: list[WordGroup] = []
    for length in range(min(MAX_WORDS, len(words)), 0, -1):
        for start in range(len(words) - length + 1):
            text = " ".join(words[start : start + length]).strip(_EDGES)
            key = entity_key(text)
            if key is None or (length == 1 and (len(key) < MIN_LETTERS or not terms.of_passage(text) & content)):
                continue
            groups.append(WordGroup(start, start + length, key))
    return tuple(groups)


def named(groups: tuple[WordGroup, ...], known: Collection[str]) -> tuple[str, ...]:
    """Return the keys of ``known`` that the question names: of groups that share a word only the longest counts."""
    taken: set[int] = set()
    keys: dict[str, None] = {}
    for group in groups:
        words = range(group.start, group.end)
        if group.key in known and taken.isdisjoint(words):
            taken.update(words)
            keys[group.key] = None
    return tuple(keys)
