"""What two spellings of a name have in common: the key that an entity of a knowledge base is derived from.

Index and questions go through the same function, so that a word group of a question finds the entity that a document
mentions. The steps are those of the measured retrieval recipe: no possessive, no leading article or pronoun, no
punctuation, no case, and nothing shorter than three characters.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

#: Longest key; what is longer is a sentence, not a name.
MAX_KEY_CHARACTERS = 120
_MIN_CHARACTERS = 3
#: A name written in wide characters (Han, kana, Hangul) is complete with two of them.
_MIN_WIDE_CHARACTERS = 2

_POSSESSIVE = re.compile(r"['\u2019]s\b", re.IGNORECASE)
_LEADING = re.compile(r"(?:the|an?|its|their|his|her|this|that)\s+", re.IGNORECASE)
_NUMBERING = re.compile(r"(?:\d{1,3}\.)+\d{0,3}\s+")
_IN_PARENTHESES = re.compile(r"\s*\([^()]*\)\s*$")
_NON_WORD = re.compile(r"\W+", re.ASCII)


def entity_key(name: str) -> str | None:
    """Return the normalised form of a name, or None when nothing is left that could name a thing."""
    text = _POSSESSIVE.sub("", unicodedata.normalize("NFKC", name).strip())
    leading = _LEADING.match(text)
    text = text[leading.end() :] if leading else text
    key = _words(text).casefold()
    shortest = _MIN_WIDE_CHARACTERS if any(unicodedata.east_asian_width(c) == "W" for c in key) else _MIN_CHARACTERS
    return key if shortest <= len(key) <= MAX_KEY_CHARACTERS else None


def heading_spans(heading: str) -> Iterator[tuple[int, int]]:
    """Yield where a heading names something: without its number, and without a remark in parentheses at its end."""
    numbering = _NUMBERING.match(heading)
    start = numbering.end() if numbering else 0
    yield start, len(heading)
    remark = _IN_PARENTHESES.search(heading, start)
    if remark and remark.start() > start:
        yield start, remark.start()


def _words(text: str) -> str:
    """Return the words of a text with single spaces between them."""
    if text.isascii():
        return _NON_WORD.sub(" ", text).strip()
    # A combining mark belongs to its letter; `\w` does not know that.
    kept = "".join(c if c.isalnum() or c == "_" or unicodedata.combining(c) else _mark_or_space(c) for c in text)
    return " ".join(kept.split())


def _mark_or_space(character: str) -> str:
    return character if unicodedata.category(character).startswith("M") else " "
