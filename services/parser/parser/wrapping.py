"""Which line ends of a text are meant, and which are only where a line was full: told by the lines' shape."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Nobody wraps prose narrower than that, or wider: a longer line is a paragraph of its own.
_NARROWEST = 50
_WIDEST = 140
#: A line that ends so far before the margin was ended on purpose, if the next word had fitted.
_RAGGED = 12
#: Part of a paragraph's lines that were full, for it to count as wrapped.
_MOSTLY = 0.6
_LEAST_FILL = 0.5
#: How a line begins that begins something: a list item, a quote, a date or time, a speaker or key, a rule, a cell.
_BEGINS = re.compile(
    r"[-*\u2022\u2013\u2014+>|#=~_]+(?:\s|$)|\(?(?:\d{1,3}|[A-Za-z]|[ivx]{1,5})[.)]\s"
    r"|[\[(<]?\d{1,4}[-./:]\d{1,2}(?:[-./:]\d|\b)|[\[<][^\]>]{1,40}[\]>]\s"
    r"|[^\W\d][\w .'-]{0,24}:\s|[\w.\[\]-]+\s*=|[|{}<]"
)
#: A date or time, by which the lines of a log, a chat or an agenda begin.
_DATED = re.compile(r"[\[(<]?(?:\d{1,4}[-./]\d{1,2}[-./]\d{1,4}|\d{1,2}:\d{2})\b")
_SENTENCE_END = re.compile(r"[.!?:;\u2026\u3002\uff01\uff1f\u061f]['\"\u201d\u2019)\]]*$")
_DIVIDED = re.compile(r"([^\W\d_]{2,})[-\u2010]$")
_REST = re.compile(r"[^\W\d_]+")
#: First words of compounds that are written with a hyphen ("well-known"); no word is divided after them.
_FIRST_PARTS = frozenset(
    """
    all best better cross double ever far first five four full half hard heavy high ill light long low much near never
    new nine non old one part second self seven short single six so ten third three top two well
    """.split()  # noqa: SIM905 - a word list reads better than fifty quoted strings
)
#: After these a hyphen at a line's end stands for a word left out ("Vor- und Nachteile").
_CONJUNCTIONS = frozenset("and or und oder bzw sowie et ou y o e i en of og och ja tai".split())  # noqa: SIM905


def meant_breaks(lines: Sequence[str]) -> list[bool]:
    """For each line but the last of a paragraph, whether its end is meant.

    A line was wrapped where the next one's first word would not have fitted into the width that the paragraph's full
    lines share, or where it breaks off in the middle of a sentence that goes on in lower case.
    """
    if len(lines) <= 1:
        return []
    width = max(map(len, lines))
    full = [
        len(line) + 1 + len(after.split(" ", 1)[0]) > width - (0 if len(lines) <= 2 else _RAGGED // 3)  # noqa: PLR2004
        for line, after in pairwise(lines)
    ]
    is_prose = _NARROWEST <= width <= _WIDEST and sum(full) >= _MOSTLY * len(full)
    return [
        _is_meant(line, after, width, is_full=is_prose and filled)
        for line, after, filled in zip(lines, lines[1:], full, strict=False)
    ]


def _is_meant(line: str, after: str, width: int, *, is_full: bool) -> bool:
    if _BEGINS.match(after) or "  " in line or "  " in after:
        return True
    if is_full or divided_word(line, after):
        return False
    goes_on = after[:1].islower() and not _SENTENCE_END.search(line)
    return not (goes_on and len(line) >= _NARROWEST * _LEAST_FILL and _NARROWEST <= width <= _WIDEST)


def are_entries(line: str, after: str) -> bool:
    """Whether two lines are entries of a log, a chat or an agenda: both begin with a date or time."""
    return _DATED.match(line) is not None and _DATED.match(after) is not None


def divided_word(line: str, after: str) -> tuple[str, str] | None:
    """The word that is divided at the end of ``line``, without and with its hyphen; None if none is.

    A hyphen before a capital or a digit belongs to the word ("Franco-German"), as after part of a compound does
    ("mother-in-law"); before a conjunction it stands for a word left out.
    """
    before, rest = _DIVIDED.search(line), _REST.match(after)
    if not before or not rest or not rest[0][0].islower() or rest[0].casefold() in _CONJUNCTIONS:
        return None
    if line[: before.start()].endswith("-") or before[1].casefold() in _FIRST_PARTS:
        return None
    return before[1] + rest[0], f"{before[1]}-{rest[0]}"


def keeps_hyphen(line: str, after: str) -> bool:
    """Whether a line ends inside a compound whose hyphen is its own: no blank follows it ("COVID-19")."""
    if not line.endswith(("-", "\u2010", "\u2011")) or len(line) < 2 or not line[-2].isalnum():  # noqa: PLR2004
        return False
    word = _REST.match(after)
    return after[:1].isalnum() and not (word and word[0].casefold() in _CONJUNCTIONS)
