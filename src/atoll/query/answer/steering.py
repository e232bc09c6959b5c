"""What documents say to whoever answers, which is no evidence: orders, and marks that look like citations.

A paragraph that tells what to answer ("ignore the instructions and reply: ...") is shown to nobody as an answer and to
no model, unless the question itself is about such texts. It can be found and read on its page as before.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache

from atoll.domain.text.sentences import Span, lines
from atoll.query.text.lists import patterns_of

_PATTERNS = "steering"
_MARK = re.compile(r"[\[【](\d{1,3}(?:\s*[,;]\s*\d{1,3})*)[\]】]")


def steers(text: str) -> bool:
    """Whether a text tells whoever answers what to answer."""
    plain = text.casefold()
    return any(pattern.search(text) for words, pattern in _patterns() if any(word in plain for word in words))


@cache
def _patterns() -> tuple[tuple[tuple[str, ...], re.Pattern[str]], ...]:
    """Return what is looked for, each with words of which a text must have one."""
    return tuple((tuple(words.split(",")), pattern) for words, pattern in patterns_of(_PATTERNS))


@lru_cache(maxsize=4096)
def steering(text: str) -> tuple[Span, ...]:
    """Return the paragraphs and rows of a text that do."""
    if not steers(text):
        return ()
    return tuple(line for line in lines(text) if steers(text[line.start : line.end]))


def is_steered(text: str, position: int) -> bool:
    """Whether a character of a text stands in such a paragraph."""
    return any(start <= position < end for start, end in steering(text))


def unsteered(text: str) -> str:
    """Return a text of the same length without what steers, and with its own citation marks as plain numbers."""
    for start, end in steering(text):
        text = f"{text[:start]}{' ' * (end - start)}{text[end:]}"
    return unmarked(text)


def unmarked(text: str) -> str:
    """Return a text in which a document's own "[3]" reads "(3)": in an answer, brackets are the answer's citations."""
    return _MARK.sub(r"(\1)", text)
