"""From rows to the lines of a block: which go on in the next one, as the same word or as the next."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

from atoll.domain.block import BROKEN, JOINED, WRAPPED, Block, Line
from parser.collector import line
from parser.text import BROKEN_ANYWHERE
from parser.typeset.bidi import has_right_to_left
from parser.wrapping import are_entries, divided_word, keeps_hyphen

if TYPE_CHECKING:
    from collections.abc import Iterable

    from parser.formats.pdf.layout import Row

_SENTENCE_END = re.compile(r"[.!?:\u3002\uff01\uff1f\u061f]['\"\u201d\u2019)\]]*$")
#: What may be divided at a line's end, and words that were not.
_DIVIDED = re.compile(r"[^\W\d_]{2}[-\u2010]$|[\uac00-\ud7af]$")
_REST = re.compile(r"[^\W\d_]+")
_WHOLE_WORD = re.compile(r"(?<![\w-])(?:[^\W\d_]{4,}|[\uac00-\ud7af]{2,})(?![\w-])")
_MOST_WORDS = 200_000
_HANGUL = re.compile("[\u1100-\u11ff\uac00-\ud7af]")
#: Blocks of so few rows are measured against their column, larger ones against their own longest line.
_FEW_ROWS = 2
#: A block of so few rows that fills no more than such a part of its column, as an address does, was not wrapped.
_SHORT_ROWS, _NARROW = 6, 0.6
#: Part of a block's lines that were full, for it to count as wrapped.
_MOSTLY = 0.6
#: White between words, and how much of a line may be left over at a wrapped line's end, in line heights.
_BLANK, _RAGGED = 0.2, 0.6


class Vocabulary:
    """The document's words, as evidence on what was divided at line ends; none if nothing was."""

    def __init__(self) -> None:
        self._words: set[str] = set()
        self._divides = False

    def see(self, rows: Iterable[Row]) -> None:
        """Take a page's rows into account."""
        for row in rows:
            self._divides = self._divides or _DIVIDED.search(row.text) is not None
            if len(self._words) < _MOST_WORDS:
                self._words.update(row.text.split())

    @property
    def words(self) -> frozenset[str]:
        """The words, in lower case."""
        if not self._divides:
            return frozenset()
        return frozenset(word for text in self._words for word in _WHOLE_WORD.findall(text.casefold()))


def lines_of(rows: list[Row], words: frozenset[str], right: float) -> list[Line]:
    """Lines of a block; ``right`` is the edge at which the column's full lines end."""
    edge = max(row.box.x1 for row in rows)
    margin = _margin(rows, edge, right)
    lines: list[Line] = []
    for number, row in enumerate(rows):
        text, gap, spellings = row.text, WRAPPED, tuple[str, ...]()
        if number + 1 < len(rows):
            after = rows[number + 1]
            whole = divided_word(row.text, after.text)
            if whole and _is_divided(whole[0], after.text, words):
                text, gap, spellings = row.text[:-1], JOINED, (whole[1],)
            elif whole or keeps_hyphen(row.text, after.text):
                gap, spellings = JOINED, (whole[0],) if whole else ()
            elif row.box.x1 > edge - 2 * row.height and _is_unspaced_break(row, after, words):
                gap = JOINED
            elif are_entries(row.text, after.text) or _is_meant(row, after, margin):
                gap = BROKEN
        lines.append(
            line(
                text,
                row.page,
                row.shown,
                gap=gap,
                starts=_starts(row, text),
                spellings=spellings,
                source=row.runs[0].source,
            )
        )
    return lines


def joined(first: Block, second: Block, words: frozenset[str]) -> Block:
    """Two parts of a paragraph that a column's or a page's end parts, as one."""
    last, following = first.lines[-1], second.lines[0]
    whole = divided_word(last.text, following.text)
    if whole and _is_divided(whole[0], following.text, words):
        last = replace(last, text=last.text[:-1], gap=JOINED, spellings=(*last.spellings, whole[1]))
    elif whole or keeps_hyphen(last.text, following.text):
        last = replace(last, gap=JOINED, spellings=(*last.spellings, *([whole[0]] if whole else [])))
    else:
        last = replace(last, gap=WRAPPED)
    return replace(first, lines=(*first.lines[:-1], last, *second.lines))


def ends_sentence(text: str) -> bool:
    """Whether a line ends with the end of a sentence."""
    return _SENTENCE_END.search(text) is not None


def _is_divided(whole: str, after: str, words: frozenset[str]) -> bool:
    """Whether a hyphen at a line's end is one of word division: not if the document writes the parts as words."""
    if whole.casefold() in words:
        return True
    rest = _REST.match(after)
    first = whole[: len(whole) - len(rest[0])] if rest else whole
    return not (rest and first.casefold() in words and rest[0].casefold() in words)


def _margin(rows: list[Row], edge: float, right: float) -> float:
    """The edge that full lines of a block reach: its own if most of its lines do, else the column's or none."""
    left = min(row.box.x0 for row in rows)
    is_narrow = len(rows) <= _SHORT_ROWS and edge - left < _NARROW * (right - left)
    if len(rows) > _FEW_ROWS and not is_narrow:
        full = sum(_is_full(row, after, edge) for row, after in pairwise(rows))
        return edge if full >= _MOSTLY * (len(rows) - 1) else float("inf")
    return max(edge, right)


def _is_full(row: Row, after: Row, right: float) -> bool:
    """Whether the next line's first word would not have fitted."""
    if not after.places:
        return True
    first = after.places[0]
    return row.box.x1 + first[1] - first[0] + _BLANK * row.height >= right - _RAGGED * row.height


def _is_meant(row: Row, after: Row, right: float) -> bool:
    """Whether a line ended although the next one's first word would have fitted."""
    if row.is_turned or _is_full(row, after, right):
        return False
    return not after.text[:1].islower() or _SENTENCE_END.search(row.text) is not None


def _starts(row: Row, text: str) -> list[int]:
    """Where each word of a line begins; nothing where words do not follow each other along it."""
    places = row.places
    if row.is_turned or len(places) != len(text.split(" ")):
        return []
    if has_right_to_left(text):
        starts = [round(right - row.box.x1) for _, right in places]
        return starts if all(a >= b for a, b in pairwise(starts)) else []
    starts = [round(left - row.box.x0) for left, _ in places]
    return starts if all(a <= b for a, b in pairwise(starts)) else []


def _is_unspaced_break(row: Row, after: Row, words: frozenset[str]) -> bool:
    """Whether a script that is broken anywhere goes on in the next row without a space.

    Korean is broken inside words as well as between them, and the blank at a line's end is often not written: its
    lines go on without one only where the document writes the word of both parts elsewhere.
    """
    last, first = row.text[-1], after.text[0]
    if not (BROKEN_ANYWHERE.match(last) and BROKEN_ANYWHERE.match(first)):
        return False
    if _HANGUL.match(last) and _HANGUL.match(first):
        return (row.text.rsplit(" ", 1)[-1] + after.text.split(" ", 1)[0]).casefold() in words
    return row.ends_open
