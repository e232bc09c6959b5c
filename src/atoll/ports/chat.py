"""A chat model."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One turn of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class ChatUsage:
    """Tokens of a request and its answer, as the server counted them."""

    prompt_tokens: int
    completion_tokens: int


class Chat(Protocol):
    """Streams completions."""

    def stream(self, messages: Sequence[ChatMessage], *, max_tokens: int) -> AsyncIterator[str | ChatUsage]:
        """Yield pieces of the answer and, where the server tells it, the usage at the end.

        Raises:
            DependencyDown: the server is away, overloaded or too slow.
            ModelReplyInvalid: the server's answer has another shape.
        """
        ...

    async def count_tokens(self, text: str) -> int:
        """Return the number of tokens, or an estimate that errs high where the server cannot count."""
        ...
