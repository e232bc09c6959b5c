"""BM25 passage and query weights; the inverse document frequency is left to the index.

A passage's weight of term t is the saturated frequency of Robertson and Zaragoza, "The Probabilistic Relevance
Framework: BM25 and Beyond" (2009), tf * (k1 + 1) / (tf + k1 * (1 - b + b * length / AVERAGE_WORDS)). The average
length is a constant, so that no stored value depends on what else is indexed; a term's place in the vector is a hash
of its characters, so that no vocabulary is stored either.

Beside what is written a text gives terms of other spellings of it: words without their accents and words divided by a
hyphen, both lighter; numbers without thousands marks; dates in one form (``@2024-05-25``).
"""

from __future__ import annotations

import hashlib
import re
import threading
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import Stemmer

from atoll.adapters.stop_words import STOP_WORDS
from atoll.domain.text.dates import dates
from atoll.domain.text.folding import spellings
from atoll.domain.text.numbers import grouped
from atoll.domain.vectors import SparseVector

K1 = 1.2
B = 0.75
#: Words of a typical passage; a constant where BM25 has the corpus average.
AVERAGE_WORDS = 90

#: What an identifier with a digit in it counts in a query, as a whole and in each of its parts: who writes SK-4471/3
#: wants that one, and only then its neighbours.
WHOLE_WEIGHT = 2.0
PART_WEIGHT = 0.25

#: What a term counts that is another spelling of what is written.
LIGHT = 0.5

#: Raised with every change of the terms that a text gives.
TERMS_VERSION = 2

#: ISO 639-1 code of a knowledge base -> Snowball algorithm. Languages not named here are not stemmed.
STEMMERS: Mapping[str, str] = {
    "ar": "arabic", "ca": "catalan", "cs": "czech", "da": "danish", "de": "german", "el": "greek", "en": "english",
    "eo": "esperanto", "es": "spanish", "et": "estonian", "eu": "basque", "fa": "persian", "fi": "finnish",
    "fr": "french", "ga": "irish", "hi": "hindi", "hu": "hungarian", "hy": "armenian", "id": "indonesian",
    "it": "italian", "lt": "lithuanian", "nb": "norwegian", "ne": "nepali", "nl": "dutch", "nn": "norwegian",
    "no": "norwegian", "pl": "polish", "pt": "portuguese", "ro": "romanian", "ru": "russian", "sr": "serbian",
    "sv": "swedish", "ta": "tamil", "tr": "turkish", "yi": "yiddish",
}  # fmt: skip

#: Terms longer than this are cut: a megabyte without a space is one "word" otherwise.
_LONGEST_TERM = 64

#: Scripts written without spaces between words: Thai, Lao, Myanmar, Khmer, kana, Han, Hangul and their extensions.
_UNSPACED = (
    "\u0e00-\u0e4e\u0e80-\u0ece\u1000-\u103f\u1780-\u17d3\u3005-\u3007\u3041-\u309f\u30a0-\u30fa\u30fc-\u30ff\u3400-\u4dbf"
    "\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff\U00020000-\U0003ffff"
)


def _combining_marks() -> str:
    r"""Return the combining marks as a character class: in Python's ``re`` they end a ``\w+``, in words they do not."""
    marks = [point for point in range(0x300, 0x10000) if unicodedata.category(chr(point))[0] == "M"]
    starts = [point for point in marks if unicodedata.category(chr(point - 1))[0] != "M"]
    ends = [point for point in marks if unicodedata.category(chr(point + 1))[0] != "M"]
    return "".join(f"{chr(start)}-{chr(end)}" for start, end in zip(starts, ends, strict=True))


_PIECE = rf"(?:[^\W_]|[{_combining_marks()}])+"
#: Pieces, and what joins them to one identifier: ``KRT-9/12.b``, ``max_total_tokens``, ``3.14``, ``a@b.org``.
_TOKEN = re.compile(rf"{_PIECE}(?:[-\u2010\u2011_./:@+#&]+{_PIECE})*")
_PIECES = re.compile(_PIECE)
_UNSPACED_RUN = re.compile(f"([{_UNSPACED}]+)")
_LETTERS_OR_DIGITS = re.compile(r"\d+|\D+")
_HAS_DIGIT = re.compile(r"\d")
#: A number and its unit: ``10kW``, ``3-5GHz``, ``7.5kW/h``.
_QUANTITY = re.compile(r"\d+(?:[.,:/-]\d+)*-?[^\W\d_]+\d?(?:/[^\W\d_]+\d?)?")
_HYPHENS = str.maketrans("\u2010\u2011", "--")
#: Two pieces of a word that may have been divided: "cardiomyo-pathy", and "mo- ved" at a line's end in a text file.
_DIVIDED = re.compile(r"[^\W\d_]+-[^\W\d_]{2,}")
_DIVIDED_AT_LINE_END = re.compile(r"(?<![\w-])([^\W\d_]{2,})-\s+([^\W\d_]{2,})(?![\w-])")
#: What follows a hyphen that stands for a part of the next word: "input- and output".
_CONJUNCTIONS = frozenset(
    {"and", "or", "to", "und", "oder", "bis", "et", "ou", "y", "o", "e", "en", "of", "och", "og", "i"}
)

_stemmers = threading.local()  # a Snowball stemmer must not be used by two threads at once


class Bm25Encoder:
    """Implements ``SparseEncoder``. Stateless apart from caches; safe to share between threads."""

    @property
    def fingerprint(self) -> str:
        """Changes whenever stored vectors would have to be rebuilt."""
        return f"bm25-{TERMS_VERSION}-{K1}-{B}-{AVERAGE_WORDS}-snowball-{Stemmer.version()}"

    def encode_passage(self, text: str, language: str) -> SparseVector:
        """Return saturated term weights of a passage, indices ascending."""
        words = 0
        frequencies: defaultdict[int, float] = defaultdict(float)
        for token in _tokens(text):
            words += not token.light
            for index, factor in _indices(token.text, language):
                frequencies[index] += LIGHT if token.light else factor
        norm = K1 * (1 - B + B * words / AVERAGE_WORDS)
        return _vector({term: tf * (K1 + 1) / (tf + norm) for term, tf in frequencies.items()})

    def terms(self, text: str, language: str) -> frozenset[int]:
        """Return the indices of a passage's terms."""
        return frozenset(index for token in _tokens(text) for index, _ in _indices(token.text, language))

    def forms(self, word: str, language: str) -> frozenset[int]:
        """Return the indices of a word as a whole and of its other spellings, without those of its pieces."""
        found: set[int] = set()
        for token in _tokens(word):
            terms = _indices(token.text, language)
            runs = _UNSPACED_RUN.search(token.text) is not None
            found.update(index for place, (index, factor) in enumerate(terms) if runs or not place or factor < 1)
        return frozenset(found)

    def encode_query(self, text: str, language: str) -> SparseVector:
        """Return a weight for each distinct term: 1 for a word, more for an identifier as a whole than for its parts.

        Stop words are left out unless the query has nothing else.
        """
        stop_words = STOP_WORDS.get(primary_language(language), frozenset())
        tokens = list(_tokens(text))
        weights: dict[int, float] = {}
        for token in [token for token in tokens if token.text not in stop_words] or tokens:
            terms = _indices(token.text, language)
            whole = sum(factor == 1.0 for _, factor in terms) > 1 and _HAS_DIGIT.search(token.text) is not None
            for place, (index, factor) in enumerate(terms):
                weight = (PART_WEIGHT if place else WHOLE_WEIGHT) if whole else LIGHT if token.light else factor
                weights[index] = max(weight, weights.get(index, 0.0))
        return _vector(weights)


def primary_language(language: str) -> str:
    """Return the language without region and script: ``en`` for ``en-GB``."""
    return re.split("[-_]", language, maxsplit=1)[0].lower()


def identifiers(text: str) -> Iterator[tuple[int, int]]:
    """Yield where the identifiers of a text stand: digits with capital letters (``KRT-9``, ``SK-4471/3``, ``A380``).

    Letters of scripts without case count as capitals. Numbers with a unit after them (``10 kW`` written ``10kW``) and
    addresses are none, nor are words such as ``mid-1990s`` and ``3-year-old``.
    """
    for match in _TOKEN.finditer(text):
        token = match[0]
        if "@" in token or "://" in token or len(token) > _LONGEST_TERM or not _HAS_DIGIT.search(token):
            continue
        if any(c.isalpha() and not c.islower() for c in token) and not _QUANTITY.fullmatch(token):
            yield match.span()


def _vector(weights: Mapping[int, float]) -> SparseVector:
    indices = np.fromiter(weights.keys(), np.uint32, len(weights))
    values = np.fromiter(weights.values(), np.float32, len(weights))
    order = np.argsort(indices)
    return SparseVector(indices[order], values[order])


class _Token(NamedTuple):
    """A word or identifier of a text; ``light`` ones are other spellings of what stands there."""

    text: str
    light: bool = False


def _tokens(text: str) -> Iterator[_Token]:
    """Yield words and whole identifiers, normalised (NFKC, casefold) and in order, then other spellings of some."""
    normal = unicodedata.normalize("NFKC", text)
    plain = normal.casefold()
    others: list[_Token] = []
    if _HAS_DIGIT.search(plain):
        for start, end, digits in reversed(list(grouped(plain))):
            written = plain[start:end]
            if "," in written or "'" in written or "’" in written:
                plain = plain[:start] + digits + plain[end:]
            else:  # "12 149", "1.234" and "10.100.200" may mean another thing, too
                others.append(_Token(digits))
        for date in dates(normal):
            others += (_Token(term, light=at > 0) for at, term in enumerate(date.terms))
    if "-" in plain:
        others += (
            _Token(match[1] + match[2], light=True)
            for match in _DIVIDED_AT_LINE_END.finditer(plain)
            if match[2] not in _CONJUNCTIONS
        )
    yield from (_Token(match[0]) for match in _TOKEN.finditer(plain))
    yield from others


@lru_cache(maxsize=1 << 16)
def _indices(token: str, language: str) -> tuple[tuple[int, float], ...]:
    """Return the indices of a token's terms and what each counts, repeated where two of its terms are the same."""
    return tuple(
        (_index(term), factor) for term, factor in _terms(token[: 4 * _LONGEST_TERM], primary_language(language))
    )


def _terms(token: str, language: str) -> Iterator[tuple[str, float]]:
    """Yield a token's terms: a word's stem, an identifier whole and in parts, pairs of characters without spaces."""
    if token.startswith("@"):
        yield token, 1.0
        return
    pieces = _PIECES.findall(token)
    if len(pieces) > 1:
        yield token.translate(_HYPHENS)[:_LONGEST_TERM], 1.0
    for piece in pieces:
        runs = _UNSPACED_RUN.split(piece) if not piece.isascii() else [piece]
        for number, run in enumerate(runs):
            if number % 2:
                yield from ((pair, 1.0) for pair in _pairs(run))
            elif run:
                yield from _word_terms(run[:_LONGEST_TERM], language)
    if _DIVIDED.fullmatch(token):
        yield _stem("".join(pieces)[:_LONGEST_TERM], language), LIGHT


def _pairs(run: str) -> Iterator[str]:
    if len(run) == 1:
        yield run
    for first, second in pairwise(run):
        yield first + second


def _word_terms(word: str, language: str) -> Iterator[tuple[str, float]]:
    parts = _LETTERS_OR_DIGITS.findall(word)
    if len(parts) > 1:
        yield word, 1.0
        yield from ((part, 1.0) for part in parts)
        return
    stem = word if word.isdecimal() else _stem(word, language)
    yield stem, 1.0
    for other in spellings(word):
        if (known := _stem(other, language)) != stem:
            yield known, LIGHT


def _stem(word: str, language: str) -> str:
    algorithm = STEMMERS.get(language)
    if algorithm is None:
        return word
    known: dict[str, Stemmer.Stemmer] = _stemmers.__dict__
    if algorithm not in known:
        known[algorithm] = Stemmer.Stemmer(algorithm)
    return str(known[algorithm].stemWord(word))


def _index(term: str) -> int:
    digest = hashlib.blake2b(term.encode("utf-8", "surrogatepass"), digest_size=4).digest()
    return int.from_bytes(digest, "big")
