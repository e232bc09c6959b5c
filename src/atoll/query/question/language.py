"""The language that a question seems to be in, by its script and its function words."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import cache

from atoll.query.text.lists import entries_of

_SCRIPTS = {"CYRILLIC": "ru", "HIRAGANA": "ja", "KATAKANA": "ja", "HANGUL": "ko", "CJK": "zh", "ARABIC": "ar"}
_NAMES = {
    "en": "English", "de": "German", "fr": "French", "es": "Spanish", "it": "Italian", "pt": "Portuguese",
    "nl": "Dutch",
    "pl": "Polish", "cs": "Czech", "sv": "Swedish", "da": "Danish", "fi": "Finnish", "tr": "Turkish", "ru": "Russian",
    "ja": "Japanese", "ko": "Korean", "zh": "Chinese", "ar": "Arabic",
}  # fmt: skip
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
#: Function words that a question must have of another language, and share of its letters of another script.
_LEAST_WORDS, _LEAST_SHARE = 2, 0.3


@cache
def _functions() -> Mapping[str, frozenset[str]]:
    """Return the words that questions of a language are full of, by its code."""
    return {code: frozenset(words.split()) for code, words in entries_of("functions")}


def language_of(question: str) -> str | None:
    """Return the code of the language that a question seems to be in, or None when nothing tells."""
    letters = [c for c in question if c.isalpha()]
    if not letters:
        return None
    found: dict[str, int] = {}
    for letter in letters:
        if not letter.isascii():
            script = unicodedata.name(letter, "").split(" ")[0]
            if script in _SCRIPTS:
                found[_SCRIPTS[script]] = found.get(_SCRIPTS[script], 0) + 1
    if found and sum(found.values()) >= _LEAST_SHARE * len(letters):
        return "ja" if "ja" in found else max(found, key=lambda code: found[code])
    words = [match[0].casefold() for match in _WORD.finditer(question)]
    counts = {code: sum(word in known for word in words) for code, known in _functions().items()}
    best = max(counts, key=lambda code: counts[code])
    return best if counts[best] and list(counts.values()).count(counts[best]) == 1 else None


def is_foreign(question: str, language: str) -> str | None:
    """Return the code of a question's language if it is plainly not the one of the documents, ``language``."""
    found = language_of(question)
    if found is None or found == language or language not in _NAMES:
        return None
    words = [match[0].casefold() for match in _WORD.finditer(question)]
    if found not in _functions():
        return found
    own = sum(word in _functions().get(language, frozenset()) for word in words)
    other = sum(word in _functions()[found] for word in words)
    return found if other >= _LEAST_WORDS and other > own else None


def name_of(language: str) -> str:
    """Return the English name of a language."""
    return _NAMES.get(language, language)
