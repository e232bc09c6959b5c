"""Text to token ids, with the model's own tokenizer and real counts."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer

from atoll.errors import BadInput
from atoll.serving.errors import InputTooLong

TokenIds = NDArray[np.int64]

#: Longest text. An encoding takes about 150 bytes a token, so this also bounds memory.
MAX_CHARACTERS = 131_072
#: Inputs are padded to a multiple of this. The kernels are compiled and kept for each shape they meet, so fewer
#: shapes cost less memory: about 920 -> 600 MiB after 2,880 varied texts in batches of 1,024 tokens.
LENGTH_STEP = 8
#: Characters that are encoded in one call.
_SLICE_CHARACTERS = 65_536


@dataclass(frozen=True, slots=True)
class Prepared:
    """Inputs ready for the model; ``truncated`` of them were cut to its window."""

    ids: list[TokenIds]
    truncated: int

    @property
    def tokens(self) -> int:
        """Tokens the model reads, special tokens and prompts included."""
        return sum(len(ids) for ids in self.ids)

    @property
    def weighed(self) -> list[tuple[TokenIds, int]]:
        """Each input with what it costs the model, in tokens."""
        return [(ids, padded_length(len(ids))) for ids in self.ids]


def padded_length(tokens: int) -> int:
    """Round a length up to the next that the model is run with."""
    return -(-tokens // LENGTH_STEP) * LENGTH_STEP


class TextTokenizer:
    """Wraps a fast tokenizer. Encoding releases the interpreter lock; at most ``concurrency`` texts at a time."""

    def __init__(self, serialized: str, *, max_tokens: int, prompts: Mapping[str, str], concurrency: int) -> None:
        self._counting = Tokenizer.from_str(serialized)
        self._counting.no_truncation()
        self._counting.no_padding()
        self._cutting = Tokenizer.from_str(serialized)
        self._cutting.no_padding()
        self._cutting.enable_truncation(max_length=max_tokens)
        self._prompts = prompts
        self._turns = threading.BoundedSemaphore(concurrency)
        self.max_tokens = max_tokens
        self.special_tokens = self._counting.num_special_tokens_to_add(is_pair=False)

    def prompt_tokens(self, input_type: str | None) -> int:
        """Return the length of the prompt that goes before every text of this type."""
        prompt = self._prompts.get(input_type or "", "")
        return len(self._counting.encode(prompt, add_special_tokens=False).ids) if prompt else 0

    def prepare(self, texts: Sequence[str], *, input_type: str | None, truncate: bool) -> Prepared:
        """Encode ``texts`` with the prompt of ``input_type``.

        Raises:
            InputTooLong: a text is over the model's window and ``truncate`` is false.
            BadInput: a text has more than ``MAX_CHARACTERS`` characters.
        """
        prompt = self._prompts.get(input_type or "", "")
        truncated = 0
        ids: list[TokenIds] = []
        for first, encodings in self._encode([prompt + text for text in texts], offsets=False):
            for at, encoding in enumerate(encodings, start=first):
                kept = encoding.ids
                if len(kept) > self.max_tokens:
                    if not truncate:
                        raise InputTooLong(
                            f"input {at} has {len(kept)} tokens, the model reads {self.max_tokens}; "
                            "shorten it or send 'truncate': true"
                        )
                    truncated += 1
                    kept = self._cutting.encode(prompt + texts[at]).ids
                ids.append(np.asarray(kept, dtype=np.int64))
        return Prepared(ids, truncated)

    def spans(self, texts: Sequence[str], *, offsets: bool) -> list[tuple[int, list[tuple[int, int]]]]:
        """Return for each text its number of tokens without special ones and, on request, their character spans."""
        counted: list[tuple[int, list[tuple[int, int]]]] = []
        for _, encodings in self._encode(texts, offsets=offsets, special=False):
            counted.extend((len(encoding.ids), encoding.offsets if offsets else []) for encoding in encodings)
        return counted

    def _encode(
        self, texts: Sequence[str], *, offsets: bool, special: bool = True
    ) -> Iterator[tuple[int, list[Encoding]]]:
        """Yield the position of a slice's first text and the slice's encodings; a slice is bounded in characters."""
        encode = self._counting.encode_batch if offsets else self._counting.encode_batch_fast
        first = 0
        while first < len(texts):
            last, characters = first, 0
            while last < len(texts) and (last == first or characters + len(texts[last]) <= _SLICE_CHARACTERS):
                characters += len(texts[last])
                last += 1
            if characters > MAX_CHARACTERS:
                raise BadInput(
                    f"input {first} has {characters} characters, the limit is {MAX_CHARACTERS}; split the text"
                )
            with self._turns:
                encodings = encode(list(texts[first:last]), add_special_tokens=special)
            yield first, encodings
            first = last
