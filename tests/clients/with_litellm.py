"""litellm as its users call it: ``with_litellm.py ADDRESS KEY CHAT`` prints what it got as JSON."""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import litellm
from chat_state import until_read

HARBOUR = "When was the harbour of Lindvik built?"


def main() -> None:
    found = {case.__name__: case() for case in (talk, cited, stream, refusal, before, midway, written, read)}
    print(json.dumps(found))


def ask(*said: str, **more: Any) -> Any:
    roles = ("user", "assistant")
    messages = [{"role": roles[at % 2], "content": text} for at, text in enumerate(said)]
    options: Any = {"model": "openai/atoll/default", "api_base": f"{sys.argv[1]}/v1", "api_key": sys.argv[2]}
    return litellm.completion(messages=messages, timeout=30, max_retries=0, **options, **more)


def talk() -> Any:
    first = ask(HARBOUR).choices[0].message.content
    return [first, ask(HARBOUR, first, "And who built it?").choices[0].message.content]


def cited() -> Any:
    return [mark["url_citation"]["title"] for mark in ask(HARBOUR).choices[0].message.annotations]


def stream() -> Any:
    return "".join(chunk.choices[0].delta.content or "" for chunk in ask(HARBOUR, stream=True))


def refusal() -> Any:
    return ask("Quantum chromodynamics lattice gauge?").choices[0].message.content


def before() -> Any:
    try:
        ask(HARBOUR, response_format={"type": "json_object"})
    except litellm.BadRequestError as error:
        return str(error)
    return None


def midway() -> Any:
    text = ""
    try:
        for chunk in ask(f"{HARBOUR} Break off half-way.", stream=True):
            text += chunk.choices[0].delta.content or ""
    except Exception as error:  # noqa: BLE001 - it has many types for what it was told by a server
        return [text, str(error)]
    return [text, None]


def written() -> Any:
    chunks = ask(f"{HARBOUR} Tell it at length.", stream=True)
    for chunk in chunks:
        if chunk.choices[0].delta.content:
            break
    chunks.completion_stream.close()
    return time.time()


def read() -> Any:
    chunks = ask(f"{HARBOUR} Leave while it is read.", stream=True)
    until_read(sys.argv[3])
    chunks.completion_stream.close()
    return time.time()


main()
