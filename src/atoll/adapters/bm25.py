"""BM25 passage and query weights; the inverse document frequency is left to the index.

A passage's weight of term t is the saturated frequency of Robertson and Zaragoza, "The Probabilistic Relevance
Framework: BM25 and Beyond" (2009), tf * (k1 + 1) / (tf + k1 * (1 - b + b * length / AVERAGE_WORDS)). The average
length is a constant, so that no stored value depends on what else is indexed; a term's place in the vector is a hash
of its characters, so that no vocabulary is stored either.
"""

from __future__ import annotations

import hashlib
import re
import threading
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import pairwise

import numpy as np
import Stemmer

from atoll.adapters.stop_words import STOP_WORDS
from atoll.domain.vectors import SparseVector

K1 = 1.2
B = 0.75
#: Words of a typical passage; a constant where BM25 has the corpus average.
AVERAGE_WORDS = 90

#: What an identifier with a digit in it counts in a query, as a whole and in each of its parts: who writes SK-4471/3
#: wants that one, and only then its neighbours.
WHOLE_WEIGHT = 2.0
PART_WEIGHT = 0.25

#: Raised with every change of the terms that a text gives.
TERMS_VERSION = 1

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
#: Thousands separators: 1,234,567 is the number 1234567.
_THOUSANDS = re.compile(r"(?<![\d.,])\d{1,3}(?:,\d{3})+(?![\d,])")

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
        frequencies: Counter[int] = Counter()
        for token in _tokens(text):
            words += 1
            frequencies.update(_indices(token, language))
        norm = K1 * (1 - B + B * words / AVERAGE_WORDS)
        return _vector({term: tf * (K1 + 1) / (tf + norm) for term, tf in frequencies.items()})

    def terms(self, text: str, language: str) -> frozenset[int]:
        """Return the indices of a passage's terms."""
        return frozenset(index for token in _tokens(text) for index in _indices(token, language))

    def encode_query(self, text: str, language: str) -> SparseVector:
        """Return a weight for each distinct term: 1 for a word, more for an identifier as a whole than for its parts.

        Stop words are left out unless the query has nothing else.
        """
        stop_words = STOP_WORDS.get(primary_language(language), frozenset())
        tokens = list(_tokens(text))
        weights: dict[int, float] = {}
        for token in [token for token in tokens if token not in stop_words] or tokens:
            terms = _indices(token, language)
            whole = len(terms) > 1 and _HAS_DIGIT.search(token) is not None
            for place, index in enumerate(terms):
                weight = (PART_WEIGHT if place else WHOLE_WEIGHT) if whole else 1.0
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


def _tokens(text: str) -> Iterator[str]:
    """Yield words and whole identifiers, normalised (NFKC, casefold) and in order."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    if "," in folded:
        folded = _THOUSANDS.sub(lambda number: number[0].replace(",", ""), folded)
    return (match[0] for match in _TOKEN.finditer(folded))


@lru_cache(maxsize=1 << 16)
def _indices(token: str, language: str) -> tuple[int, ...]:
    """Return the indices of a token's terms, repeated where two of its terms are the same."""
    return tuple(_index(term) for term in _terms(token[: 4 * _LONGEST_TERM], primary_language(language)))


def _terms(token: str, language: str) -> Iterator[str]:
    """Yield a token's terms: a word's stem, an identifier whole and in parts, pairs of characters without spaces."""
    pieces = _PIECES.findall(token)
    if len(pieces) > 1:
        yield token.translate(_HYPHENS)[:_LONGEST_TERM]
    for piece in pieces:
        runs = _UNSPACED_RUN.split(piece) if not piece.isascii() else [piece]
        for number, run in enumerate(runs):
            if number % 2:
                yield from _pairs(run)
            elif run:
                yield from _word_terms(run[:_LONGEST_TERM], language)


def _pairs(run: str) -> Iterator[str]:
    if len(run) == 1:
        yield run
    for first, second in pairwise(run):
        yield first + second


def _word_terms(word: str, language: str) -> Iterator[str]:
    parts = _LETTERS_OR_DIGITS.findall(word)
    if len(parts) == 1:
        yield word if word.isdecimal() else _stem(word, language)
        return
    yield word
    yield from parts


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
