"""Lexical vectors: BM25 whose idf is left to the index."""

from __future__ import annotations

from typing import Protocol

from atoll.domain.vectors import SparseVector


class SparseEncoder(Protocol):
    """Turns text into sparse vectors. The same text gives the same vector whatever else is indexed."""

    @property
    def fingerprint(self) -> str:
        """Changes whenever stored vectors would have to be rebuilt."""
        ...

    def encode_passage(self, text: str, language: str) -> SparseVector:
        """Return saturated term weights of a passage."""
        ...

    def terms(self, text: str, language: str) -> frozenset[int]:
        """Return the indices of ``encode_passage`` alone, which is all that comparing texts takes."""
        ...

    def forms(self, word: str, language: str) -> frozenset[int]:
        """Return the indices of a word as a whole and of its other spellings, without those of its pieces."""
        ...

    def encode_query(self, text: str, language: str) -> SparseVector:
        """Return query term weights."""
        ...
