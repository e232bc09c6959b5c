"""Dates in the spellings of documents and questions: 2024-05-25, 25.05.2024, 25 May 2024, May 25th, 25. Mai."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterator
from typing import NamedTuple

from atoll.domain.text.folding import folded

#: Names of the twelve months: English, German, French, Spanish, Italian, Portuguese, Dutch, Polish, Czech, Swedish,
#: Danish, Norwegian, Finnish.
_MONTHS = (
    "january januar januari janvier enero gennaio janeiro stycznia styczeń ledna leden tammikuuta tammikuu jan",
    "february februar februari février febrero febbraio fevereiro lutego luty února únor helmikuuta helmikuu feb feber",
    "march märz maerz mars marzo março maart marca marzec března březen maaliskuuta maaliskuu mar mrz mär",
    "april avril abril aprile kwietnia kwiecień dubna duben huhtikuuta huhtikuu apr",
    "may mai mayo maggio maio mei maja maj května květen toukokuuta toukokuu",
    "june juni juin junio giugno junho czerwca czerwiec června červen kesäkuuta kesäkuu jun",
    "july juli juillet julio luglio julho lipca lipiec července červenec heinäkuuta heinäkuu jul",
    "august août agosto augustus augusti sierpnia sierpień srpna srpen elokuuta elokuu aug",
    "september septembre septiembre settembre setembro września wrzesień září syyskuuta syyskuu sept sep",
    "october oktober octobre octubre ottobre outubro października październik října říjen lokakuuta lokakuu oct okt",
    "november novembre noviembre novembro listopadu listopada listopad marraskuuta marraskuu nov",
    "december dezember décembre diciembre dicembre dezembro grudnia grudzień prosince prosinec joulukuuta dec dez",
)
_NUMBER_OF_MONTH = {folded(name): number for number, names in enumerate(_MONTHS, start=1) for name in names.split()}
#: Words that name a month only with a capital letter or beside a day.
_ALSO_WORDS = frozenset({"may", "march", "mar", "maj", "marca", "mars"})

_WORD = re.compile(r"[^\W\d_]{3,14}")
_NUMERIC = re.compile(
    r"(?<![\d-])(?P<y1>[12]\d{3})-(?P<m1>[01]\d)-(?P<d1>[0-3]\d)(?!\d)"
    r"|(?<![\d./-])(?P<d2>[0-3]?\d)(?P<sep>[./-])(?P<m2>[0-3]?\d)(?P=sep)(?P<y2>[12]\d{3})(?!\w)"
    r"|(?<!\d)(?P<y3>[12]\d{3})\s?(?:[年년]|\.)\s?(?P<m3>[01]?\d)\s?(?:[月월]|\.)\s?(?P<d3>[0-3]?\d)\s?(?:[日일]|\.|(?!\d))"
)
#: What stands before a month's name, its end there: "8 to 26", "25th of", "3.", "le 1er".
_DAY_BEFORE = re.compile(
    r"(?:(?<![\d.,:/-])(?P<from>[0-3]?\d)\.?\s*(?:-|–|to|and|until|till|or|bis|und|et|au|y|al|e|i|a)\s*)?"
    r"(?<![\d.,:/-])(?P<day>[0-3]?\d)(?:st|nd|rd|th|er|º|ª|\.)?\s*(?:(?:of|de|del|do|di)\s+|d['’]\s*)?$",
    re.IGNORECASE,
)
_DAY_AFTER = re.compile(r"\.?\s+(?P<day>[0-3]?\d)(?:st|nd|rd|th)?(?![\d:]|[.,]\d)", re.IGNORECASE)
_YEAR_AFTER = re.compile(r"\.?,?\s+(?:(?:of|de|del|do|di)\s+)?(?P<year>[12]\d{3})(?!\d)", re.IGNORECASE)
#: Characters before a month's name in which its day stands.
_BEFORE = 24
_DIGIT = re.compile(r"\d")
_BETWEEN = re.compile(r"\s*(?:-|–|to|and|until|till|bis|und|au|et|y|al)\s*")


class Date(NamedTuple):
    """A date in a text, ``text[start:end]``; ``day`` None is a month of a year, ``year`` None a day of any year."""

    start: int
    end: int
    year: int | None
    month: int
    day: int | None

    @property
    def terms(self) -> tuple[str, ...]:
        """What it is indexed as: ``@2024-05-25``, ``@05-25`` and ``@2024-05``; what is not known is left out."""
        parts = []
        if self.year is not None and self.day is not None:
            parts.append(f"@{self.year:04}-{self.month:02}-{self.day:02}")
        if self.day is not None:
            parts.append(f"@{self.month:02}-{self.day:02}")
        if self.year is not None:
            parts.append(f"@{self.year:04}-{self.month:02}")
        return tuple(parts)

    def agrees(self, other: Date) -> bool:
        """Whether both may be the same day, or one is the month of the other's day."""
        if self.month != other.month or (None not in (self.year, other.year) and self.year != other.year):
            return False
        if None in (self.day, other.day):
            return None not in (self.year, other.year)
        return self.day == other.day


def is_month(word: str) -> bool:
    """Whether a word names a month, in full or short."""
    return folded(word.casefold()) in _NUMBER_OF_MONTH


def dates(text: str) -> list[Date]:
    """Return the dates of a text in order; "8 to 26 April 2024" is two."""
    if not _DIGIT.search(text):
        return []
    found = sorted((*_in_numbers(text), *_with_names(text)))
    for at in range(len(found) - 1, 0, -1):
        before, date = found[at - 1], found[at]
        if before.year is None and date.year is not None and _BETWEEN.fullmatch(text, before.end, date.start):
            found[at - 1] = before._replace(year=date.year)
    return found


def _in_numbers(text: str) -> Iterator[Date]:
    for match in _NUMERIC.finditer(text):
        form = "1" if match["y1"] else "2" if match["y2"] else "3"
        year, month, day = (int(match[f"{part}{form}"]) for part in "ymd")
        if form == "2" and month > 12:  # noqa: PLR2004 - the month stands before the day
            day, month = month, day
        if _exists(year, month, day):
            yield Date(*match.span(), year, month, day)


def _with_names(text: str) -> Iterator[Date]:
    for match in _WORD.finditer(text):
        name = match[0]
        month = _NUMBER_OF_MONTH.get(folded(name.casefold()))
        if month is None:
            continue
        begin = max(0, match.start() - _BEFORE)
        before = _DAY_BEFORE.search(text[begin : match.start()])
        after = None if before else _DAY_AFTER.match(text, match.end())
        end = after.end() if after else match.end()
        year = _YEAR_AFTER.match(text, end)
        if not (before or after or year) or (_only_a_word(name) and not (before and year)):
            continue
        number = int(year["year"]) if year else None
        end = year.end() if year else end
        if before:
            if before["from"] and _exists(number, month, int(before["from"])):
                yield Date(begin + before.start("from"), begin + before.end("from"), number, month, int(before["from"]))
            if _exists(number, month, int(before["day"])):
                yield Date(begin + before.start("day"), end, number, month, int(before["day"]))
        elif _exists(number, month, int(after["day"]) if after else None):
            yield Date(match.start(), end, number, month, int(after["day"]) if after else None)


def _only_a_word(name: str) -> bool:
    return name[0].islower() and name in _ALSO_WORDS


def _exists(year: int | None, month: int, day: int | None) -> bool:
    if not 1 <= month <= 12:  # noqa: PLR2004 - months of a year
        return False
    return day is None or 1 <= day <= monthrange(year or 2024, month)[1]
