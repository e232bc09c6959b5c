"""Haystack as its users call it: ``with_haystack.py ADDRESS KEY CHAT`` prints what it got as JSON."""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import openai
from chat_state import until_read
from haystack.components.generators.chat import OpenAIChatGenerator
from haystack.dataclasses import ChatMessage
from haystack.utils import Secret

HARBOUR = "When was the harbour of Lindvik built?"


def main() -> None:
    found = {case.__name__: case() for case in (talk, stream, refusal, before, midway, written, read)}
    print(json.dumps(found))


def ask(*said: str, told: Any = None, **more: Any) -> str:
    makes = (ChatMessage.from_user, ChatMessage.from_assistant)
    messages = [makes[at % 2](text) for at, text in enumerate(said)]
    generator = OpenAIChatGenerator(
        api_base_url=f"{sys.argv[1]}/v1", api_key=Secret.from_token(sys.argv[2]), model="atoll/default",
        max_retries=0, generation_kwargs=more, streaming_callback=told,
    )  # fmt: skip
    return generator.run(messages)["replies"][0].text or ""


def talk() -> Any:
    first = ask(HARBOUR)
    return [first, ask(HARBOUR, first, "And who built it?")]


def stream() -> Any:
    texts: list[str] = []
    ask(HARBOUR, told=lambda chunk: texts.append(chunk.content))
    return "".join(texts)


def refusal() -> Any:
    return ask("Quantum chromodynamics lattice gauge?")


def before() -> Any:
    try:
        ask(HARBOUR, tool_choice="required", tools=[])
    except openai.APIError as error:
        return str(error)
    return None


def midway() -> Any:
    texts: list[str] = []
    try:
        ask(f"{HARBOUR} Break off half-way.", told=lambda chunk: texts.append(chunk.content))
    except openai.APIError as error:
        return ["".join(texts), str(error)]
    return ["".join(texts), None]


class Enough(Exception):
    """Raised by who was told enough: the one way to leave its stream."""


def leave(question: str, *, after_text: bool) -> float:
    def told(chunk: Any) -> None:
        if not after_text:
            until_read(sys.argv[3])
        if chunk.content or not after_text:
            raise Enough

    try:
        ask(question, told=told)
    except Enough as enough:
        enough.__traceback__ = None  # holds the stream, which closes when nobody does
    return time.time()


def written() -> Any:
    return leave(f"{HARBOUR} Tell it at length.", after_text=True)


def read() -> Any:
    return leave(f"{HARBOUR} Leave while it is read.", after_text=False)


main()
