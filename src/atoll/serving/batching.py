"""Which waiting inputs go through the model together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

#: An input that is shorter than the longest one by more than this waits for another batch: a pass of its own costs less
#: than its padding. A pass costs about as much as 37 tokens on two cores with AVX2 and fp32 (12 ms for 8 tokens, 0.3 ms
#: for each further one), and more where tokens are cheaper.
MOST_PADDING_TOKENS = 48


class Sized(Protocol):
    """Anything with a length in tokens."""

    @property
    def tokens(self) -> int:
        """Length in tokens, special tokens included."""
        ...


S = TypeVar("S", bound=Sized)


def form_batch(anchor: S, others: Sequence[S], *, budget_tokens: int) -> list[S]:
    """Return ``anchor`` and those of ``others`` nearest to it in length, longest first.

    A batch is padded to its longest input, so its cost is ``longest * count``, and that stays within
    ``budget_tokens``; an anchor that is longer than the budget goes alone. Equal lengths keep their order.
    """
    by_length = sorted(others, key=lambda entry: entry.tokens)
    above = next((at for at, entry in enumerate(by_length) if entry.tokens > anchor.tokens), len(by_length))
    below = above - 1
    batch, longest, shortest = [anchor], anchor.tokens, anchor.tokens
    while True:
        down = by_length[below] if below >= 0 else None
        up = by_length[above] if above < len(by_length) else None
        if down is not None and not _fits(down.tokens, longest, len(batch), budget_tokens):
            down = None
        if up is not None and not _fits(shortest, up.tokens, len(batch), budget_tokens):
            up = None
        if down is not None and (up is None or anchor.tokens - down.tokens <= up.tokens - anchor.tokens):
            batch.append(down)
            shortest, below = down.tokens, below - 1
        elif up is not None:
            batch.append(up)
            longest, above = up.tokens, above + 1
        else:
            return sorted(batch, key=lambda entry: entry.tokens, reverse=True)


def _fits(shortest: int, longest: int, count: int, budget_tokens: int) -> bool:
    return longest * (count + 1) <= budget_tokens and longest - shortest <= MOST_PADDING_TOKENS
