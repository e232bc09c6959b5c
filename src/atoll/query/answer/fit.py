"""Whether a text holds an answer of the type that a question wants: a person, a date, an amount with its unit."""

from __future__ import annotations

import re
from functools import cache

from atoll.domain.text.dates import dates
from atoll.domain.text.numbers import word_values
from atoll.query.question.kinds import Wanted
from atoll.query.text.lists import patterns_of, words_of

_AMOUNT = (
    r"(?:\d+(?:[.,\u00a0\u202f' ]\d+)*[ \u00a0-]?|\b(?:a|an|one|two|three|four|five|six|seven|eight|nine|ten|eleven|"
    r"twelve|half|several|ein|eine[nr]?|zwei|drei|vier|fünf|sechs|sieben|acht|neun|zehn|elf|zwölf)[ \u00a0-])"
)
_YEAR = re.compile(r"\b1[5-9]\d\d\b|\b20\d\d\b")
_CAPITAL = r"[A-ZÀ-ÖØ-ÞŁŚŻŽŠČĐ][\w'’-]+"
_FULL_NAME = re.compile(rf"\b{_CAPITAL}\s+(?:[A-Z]\.\s+|(?:de|van|von|la|le|der|den|of)\s+)*{_CAPITAL}")
_NAME = re.compile(rf"(?<![.!?:]\s)(?<![.!?:]\s[\"“„])(?<!^)(?<!^[\"“„])\b{_CAPITAL}")
_DIGIT = re.compile(r"\d")

#: Types that an answer must have: an amount of another kind answers nothing.
STRICT = frozenset(Wanted) - {Wanted.ANY, Wanted.YES_NO, Wanted.PERSON, Wanted.PLACE, Wanted.REASON, Wanted.FREQUENCY}


@cache
def _form(kind: str) -> re.Pattern[str] | None:
    return dict(patterns_of("fits", amount=_AMOUNT)).get(kind)


def _has(kind: str, text: str) -> bool:
    form = _form(kind)
    return form is not None and form.search(text) is not None


def fits(wanted: Wanted, text: str) -> bool:
    """Whether ``text`` holds something of the type that is wanted; anything does where no type is."""
    if (form := _form(wanted.name.lower())) is not None:
        return form.search(text) is not None
    if wanted is Wanted.TIME:
        return bool(_YEAR.search(text)) or _has("clock", text) or _has("day", text) or bool(dates(text))
    if wanted is Wanted.NUMBER:
        return (
            bool(_DIGIT.search(text))
            or next(iter(word_values(text)), None) is not None
            or " no " in f" {text.casefold()} "
        )
    if wanted is Wanted.PERSON:
        return names_in(text) > 0
    return True


def may_name(text: str) -> bool:
    """Whether a text begins with a word that may be a name: what begins a sentence has its capital in any case."""
    first = text.split(maxsplit=1)[0].strip("\"'“‘„(") if text.strip() else ""
    return len(first) > 1 and first[0].isupper() and first.casefold() not in words_of("functions")


def names_in(text: str) -> int:
    """Return 2 for a text with a full name, 1 for one with a single capital word within a sentence, else 0.

    Names of months and days are none.
    """
    no_name = _form("no_name")
    bare = text if no_name is None else no_name.sub("", text)
    return 2 if _FULL_NAME.search(bare) else 1 if _NAME.search(bare) else 0
