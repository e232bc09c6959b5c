"""Whether the numbers of a sentence follow from a text: as they are there, spelled otherwise, counted or added up."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from atoll.domain.text.dates import Date, dates
from atoll.domain.text.numbers import WORDS, grouped, value_of, values_of, word_values
from atoll.domain.text.sentences import lines, sentences
from atoll.query.text.terms import Terms, TermSet

#: Words with a digit in them: numbers, dates, times, codes.
_NUMBER = re.compile(r"[^\W_]*\d[^\W_]*(?:[.,:/\-\u2010\u2011][^\W_]+)*")
_DIGITS = re.compile(r"\d+(?:[.,]\d+)*")
_SEPARATORS = re.compile(r"[^\w]|_")
_ENUMERATOR = re.compile(r"^\s*(?:[-*•]\s*)?\d{1,3}[.)]\s")
#: Number words that are other words, too, or say no more than an article.
_NO_COUNTS = frozenset({"once", "due", "null", "sei", *(word for word, value in WORDS.items() if value == 1)})
#: Letters and digits from which a code is looked for with other blanks in it.
_LONG_CODE = 8
#: The most that is counted in a text.
_MOST = 50
_BETWEEN = re.compile(r"\s*(?:[,;]|\b(?:and|or|und|oder|et|ou|y|e|sowie|as well as)\b)\s*", re.IGNORECASE)
_BULLET = re.compile(r"^\s*(?:[-–•*▪]|\(?\w{1,3}[.)])\s")
_PART = re.compile(r"[.,](\d{1,2})(?!\d)")
_NEXT_WORD = re.compile(r"\s*([^\W\d_]{3,})")


@dataclass(frozen=True, slots=True)
class Figure:
    """A number or code of a sentence, ``text[start:end]``, with the values that it may have."""

    start: int
    end: int
    word: str
    values: frozenset[str]


@dataclass(frozen=True, slots=True)
class Numbers:
    """What the numbers and codes of a text are, comparable across ways of writing them.

    ``run`` is the text without blanks and marks; ``counts`` are numbers of things that it names one after the other,
    with the terms of what names them.
    """

    words: frozenset[str]
    values: frozenset[str]
    dates: tuple[Date, ...]
    run: str
    counts: tuple[tuple[int, TermSet], ...] = ()

    @classmethod
    def of(cls, text: str, terms: Terms | None = None) -> Numbers:
        """Return the numbers of ``text``; things are only counted where ``terms`` are given."""
        plain = unicodedata.normalize("NFKC", text)
        words = {match[0] for form in (text, plain) for match in _NUMBER.finditer(form)}
        values = {value for word in words for value in _values(word)}
        for form in (text, plain):
            values |= {number.value for number in word_values(form)}
            values |= {value for _, _, value in _grouped(form)}
        counts = () if terms is None else tuple(_counts(text, terms))
        return cls(frozenset(map(_squeezed, words)), frozenset(values), tuple(dates(text)), _squeezed(plain), counts)

    def has(self, figure: Figure) -> bool:
        """Return whether a number or code is among these: codes as a whole, measures such as ``12kg`` by value."""
        squeezed = _squeezed(figure.word)
        if squeezed in self.words or (len(squeezed) >= _LONG_CODE and squeezed in self.run):
            return True
        return bool(figure.values & self.values)


def untraced(text: str, known: Sequence[Numbers], terms: Terms, *, first: bool = True) -> list[Figure]:
    """Return the numbers of a sentence that follow from none of some texts, in their order.

    ``first``: the text begins an answer's line, whose own number ("1. ...") is none of these.
    """
    figures = list(_figures(text, first=first))
    told = [date for date in dates(text) if any(date.agrees(other) for numbers in known for other in numbers.dates)]
    left = [
        figure
        for figure in figures
        if not any(date.start <= figure.start < date.end for date in told)
        and not any(numbers.has(figure) for numbers in known)
        and not _is_counted(text, figure, known, terms)
    ]
    codes = _joined(text, figures, known)
    left = [figure for figure in left if figure not in codes]
    return [figure for figure in left if not _is_computed(figure, [each for each in figures if each not in left])]


def without_numbers(text: str) -> str:
    """Return a text without its dates and numbers, which are compared by value and not by word."""
    left = list(text)
    spans = [(date.start, date.end) for date in dates(text)]
    for start, end in (*spans, *((figure.start, figure.end) for figure in _figures(text, first=False))):
        left[start:end] = " " * (end - start)
    return "".join(left)


def _figures(text: str, *, first: bool) -> Iterator[Figure]:
    """Yield the numbers of a text: with what multiplies them, with their thousands marks, and all others."""
    enumerator = _ENUMERATOR.match(text) if first else None
    begin = enumerator.end() if enumerator else 0
    found: list[Figure] = []
    spelled = [Figure(*each[:2], text[each.start : each.end], frozenset({each.value})) for each in word_values(text)]
    marked = [Figure(start, end, text[start:end], frozenset({value})) for start, end, value in _grouped(text)]
    plain = [Figure(*match.span(), match[0], _values(match[0])) for match in _NUMBER.finditer(text)]
    for figure in sorted((*spelled, *marked, *plain), key=lambda each: each.start - each.end):  # the longest first
        overlaps = any(figure.start < each.end and each.start < figure.end for each in found)
        if figure.start >= begin and not overlaps and figure.word.casefold() not in _NO_COUNTS:
            found.append(figure)
    yield from sorted(found, key=lambda each: each.start)


def _grouped(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield figures with thousands marks, and what follows their decimal mark: "1 234,50", "1'250.00"."""
    for start, end, digits in grouped(text):
        part = _PART.match(text, end)
        yield start, part.end() if part else end, value_of(f"{digits}.{part[1]}" if part else digits)


def _values(word: str) -> frozenset[str]:
    """Return what a word with digits may stand for; a code that begins with letters stands for itself alone."""
    plain = unicodedata.normalize("NFKC", word)
    if not plain[:1].isdecimal():
        return frozenset()
    if ":" in plain:
        hour, _, rest = plain.partition(":")
        return frozenset({f"{int(hour)}:{rest}"}) if hour.isdecimal() else frozenset()
    parts = _DIGITS.findall(plain)
    return values_of(parts[0]) if len(parts) == 1 else frozenset()


def _squeezed(word: str) -> str:
    return _SEPARATORS.sub("", word).casefold()


def _counts(text: str, terms: Terms) -> Iterator[tuple[int, TermSet]]:
    """Yield how many things a sentence names one after the other, and how many items or rows stand together."""
    rows = items = 0
    for span in lines(text):
        line = text[span.start : span.end]
        rows, items = (rows + 1 if " | " in line else 0), (items + 1 if _BULLET.match(line) else 0)
        for start, end in sentences(line):
            parts = len(_BETWEEN.findall(line[start:end])) + 1
            if 1 < parts <= _MOST:
                yield parts, terms.of_passage(line[start:end])
        for count in {rows, rows - 1, items}:  # a table's first row may name its columns
            if 1 < count <= _MOST:
                yield count, terms.of_passage(text)


def _is_counted(text: str, figure: Figure, known: Sequence[Numbers], terms: Terms) -> bool:
    """Whether a number is that of the things which a text names, of the kind that the sentence says: "3 suppliers"."""
    after = _NEXT_WORD.match(text, figure.end)
    if after is None:
        return False
    kind = terms.of_passage(after[1])
    return any(str(count) in figure.values and kind & named for numbers in known for count, named in numbers.counts)


def _joined(text: str, figures: Sequence[Figure], known: Sequence[Numbers]) -> list[Figure]:
    """Return the figures that are one code with blanks in it, which a text writes with others or none."""
    found: list[Figure] = []
    at = 0
    while at < len(figures):
        last = at
        while last + 1 < len(figures) and text[figures[last].end : figures[last + 1].start] in (" ", "\u00a0", "-"):
            last += 1
        code = _squeezed(text[figures[at].start : figures[last].end])
        if last > at and len(code) >= _LONG_CODE and any(code in numbers.run for numbers in known):
            found += figures[at : last + 1]
        at = last + 1
    return found


def _is_computed(figure: Figure, others: Sequence[Figure]) -> bool:
    """Whether a number is the sum or difference of two others that the sentence says itself."""
    numbers = [value for each in others for value in map(_float, each.values) if value is not None]
    wanted = {value for value in map(_float, figure.values) if value is not None}
    return any(
        round(result, 6) in wanted
        for at, first in enumerate(numbers)
        for second in numbers[at + 1 :]
        for result in (first + second, abs(first - second))
        if first and second
    )


def _float(value: str) -> float | None:
    try:
        return float(value)
    except ValueError:
        return None
