"""Prompts: constant instructions first, then evidence as data between random delimiters, then the question."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from string import Template
from typing import Literal

from atoll.domain.evidence import Evidence
from atoll.ports.chat import ChatMessage
from atoll.query.question.history import Turn

PromptName = Literal["answer", "evidence", "standalone", "bypass"]

#: What a model replies when the evidence holds no answer, as the prompt ``answer`` tells it.
NOT_IN_DOCUMENTS = "NOT IN THE DOCUMENTS"
#: Tokens around a text in the prompt, by estimate: its number, document name and page.
TOKENS_AROUND_TEXT = 40

_LONGEST_NAME = 80


@cache
def prompt_text(name: PromptName) -> str:
    """Return a prompt of the package as it is written in its file."""
    return files("atoll").joinpath("prompts", f"{name}.txt").read_text(encoding="utf-8").strip()


def answer_messages(question: str, evidence: Sequence[Evidence], texts: Sequence[str]) -> list[ChatMessage]:
    """Return the messages that ask for an answer; text ``i`` belongs to evidence ``i`` and is numbered from 1.

    The delimiter is random for each prompt, so that no document can close the quotation.
    """
    excerpts = "\n\n".join(
        f"[{number}] {entry.document[:_LONGEST_NAME]!r}, page {entry.page}:\n{text}"
        for number, (entry, text) in enumerate(zip(evidence, texts, strict=False), start=1)
    )
    asked = Template(prompt_text("evidence")).substitute(
        delimiter=secrets.token_hex(8), excerpts=excerpts, question=question
    )
    # the constant part goes first: servers keep what they have read of a prefix
    return [ChatMessage("system", prompt_text("answer")), ChatMessage("user", asked)]


def standalone_messages(question: str, history: Sequence[Turn]) -> list[ChatMessage]:
    """Return the messages that ask to rewrite a follow-up question."""
    delimiter = secrets.token_hex(8)
    turns = "\n".join(f"{turn.role}: {turn.content}" for turn in history)
    quoted = f"BEGIN {delimiter}\n{turns}\nEND {delimiter}\n\nLast question: {question}"
    return [ChatMessage("system", prompt_text("standalone")), ChatMessage("user", quoted)]


def bypass_messages(question: str, history: Sequence[Turn]) -> list[ChatMessage]:
    """Return the messages of a conversation that uses no documents."""
    turns = [ChatMessage(turn.role, turn.content) for turn in history]
    return [ChatMessage("system", prompt_text("bypass")), *turns, ChatMessage("user", question)]
