"""Words without their accents, as people type them on another keyboard: Zoë as zoe, Møller as moller and moeller."""

from __future__ import annotations

import unicodedata

#: Letters that no decomposition takes apart, and what people write in their place.
_LETTERS = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ħ": "h", "ŧ": "t", "ß": "ss"}
)
#: The two-letter spelling of German and Nordic letters.
_TWO_LETTERS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa", "æ": "ae", "œ": "oe", "ß": "ss"})


def folded(word: str) -> str:
    """Return a case-folded word without accents; what has none comes back as it is.

    Marks of scripts in which they are vowels (Devanagari, Thai, Arabic, ...) stay.
    """
    if word.isascii():
        return word
    apart = unicodedata.normalize("NFD", word.translate(_LETTERS))
    return unicodedata.normalize("NFC", "".join(c for c in apart if not "\u0300" <= c <= "\u036f"))


def spellings(word: str) -> tuple[str, ...]:
    """Return the other spellings of a case-folded word: without accents, and with two letters for one."""
    if word.isascii():
        return ()
    plain = folded(word)
    double = folded(word.translate(_TWO_LETTERS))
    return tuple(other for other in dict.fromkeys((plain, double)) if other != word)
