"""What is asked in a conversation as clients send it: the last question, and what was said before it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from atoll.errors import BadInput
from atoll.query.question.history import Turn
from gateway.openai.schemas import MessageIn

#: Marks of our own earlier answers, which clients send back: ``[1]``, ``[1, 2]``.
_MARKS = re.compile(r" ?\[\d{1,3}(?:, ?\d{1,3})*\]")
_FILES = re.compile(r"<attached_files>.*?</attached_files>", re.DOTALL)
#: Open WebUI wraps a question about a file of its own like this; the question itself comes last.
_TASK = "### Task:"
_WRAPPER_ENDS = ("</attached_files>", "</context>")


@dataclass(frozen=True, slots=True)
class Conversation:
    """A question and the turns before it."""

    question: str
    history: tuple[Turn, ...]


def conversation(messages: Sequence[MessageIn], field: str = "messages") -> Conversation:
    """Return what is asked; ``field`` is what the body calls its messages.

    The question is the last message of a user; what tools and systems say is left out: only documents are evidence.

    Raises:
        BadInput: nobody asks anything, or the question comes with a picture or a file.
    """
    last = max((at for at, message in enumerate(messages) if message.role == "user"), default=None)
    if last is None:
        raise BadInput(f"body.{field}: no message has the role user; the last one that has is the question")
    _check_parts(messages[last], f"body.{field}.{last}.content")
    question = unwrapped(text_of(messages[last]))
    if not question:
        raise BadInput(f"body.{field}.{last}.content: holds no text; ask a question in words")
    return Conversation(question, tuple(_turns(messages[:last])))


def text_of(message: MessageIn) -> str:
    """Return the text of a message, its parts joined."""
    if message.content is None or isinstance(message.content, str):
        return message.content or ""
    return "\n".join(part.text for part in message.content if part.text is not None)


def unwrapped(text: str) -> str:
    """Return a user's own words without what a client put around them."""
    text = text.strip()
    if text.startswith(_TASK) and (ends := [at + len(mark) for mark in _WRAPPER_ENDS if (at := text.rfind(mark)) >= 0]):
        return text[max(ends) :].strip()
    return _FILES.sub("", text).strip()


def _check_parts(message: MessageIn, where: str) -> None:
    parts = message.content if isinstance(message.content, list) else []
    other = next((part.type for part in parts if part.type not in {"text", "input_text"}), None)
    if other is not None:
        raise BadInput(f"{where}: a question is text; {other[:32]} is not read here, upload it as a document")


def _turns(messages: Sequence[MessageIn]) -> list[Turn]:
    turns = []
    for message in messages:
        if message.role == "user" and (asked := unwrapped(text_of(message))):
            turns.append(Turn("user", asked))
        elif message.role == "assistant" and (said := _MARKS.sub("", text_of(message)).strip()):
            turns.append(Turn("assistant", said))
    return turns
