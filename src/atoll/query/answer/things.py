"""Whether an answer is about the thing that is asked about, and not about another one that shares a word with it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from atoll.query.answer.fit import STRICT
from atoll.query.answer.judge import Judged
from atoll.query.answer.units import QUESTION_MARKS
from atoll.query.question import kinds
from atoll.query.question.asked import Asked
from atoll.query.question.concept import Concept, Part

#: From here on a word is met, and up to here it is not.
_MET, _UNMET = 0.75, 0.5
#: Rarity of a word from which it tells one thing from another: "tennis club", not "new club".
_TELLS_APART = 0.5
#: Words of a thing and its verb, from which on it cannot be told which is which.
_LONGEST = 3
#: Endings of words that say what became of a thing and not which it is: documents say it in other words.
_PARTICIPLE = re.compile(r"(?:ed|en|ing)$", re.IGNORECASE)
#: What may stand between two words that name one thing: "tennis club", "children's librarian".
_JOINED = re.compile(r"(?:['’]s)? ")


def is_of_another(judged: Judged, met: Sequence[float], rarity: Mapping[int, float]) -> bool:
    """Whether an answer has one word of a thing without the one that tells it apart: another club than the tennis club.

    So it is where both are missing and stand together in another place. That "club" is missing alone tells nothing:
    documents go on with "the tennis players".
    """
    for first, second in _pairs(judged.asked):
        if met[first] >= _UNMET:
            continue
        if met[second] >= _MET and rarity.get(first, 0.0) >= _TELLS_APART:
            return True
        if met[second] < _UNMET and any(min(each.met[first], each.met[second]) >= _MET for each in judged.all):
            return True
    return False


def is_without_subject(judged: Judged, met: Sequence[float], rarity: Mapping[int, float]) -> bool:
    """Whether an amount lacks the word that a question is about first: "coach" of "what does a coach cost on Route 1".

    An amount is of one thing. Who did it or what was found is told in other words than those of the question too often.
    A word that many passages have goes without saying in some of them.
    """
    asked = judged.asked
    if asked.wanted not in STRICT:
        return False
    words, _ = _phrase(asked)
    if asked.negated or not words or kinds.asks_twice(asked.text) or kinds.asks_what_is_done(asked.text):
        return False
    at = words[-1]
    return (
        met[at] < _UNMET and _tells(asked.parts[at]) and at not in asked.typed and rarity.get(at, 0.0) >= _TELLS_APART
    )


def _phrase(asked: Asked) -> tuple[list[int], int | None]:
    """Return the words that name what a question is about first, and the verb that may follow them at once."""
    found: list[int] = []
    for at in _about(asked):
        if found and asked.text[asked.parts[found[-1]].end : asked.parts[at].start] != " ":
            break
        if asked.parts[at].part is Part.NAME:
            break
        found.append(at)
        if asked.parts[at].key:  # of what is counted or listed, what it does may follow: "listeners came"
            return found, None
    if not kinds.asks_with_do(asked.text) or len(found) < 2:  # noqa: PLR2004 - a thing and what it does
        return found, None
    return (found[:-1], found[-1]) if len(found) <= _LONGEST else ([], None)


def _pairs(asked: Asked) -> Iterator[tuple[int, int]]:
    """Yield the words that stand side by side and name one thing, as far as can be told."""
    _, verb = _phrase(asked)
    words = _words(asked)
    if asked.text.rstrip().endswith(tuple(QUESTION_MARKS)) and kinds.about(asked.text) == (0, 0):
        words = words[1:]  # in a language whose words of asking are not known here, the first may be one
    for first, second in pairwise(words):
        one, other = asked.parts[first], asked.parts[second]
        if (
            _tells(one)
            and not other.generic
            and not _PARTICIPLE.search(one.text)
            and not _PARTICIPLE.search(other.text)
            and second != verb
            and first not in asked.typed
            and _JOINED.fullmatch(asked.text[one.end : other.start])
        ):
            yield first, second


def _tells(part: Concept) -> bool:
    return part.part is Part.WORD and not part.generic


def _words(asked: Asked) -> list[int]:
    return [
        at
        for at, part in enumerate(asked.parts)
        if part.part in (Part.WORD, Part.NAME) and part.start >= 0 and not part.excluded
    ]


def _about(asked: Asked) -> Iterator[int]:
    """Yield the words of the phrase that stands first behind the words of asking."""
    start, end = kinds.about(asked.text)
    yield from (at for at in _words(asked) if start <= asked.parts[at].start < end)
