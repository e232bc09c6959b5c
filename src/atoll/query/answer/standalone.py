"""Turning a follow-up question into one that stands for itself, by the chat model."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from atoll.errors import DependencyDown, ModelReplyInvalid
from atoll.ports.chat import Chat
from atoll.query.answer.prompt import standalone_messages
from atoll.query.question.history import Turn

#: A rewrite that takes longer is not waited for: what is carried on without a model is nearly as good.
MAX_SECONDS = 10.0
MAX_TOKENS = 128
#: A rewrite may be longer than the question by what it names, not without bound.
MAX_CHARACTERS = 600


async def standalone(question: str, history: Sequence[Turn], chat: Chat) -> str | None:
    """Return ``question`` with what it takes from the conversation spelled out, or None when the model cannot say."""
    try:
        async with asyncio.timeout(MAX_SECONDS):
            stream = chat.stream(standalone_messages(question, history), max_tokens=MAX_TOKENS)
            pieces = [piece async for piece in stream if isinstance(piece, str)]
    except (DependencyDown, ModelReplyInvalid, TimeoutError):
        return None
    lines = "".join(pieces).strip().splitlines()
    if not lines or len(lines[0]) > len(question) + MAX_CHARACTERS:
        return None
    return lines[0].strip()
