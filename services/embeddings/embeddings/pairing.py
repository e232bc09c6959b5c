"""A question and a document to the token ids of one input, as a cross-encoder reads them."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from tokenizers import Encoding, Tokenizer

from atoll.errors import BadInput
from atoll.serving.errors import InputTooLong
from embeddings.tokenizing import MAX_CHARACTERS, TokenIds, padded_length

#: Pairs that are encoded in one call.
_SLICE_PAIRS = 32


@dataclass(frozen=True, slots=True)
class Pair:
    """One input of a cross-encoder; ``type_ids`` tell the question's tokens (0) from the document's (1)."""

    ids: TokenIds
    type_ids: TokenIds


@dataclass(frozen=True, slots=True)
class PreparedPairs:
    """Pairs ready for the model; ``truncated`` of them were cut to its window."""

    pairs: list[Pair]
    truncated: int

    @property
    def tokens(self) -> int:
        """Tokens the model reads, special ones included."""
        return sum(len(pair.ids) for pair in self.pairs)

    @property
    def weighed(self) -> list[tuple[Pair, int]]:
        """Each pair with what it costs the model, in tokens."""
        return [(pair, padded_length(len(pair.ids))) for pair in self.pairs]


class PairTokenizer:
    """Wraps a fast tokenizer; at most ``concurrency`` calls at a time."""

    def __init__(self, serialized: str, *, max_tokens: int, concurrency: int) -> None:
        self._counting = Tokenizer.from_str(serialized)
        self._counting.no_truncation()
        self._counting.no_padding()
        self._cutting = Tokenizer.from_str(serialized)
        self._cutting.no_padding()
        # a token at a time from whichever of the two is longer, as sentence-transformers does
        self._cutting.enable_truncation(max_length=max_tokens, strategy="longest_first")
        self._turns = threading.BoundedSemaphore(concurrency)
        self.max_tokens = max_tokens

    def prepare(self, question: str, documents: Sequence[str], *, truncate: bool) -> PreparedPairs:
        """Encode the question with each document.

        Raises:
            InputTooLong: a pair is over the model's window and ``truncate`` is false.
            BadInput: the question with a document has more than ``MAX_CHARACTERS`` characters.
        """
        pairs: list[Pair] = []
        truncated = 0
        for at, encoding in enumerate(self._encode(question, documents)):
            kept = encoding
            if len(encoding.ids) > self.max_tokens:
                if not truncate:
                    raise InputTooLong(
                        f"document {at} has {len(encoding.ids)} tokens with the query, the model reads "
                        f"{self.max_tokens}; shorten it or send 'truncate': true"
                    )
                truncated += 1
                kept = self._cutting.encode(question, documents[at])
            pairs.append(Pair(np.asarray(kept.ids, dtype=np.int64), np.asarray(kept.type_ids, dtype=np.int64)))
        return PreparedPairs(pairs, truncated)

    def _encode(self, question: str, documents: Sequence[str]) -> Iterator[Encoding]:
        for at, document in enumerate(documents):
            characters = len(question) + len(document)
            if characters > MAX_CHARACTERS:
                raise BadInput(
                    f"document {at} has {characters} characters with the query, the limit is {MAX_CHARACTERS}; split it"
                )
        for first in range(0, len(documents), _SLICE_PAIRS):
            with self._turns:
                encodings = self._counting.encode_batch_fast(
                    [(question, document) for document in documents[first : first + _SLICE_PAIRS]]
                )
            yield from encodings
