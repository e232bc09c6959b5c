"""One entry for passages that several documents share almost word for word."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from atoll.domain.ids import DocumentUid
from atoll.domain.passage import Passage

#: Share of common word triples (Jaccard) from which two passages are the same text.
ALIKE = 0.9

#: Words that only one of two passages has which are the same text, at most, for each word of both.
_UNSHARED = 3 * (1 - ALIKE) / (1 + ALIKE)
_SIGNATURE_BITS = 512

_WORD = re.compile(r"\w+")
_DIGIT = re.compile(r"\d")


@dataclass(frozen=True, slots=True)
class Shared:
    """A passage and the other documents that hold nearly the same."""

    passage: Passage
    also_in: tuple[DocumentUid, ...]


@dataclass(slots=True)
class _Kept:
    passage: Passage
    words: list[str]
    documents: dict[DocumentUid, None]
    #: Made when they are first compared: most passages meet none of their length.
    signature: int | None = None
    triples: frozenset[tuple[str, ...]] | None = None


def collapse(passages: Sequence[Passage]) -> list[Shared]:
    """Keep the first of each group of near-identical passages of different documents; order is kept.

    Passages that differ in a number are never the same: a price list and last year's price list are both evidence.
    Nor are two passages of one document, which stand on different pages for a reason.
    """
    kept: list[_Kept] = []
    by_numbers: defaultdict[tuple[str, ...], list[_Kept]] = defaultdict(list)
    for passage in passages:
        text = unicodedata.normalize("NFKC", passage.text).casefold()
        words = _WORD.findall(text)
        candidate = _Kept(passage, words, {passage.document: None})
        numbers = tuple([word for word in words if not word.isalpha() and _DIGIT.search(word)])
        twin = next((other for other in by_numbers[numbers] if _alike(other, candidate)), None)
        if twin is None:
            kept.append(candidate)
            by_numbers[numbers].append(candidate)
        else:
            twin.documents[passage.document] = None
    return [Shared(entry.passage, tuple(entry.documents)[1:]) for entry in kept]


def _alike(first: _Kept, second: _Kept) -> bool:
    if second.passage.document in first.documents:
        return False
    if first.words == second.words:
        return True
    shorter, longer = sorted((len(first.words), len(second.words)))
    if shorter < ALIKE * longer:
        return False
    # A word that only one of them has stands in a triple that only this one has, and a triple holds three: the words
    # tell most pairs apart, which then need no triples.
    if (_signature(first) ^ _signature(second)).bit_count() > _UNSHARED * (shorter + longer):
        return False
    left, right = _triples(first), _triples(second)
    common = len(left & right)
    return common >= ALIKE * (len(left) + len(right) - common)


def _signature(entry: _Kept) -> int:
    """Return a bit for each different word. Two may share one, so that signatures never differ in more than words."""
    if entry.signature is None:
        signature = 0
        for number in map(hash, set(entry.words)):
            signature |= 1 << (number % _SIGNATURE_BITS)
        entry.signature = signature
    return entry.signature


def _triples(entry: _Kept) -> frozenset[tuple[str, ...]]:
    if entry.triples is None:
        words = entry.words
        entry.triples = frozenset(zip(words, words[1:], words[2:], strict=False)) or frozenset({tuple(words)})
    return entry.triples
