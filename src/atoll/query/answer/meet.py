"""How far a text meets one part of a question."""

from __future__ import annotations

import re
from dataclasses import dataclass

from atoll.domain.text.dates import Date, dates
from atoll.domain.text.folding import folded
from atoll.domain.text.numbers import values_of, values_of_word, word_values
from atoll.query.question.concept import Concept, Part
from atoll.query.text.terms import Terms, TermSet

#: What a word counts that is met by one of the same meaning or family, one that begins alike, or one that is vague.
KIN, AKIN, DISTANT = 0.85, 0.75, 0.45
#: What a number counts that stands beside another thing, one within a range, and a label that another one excludes.
_OTHER_UNIT, _RANGED, _EXCLUDED = 0.4, 0.95, 0.6
#: Letters at the beginning by which words are compared, and the share of the longer word that must be the same.
_BEGINNING, _ALIKE = 5, 0.6

_WORD = re.compile(r"[^\W\d_]{5,}")
_ANY_WORD = re.compile(r"[^\W_]+")
_FIGURE = re.compile(r"(?<![\w.,])\d+(?:[.,:]\d+)*(?![\w])|\d+(?:[.,:]\d+)*")
_COUNTED = re.compile(r"(\d+(?:[.,]\d+)*|[^\W\d_]+)[ \u00a0-](?:full |whole )?([^\W\d_]+)")
_RANGE = re.compile(r"(-?\d+(?:[.,]\d+)?)\s*[^\d\s,;|]{0,4}\s*(?:to|-|–|bis|until|and)\s*(-?\d+(?:[.,]\d+)?)")
_OPEN_RANGE = re.compile(
    r"(-?\d+(?:[.,]\d+)?)\s*\S{0,4}\s*(?:or|und|oder)\s+(?:(more|above|higher|over|mehr|höher)|less|below|under|weniger)",
    re.IGNORECASE,
)
_LABEL = (
    r"([^\W\d_]+)\s?(?:no\.?|nr\.?|number)?\s?"
    r"(?:[\w/]{{1,8}}\s?(?:,|\band\b|\bto\b|\bor\b|-|–|\bund\b|\bbis\b)\s?){{0,6}}{number}(?![\w/]|[.,]\d)"
)
_ONLY = re.compile(
    r"([^\W\d_]+)\s\d{1,3}\s(?:only|exclusively)\b|\bnur\s(?:auf\s|in\s)?([^\W\d_]+)\s\d{1,3}", re.IGNORECASE
)


@dataclass(slots=True)
class Sight:
    """What can be read off a text: its terms, the beginnings of its words, and where asked, its figures and dates."""

    text: str
    terms: TermSet
    _words: dict[str, list[str]] | None = None
    _line: str | None = None
    _values: frozenset[str] | None = None
    _dates: list[Date] | None = None

    @property
    def words(self) -> dict[str, list[str]]:
        """The longer words, folded, by how they begin."""
        if self._words is None:
            self._words = {}
            for word in map(folded, _WORD.findall(self.text.casefold())):
                self._words.setdefault(word[:_BEGINNING], []).append(word)
        return self._words

    def says(self, phrase: str) -> bool:
        """Whether some words, folded, stand in it one after the other."""
        if self._line is None:
            self._line = f" {' '.join(_ANY_WORD.findall(folded(self.text.casefold())))} "
        return f" {phrase} " in self._line

    @property
    def values(self) -> frozenset[str]:
        """The values of its figures and number words."""
        if self._values is None:
            figures = (match[0] for match in _FIGURE.finditer(self.text))
            found = {value for figure in figures for value in ({figure} if ":" in figure else values_of(figure))}
            self._values = frozenset(found | {number.value for number in word_values(self.text)})
        return self._values

    @property
    def dates(self) -> list[Date]:
        """The dates in it."""
        if self._dates is None:
            self._dates = dates(self.text)
        return self._dates


def meets(part: Concept, sight: Sight, terms: Terms) -> float:
    """Return how far a text meets a part, 0 to 1."""
    if part.part is Part.DATE:
        return float(part.date is not None and any(part.date.agrees(date) for date in sight.dates))
    if part.part is Part.NUMBER:
        return _counted(part, sight, terms)
    if part.part is Part.LABELLED:
        return _labelled(part, sight, terms)
    if part.part is Part.CODE:
        return float(_stands_whole(part.number, sight.text))
    if part.rivals:
        return max(sum(bool(word & sight.terms) for word in rival) / len(rival) for rival in part.rivals)
    return _worded(part, sight)


def begins_with(text: str, number: str) -> bool:
    """Whether a text begins with a number or letter of its own: "B: lithium", "4", "2 to the island"."""
    first = text.split(maxsplit=1)[0] if text else ""
    bare = first.rstrip(".:)")
    return bare.casefold() == number and (number.isdecimal() or bare != first or bare == text)


def _worded(part: Concept, sight: Sight) -> float:
    if part.terms & sight.terms or (part.pieces and part.pieces <= sight.terms):
        return 1.0
    if part.kin & sight.terms or any(map(sight.says, part.phrases)):
        return KIN
    alike = sight.words.get(part.beginning[:_BEGINNING], ()) if part.beginning else ()
    if any(_akin(part.beginning, word) for word in alike):
        return AKIN
    return DISTANT if part.distant & sight.terms else 0.0


def _akin(word: str, other: str) -> bool:
    """Whether two words begin alike for the most part: "weigh" and "weight", not "photosynthesis" and "photometric"."""
    same = next((at for at, (a, b) in enumerate(zip(word, other, strict=False)) if a != b), min(len(word), len(other)))
    return same >= _ALIKE * max(len(word), len(other))


def _counted(part: Concept, sight: Sight, terms: Terms) -> float:
    """Whether a number stands in a text, beside what it is said to be of; of ranges, whether it is within one."""
    if not part.values & sight.values:
        return _RANGED * _in_range(part.number, sight.text)
    beside = not part.unit or any(
        part.values & values_of_word(match[1]) and part.unit & terms.of_passage(match[2])
        for match in _COUNTED.finditer(sight.text)
    )
    return 1.0 if beside else _OTHER_UNIT


def _labelled(part: Concept, sight: Sight, terms: Terms) -> float:
    """Whether "Route 2" stands in a text, also as "Routes 1 and 2"; "Route 1 only" says something of Route 2, too."""
    if not part.terms & sight.terms:
        return 0.0
    for match in re.finditer(_LABEL.format(number=re.escape(part.number)), sight.text, re.IGNORECASE):
        word = match[1].casefold()
        if part.terms & terms.of_words((word, word.removesuffix("s"), word.removesuffix("n"))):
            return 1.0
    others = _ONLY.finditer(sight.text) if part.number.isdecimal() else ()
    return _EXCLUDED if any(part.terms & terms.of_passage(match[1] or match[2]) for match in others) else 0.0


def _stands_whole(code: str, text: str) -> bool:
    return re.search(rf"(?<![\w]){re.escape(code)}(?![\w]|[-/.]\w)", text.casefold()) is not None


def _in_range(number: str, text: str) -> bool:
    value = _float(number)
    if value is None:
        return False
    within = False
    for low, high in _RANGE.findall(text):
        bounds = _float(low), _float(high)
        within |= bounds[0] is not None and bounds[1] is not None and bounds[0] <= value <= bounds[1]
    for bound, above in _OPEN_RANGE.findall(text):
        limit = _float(bound)
        within |= limit is not None and (value >= limit if above else value <= limit)
    return within


def _float(figure: str) -> float | None:
    try:
        return float(figure.replace(",", "."))
    except ValueError:
        return None
