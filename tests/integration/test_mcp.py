"""Agents over real connections: many at a time, progress, calls that are given up, and standard input and output."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
import uvicorn
from mcp import Client, MCPError, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

from atoll.domain.principal import Role
from atoll.query.service import Delta, EvidenceFound, QueryRequest, StreamEvent
from gateway.dependencies import Limits, McpLimits
from gateway.server import GatewayServer, listen
from tests.support.stack import ATOLL
from tests.unit.gateway.conftest import Site, upload
from tests.unit.gateway.test_pages import DrawingParser

GENERATIONS = ("legacy", "auto")
SESSIONS = 20
#: A call that was given up has ended within so long.
_ENDED_SECONDS = 1.0


class Endless:
    """An answer that is written for ever, and what became of it."""

    def __init__(self) -> None:
        self.started = asyncio.Event()
        self.ended = asyncio.Event()

    async def stream(self, request: QueryRequest) -> AsyncGenerator[StreamEvent, None]:
        del request
        try:
            yield EvidenceFound((), 1)
            self.started.set()
            while True:
                await asyncio.sleep(0.05)
                yield Delta("a word ")
        finally:
            self.ended.set()

    async def prepare(self) -> None:
        pass


class Running:
    """A gateway on a real socket, and a key that reads."""

    def __init__(self, site: Site, port: int, key: str) -> None:
        self.site, self.port, self.key = site, port, key

    @asynccontextmanager
    async def agent(self, mode: Any = "auto") -> AsyncIterator[Client]:
        url = f"http://127.0.0.1:{self.port}/mcp"
        async with (
            httpx2.AsyncClient(headers={"Authorization": f"Bearer {self.key}"}, timeout=20, trust_env=False) as http,
            Client(streamable_http_client(url, http_client=http), mode=mode) as client,
        ):
            yield client

    def program(self, folder: Path) -> Client:
        environment = {
            "ATOLL_API_KEY": self.key,
            "ATOLL_GATEWAY__PORT": str(self.port),
            "ATOLL_DATA_DIR": str(folder / "nothing"),
        }
        return Client(StdioServerParameters(command=str(ATOLL), args=["mcp", "--stdio"], env=environment))


@asynccontextmanager
async def running(folder: Path, **ports: Any) -> AsyncIterator[Running]:
    site = Site(folder / "house")
    await site.open(parser=DrawingParser(), limits=Limits(allowed_hosts=("127.0.0.1", "testserver")), **ports)
    with listen("127.0.0.1", 0) as listener:
        config = uvicorn.Config(site.app, ws="none", lifespan="on", log_config=None, timeout_graceful_shutdown=2)
        server = GatewayServer(config, site.app.state.runtime.stopping)
        serving = asyncio.create_task(server.serve([listener]))
        while not server.started:
            await asyncio.sleep(0.01)
        try:
            yield Running(site, listener.getsockname()[1], await site.key(Role.READER, kbs={"main"}))
        finally:
            server.should_exit = True
            await serving
            await site.house.close_stores()


@pytest.mark.parametrize("mode", GENERATIONS)
async def test_progress_comes_while_the_answer_is_written_and_a_call_that_is_given_up_ends(
    tmp_path: Path, mode: str
) -> None:
    endless, notices = Endless(), []

    async def note(progress: float, total: float | None, message: str | None) -> None:
        del total
        notices.append((progress, message))

    async with running(tmp_path, ask=endless) as gateway, gateway.agent(mode) as client:
        call = asyncio.create_task(client.call_tool("ask", {"question": "How?"}, progress_callback=note))
        await asyncio.wait_for(endless.started.wait(), 10)
        await asyncio.sleep(0.8)
        call.cancel()
        await asyncio.wait_for(endless.ended.wait(), _ENDED_SECONDS)
        assert (await client.list_tools()).tools, "the session goes on"
    assert len(notices) >= 2
    assert [number for number, _ in notices] == sorted({number for number, _ in notices})
    assert "characters of the answer" in str(notices[-1][1])


async def test_a_tool_that_takes_too_long_is_ended_and_told_so(tmp_path: Path) -> None:
    endless = Endless()
    async with running(tmp_path, ask=endless, mcp=McpLimits(call_seconds=0.5)) as gateway, gateway.agent() as client:
        failed = await client.call_tool("ask", {"question": "How?"})
        assert failed.is_error
        assert "ATOLL_MCP__CALL_SECONDS" in failed.content[0].text
        assert endless.ended.is_set()


@pytest.mark.parametrize("mode", GENERATIONS)
async def test_a_client_that_vanishes_ends_its_call(tmp_path: Path, mode: str) -> None:
    endless = Endless()
    async with running(tmp_path, ask=endless) as gateway:

        async def ask() -> None:
            async with gateway.agent(mode) as client:
                await client.call_tool("ask", {"question": "How?"})

        asking = asyncio.create_task(ask())
        await asyncio.wait_for(endless.started.wait(), 10)
        asking.cancel()
        await asyncio.wait_for(endless.ended.wait(), _ENDED_SECONDS)
        await asyncio.gather(asking, return_exceptions=True)


async def test_twenty_sessions_at_a_time_each_get_their_own_answer(tmp_path: Path) -> None:
    async with running(tmp_path) as gateway:
        async with gateway.site.client(await gateway.site.key()) as owner:
            for number in range(SESSIONS):
                await upload(owner, f"berth{number}.txt", f"Berth {number} holds the ship Arrow{number}.")
        await gateway.site.work()

        async def session(number: int) -> str:
            async with gateway.agent(GENERATIONS[number % 2]) as client:
                found = await client.call_tool("search", {"query": f"ship Arrow{number}", "top_k": 1})
            name: str = found.structured_content["results"][0]["document"]
            return name

        answers = await asyncio.gather(*map(session, range(SESSIONS)))
        assert answers == [f"berth{number}.txt" for number in range(SESSIONS)]


async def test_a_program_speaks_by_standard_input_and_output(tmp_path: Path) -> None:
    async with running(tmp_path) as gateway:
        async with gateway.site.client(await gateway.site.key()) as owner:
            text = "The harbour master inspects the cranes every second Tuesday."
            read = (await upload(owner, "harbour.txt", text))["documents"][0]["id"]
        await gateway.site.work()
        async with gateway.program(tmp_path) as client:
            assert "Atoll" in str(client.instructions)
            told = (
                await client.call_tool("ask", {"question": "How often does the harbour master inspect the cranes?"})
            ).structured_content
            assert told["citations"][0]["document_id"] == read
            opened = await client.call_tool("open_page", {"document_id": read, "page": 1})
            image = next(block for block in opened.content if block.type == "image")
            assert base64.b64decode(image.data).startswith(b"\x89PNG")
            failed = await client.call_tool("search", {"query": "x", "kb": "none"})
            assert failed.content[0].text.startswith("NotFound: ")


async def test_a_program_passes_cancellation_and_progress_on(tmp_path: Path) -> None:
    endless, notices = Endless(), []

    async def note(progress: float, total: float | None, message: str | None) -> None:
        del total
        notices.append((progress, message))

    async with running(tmp_path, ask=endless) as gateway, gateway.program(tmp_path) as client:
        call = asyncio.create_task(client.call_tool("ask", {"question": "How?"}, progress_callback=note))
        await asyncio.wait_for(endless.started.wait(), 10)
        await asyncio.sleep(0.5)
        call.cancel()
        await asyncio.wait_for(endless.ended.wait(), _ENDED_SECONDS)
    assert notices


async def test_a_program_outlives_its_gateway_and_says_that_it_is_away(tmp_path: Path) -> None:
    async with AsyncExitStack() as left:
        async with running(tmp_path) as gateway:
            client = await left.enter_async_context(gateway.program(tmp_path))
            assert not (await client.call_tool("search", {"query": "harbour"})).is_error
        for _ in range(2):
            with pytest.raises(MCPError, match="the gateway does not answer"):
                await client.call_tool("search", {"query": "harbour"})
