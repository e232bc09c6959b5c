"""Chat completions that are not streamed."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from atoll.adapters.memory.chat import MemoryChat
from atoll.domain.principal import Role
from atoll.errors import DependencyDown, IndexMissing
from atoll.query.service import EvidenceFound
from gateway.openai.runs import Runs
from tests.unit.gateway.conftest import Site, upload
from tests.unit.gateway.openai.conftest import CHAT, QUESTION, body, error_of


async def test_an_answer_is_cited(asked: httpx.AsyncClient) -> None:
    answer = (await asked.post(CHAT, json=body())).json()
    assert (answer["object"], answer["model"]) == ("chat.completion", "atoll/main/naive")
    assert answer["id"].startswith("chatcmpl-")
    choice = answer["choices"][0]
    assert (choice["index"], choice["finish_reason"], choice["message"]["role"]) == (0, "stop", "assistant")
    text = choice["message"]["content"]
    assert "1902" in text
    cited = choice["message"]["annotations"][0]
    assert cited["type"] == "url_citation"
    mark = cited["url_citation"]
    assert text[mark["start_index"] : mark["end_index"]] == "[1]"
    assert mark["title"] == "harbour.txt, page 1"
    assert mark["url"].startswith("http://testserver/v1/kbs/main/documents/")
    assert "token=" in mark["url"]
    usage = answer["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"] > 0
    assert answer["atoll"]["answered_by"] == "extract"
    assert answer["atoll"]["answer"] == text


async def test_each_citation_is_a_source_of_its_own(site: Site, asked: httpx.AsyncClient) -> None:
    # Open WebUI counts distinct values of metadata.source: two passages of one document must not share one.
    await upload(
        asked,
        "https notes.txt",
        "Ada Lind was a captain.\n\n" + "Filler sentence here. " * 60 + "\n\nAda Lind kept bees.",
    )
    await site.work()
    site.house.ask._chat = MemoryChat("Ada Lind was a captain [1]. Ada Lind kept bees [2]. It was built in 1902 [3].")
    answer = (await asked.post(CHAT, json=body("Ada Lind captain bees"))).json()
    values = [source["metadata"][0]["source"] for source in answer["sources"]]
    assert len(values) == len(set(values)) == len(answer["atoll"]["citations"]) >= 1
    for number, (source, citation) in enumerate(zip(answer["sources"], answer["atoll"]["citations"], strict=True), 1):
        about, cited = source["metadata"][0], citation["evidence"]
        assert citation["n"] == number
        assert not about["source"].startswith("http"), "the page would ask a search engine for an icon"
        assert about["source"].endswith(f"#p{cited['page']}-{number}")
        assert (about["page"] + 1, about["passage_id"]) == (cited["page"], cited["passage_id"])
        assert source["document"] == [cited["text"]]
        assert set(source) == {"source", "document", "metadata", "distances"}


async def test_a_refusal_is_an_answer(asked: httpx.AsyncClient) -> None:
    answer = (await asked.post(CHAT, json=body("Quantum chromodynamics lattice gauge?"))).json()
    assert answer["choices"][0]["finish_reason"] == "stop"
    assert "say nothing" in answer["choices"][0]["message"]["content"]
    assert (answer["sources"], answer["choices"][0]["message"]["annotations"]) == ([], [])
    assert answer["atoll"]["refusal"]["reason"] == "not_found"


ACCEPTED: dict[str, Any] = {
    "tools": [{"type": "function", "function": {"name": f"t{n}", "parameters": {"type": "object"}}} for n in range(128)],
    "tool_choice": "auto", "parallel_tool_calls": True, "temperature": 0.1, "top_p": 0.5, "n": 1, "seed": 7,
    "stop": ["END"], "user": "somebody", "stream_options": {"include_usage": True}, "logprobs": False,
    "response_format": {"type": "text"}, "frequency_penalty": 0, "metadata": {"chat_id": "1"}, "unheard_of": [{}],
    "stream": None, "max_tokens": None,
}  # fmt: skip


async def test_what_clients_send_by_themselves_is_accepted(asked: httpx.AsyncClient) -> None:
    answer = await asked.post(CHAT, json=body(**ACCEPTED))
    assert answer.status_code == 200, answer.text
    assert "1902" in answer.json()["choices"][0]["message"]["content"]
    assert (await asked.post(CHAT, json=body(tool_choice="none"))).status_code == 200


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"tool_choice": "required"}, "tool_choice"),
        ({"tool_choice": {"type": "function", "function": {"name": "final_result"}}}, "tool_choice"),
        ({"response_format": {"type": "json_object"}}, "response_format"),
        ({"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": {}}}}, "response_format"),
        ({"n": 2}, "n"),
        ({"logprobs": True}, "logprobs"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"messages": []}, "messages"),
        ({"messages": "hello"}, "messages"),
        ({"messages": [{"role": "user", "content": 5}]}, "messages.0.content"),
        ({"messages": [{"role": "wizard", "content": "x"}]}, "messages.0.role"),
        ({"messages": [{"role": "system", "content": "x"}]}, "messages"),
        ({"messages": [{"role": "user", "content": None}]}, "messages.0.content"),
        ({"stream": "yes"}, "stream"),
        ({"temperature": "hot"}, "temperature"),
        ({"model": 5}, "model"),
    ],
)
async def test_what_would_change_the_answers_form_is_refused(
    asked: httpx.AsyncClient, change: dict[str, Any], param: str
) -> None:
    error = error_of(await asked.post(CHAT, json=body(**change)), 400)
    assert (error["type"], error["param"]) == ("invalid_request_error", param)
    assert error["message"].startswith(f"{param}: ")


async def test_an_answer_is_as_long_as_it_may_be(site: Site, asked: httpx.AsyncClient) -> None:
    for name in ("max_tokens", "max_completion_tokens"):
        choice = (await asked.post(CHAT, json=body(**{name: 5}))).json()["choices"][0]
        assert (choice["finish_reason"], choice["message"]["content"]) == ("length", "The harbour of Lindv")
    written = "The harbour of Lindvik was built in 1902 [1]. " * 20
    site.house.ask._chat = MemoryChat(written, cut=True)
    choice = (await asked.post(CHAT, json=body(max_tokens=30))).json()["choices"][0]
    assert choice["finish_reason"] == "length"
    assert len(choice["message"]["content"]) <= 120


async def test_the_question_is_the_last_of_a_conversation(site: Site, asked: httpx.AsyncClient) -> None:
    chat = site.house.ask._chat = MemoryChat("When was the lighthouse built?", "It stands since 1911 [1].")
    messages = [
        {"role": "system", "content": "Answer like a pirate."},
        {"role": "user", "content": QUESTION},
        {"role": "assistant", "content": "The harbour of Lindvik was built in 1902. [1] It is large [2, 3]."},
        {"role": "assistant", "content": None, "tool_calls": [{"id": "1", "type": "function", "function": {}}]},
        {"role": "tool", "content": "tool result", "tool_call_id": "1"},
        {
            "role": "user",
            "content": [{"type": "text", "text": "And the lighthouse"}, {"type": "text", "text": "there?"}],
        },
    ]
    answer = await asked.post(CHAT, json=body(messages=messages))
    assert answer.status_code == 200, answer.text
    told = chat.asked[0][-1].content
    assert "And the lighthouse\nthere?" in told
    assert "assistant: The harbour of Lindvik was built in 1902. It is large." in told
    assert not [word for word in ("pirate", "tool result", "[1]", "[2") if word in told]


async def test_two_hundred_turns_are_a_history(asked: httpx.AsyncClient) -> None:
    turns = [
        {"role": role, "content": "Something about boats. " * 40} for _ in range(100) for role in ("user", "assistant")
    ]
    answer = await asked.post(CHAT, json=body(messages=[*turns, {"role": "user", "content": QUESTION}]))
    assert answer.status_code == 200, answer.text


WRAPPED = """### Task:
Respond to the user query using the provided context.
<context>
<source id="1" name="notes.txt">Boats of the pilots were painted green.</source>
</context>
<attached_files>
<file name="notes.txt"/>
</attached_files>

When was the harbour of Lindvik built?"""


async def test_what_a_client_wraps_around_a_question_is_taken_off(asked: httpx.AsyncClient) -> None:
    parts = [
        {"type": "text", "text": '<attached_files>\n<file type="image" url="x"/>\n</attached_files>'},
        {"type": "text", "text": QUESTION},
    ]
    without_files = WRAPPED[: WRAPPED.index("<attached_files>")] + QUESTION
    for content in (WRAPPED, without_files, parts):
        answer = (await asked.post(CHAT, json=body(content, tools=ACCEPTED["tools"]))).json()
        assert answer["atoll"]["understood"].strip() == QUESTION


@pytest.mark.parametrize("kind", ["image_url", "file", "input_audio"])
async def test_a_picture_in_a_question_is_refused_in_words(asked: httpx.AsyncClient, kind: str) -> None:
    parts = [
        {"type": "text", "text": QUESTION},
        {"type": kind, kind: {"url": "data:image/png;base64," + "A" * 2_000_000}},
    ]
    error = error_of(await asked.post(CHAT, json=body(parts)), 400)
    assert kind in error["message"]
    earlier = [{"role": "user", "content": parts}, {"role": "user", "content": QUESTION}]
    assert (await asked.post(CHAT, json=body(messages=earlier))).status_code == 200


async def test_a_body_of_ten_megabytes_is_413_before_it_is_read(asked: httpx.AsyncClient) -> None:
    parts = [{"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 10_000_000}}]
    error = error_of(await asked.post(CHAT, json=body(parts)), 413)
    assert (error["code"], "4 MiB" in error["message"]) == ("request_too_large", True)


async def test_refusals_of_every_kind_are_error_objects(site: Site, asked: httpx.AsyncClient) -> None:
    json_type = {"Content-Type": "application/json"}
    async with site.client() as stranger:
        answer = await stranger.post(CHAT, json=body())
        error = error_of(answer, 401)
        assert (error["type"], error["code"]) == ("authentication_error", "invalid_api_key")
        assert answer.headers["www-authenticate"].startswith("Bearer")
        error_of(await stranger.post(CHAT, json={"model": 5}), 401)
        error_of(await stranger.get("/v1/models", headers={"Host": "evil.example"}), 400)
    error_of(await asked.post(CHAT, json=body(model="atoll/none")), 404)
    error_of(await asked.get("/v1/chat"), 404)
    answer = await asked.get(CHAT)
    error_of(answer, 405)
    assert "POST" in answer.headers["allow"]
    assert error_of(await asked.post(CHAT, content=b"{", headers=json_type), 400)["message"].startswith("body: ")
    for raw in (b"", b"[]", b"\xff", b"[" * 100_000, b'{"model": NaN}'):
        error_of(await asked.post(CHAT, content=raw, headers=json_type), 400)
    error_of(await asked.post(CHAT, content=b"a=b", headers={"Content-Type": "application/x-www-form-urlencoded"}), 400)
    head = await asked.head(CHAT)
    assert (head.status_code, head.content) == (405, b"")
    assert (await asked.get("/v1/chat-rooms")).headers["content-type"] == "application/problem+json"


async def test_text_completions_name_the_setting_to_change(asked: httpx.AsyncClient) -> None:
    error = error_of(await asked.post("/v1/completions", json={"model": "atoll/main", "prompt": "x"}), 404)
    assert "/v1/chat/completions" in error["message"]
    assert "is_chat_model=True" in error["message"]


async def test_what_is_down_says_when_to_come_back_and_what_is_broken_that_it_need_not_be_asked_again(
    site: Site, asked: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    for failure, status, again in (
        (DependencyDown("away", 2.2), 503, None),
        (IndexMissing("broken"), 503, "false"),
        (RuntimeError("inner detail"), 500, "false"),
    ):

        async def failing(_: object, error: Exception = failure) -> Any:
            raise error
            yield

        monkeypatch.setattr(site.house.ask, "stream", failing)
        for streamed in (False, True):
            answer = await asked.post(CHAT, json=body(stream=streamed))
            error = error_of(answer, status)
            assert error["type"] == "server_error"
            assert "inner" not in error["message"]
            assert answer.headers.get("x-should-retry") == again
            if status == 503:
                assert answer.headers["retry-after"].isdecimal()


async def test_a_mode_that_is_not_offered_says_so(asked: httpx.AsyncClient) -> None:
    answer = await asked.post(CHAT, json=body(model="atoll/main/bypass"))
    assert "ATOLL_CHAT__URL" in error_of(answer, 501)["message"]
    assert answer.headers["x-should-retry"] == "false"


async def test_a_slow_model_is_not_waited_for(site: Site, asked: httpx.AsyncClient) -> None:
    class Slow(MemoryChat):
        ended = asyncio.Event()

        async def stream(self, *_: Any, **__: Any) -> Any:
            try:
                await asyncio.sleep(60)
                yield ""
            finally:
                self.ended.set()

    site.house.ask._chat = Slow("")
    for headers in ({"x-stainless-read-timeout": "1"}, {}):
        if not headers:
            object.__setattr__(site.app.state.runtime.ports.limits, "whole_answer_seconds", 0.8)
        Slow.ended.clear()
        async with asyncio.timeout(5):
            answer = (await asked.post(CHAT, json=body(), headers=headers)).json()
            await Slow.ended.wait()
        assert "1902" in answer["choices"][0]["message"]["content"]
        assert [each["type"] for each in answer["atoll"]["warnings"]] == ["answer_late"]
        assert answer["sources"]
    assert not site.app.state.runtime.kept(Runs)._running


async def test_labels_and_knowledge_bases_hold(site: Site, asked: httpx.AsyncClient) -> None:
    await upload(asked, "secret.txt", "The password of the boathouse is swordfish.", labels="staff")
    await site.work()
    question = body("What is the password of the boathouse?")
    assert "swordfish" in (await asked.post(CHAT, json=question)).text
    async with site.client(await site.key(Role.READER, labels={"guests"})) as guest:
        answer = await guest.post(CHAT, json=question)
        assert answer.status_code == 200
        assert "swordfish" not in answer.text
        assert answer.json()["atoll"]["revision"] is None
    async with site.client(await site.key(Role.READER, kbs={"other"})) as narrow:
        error_of(await narrow.post(CHAT, json=question), 404)
    denied = [each for each in (await asked.get("/v1/audit")).json()["events"] if each["action"] == "read.denied"]
    assert [(each["object"], each["result"]) for each in denied] == [("kb main", "NotFound")]


async def test_a_question_asked_again_by_an_sdk_is_counted_once(site: Site, asked: httpx.AsyncClient) -> None:
    async def queries() -> int:
        await site.app.state.runtime.queries.flush()
        usage = (await asked.get("/v1/usage")).json()
        return next(int(kb["queries"]) for kb in usage["kbs"] if kb["name"] == "main")

    for retry in ("0", "1", "2"):
        assert (await asked.post(CHAT, json=body(), headers={"x-stainless-retry-count": retry})).status_code == 200
    assert await queries() == 1
    await asked.post(CHAT, json=body("Where is the lighthouse?"), headers={"x-stainless-retry-count": "1"})
    assert await queries() == 2
    await asked.post(CHAT, json=body())
    assert await queries() == 3


async def test_the_same_question_at_the_same_time_is_answered_once(
    site: Site, asked: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go, stream = 0, asyncio.Event(), site.house.ask.stream

    async def held(request: Any) -> Any:
        nonlocal begun
        begun += 1
        async for event in stream(request):
            yield event
            if isinstance(event, EvidenceFound):
                await go.wait()

    monkeypatch.setattr(site.house.ask, "stream", held)
    first = asyncio.create_task(asked.post(CHAT, json=body()))
    while not begun:
        await asyncio.sleep(0.01)
    second = asyncio.create_task(asked.post(CHAT, json=body(), headers={"x-stainless-retry-count": "1"}))
    await asyncio.sleep(0.2)
    assert begun == 1
    # What is deleted meanwhile must not be told to whoever asks afterwards.
    documents = (await asked.get("/v1/kbs/main/documents")).json()["documents"]
    await asked.delete(f"/v1/kbs/main/documents/{documents[-1]['id']}")
    third = asyncio.create_task(asked.post(CHAT, json=body()))
    await asyncio.sleep(0.2)
    assert begun == 2
    go.set()
    answers = [await each for each in (first, second, third)]
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert "1902" in answers[1].text
    assert "1902" not in answers[2].text
