"""LlamaIndex as its users call it: ``with_llama_index.py ADDRESS KEY CHAT`` prints what it got as JSON."""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import openai
from chat_state import until_read
from llama_index.core.llms import ChatMessage
from llama_index.llms.openai_like import OpenAILike

HARBOUR = "When was the harbour of Lindvik built?"


def main() -> None:
    options = {"api_base": f"{sys.argv[1]}/v1", "api_key": sys.argv[2], "model": "atoll/default", "max_retries": 0}
    model = OpenAILike(is_chat_model=True, **options)
    found = {case.__name__: case(model) for case in (talk, cited, stream, refusal, midway, written, read)}
    print(json.dumps({**found, "before": before(OpenAILike(**options))}))


def said(*texts: str) -> list[ChatMessage]:
    roles = ("user", "assistant")
    return [ChatMessage(role=roles[at % 2], content=text) for at, text in enumerate(texts)]


def talk(model: OpenAILike) -> Any:
    first = model.chat(said(HARBOUR)).message.content or ""
    return [first, model.chat(said(HARBOUR, first, "And who built it?")).message.content]


def cited(model: OpenAILike) -> Any:
    raw: Any = model.chat(said(HARBOUR)).raw
    return [mark.url_citation.title for mark in raw.choices[0].message.annotations]


def stream(model: OpenAILike) -> Any:
    return "".join(chunk.delta or "" for chunk in model.stream_chat(said(HARBOUR)))


def refusal(model: OpenAILike) -> Any:
    return model.chat(said("Quantum chromodynamics lattice gauge?")).message.content


def before(model: OpenAILike) -> Any:
    """It asks for the completion of plain text unless it is told that this is a chat model."""
    try:
        model.complete(HARBOUR)
    except openai.APIError as error:
        return str(error)
    return None


def midway(model: OpenAILike) -> Any:
    text = ""
    try:
        for chunk in model.stream_chat(said(f"{HARBOUR} Break off half-way.")):
            text += chunk.delta or ""
    except openai.APIError as error:
        return [text, str(error)]
    return [text, None]


def written(model: OpenAILike) -> Any:
    chunks = model.stream_chat(said(f"{HARBOUR} Tell it at length."))
    for chunk in chunks:
        if chunk.delta:
            break
    chunks.close()
    del chunks
    return time.time()


def read(model: OpenAILike) -> Any:
    chunks = model.stream_chat(said(f"{HARBOUR} Leave while it is read."))
    next(iter(chunks))
    until_read(sys.argv[3])
    chunks.close()
    del chunks
    return time.time()


main()
