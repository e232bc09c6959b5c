"""Words of one meaning, as questions and documents use them: who asks how tall a thing is reads of its height.

The lists hold everyday words of any organisation's papers, not the names and terms of one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cache

from atoll.query.text.lists import lines_of, words_of

#: Endings that make one word of a family from another: "stowage" is of what is "stowed".
_ENDINGS = tuple(
    """
    ability ation ement ition sion ance ence ment ness ship tion able ible age ant ent ery ful ing ion ist ity ive ure
    al ed er es or ry e s y
    """.split()  # noqa: SIM905 - a word list reads better than forty quoted strings
)
_SHORTEST_BASE = 4


def bases(word: str) -> tuple[str, ...]:
    """Return what may be left of a word without the ending of its family."""
    found = (word.removesuffix(ending) for ending in _ENDINGS if word.endswith(ending))
    kept = {base for base in found if len(base) >= _SHORTEST_BASE}
    return tuple(kept | {f"{base}e" for base in kept})


@cache
def _kin(language: str) -> Mapping[str, tuple[str, ...]]:
    of_word: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for line in lines_of(f"kin.{language}"):
        group = line.split()
        for word in group:
            of_word[word] |= dict.fromkeys(other for other in group if other != word)
    return {word: tuple(others) for word, others in of_word.items()}


def kin(word: str, language: str) -> tuple[str, ...]:
    """Return the words of the same meaning as a case-folded word; those of a phrase are joined by "_"."""
    return _kin(language).get(word, ())


@cache
def _phrases(language: str) -> Mapping[str, tuple[str, ...]]:
    """Return the phrases of the list by their first words, the longest first."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for entry in sorted(_kin(language), key=len, reverse=True):
        if "_" in entry:
            found[entry.split("_", maxsplit=1)[0]].append(entry)
    return {word: tuple(entries) for word, entries in found.items()}


def phrase_of(words: Sequence[str], language: str) -> str | None:
    """Return the phrase that some case-folded words begin with: "send_for" of "send for a crane"."""
    if not words:
        return None
    for phrase in _phrases(language).get(words[0], ()):
        parts = phrase.split("_")
        if list(words[: len(parts)]) == parts:
            return phrase
    return None


def is_generic(word: str, language: str) -> bool:
    """Whether a word of a question could be said of anything."""
    return word in words_of(f"generic.{language}")
