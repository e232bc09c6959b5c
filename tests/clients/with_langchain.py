"""langchain-openai as its users call it: ``with_langchain.py ADDRESS KEY CHAT`` prints what it got as JSON."""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import openai
from chat_state import until_read
from langchain_openai import ChatOpenAI

HARBOUR = "When was the harbour of Lindvik built?"


def main() -> None:
    model = ChatOpenAI(base_url=f"{sys.argv[1]}/v1", api_key=sys.argv[2], model="atoll/default", max_retries=0)
    found = {case.__name__: case(model) for case in (talk, stream, refusal, before, midway, written, read)}
    print(json.dumps(found))


def talk(model: ChatOpenAI) -> Any:
    first = model.invoke([("user", HARBOUR)])
    second = model.invoke([("user", HARBOUR), first, ("user", "And who built it?")])
    return [first.text, second.text]


def stream(model: ChatOpenAI) -> Any:
    return "".join(chunk.text for chunk in model.stream(HARBOUR))


def refusal(model: ChatOpenAI) -> Any:
    return model.invoke("Quantum chromodynamics lattice gauge?").text


def before(model: ChatOpenAI) -> Any:
    try:
        model.with_structured_output({"title": "T", "type": "object", "properties": {}}).invoke("x")
    except openai.APIError as error:
        return str(error)
    return None


def midway(model: ChatOpenAI) -> Any:
    text = ""
    try:
        for chunk in model.stream(f"{HARBOUR} Break off half-way."):
            text += chunk.text
    except openai.APIError as error:
        return [text, str(error)]
    return [text, None]


def written(model: ChatOpenAI) -> Any:
    chunks = model.stream(f"{HARBOUR} Tell it at length.")
    for chunk in chunks:
        if chunk.text:
            break
    chunks.close()
    return time.time()


def read(model: ChatOpenAI) -> Any:
    chunks = model.stream(f"{HARBOUR} Leave while it is read.")
    next(chunks)
    until_read(sys.argv[3])
    chunks.close()
    return time.time()


main()
