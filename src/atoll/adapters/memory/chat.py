"""A chat model that says what it was told to say."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence

from atoll.errors import AtollError
from atoll.ports.chat import ChatCut, ChatMessage, ChatPiece, ChatUsage

_CHARACTERS_PER_TOKEN = 4


class MemoryChat:
    """Implements ``Chat``: each request takes the next reply; the last one is repeated.

    A reply is text, given in pieces of ``piece`` characters, or an error that is raised in place of a first piece;
    a pair of both is text that breaks off with the error. With ``cut`` every answer says that it was too long.
    ``asked`` holds the messages of every request.
    """

    def __init__(self, *replies: str | AtollError | tuple[str, AtollError], piece: int = 5, cut: bool = False) -> None:
        self._replies = list(replies)
        self._piece = piece
        self._cut = cut
        self.asked: list[list[ChatMessage]] = []

    async def stream(self, messages: Sequence[ChatMessage], *, max_tokens: int) -> AsyncGenerator[ChatPiece, None]:
        """See ``atoll.ports.chat.Chat``."""
        self.asked.append(list(messages))
        reply = self._replies.pop(0) if len(self._replies) > 1 else self._replies[0]
        text, error = reply if isinstance(reply, tuple) else (reply, None) if isinstance(reply, str) else ("", reply)
        text = text[: max_tokens * _CHARACTERS_PER_TOKEN]
        for start in range(0, len(text), self._piece):
            yield text[start : start + self._piece]
        if error is not None:
            raise error
        if self._cut:
            yield ChatCut()
        prompt = sum([await self.count_tokens(message.content) for message in messages])
        yield ChatUsage(prompt, await self.count_tokens(text))

    async def count_tokens(self, text: str) -> int:
        """See ``atoll.ports.chat.Chat``; a token is four characters."""
        return -(-len(text) // _CHARACTERS_PER_TOKEN)
