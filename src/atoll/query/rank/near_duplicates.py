"""One entry for passages that several documents share almost word for word."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from atoll.domain.ids import DocumentUid
from atoll.domain.passage import Passage

#: Share of common word triples (Jaccard) from which two passages are the same text.
ALIKE = 0.9

#: Words that only one of two passages has which are the same text, at most, for each word of both.
_UNSHARED = 3 * (1 - ALIKE) / (1 + ALIKE)
_SIGNATURE_BITS = 512

_WORD = re.compile(r"\w+")
_DIGIT = re.compile(r"\d")
#: ASCII that stands in no word, as blanks: splitting at blanks takes half the time of a regular expression.
_BLANKS = {code: " " for code in range(128) if not _WORD.match(chr(code))}


@dataclass(frozen=True, slots=True)
class Shared:
    """A passage and the other documents that hold nearly the same."""

    passage: Passage
    also_in: tuple[DocumentUid, ...]


@dataclass
class _Text:
    """A passage's words, and what is made of them when it is compared: most passages meet none with their numbers."""

    passage: Passage
    words: list[str]
    documents: dict[DocumentUid, None]

    @cached_property
    def signature(self) -> int:
        """A bit for each different word. Two may share one, so that signatures never differ in more than words."""
        marks = bytearray(_SIGNATURE_BITS)  # a byte for each bit: an integer is made once
        for number in map(hash, set(self.words)):
            marks[number % _SIGNATURE_BITS] = 1
        return int.from_bytes(marks, "little")

    @cached_property
    def triples(self) -> frozenset[tuple[str, ...]]:
        words = self.words
        return frozenset(zip(words, words[1:], words[2:], strict=False)) or frozenset({tuple(words)})


def collapse(passages: Sequence[Passage]) -> list[Shared]:
    """Keep the first of each group of near-identical passages of different documents; order is kept.

    Passages that differ in a number are never the same: a price list and last year's price list are both evidence.
    Nor are two passages of one document, which stand on different pages for a reason.
    """
    kept: list[_Text] = []
    by_numbers: defaultdict[tuple[str, ...], list[_Text]] = defaultdict(list)
    for passage in passages:
        words, numbers = words_of(passage.text)
        text = _Text(passage, words, {passage.document: None})
        twin = next((other for other in by_numbers[numbers] if _alike(other, text)), None)
        if twin is None:
            kept.append(text)
            by_numbers[numbers].append(text)
        else:
            twin.documents[passage.document] = None
    return [Shared(text.passage, tuple(text.documents)[1:]) for text in kept]


def words_of(text: str) -> tuple[list[str], tuple[str, ...]]:
    """Return a text's words in one spelling, and those of them that hold a digit."""
    text = unicodedata.normalize("NFKC", text).casefold()
    words = text.translate(_BLANKS).split() if text.isascii() else _WORD.findall(text)
    if not _DIGIT.search(text):
        return words, ()
    return words, tuple([word for word in words if not word.isalpha() and _DIGIT.search(word)])


def _alike(first: _Text, second: _Text) -> bool:
    # A word that only one of them has stands in a triple that only this one has, and a triple holds three: the words
    # tell most pairs apart, which then need no triples.
    unshared = (first.signature ^ second.signature).bit_count()
    if unshared > _UNSHARED * (len(first.words) + len(second.words)) or second.passage.document in first.documents:
        return False
    common = len(first.triples & second.triples)
    return common >= ALIKE * (len(first.triples) + len(second.triples) - common)
