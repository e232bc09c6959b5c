"""The two things that a question compares."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from atoll.query.question.asked import Asked
from atoll.query.question.concept import Concept

_CONNECTOR = re.compile(
    r",?\s+compared (?:with|to)\s+|\s+(?:versus|vs\.?)\s+|\s+than\s+|,?\s+or\s+(?:in |at |on |for )?"
    r"|,?\s+and\s+(?:in |at |on |for |the )*|\s+(?:oder|als|im vergleich zu|gegenüber)\s+|\s+und\s+",
    re.IGNORECASE,
)
_BREAK = re.compile(r"[,;:?]|\bbetween\b|\bzwischen\b", re.IGNORECASE)


def sides(asked: Asked) -> tuple[frozenset[int], frozenset[int]] | None:
    """Return the places of the parts that are only of the one and only of the other thing compared, or None."""
    text = asked.text
    for match in _CONNECTOR.finditer(text):
        before = [at for at, part in enumerate(asked.parts) if part.end <= match.start()]
        after = [at for at, part in enumerate(asked.parts) if part.start >= match.end() - 1]
        if not before or not after:
            continue
        whole = "than" in match[0] or " als" in match[0].casefold()
        left = set(before) if whole else _joined(text, asked.parts, before[::-1])
        right = _joined(text, asked.parts, after) if not whole else set(after)
        shared = {asked.parts[at].text.casefold() for at in left} & {asked.parts[at].text.casefold() for at in right}
        first = frozenset(
            at for at in left if asked.parts[at].text.casefold() not in shared and not asked.parts[at].generic
        )
        second = frozenset(
            at for at in right if asked.parts[at].text.casefold() not in shared and not asked.parts[at].generic
        )
        if first and second:
            return first, second
    return None


def _joined(text: str, parts: Sequence[Concept], places: Sequence[int]) -> set[int]:
    """Return the first of ``places`` and those that go on with it without a break."""
    found = {places[0]}
    for last, at in pairwise(places):
        first, second = sorted((parts[last], parts[at]), key=lambda part: part.start)
        gap = text[first.end : second.start]
        same_name = first.group == second.group >= 0
        if (
            _BREAK.search(gap)
            or (len(gap.split()) > 1 and not same_name)
            or (gap.strip() and not same_name and gap.strip() not in ("for", "of", "with"))
        ):
            break
        if first.group >= 0 and second.group < 0:  # "Grimholm, lead": a name before a word is another thing
            break
        found.add(at)
    return found
