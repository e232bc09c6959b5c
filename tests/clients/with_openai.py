"""The openai package as its users call it: ``with_openai.py ADDRESS KEY CHAT`` prints what it got as JSON."""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import openai
from chat_state import until_read

HARBOUR = "When was the harbour of Lindvik built?"


def main() -> None:
    client = openai.OpenAI(base_url=f"{sys.argv[1]}/v1", api_key=sys.argv[2], timeout=30, max_retries=0)
    found = {
        case.__name__: case(client)
        for case in (models, talk, stream, refusal, before, midway, written, read, embeddings, response, events)
    }
    print(json.dumps(found))


def ask(client: openai.OpenAI, *said: str, **more: Any) -> Any:
    roles = ("user", "assistant")
    messages: Any = [{"role": roles[at % 2], "content": text} for at, text in enumerate(said)]
    return client.chat.completions.create(model="atoll/default", messages=messages, **more)


def models(client: openai.OpenAI) -> Any:
    return [client.models.list().data[0].id, client.models.retrieve("atoll/default").id]


def talk(client: openai.OpenAI) -> Any:
    first = ask(client, HARBOUR).choices[0].message
    second = ask(client, HARBOUR, first.content, "And who built it?").choices[0].message
    return [
        {"text": each.content, "cited": [mark.url_citation.title for mark in each.annotations],
         "url": each.annotations[0].url_citation.url}
        for each in (first, second)
    ]  # fmt: skip


def stream(client: openai.OpenAI) -> Any:
    text, sources, annotations = "", [], []
    for chunk in ask(client, HARBOUR, stream=True):
        delta = chunk.choices[0].delta
        text += delta.content or ""
        sources += (chunk.model_extra or {}).get("sources", [])
        annotations += (delta.model_extra or {}).get("annotations", [])
    return {
        "text": text,
        "sources": [each["metadata"][0]["name"] for each in sources],
        "cited": [each["url_citation"]["title"] for each in annotations],
    }


def refusal(client: openai.OpenAI) -> Any:
    return ask(client, "Quantum chromodynamics lattice gauge?").choices[0].message.content


def before(client: openai.OpenAI) -> Any:
    errors = []
    for call in (
        lambda: client.chat.completions.create(model="atoll/none", messages=[{"role": "user", "content": "x"}]),
        lambda: ask(client.with_options(api_key="wrong"), "x"),
        lambda: ask(client, "x", response_format={"type": "json_object"}),
        lambda: client.completions.create(model="atoll/default", prompt="x"),
    ):
        try:
            call()
        except openai.APIStatusError as error:
            errors.append([type(error).__name__, error.code, error.body["message"]])  # type: ignore[index, call-overload]
    return errors


def midway(client: openai.OpenAI) -> Any:
    text = ""
    try:
        for chunk in ask(client, f"{HARBOUR} Break off half-way.", stream=True):
            text += chunk.choices[0].delta.content or ""
    except openai.APIError as error:
        return [text, error.message]
    return [text, None]


def written(client: openai.OpenAI) -> Any:
    with ask(client, f"{HARBOUR} Tell it at length.", stream=True) as chunks:
        for chunk in chunks:
            if chunk.choices[0].delta.content:
                break
    return time.time()


def read(client: openai.OpenAI) -> Any:
    with ask(client, f"{HARBOUR} Leave while it is read.", stream=True) as chunks:
        next(iter(chunks))
        until_read(sys.argv[3])
    return time.time()


def embeddings(client: openai.OpenAI) -> Any:
    rows = client.embeddings.create(model="any", input=["harbour", "boats"]).data
    return [len(row.embedding) for row in rows]


def response(client: openai.OpenAI) -> Any:
    got = client.responses.create(model="atoll/default", input=HARBOUR)
    part = got.output[0].content[0]  # type: ignore[union-attr, index]
    return {"text": got.output_text, "cited": [each.title for each in part.annotations]}  # type: ignore[union-attr]


def events(client: openai.OpenAI) -> Any:
    text, last = "", ""
    for event in client.responses.create(model="atoll/default", input=HARBOUR, stream=True):
        last = event.type
        text += event.delta if event.type == "response.output_text.delta" else ""
    return [text, last]


main()
