"""Turning a follow-up question into one that stands for itself."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from atoll.errors import DependencyDown, ModelReplyInvalid
from atoll.ports.chat import Chat, ChatUsage
from atoll.query.answer.history import Turn
from atoll.query.answer.prompt import standalone_messages

#: A rewrite that takes longer is not waited for: the rule below is nearly as good.
MAX_SECONDS = 10.0
MAX_TOKENS = 128
#: A rewrite may be longer than the question by what it names, not without bound.
MAX_CHARACTERS = 600
#: Questions with more words than this are taken to stand for themselves.
SHORT_QUESTION_WORDS = 6


async def standalone(question: str, history: Sequence[Turn], chat: Chat | None) -> str:
    """Return ``question`` with what it takes from the conversation spelled out; unchanged without a conversation."""
    if not any(turn.role == "user" for turn in history):
        return question
    rewritten = await _rewritten(question, history, chat) if chat else None
    return rewritten or _with_last_question(question, history)


async def _rewritten(question: str, history: Sequence[Turn], chat: Chat) -> str | None:
    try:
        async with asyncio.timeout(MAX_SECONDS):
            stream = chat.stream(standalone_messages(question, history), max_tokens=MAX_TOKENS)
            pieces = [piece async for piece in stream if not isinstance(piece, ChatUsage)]
    except (DependencyDown, ModelReplyInvalid, TimeoutError):
        return None
    lines = "".join(pieces).strip().splitlines()
    if not lines or len(lines[0]) > len(question) + MAX_CHARACTERS:
        return None
    return lines[0].strip()


def _with_last_question(question: str, history: Sequence[Turn]) -> str:
    """Put the previous question before a short one: its words are what "it" and "there" stand for."""
    if len(question.split()) > SHORT_QUESTION_WORDS:
        return question
    previous = next(turn.content for turn in reversed(history) if turn.role == "user")
    return f"{previous}\n{question}"
