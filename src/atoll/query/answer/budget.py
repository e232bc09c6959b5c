"""How much evidence a prompt may hold: the model's window, the operator's limit, and what it reads in time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from atoll.domain.evidence import Evidence

#: Tokens of a first prompt, before anything is known about the model's speed.
FIRST_PROMPT_TOKENS = 2048
#: Tokens kept free for the chat template and for errors of estimation.
MARGIN_TOKENS = 128
#: Fewer tokens than this say nothing about speed.
_LEAST_MEASURED_TOKENS = 64
#: Weight of the newest measurement in the running estimate.
_NEWEST = 0.3
_ASCII_PER_TOKEN = 4


@dataclass(frozen=True, slots=True)
class PromptLimits:
    """The operator's limits for prompts and answers."""

    passages: int
    total_tokens: int
    context_tokens: int
    answer_tokens: int
    first_token_seconds: float


class PrefillSpeed:
    """A running estimate of how many prompt tokens a second the model reads."""

    def __init__(self) -> None:
        self._tokens_per_second: float | None = None

    def measured(self, tokens: int, seconds: float) -> None:
        """Take in that the first piece of an answer to ``tokens`` of prompt came after ``seconds``."""
        if tokens < _LEAST_MEASURED_TOKENS or seconds <= 0:
            return
        speed = tokens / seconds
        known = self._tokens_per_second
        self._tokens_per_second = speed if known is None else (1 - _NEWEST) * known + _NEWEST * speed

    def tokens_within(self, seconds: float) -> int:
        """Return how many tokens the model reads in ``seconds``; a cautious guess before the first measurement."""
        if self._tokens_per_second is None:
            return FIRST_PROMPT_TOKENS
        return int(self._tokens_per_second * seconds)


def estimate_tokens(text: str) -> int:
    """Return an estimate that errs high: a token for four ASCII characters, and one for each other character."""
    wide = sum(1 for char in text if not char.isascii()) if not text.isascii() else 0
    return math.ceil((len(text) - wide) / _ASCII_PER_TOKEN) + wide


def prompt_tokens(limits: PromptLimits, speed: PrefillSpeed) -> int:
    """Return how many tokens a prompt may have, at least 0."""
    window = limits.context_tokens - limits.answer_tokens - MARGIN_TOKENS
    return max(0, min(limits.total_tokens, window, speed.tokens_within(limits.first_token_seconds)))


def fitting(evidence: Sequence[Evidence], *, tokens: int, each: int, passages: int) -> list[str]:
    """Return the texts of the best evidence that together take at most ``tokens``, by estimate, in rank order.

    ``each`` tokens are added for what stands around a text. The first text that does not fit ends the list; only
    the very first is cut instead.
    """
    texts: list[str] = []
    left = tokens
    for entry in evidence[:passages]:
        text = cut_to(entry.text, left - each)
        if not text or (len(text) < len(entry.text) and texts):
            break
        texts.append(text)
        left -= estimate_tokens(text) + each
    return texts


def cut_to(text: str, tokens: int) -> str:
    """Return the longest prefix of ``text`` that is estimated to take at most ``tokens``."""
    if tokens <= 0:
        return ""
    if estimate_tokens(text) <= tokens:
        return text
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if estimate_tokens(text[:middle]) <= tokens else (low, middle - 1)
    return text[:low]
