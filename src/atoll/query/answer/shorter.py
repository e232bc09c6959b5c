"""A chat model whose answers are kept shorter than it would make them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from atoll.ports.chat import Chat, ChatMessage, ChatPiece


@dataclass(frozen=True, slots=True)
class ShorterChat:
    """Implements ``Chat`` by another one that is never asked for more than ``most_tokens``."""

    chat: Chat
    most_tokens: int

    def stream(self, messages: Sequence[ChatMessage], *, max_tokens: int) -> AsyncIterator[ChatPiece]:
        """See ``atoll.ports.chat.Chat``."""
        return self.chat.stream(messages, max_tokens=min(max_tokens, self.most_tokens))

    async def count_tokens(self, text: str) -> int:
        """See ``atoll.ports.chat.Chat``."""
        return await self.chat.count_tokens(text)
