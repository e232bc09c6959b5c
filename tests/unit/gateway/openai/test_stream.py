"""Chat completions as streams: what stands on the wire, in which order, and what ends it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from atoll.adapters.memory.chat import MemoryChat
from atoll.errors import DependencyDown
from atoll.query.service import EvidenceFound
from gateway.openai import routes, telling
from gateway.openai.runs import Runs
from tests.unit.gateway.conftest import Site
from tests.unit.gateway.openai.conftest import CHAT, body, chunks, error_of

SDK = {"x-stainless-lang": "python"}


async def streamed(client: httpx.AsyncClient, *, headers: dict[str, str] | None = None, **more: Any) -> str:
    answer = await client.post(CHAT, json=body(**{"stream": True, **more}), headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["x-accel-buffering"] == "no"
    return answer.text


def text_of(found: list[dict[str, Any]]) -> str:
    return "".join(each["choices"][0]["delta"].get("content", "") for each in found if each["choices"])


async def test_the_shape_of_a_stream(asked: httpx.AsyncClient) -> None:
    found = chunks(await streamed(asked))
    assert all(len(each["choices"]) == 1 for each in found), "clients raise at a chunk without a choice"
    assert {each["object"] for each in found} == {"chat.completion.chunk"}
    assert len({(each["id"], each["created"], each["model"]) for each in found}) == 1
    assert found[0]["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    ends = [each["choices"][0]["finish_reason"] for each in found]
    assert ends == [None] * (len(found) - 1) + ["stop"]
    whole = (await asked.post(CHAT, json=body())).json()
    assert text_of(found) == whole["choices"][0]["message"]["content"]
    carrier = next(each for each in found if "sources" in each)
    assert carrier["choices"][0]["delta"] == {}
    assert [each["metadata"] for each in carrier["sources"]] == [each["metadata"] for each in whole["sources"]]
    assert carrier["atoll"]["citations"] == whole["atoll"]["citations"]
    assert sum("sources" in each for each in found) == 1


async def test_usage_is_told_to_those_who_ask(asked: httpx.AsyncClient) -> None:
    found = chunks(await streamed(asked, stream_options={"include_usage": True}))
    assert found[-1]["choices"] == []
    assert found[-1]["usage"]["total_tokens"] > 0
    assert found[-2]["choices"][0]["finish_reason"] == "stop"


@pytest.mark.parametrize(
    ("headers", "told"),
    [
        (SDK, True),
        ({"User-Agent": "ai/7.0.173 ai-sdk/openai-compatible/3.0.92"}, True),
        ({"User-Agent": "Python/3.11 aiohttp/3.14"}, False),
        ({**SDK, "X-OpenWebUI-User-Id": "1"}, False),
    ],
)
async def test_annotations_go_to_sdks_only(asked: httpx.AsyncClient, headers: dict[str, str], told: bool) -> None:
    # The page of Open WebUI asks a search engine for the icon of each annotated address.
    found = chunks(await streamed(asked, headers=headers))
    carrier = next(each for each in found if "sources" in each)
    annotated = carrier["choices"][0]["delta"].get("annotations", [])
    assert bool(annotated) is told
    if told:
        mark = annotated[0]["url_citation"]
        assert text_of(found)[mark["start_index"] : mark["end_index"]] == "[1]"


async def test_text_is_never_taken_back(site: Site, asked: httpx.AsyncClient) -> None:
    site.house.ask._chat = MemoryChat("The harbour of Lindvik was built in 1902 by Ada Lind [1]. ")
    found = chunks(await streamed(asked))
    assert text_of(found).strip() == "The harbour of Lindvik was built in 1902 by Ada Lind [1]."
    assert next(each for each in found if "atoll" in each)["atoll"]["answered_by"] == "generate"
    site.house.ask._chat = MemoryChat(DependencyDown("the chat server is away"))
    found = chunks(await streamed(asked))
    assert "1902" in text_of(found)
    told = next(each for each in found if "atoll" in each)["atoll"]
    assert (told["answered_by"], told["usage"]) == ("extract", {"generation_failed": 1})


async def test_a_stream_is_cut_where_it_may_be_no_longer(asked: httpx.AsyncClient) -> None:
    found = chunks(await streamed(asked, max_tokens=5, headers=SDK))
    assert text_of(found) == "The harbour of Lindv"
    assert found[-1]["choices"][0]["finish_reason"] == "length"
    assert "annotations" not in found[-2]["choices"][0]["delta"], "no mark is left to annotate"


def broken(text: str) -> dict[str, Any]:
    """The error at the end of a stream that has no end mark."""
    blocks = text.removesuffix("\n\n").split("\n\n")
    last: dict[str, Any] = json.loads(blocks[-1].removeprefix("data: "))
    assert set(last) == {"error"}
    assert "[DONE]" not in text
    assert not [block for block in blocks if '"finish_reason":"stop"' in block]
    return last["error"]  # type: ignore[no-any-return]


async def test_a_model_that_breaks_off_half_way_ends_the_stream_with_an_error(
    site: Site, asked: httpx.AsyncClient
) -> None:
    said = "The harbour of Lindvik was built in 1902 by Ada Lind [1]. The harbour of Lindvik was built"
    site.house.ask._chat = MemoryChat((said, DependencyDown("gone")), piece=20)
    error = broken(await streamed(asked))
    assert (error["type"], error["code"]) == ("server_error", "dependency_down")
    assert "broke off" in error["message"]


@pytest.mark.parametrize("failure", [DependencyDown("the index is away"), RuntimeError("inner detail")])
async def test_what_fails_after_the_first_byte_is_an_error_in_the_stream(
    site: Site, asked: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    async def breaking(_: object) -> AsyncIterator[object]:
        yield EvidenceFound((), 3)
        await asyncio.sleep(0.05)
        raise failure

    monkeypatch.setattr(site.house.ask, "stream", breaking)
    error = broken(await streamed(asked))
    assert error["type"] == "server_error"
    assert "inner" not in error["message"]


async def test_a_stream_begins_while_the_documents_are_searched(
    site: Site, asked: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = site.house.ask.stream

    async def slow(request: Any) -> AsyncIterator[object]:
        await asyncio.sleep(0.6)
        async for event in stream(request):
            yield event

    monkeypatch.setattr(site.house.ask, "stream", slow)
    monkeypatch.setattr(routes, "_FIRST_BYTE_SECONDS", 0.05)
    monkeypatch.setattr(telling, "HEARTBEAT_SECONDS", 0.1)
    text = await streamed(asked)
    blocks = text.split("\n\n")
    assert '"role":"assistant"' in blocks[0]
    assert blocks[1] == ": keep-alive"
    assert "1902" in text_of(chunks(text))
    assert routes._FIRST_BYTE_SECONDS < 2


class Endless(MemoryChat):
    """Says one sentence, if it is given one, and then nothing."""

    def __init__(self, said: str = "") -> None:
        super().__init__("")
        self.said = said
        self.began, self.ended = asyncio.Event(), asyncio.Event()

    async def stream(self, *_: Any, **__: Any) -> Any:
        try:
            self.began.set()
            if self.said:
                yield self.said
            await asyncio.sleep(60)
        finally:
            self.ended.set()


async def test_an_answer_has_a_hard_limit(site: Site, asked: httpx.AsyncClient) -> None:
    object.__setattr__(site.app.state.runtime.ports.limits, "answer_seconds", 0.5)
    endless = site.house.ask._chat = Endless()
    found = chunks(await streamed(asked))
    assert "1902" in text_of(found), "no word of the model was shown: the documents' are the answer"
    assert next(each for each in found if "atoll" in each)["atoll"]["warnings"][0]["type"] == "answer_late"
    assert endless.ended.is_set()
    site.house.ask._chat = Endless("The harbour of Lindvik was built in 1902 by Ada Lind [1]. The")
    assert "ATOLL_GATEWAY__ANSWER_SECONDS" in broken(await streamed(asked))["message"]
    assert site.house.ask._chat.ended.is_set()


@pytest.mark.parametrize("is_streamed", [True, False])
@pytest.mark.parametrize("said", ["", "The harbour of Lindvik was built in 1902 by Ada Lind [1]. The"])
async def test_the_model_is_free_when_the_client_has_gone(
    site: Site, asked: httpx.AsyncClient, is_streamed: bool, said: str
) -> None:
    endless = site.house.ask._chat = Endless(said)
    leave, sent = asyncio.Event(), []
    content = [json.dumps(body(stream=is_streamed)).encode()]

    async def receive() -> dict[str, Any]:
        if content:
            return {"type": "http.request", "body": content.pop(), "more_body": False}
        await leave.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    headers = {"host": "testserver", "content-type": "application/json", "content-length": str(len(content[0]))}
    scope = {
        "type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "http_version": "1.1", "method": "POST",
        "scheme": "http", "path": CHAT, "raw_path": CHAT.encode(), "query_string": b"", "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()]
        + [(b"authorization", asked.headers["authorization"].encode())],
        "client": ("192.0.2.7", 1234), "server": ("testserver", 80),
    }  # fmt: skip
    serving = asyncio.create_task(site.app(scope, receive, send))
    async with asyncio.timeout(5):
        await endless.began.wait()
        await asyncio.sleep(0.05)
        leave.set()
        await endless.ended.wait()
        await serving
    assert not site.app.state.runtime.kept(Runs)._running
    statuses = [message["status"] for message in sent if message["type"] == "http.response.start"]
    assert statuses == [200 if is_streamed else 499]


async def test_a_stream_of_a_question_that_cannot_be_asked_is_an_ordinary_error(asked: httpx.AsyncClient) -> None:
    error_of(await asked.post(CHAT, json=body("x" * 9000, stream=True)), 400)
    error_of(await asked.post(CHAT, json=body(stream=True, model="atoll/none")), 404)
