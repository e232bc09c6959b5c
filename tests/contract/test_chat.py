"""Every `Chat` streams, counts and fails in the same way: the twin, and the real client against a real server."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from atoll.adapters.memory.chat import MemoryChat
from atoll.adapters.openai_chat import OpenAIChat
from atoll.errors import DependencyDown, ModelReplyInvalid
from atoll.ports.chat import ChatCut, ChatMessage, ChatUsage

MESSAGES = [ChatMessage("system", "Be brief."), ChatMessage("user", "What is 2 + 2?")]
ANSWER = "It is 4. Ünïcode is fine."


def event(content: str) -> bytes:
    return f"data: {json.dumps({'choices': [{'index': 0, 'delta': {'content': content}}]})}\n\n".encode()


USAGE = b'data: {"choices": [], "usage": {"prompt_tokens": 17, "completion_tokens": 9}}\n\n'
END = b"data: [DONE]\n\n"


class Server:
    """A tiny chat server that answers each connection with the next of its scripts; it keeps what it was sent."""

    def __init__(self) -> None:
        self.scripts: list[bytes | Callable[[asyncio.StreamWriter], object]] = []
        self.tokenize: Callable[[dict], tuple[int, dict]] = lambda body: (404, {})
        self.requests: list[tuple[str, dict[str, str], dict]] = []
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = dict(line.lower().split(": ", 1) for line in head[1:] if ": " in line)
            body = json.loads(await reader.readexactly(int(headers.get("content-length", 0))))
            path = head[0].split()[1]
            self.requests.append((path, headers, body))
            if path == "/tokenize":
                status, reply = self.tokenize(body)
                text = json.dumps(reply).encode()
                writer.write(
                    f"HTTP/1.1 {status} X\r\nContent-Length: {len(text)}\r\nConnection: close\r\n\r\n".encode() + text
                )
            else:
                script = self.scripts.pop(0) if len(self.scripts) > 1 else self.scripts[0]
                if isinstance(script, bytes):
                    writer.write(script)
                else:
                    await script(writer)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client gave up, as some tests want it to
        finally:
            writer.close()


def streamed(*events: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n" + b"".join(events)


def refused(status: int, extra: str = "", body: bytes = b'{"error": {"message": "no"}}') -> bytes:
    return f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n{extra}\r\n".encode() + body


@asynccontextmanager
async def serving() -> AsyncIterator[Server]:
    server = Server()
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    try:
        yield server
    finally:
        listener.close()
        await listener.wait_closed()


@asynccontextmanager
async def connected(*scripts, timeout_seconds: float = 10.0) -> AsyncIterator[tuple[OpenAIChat, Server]]:
    async with serving() as server:
        server.scripts = list(scripts)
        chat = OpenAIChat(url=f"{server.url}/v1", model="m", api_key="secret", timeout_seconds=timeout_seconds)
        try:
            yield chat, server
        finally:
            await chat.aclose()


async def said(chat, max_tokens: int = 50) -> tuple[str, list[ChatUsage]]:
    pieces = [piece async for piece in chat.stream(MESSAGES, max_tokens=max_tokens)]
    return "".join(p for p in pieces if isinstance(p, str)), [p for p in pieces if isinstance(p, ChatUsage)]


@pytest.fixture(params=["twin", "http"])
async def answering(request):
    if request.param == "twin":
        yield MemoryChat(ANSWER)
        return
    async with connected(streamed(*map(event, ANSWER), USAGE, END)) as (chat, _):
        yield chat


@pytest.fixture(params=["twin", "http"])
async def breaking_off(request):
    if request.param == "twin":
        yield MemoryChat(("It is", DependencyDown("broke off")))
        return
    async with connected(streamed(event("It is"), b'data: {"error": {"message": "out of memory"}}\n\n')) as (chat, _):
        yield chat


async def test_an_answer_comes_in_pieces_and_ends_with_its_usage(answering):
    pieces = [piece async for piece in answering.stream(MESSAGES, max_tokens=50)]
    assert "".join(pieces[:-1]) == ANSWER
    assert len(pieces) > 3
    assert pieces[-1].prompt_tokens > 0
    assert pieces[-1].completion_tokens > 0


async def test_counting_errs_high_without_a_tokenizer(answering):
    assert await answering.count_tokens("") == 0
    assert await answering.count_tokens("word " * 100) >= 100


async def test_an_answer_that_breaks_off_is_an_error_after_its_pieces(breaking_off):
    pieces = []

    async def listen() -> None:
        async for piece in breaking_off.stream(MESSAGES, max_tokens=50):
            pieces.append(piece)  # noqa: PERF401 - what came before the error is what is looked at

    with pytest.raises(DependencyDown):
        await listen()
    assert "".join(pieces) == "It is"


async def test_the_request_is_openai_s_and_closes_its_connection():
    async with connected(streamed(event("4"), END)) as (chat, server):
        assert (await said(chat, max_tokens=7))[0] == "4"
    path, headers, body = server.requests[0]
    assert path == "/v1/chat/completions"
    assert headers["connection"] == "close"
    assert headers["authorization"] == "bearer secret"
    assert body["messages"] == [{"role": m.role, "content": m.content} for m in MESSAGES]
    assert (body["model"], body["max_tokens"], body["stream"]) == ("m", 7, True)
    assert body["stream_options"] == {"include_usage": True}
    assert "tools" not in body


async def test_a_server_that_hangs_up_before_the_first_byte_is_asked_once_more():
    async with connected(b"", streamed(event("4"), USAGE, END)) as (chat, server):
        assert await said(chat) == ("4", [ChatUsage(17, 9)])
        assert len(server.requests) == 2
    async with connected(b"") as (chat, server):
        with pytest.raises(DependencyDown, match="away"):
            await said(chat)
        assert len(server.requests) == 2


async def test_a_server_that_is_not_there_is_down():
    async with serving() as server:
        url = server.url
    chat = OpenAIChat(url=f"{url}/v1", model="m")
    with pytest.raises(DependencyDown, match="away"):
        await said(chat)
    await chat.aclose()


@pytest.mark.parametrize(
    ("script", "error", "words"),
    [
        (refused(503, "Retry-After: 7\r\n"), DependencyDown, "503"),
        (refused(429), DependencyDown, "429"),
        (refused(401), ModelReplyInvalid, "ATOLL_CHAT__API_KEY_FILE"),
        (refused(404), ModelReplyInvalid, "ATOLL_CHAT__URL"),
        (refused(400), ModelReplyInvalid, "400"),
        (streamed(event("It")), ModelReplyInvalid, "in the middle"),
        (streamed(b"data: {not json\n\n"), ModelReplyInvalid, "not JSON"),
        (streamed(b"data: [1]\n\n"), ModelReplyInvalid, "not an object"),
        (streamed(b'data: {"choices": [7]}\n\n'), ModelReplyInvalid, "another shape"),
        (streamed(b"x" * 1_000_000), ModelReplyInvalid, "more than"),
    ],
)
async def test_what_a_server_answers_instead(script, error, words):
    async with connected(script) as (chat, _):
        with pytest.raises(error, match=words) as caught:
            await said(chat)
    if b"Retry-After" in script:
        assert caught.value.retry_after_seconds == 7


async def test_an_answer_has_a_deadline_however_slowly_it_trickles():
    async def trickle(writer: asyncio.StreamWriter) -> None:
        writer.write(streamed())
        for _ in range(100):
            writer.write(event("."))
            await writer.drain()
            await asyncio.sleep(0.1)

    began = time.monotonic()
    async with connected(trickle, timeout_seconds=0.5) as (chat, _):
        with pytest.raises(DependencyDown, match="in time"):
            await said(chat)
    assert time.monotonic() - began < 5


async def test_events_may_be_cut_anywhere():
    whole = b"".join((event("ünï"), event("code"), USAGE, END))

    async def by_byte(writer: asyncio.StreamWriter) -> None:
        writer.write(streamed())
        for at in range(len(whole)):
            writer.write(whole[at : at + 1])
            await writer.drain()

    async with connected(by_byte) as (chat, _):
        assert await said(chat) == ("ünïcode", [ChatUsage(17, 9)])


@pytest.mark.parametrize("kind", ["llama.cpp", "vllm"])
async def test_tokens_are_counted_by_the_server_in_its_own_form(kind):
    def tokenize(body: dict) -> tuple[int, dict]:
        if kind == "llama.cpp":
            return 200, {"tokens": list(range(len(body.get("content", "").split())))}
        return (200, {"count": len(body["prompt"].split()), "tokens": []}) if "prompt" in body else (400, {})

    async with connected(b"") as (chat, server):
        server.tokenize = tokenize
        assert await chat.count_tokens("one two three") == 3
        sent = len(server.requests)
        assert await chat.count_tokens("one two") == 2
        assert len(server.requests) == sent + 1


async def test_without_a_tokenizer_the_server_is_not_asked_again_at_once():
    async with connected(b"") as (chat, server):
        assert await chat.count_tokens("abcdefgh" * 10) == 20
        assert await chat.count_tokens("水水水") == 3
        assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("pieces", "shown"),
    [
        (["<think>The pump", " moves 9 litres.</think>\n\nIt moves 40."], "It moves 40."),
        (["<thi", "nk>Hm", "m.</th", "ink>", "It moves 40."], "It moves 40."),
        (["It is < 40 and > 3", "9."], "It is < 40 and > 39."),
        (["Fine. <think>never", " closed"], "Fine. "),
        (["A <b", ">bold</b> <", "word"], "A <b>bold</b> <word"),
        (["<Thinking>a <think> in it</thinking>Yes."], "Yes."),
    ],
)
async def test_what_a_model_thinks_is_no_answer(pieces, shown):
    async with connected(streamed(*map(event, pieces), USAGE, END)) as (chat, _):
        assert await said(chat) == (shown, [ChatUsage(17, 9)])


async def test_thoughts_in_a_field_of_their_own_are_no_answer():
    thought = b'data: {"choices": [{"index": 0, "delta": {"reasoning_content": "Hm."}}]}\n\n'
    async with connected(streamed(thought, event("Yes."), END)) as (chat, _):
        assert await said(chat) == ("Yes.", [])


async def test_an_answer_that_was_as_long_as_it_may_be_says_that_it_was_cut():
    last = b'data: {"choices": [{"index": 0, "delta": {}, "finish_reason": "length"}]}\n\n'
    async with connected(streamed(event("It moves"), last, USAGE, END)) as (chat, _):
        pieces = [piece async for piece in chat.stream(MESSAGES, max_tokens=50)]
    assert pieces == ["It moves", ChatCut(), ChatUsage(17, 9)]
