"""The API of responses: text in, annotated text out, events in their order, nothing kept."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from atoll.adapters.memory.chat import MemoryChat
from atoll.errors import DependencyDown
from tests.unit.gateway.conftest import Site
from tests.unit.gateway.openai.conftest import MODEL, QUESTION, error_of

RESPONSES = "/v1/responses"
#: What a client of the API reads of a response without looking whether it is there.
FIELDS = {
    "id", "object", "created_at", "status", "error", "incomplete_details", "instructions", "metadata", "model", "output",
    "parallel_tool_calls", "temperature", "tool_choice", "tools", "top_p", "usage", "text", "store",
}  # fmt: skip


def body(asked: Any = QUESTION, **more: Any) -> dict[str, Any]:
    return {"model": MODEL, "input": asked, **more}


def events(text: str) -> list[tuple[str, dict[str, Any]]]:
    found = []
    for block in text.removesuffix("\n\n").split("\n\n"):
        name, data = block.split("\n")
        told = json.loads(data.removeprefix("data: "))
        assert told["type"] == name.removeprefix("event: ")
        found.append((told["type"], told))
    assert [told["sequence_number"] for _, told in found] == list(range(len(found)))
    return found


async def test_an_answer_is_annotated_text(asked: httpx.AsyncClient) -> None:
    answer = (await asked.post(RESPONSES, json=body(store=True, tools=[{"type": "web_search"}], include=["x"]))).json()
    assert set(answer) >= FIELDS
    assert (answer["object"], answer["status"], answer["store"]) == ("response", "completed", False)
    message = answer["output"][0]
    assert (message["type"], message["role"], message["status"]) == ("message", "assistant", "completed")
    part = message["content"][0]
    assert (part["type"], "1902" in part["text"]) == ("output_text", True)
    cited = part["annotations"][0]
    assert set(cited) == {"type", "start_index", "end_index", "url", "title"}
    assert part["text"][cited["start_index"] : cited["end_index"]] == "[1]"
    usage = answer["usage"]
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
    assert answer["sources"][0]["metadata"][0]["document"] == "harbour.txt"
    error_of(await asked.get(f"{RESPONSES}/{answer['id']}"), 404)


async def test_events_come_in_their_order(asked: httpx.AsyncClient) -> None:
    streamed = await asked.post(RESPONSES, json=body(stream=True))
    found = events(streamed.text)
    names = [name for name, _ in found]
    deltas = names.count("response.output_text.delta")
    assert deltas >= 1
    assert names == [
        "response.created", "response.in_progress", "response.output_item.added", "response.content_part.added",
        *["response.output_text.delta"] * deltas, "response.output_text.annotation.added",
        "response.output_text.done", "response.content_part.done", "response.output_item.done", "response.completed",
    ]  # fmt: skip
    told = dict(found)
    text = "".join(each["delta"] for name, each in found if name == "response.output_text.delta")
    assert text == told["response.output_text.done"]["text"]
    whole = told["response.completed"]["response"]
    assert set(whole) >= FIELDS
    assert whole["output"][0]["content"][0] == told["response.content_part.done"]["part"]
    items = {each["item_id"] for _, each in found if "item_id" in each}
    assert items == {told["response.output_item.added"]["item"]["id"]}
    assert told["response.created"]["response"]["status"] == "in_progress"


async def test_what_is_too_long_is_incomplete(asked: httpx.AsyncClient) -> None:
    answer = (await asked.post(RESPONSES, json=body(max_output_tokens=5))).json()
    assert (answer["status"], answer["incomplete_details"]) == ("incomplete", {"reason": "max_output_tokens"})
    assert answer["output"][0]["content"][0]["text"] == "The harbour of Lindv"
    name, last = events((await asked.post(RESPONSES, json=body(max_output_tokens=5, stream=True))).text)[-1]
    assert (name, last["response"]["status"]) == ("response.incomplete", "incomplete")


async def test_a_conversation_is_taken_from_the_input(site: Site, asked: httpx.AsyncClient) -> None:
    chat = site.house.ask._chat = MemoryChat("When was the lighthouse built?", "It stands since 1911 [1].")
    turns = [
        {"role": "developer", "content": "Be short."},
        {"role": "user", "content": [{"type": "input_text", "text": QUESTION}]},
        {"type": "reasoning", "summary": []},
        {"type": "item_reference", "id": "msg_1"},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "In 1902. [1]"}]},
        {"role": "user", "content": "And the lighthouse?"},
    ]
    answer = await asked.post(RESPONSES, json=body(turns, instructions="Answer like a pirate."))
    assert answer.status_code == 200, answer.text
    told = chat.asked[0][-1].content
    assert "assistant: In 1902.\n" in told
    assert not [word for word in ("pirate", "Be short", "[1]") if word in told]


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"previous_response_id": "resp_1"}, "previous_response_id"),
        ({"conversation": {"id": "conv_1"}}, "conversation"),
        ({"background": True}, "background"),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"text": {"format": {"type": "json_schema", "name": "x", "schema": {}}}}, "text.format"),
        ({"input": [{"role": "user", "content": [{"type": "input_image", "image_url": "data:"}]}]}, "input.0.content"),
        ({"input": []}, "input"),
        ({"input": 5}, "input"),
        ({"max_output_tokens": 0}, "max_output_tokens"),
    ],
)
async def test_what_cannot_be_had_is_refused(asked: httpx.AsyncClient, change: dict[str, Any], param: str) -> None:
    error = error_of(await asked.post(RESPONSES, json={**body(), **change}), 400)
    assert (error["param"], error["type"]) == (param, "invalid_request_error")


async def test_a_stream_that_breaks_ends_with_an_error(site: Site, asked: httpx.AsyncClient) -> None:
    said = "The harbour of Lindvik was built in 1902 by Ada Lind [1]. The harbour of Lindvik was built"
    site.house.ask._chat = MemoryChat((said, DependencyDown("gone")), piece=20)
    name, last = events((await asked.post(RESPONSES, json=body(stream=True))).text)[-1]
    assert (name, last["code"], last["error"]["code"]) == ("error", "dependency_down", "dependency_down")
    assert "broke off" in last["message"]
