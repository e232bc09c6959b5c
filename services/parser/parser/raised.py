"""Raised and lowered text as signs that cannot run into the words and numbers beside them."""

from __future__ import annotations

import re

_RAISED = str.maketrans(
    "0123456789+-\u2212=()ni",
    "\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079\u207a\u207b\u207b\u207c\u207d\u207e\u207f\u2071",
)
_LOWERED = str.maketrans(
    "0123456789+-\u2212=()",
    "\u2080\u2081\u2082\u2083\u2084\u2085\u2086\u2087\u2088\u2089\u208a\u208b\u208b\u208c\u208d\u208e",
)
_RAISED_SIGNS = frozenset("0123456789+-\u2212=()ni")
_LOWERED_SIGNS = frozenset("0123456789+-\u2212=()")
#: Signs that are raised by themselves.
_WRITTEN = frozenset(_RAISED.values()) | set(map(ord, "\u00ba\u00aa\u2122\u00ae\u00b0"))
_MARK = re.compile(r"\[?\d{1,3}(?:\s*[,;]\s*\d{1,3})*\]?|[*\u2020\u2021\u00a7]+")
_NUMBER_BEFORE = re.compile(r"\d[\d.,\u00a0\u202f' ]*$")
_WORD_BEFORE = re.compile(r"[^\W\d_]+$")
#: A longer number or word before raised digits carries a note mark; a shorter one an exponent (10⁶, m², cm³).
_LONGEST_BASE = 2


def raised(text: str, before: str, *, is_mark: bool = False) -> str:
    """What is written for raised ``text`` after ``before``: 10⁶, x^(2a), 1st, and a note mark with a blank before it.

    With ``is_mark`` it is known to be the mark of a note.
    """
    if text.strip() and set(map(ord, text.strip())) <= _WRITTEN:
        return text
    text = text.strip()
    if is_mark or _is_mark(text, before):
        gap = " " if before and not before[-1].isspace() else ""
        return gap + (text.translate(_RAISED) if text.isdecimal() else text)
    if set(text) <= _RAISED_SIGNS and not text.isalpha():
        return text.translate(_RAISED)
    if len(text) == 1 and text in _RAISED_SIGNS:
        return text.translate(_RAISED)
    if text.isalpha() or not text.isascii():
        # Ordinals and abbreviations (1st, 2e, Mme) and what is a sign already.
        return text if len(text) > 1 or not _is_variable(before) else f"^{text}"
    return f"^{text}" if text.isalnum() else f"^({text})"


def lowered(text: str, before: str) -> str:
    """What is written for lowered ``text`` after ``before``: CO₂, x_i, T_max."""
    text = text.strip()
    if text and set(text) <= _LOWERED_SIGNS:
        return text.translate(_LOWERED)
    if not text or not before or not before[-1].isalnum():
        return text
    return f"_{text}" if text.isalnum() else f"_({text})"


def _is_mark(text: str, before: str) -> bool:
    """Whether raised text is the mark of a note: digits after a word or after a number that is no base of a power."""
    if not _MARK.fullmatch(text):
        return False
    if not text.isdecimal() or not before or before[-1].isspace():
        return not text.isdecimal() and bool(before) and text.startswith("[")
    if number := _NUMBER_BEFORE.search(before):
        return len(re.sub(r"\D", "", number[0])) > _LONGEST_BASE
    if word := _WORD_BEFORE.search(before):
        return len(word[0]) > _LONGEST_BASE
    return not before[-1].isalnum() and before[-1] not in ")]"


def _is_variable(before: str) -> bool:
    word = _WORD_BEFORE.search(before)
    return word is not None and len(word[0]) == 1
