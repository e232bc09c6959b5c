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


@dataclass(frozen=True, slots=True)
class ChatCut:
    """Says that an answer ended because it was as long as it may be, in the middle of a sentence perhaps."""


#: What a stream consists of.
ChatPiece = str | ChatUsage | ChatCut


class Chat(Protocol):
    """Streams completions."""

    def stream(self, messages: Sequence[ChatMessage], *, max_tokens: int) -> AsyncIterator[ChatPiece]:
        """Yield pieces of the answer, without what the model thinks before it, and at the end what the server tells.

        The end may hold that the answer was cut, and the usage.

        Raises:
            DependencyDown: the server is away, overloaded or too slow.
            ModelReplyInvalid: the server's answer has another shape.
        """
        ...

    async def count_tokens(self, text: str) -> int:
        """Return the number of tokens, or an estimate that errs high where the server cannot count."""
        ...
