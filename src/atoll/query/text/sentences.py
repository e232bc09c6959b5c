"""Sentences of a text in any language, with their places in it.

A line is never joined with the next, so that table rows and list items are sentences of their own. Within a line a
sentence ends after a terminator and white space, unless the word before is an abbreviation, an initial or an ordinal,
or what follows goes on in lower case; scripts with full-width terminators need no white space.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple


class Span(NamedTuple):
    """A sentence's place: ``text[start:end]``, without white space around it."""

    start: int
    end: int


#: What is written with a full stop in the middle of a sentence, in lower case without the last stop.
ABBREVIATIONS = frozenset(
    """
    abb abs adj al appr approx apr art asst aug ave betr bl blvd bsp bzw ca cap capt cf ch chap cf co col corp cpl d.h
    dec dept dipl dir dr e.g ed eds eq eqs esp est etc ev evtl ex exc feb ff fig figs fr gen ggf gov hon hr hrsg i.d.r
    i.e ibid inc inkl ing int jan jr jul jun kap lt ltd m.e max mio min misc mlle mm mme mr mrs ms mt no nos nov nr
    núm oct op p pág pp prof pt pts ref refs rep res resp rev s.o s.u sec sect sen sep sept sgt sig sog sr sra st std
    str supp tab tel u.a u.u usw v vgl vol vols vs w.r.t z.b zb zzgl
    """.split()  # noqa: SIM905 - a word list reads better than a hundred quoted strings
)

_LINE = re.compile(r"[^\r\n\u2028\u2029]+")
_END = re.compile(r"[.!?…؟۔։।]+[\"'”’»)\]]*(?=\s)|[。！？｡]+[」』）\"”’]*")
_END_BEFORE_MARKS = re.compile(
    r"[.!?…؟۔։।]+[\"'”’»)]*(?:\s*\[[\d,;\s]{1,20}\])*(?=\s)|[。！？｡]+[」』）\"”’]*(?:\s*\[[\d,;\s]{1,20}\])*"
)
_LAST_WORD = re.compile(r"[^\s(\[\"'“‘„«]+$")
_INITIALS = re.compile(r"(?:[^\W\d_]\.)*[^\W\d_]")
_LONGEST_ORDINAL = 2


def lines(text: str) -> list[Span]:
    """Return the spans of the lines of ``text`` that hold more than white space."""
    return [span for line in _LINE.finditer(text) for span in _trimmed(text, line.start(), line.end())]


def sentences(text: str, *, marks: bool = False) -> list[Span]:
    """Return the spans of the sentences of ``text``, in order; between them lies nothing but white space.

    With ``marks``, citation marks such as ``[1]`` after a full stop belong to the sentence before them.
    """
    return [span for line in _LINE.finditer(text) for span in _of_line(text, line.start(), line.end(), marks=marks)]


def _of_line(text: str, start: int, end: int, *, marks: bool) -> Iterator[Span]:
    begin = start
    for match in (_END_BEFORE_MARKS if marks else _END).finditer(text, start, end):
        if _ends_sentence(text, begin, match, end):
            yield from _trimmed(text, begin, match.end())
            begin = match.end()
    yield from _trimmed(text, begin, end)


def _trimmed(text: str, start: int, end: int) -> Iterator[Span]:
    part = text[start:end]
    if stripped := part.strip():
        left = start + len(part) - len(part.lstrip())
        yield Span(left, left + len(stripped))


def _ends_sentence(text: str, begin: int, match: re.Match[str], end: int) -> bool:
    if match[0][0] not in ".…":
        return True
    following = text[match.end() : end].lstrip()[:1]
    if following.islower():
        return False
    if match[0] != ".":
        return True
    before = _LAST_WORD.search(text, begin, match.start())
    if before is None:
        return False
    word = before[0].lower()
    if word in ABBREVIATIONS or _INITIALS.fullmatch(word):
        return False
    # "1. Open the valve" and "am 3. Mai"; a year or a measure at a sentence's end has a terminator all the same
    return not (word.isdecimal() and len(word) <= _LONGEST_ORDINAL and before.start() == _first_visible(text, begin))


def _first_visible(text: str, begin: int) -> int:
    return begin + len(text[begin:]) - len(text[begin:].lstrip())
