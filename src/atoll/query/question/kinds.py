"""What kind of answer a question wants, by its own words: a person, a date, an amount, a list, a count, a reason.

The words are those of the languages that questions are asked in here; a question in another language has no kind, and
is answered by its content words alone.
"""

from __future__ import annotations

import re
from enum import StrEnum
from functools import cache

from atoll.query.text.lists import patterns_of


class Wanted(StrEnum):
    """The type of the answer."""

    ANY = "any"
    PERSON = "person"
    TIME = "time"
    PLACE = "place"
    NUMBER = "number"
    MONEY = "money"
    LENGTH = "length"
    WEIGHT = "weight"
    SPEED = "speed"
    AGE = "age"
    DURATION = "duration"
    FREQUENCY = "frequency"
    TEMPERATURE = "temperature"
    TORQUE = "torque"
    PRESSURE = "pressure"
    VOLTAGE = "voltage"
    POWER = "power"
    COLOUR = "colour"
    ADDRESS = "address"
    PHONE = "phone"
    REASON = "reason"
    YES_NO = "yes or no"


_TYPES = frozenset(each.name.lower() for each in Wanted)


@cache
def _forms(kind: str) -> tuple[re.Pattern[str], ...]:
    return tuple(form for key, form in patterns_of("kinds") if key == kind)


def _is(kind: str, question: str) -> bool:
    text = " ".join(question.casefold().split())
    return any(form.search(text) for form in _forms(kind))


def wanted(question: str) -> Wanted:
    """Return the type of the answer to a question."""
    text = " ".join(question.casefold().split())
    found = (key for key, form in patterns_of("kinds") if key in _TYPES and form.search(text))
    kind = next(found, None)
    return Wanted.ANY if kind is None else Wanted[kind.upper()]


def asks_type(word: str, kind: Wanted) -> bool:
    """Whether a word only says of what type the answer is: "heavy" where a weight is wanted."""
    return any(form.search(word.casefold()) for form in _forms(f"asks_{kind.name.lower()}"))


def heads_type(text: str, kind: Wanted) -> bool:
    """Whether a header or caption says that the figures under it are of a type: "Prices in crowns"."""
    return _is(f"heads_{kind.name.lower()}", text)


def is_count(question: str) -> bool:
    """Whether a number of things is asked for."""
    return _is("count", question)


def is_list(question: str) -> bool:
    """Whether several things are asked for."""
    return _is("list", question)


def is_about_documents(question: str) -> bool:
    """Whether documents are asked for rather than what they say."""
    return _is("documents", question)


def is_negated(question: str) -> bool:
    """Whether it is asked what is not so."""
    return _is("negation", question)


def compares(question: str) -> bool:
    """Whether two things or times are compared."""
    return _is("comparison", question)


def defines(question: str) -> bool:
    """Whether it is asked what or who something is."""
    return _is("definition", question)


def about(question: str) -> tuple[int, int]:
    """Return where the phrase stands that follows the words of asking; an empty place where there is none."""
    opening = next((found for form in _forms("opening") if (found := form.match(question))), None)
    if opening is None:
        return 0, 0
    ends = (found.start() for form in _forms("goes_on") if (found := form.search(question, opening.end())))
    return opening.end(), min(ends, default=len(question))


def asks_with_do(question: str) -> bool:
    """Whether a question puts "do" before its subject, so that the verb comes behind it."""
    return _is("with_do", question)


def asks_what_is_done(question: str) -> bool:
    """Whether it is asked what somebody does, which a log or an order says without naming who."""
    return _is("what_done", question)


def asks_twice(question: str) -> bool:
    """Whether two things are asked in one question, of which either may be answered."""
    return _is("twice", question)
