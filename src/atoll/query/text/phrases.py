"""Quoted phrases: what stands between quotation marks in a question must stand in the passage, word for word.

Where more is said around the quotation marks than between them, they only mark a name ("Who wrote the song "X" for
the singer who ...?"): then they filter nothing, because the answer may stand where that name does not.
"""

from __future__ import annotations

import re
import unicodedata

from atoll.query.text.terms import Terms

MAX_PHRASES = 4
#: Fewer content terms than this around a quotation never make it a mere name.
MANY_TERMS = 4

_QUOTED = re.compile(r'"([^"]{1,200})"|“([^”]{1,200})”|„([^“”]{1,200})[“”]|«([^»]{1,200})»')
_ALIKE = str.maketrans("‘’‚‛“”„‟‐‑", "''''\"\"\"\"--")


def quoted_phrases(question: str) -> tuple[str, ...]:
    """Return the phrases in quotation marks that have a letter or digit, normalised, at most `MAX_PHRASES`."""
    found = (normalise(next(group for group in match.groups() if group)) for match in _QUOTED.finditer(question))
    return tuple(dict.fromkeys(phrase for phrase in found if any(map(str.isalnum, phrase))))[:MAX_PHRASES]


def verbatim_phrases(question: str, terms: Terms) -> tuple[str, ...]:
    """Return the quoted phrases that evidence must contain: none when they are the smaller part of the question."""
    phrases = quoted_phrases(question)
    if not phrases:
        return ()
    quoted = frozenset[int]().union(*(terms.of_passage(phrase) for phrase in phrases))
    around = terms.of_question(question) - quoted
    return () if len(around) >= max(MANY_TERMS, len(quoted)) else phrases


def normalise(text: str) -> str:
    """Return ``text`` with case, white space, width and kinds of quotation marks and hyphens made alike."""
    return " ".join(unicodedata.normalize("NFKC", text).translate(_ALIKE).casefold().split())


def contains_all(text: str, phrases: tuple[str, ...]) -> bool:
    """Return whether every normalised phrase stands in ``text``, not cut out of a longer word or number."""
    if not phrases:
        return True
    normalised = normalise(text)
    return all(_stands_in(normalised, phrase) for phrase in phrases)


def _stands_in(text: str, phrase: str) -> bool:
    at = text.find(phrase)
    while at >= 0:
        end = at + len(phrase)
        if not (_within_word(text, at) or _within_word(text, end)):
            return True
        at = text.find(phrase, at + 1)
    return False


def _within_word(text: str, at: int) -> bool:
    """Whether a cut at ``at`` would part a word; scripts without case (Han, Thai, ...) may be cut anywhere."""
    if not 0 < at < len(text):
        return False
    return all(char.isalnum() and unicodedata.category(char) != "Lo" for char in text[at - 1 : at + 1])
