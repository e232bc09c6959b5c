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
#: Start and end of a part of a text, in code points.
CharacterSpan = tuple[int, int]

#: Longest text. An encoding takes about 150 bytes a token, so this also bounds memory.
MAX_CHARACTERS = 131_072
#: Inputs are padded to a multiple of this. The kernels are compiled and kept for each shape they meet, so fewer
#: shapes cost less memory: about 920 -> 600 MiB after 2,880 varied texts in batches of 1,024 tokens.
LENGTH_STEP = 8
#: Characters that are encoded in one call.
_SLICE_CHARACTERS = 65_536


@dataclass(frozen=True, slots=True, eq=False)
class Text:
    """One input of the model.

    ``spans`` (count, 2) are the first token and the one after the last of each part whose vector is wanted; a part of
    which the model reads nothing, because it is empty or lies behind the window, is empty there too. None: no parts
    were asked for.
    """

    ids: TokenIds
    spans: NDArray[np.int64] | None = None


@dataclass(frozen=True, slots=True)
class Prepared:
    """Inputs ready for the model; ``truncated`` of them were cut to its window."""

    texts: list[Text]
    truncated: int

    @property
    def tokens(self) -> int:
        """Tokens the model reads, special tokens and prompts included."""
        return sum(len(text.ids) for text in self.texts)

    @property
    def weighed(self) -> list[tuple[Text, int]]:
        """Each input with what it costs the model, in tokens."""
        return [(text, padded_length(len(text.ids))) for text in self.texts]


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

    def prepare(
        self,
        texts: Sequence[str],
        *,
        input_type: str | None,
        truncate: bool,
        spans: Sequence[Sequence[CharacterSpan]] | None = None,
    ) -> Prepared:
        """Encode ``texts`` with the prompt of ``input_type``; ``spans`` are parts of each, in order.

        Raises:
            InputTooLong: a text is over the model's window and ``truncate`` is false.
            BadInput: a text has more than ``MAX_CHARACTERS`` characters.
        """
        prompt = self._prompts.get(input_type or "", "")
        truncated = 0
        prepared: list[Text] = []
        for first, encodings in self._encode([prompt + text for text in texts], offsets=spans is not None):
            for at, encoding in enumerate(encodings, start=first):
                kept = encoding
                if len(kept.ids) > self.max_tokens:
                    if not truncate:
                        raise InputTooLong(
                            f"input {at} has {len(kept.ids)} tokens, the model reads {self.max_tokens}; "
                            "shorten it or send 'truncate': true"
                        )
                    truncated += 1
                    kept = self._cutting.encode(prompt + texts[at])
                parts = None if spans is None else _token_spans(kept, spans[at], shift=len(prompt))
                prepared.append(Text(np.asarray(kept.ids, dtype=np.int64), parts))
        return Prepared(prepared, truncated)

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


def _token_spans(encoding: Encoding, spans: Sequence[CharacterSpan], *, shift: int) -> NDArray[np.int64]:
    """Return the tokens of each part, (count, 2); ``shift`` characters stand before the text."""
    inside = [at for at, special in enumerate(encoding.special_tokens_mask) if not special]
    begins = np.array([encoding.offsets[at][0] for at in inside], dtype=np.int64)
    ends = np.array([encoding.offsets[at][1] for at in inside], dtype=np.int64)
    places = np.array([*inside, inside[-1] + 1] if inside else [0], dtype=np.int64)
    wanted = np.asarray(spans, dtype=np.int64).reshape(-1, 2) + shift
    # Tokens follow each other in the text: those that end behind a part's start, up to those that begin before its end.
    first = np.searchsorted(ends, wanted[:, 0], side="right")
    last = np.maximum(first, np.searchsorted(begins, wanted[:, 1], side="left"))
    last = np.where(wanted[:, 0] < wanted[:, 1], last, first)
    return np.stack([places[first], places[last]], axis=1)
