"""The Model Context Protocol by its own SDK's client: tools, rights, errors, and that nothing of it costs a start."""

from __future__ import annotations

import base64
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import cycle
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp import Client, MCPError
from mcp.client.streamable_http import streamable_http_client

from atoll.domain.principal import Role
from gateway.app import create_app
from gateway.dependencies import McpLimits
from gateway.mcp.front import SESSIONS_PER_KEY
from tests.unit.gateway.conftest import Site, upload
from tests.unit.gateway.test_pages import DrawingParser

GENERATIONS = ("legacy", "auto")
TOOLS = {"search", "ask", "open_page", "list_documents", "read_passages"}
HEADERS = {"Accept": "application/json, text/event-stream"}
PING = {"jsonrpc": "2.0", "id": 1, "method": "ping"}


@asynccontextmanager
async def agent(site: Site, key: str, mode: Any = "auto") -> AsyncIterator[Client]:
    transport = httpx2.ASGITransport(site.app, raise_app_exceptions=False, client=("192.0.2.7", 1))
    async with (
        httpx2.AsyncClient(transport=transport, headers={"Authorization": f"Bearer {key}"}) as http,
        Client(streamable_http_client("http://testserver/mcp", http_client=http), mode=mode) as client,
    ):
        yield client


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """A gateway that draws, and lets one foreign origin call."""
    site = Site(tmp_path / "house")
    await site.open(parser=DrawingParser(), mcp=McpLimits(allowed_origins=("app://desk",)))
    yield site
    await site.house.close_stores()


@pytest.fixture
async def read(site: Site) -> str:
    """Return the id of a document that is ready in knowledge base main."""
    async with site.client(await site.key()) as owner:
        text = "The harbour master inspects the cranes every second Tuesday.\n\nThe ferry leaves at seven."
        document: str = (await upload(owner, "harbour.txt", text))["documents"][0]["id"]
    await site.work()
    return document


@pytest.mark.parametrize("mode", GENERATIONS)
async def test_an_agent_finds_asks_reads_and_opens_the_page(site: Site, read: str, mode: str) -> None:
    async with agent(site, await site.key(Role.READER, kbs={"main"}), mode) as client:
        tools = (await client.list_tools()).tools
        assert {tool.name for tool in tools} == TOOLS
        assert all(tool.annotations.read_only_hint and not tool.annotations.open_world_hint for tool in tools)
        assert {tool.name for tool in tools if tool.output_schema is None} == {"open_page"}

        searched = await client.call_tool("search", {"query": "cranes"})
        first = searched.structured_content["results"][0]
        assert (first["document"], first["page"], first["document_id"]) == ("harbour.txt", 1, read)
        assert "cranes" in first["text"]

        answered = await client.call_tool("ask", {"question": "How often does the harbour master inspect the cranes?"})
        told = answered.structured_content
        assert told["answered_by"] == "extract"
        assert "every second Tuesday" in told["answer"]
        assert told["sentences"][0]["citations"] == [1]
        assert told["citations"][0]["document_id"] == read
        links = [block for block in answered.content if block.type == "resource_link"]
        assert links[0].uri == told["citations"][0]["uri"]

        opened = await client.call_tool(
            "open_page", {"document_id": read, "page": 1, "mark": [told["citations"][0]["passage_id"]]}
        )
        assert not opened.is_error, opened.content
        image = next(block for block in opened.content if block.type == "image")
        assert image.mime_type == "image/png"
        assert base64.b64decode(image.data).startswith(b"\x89PNG")
        blob = (await client.read_resource(links[0].uri)).contents[0]
        assert blob.blob == image.data  # the same page with the same mark
        assert [each.uri_template for each in (await client.list_resource_templates()).resource_templates] == [
            "atoll://{kb}/{document}/pages/{page}{?mark}"
        ]

        listed = (await client.call_tool("list_documents", {"name": "*.txt"})).structured_content
        assert [each["document_id"] for each in listed["documents"]] == [read]
        passages = (await client.call_tool("read_passages", {"document_id": read})).structured_content
        assert "ferry" in "".join(each["text"] for each in passages["passages"])
        assert passages["next_after"] is None


async def test_a_refusal_says_so_and_shows_what_came_nearest(site: Site, read: str) -> None:
    async with agent(site, await site.key(Role.READER, kbs={"main"})) as client:
        told = (await client.call_tool("ask", {"question": "Who painted the lighthouse in 1987?"})).structured_content
    assert (told["answered_by"], told["sentences"], told["citations"]) == ("none", [], [])
    assert told["refusal"]["reason"] == "not_found"


@pytest.mark.parametrize("mode", GENERATIONS)
async def test_errors_are_told_in_our_words(site: Site, read: str, mode: str) -> None:
    async with agent(site, await site.key(Role.READER), mode) as client:
        for tool, arguments, said in (
            ("search", {"query": "x", "kb": "none"}, "NotFound: there is no knowledge base none"),
            ("search", {"query": "x"}, "BadInput: say in `kb` which knowledge base is meant: main, other"),
            ("search", {"query": "x", "kb": "main", "top_k": 500}, "BadInput: top_k: must be at most 50"),
            ("search", {"query": "x", "kb": "main", "depth": 1}, "BadInput: depth: is not known here"),
            ("open_page", {"kb": "main", "document_id": read, "page": 1, "mark": ["x"]}, "NotFound: page 1 has no"),
            ("open_page", {"kb": "main", "document_id": read, "page": 1, "dpi": 5}, "BadInput: dpi must be one of"),
            ("read_passages", {"kb": "main", "document_id": "nobody"}, "NotFound: there is no ready document nobody"),
            ("ask", {"kb": "main", "question": "x", "answer": "generate"}, "NotAvailable: this needs a chat model"),
        ):
            failed = await client.call_tool(tool, arguments)
            assert failed.is_error, tool
            assert failed.content[0].text.startswith(said), failed.content[0].text
        with pytest.raises(MCPError, match="there is no tool burn; there are search, ask"):
            await client.call_tool("burn", {})
        for uri in ("atoll://main/nobody/pages/1", f"atoll://main/{read}/pages/x", "file:///etc/passwd", "atoll://["):
            with pytest.raises(MCPError, match="there is no "):
                await client.read_resource(uri)


async def test_a_key_sees_what_it_sees_elsewhere(site: Site) -> None:
    async with site.client(await site.key()) as owner:
        red = (await upload(owner, "red.txt", "the red harbour report", labels="red"))["documents"][0]["id"]
        await upload(owner, "open.txt", "the open harbour report")
        await site.work()
        labelled, elsewhere = await site.key(Role.READER, labels={"blue"}), await site.key(Role.READER, kbs={"other"})
        async with agent(site, labelled) as client:
            found = (await client.call_tool("search", {"query": "harbour report", "kb": "main"})).structured_content
            assert [each["document"] for each in found["results"]] == ["open.txt"]
            listed = (await client.call_tool("list_documents", {"kb": "main"})).structured_content
            assert listed["counts"] == {"ready": 1}
            for tool, more in (("open_page", {"page": 1}), ("read_passages", {})):
                assert (await client.call_tool(tool, {"kb": "main", "document_id": red, **more})).is_error
            with pytest.raises(MCPError, match="there is no document"):
                await client.read_resource(f"atoll://main/{red}/pages/1")
        async with agent(site, elsewhere) as client:
            assert (await client.call_tool("search", {"query": "harbour", "kb": "main"})).is_error
            assert (await client.call_tool("search", {"query": "harbour"})).structured_content["kb"] == "other"
        events = (await owner.get("/v1/audit")).json()["events"]
        denied = [(event["action"], event["object"]) for event in events if "denied" in event["action"]]
        assert denied == [("read.denied", "kb main")]


async def test_rates_and_quotas_hold_for_calls_and_for_other_messages(tmp_path: Path) -> None:
    site = Site(tmp_path / "busy")
    await site.open(requests_per_minute=4)
    async with site.client(await site.key()) as owner:
        await owner.patch("/v1/kbs/main", json={"quota": {"queries_per_day": 1}})
    async with agent(site, await site.key(Role.READER), "2026-07-28") as client:
        assert not (await client.call_tool("search", {"query": "harbour", "kb": "main"})).is_error
        over = await client.call_tool("search", {"query": "harbour", "kb": "main"})
        assert over.content[0].text.startswith("QuotaExceeded: ")
        assert over.meta["atoll/problem"]["status"] == 429
        await client.list_tools()
        await client.call_tool("list_documents", {"kb": "main"})
        refused = await client.call_tool("list_documents", {"kb": "main"})
        assert "try again in" in refused.content[0].text
        with pytest.raises(MCPError, match="try again in"):
            await client.list_tools(cache_mode="refresh")
    await site.house.close_stores()


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.ADMIN])
async def test_keys_that_read_nothing_are_not_let_in(site: Site, role: Role) -> None:
    async with site.client(await site.key(role)) as client:
        assert (await client.post("/mcp", json=PING, headers=HEADERS)).status_code == 403


async def test_without_a_key_a_client_is_sent_to_no_login(site: Site) -> None:
    for key in (None, "atoll_0123456789abcdef_wrong"):
        async with site.client(key) as client:
            refused = await client.post("/mcp", json=PING, headers=HEADERS)
            assert refused.status_code == 401
            assert refused.headers["WWW-Authenticate"] == 'Bearer realm="atoll"'
            assert (await client.get("/.well-known/oauth-protected-resource/mcp")).status_code == 404


async def test_foreign_hosts_origins_and_methods_are_refused(site: Site) -> None:
    async with site.client(await site.key(Role.READER)) as client:
        for headers, status in (
            ({"Origin": "https://elsewhere.example"}, 403),
            ({"Origin": "http://testserver"}, 200),
            ({"Origin": "app://desk"}, 200),
            ({"Host": "elsewhere.example"}, 400),
        ):
            answer = await client.post("/mcp", json=_initialize(), headers={**HEADERS, **headers})
            assert answer.status_code == status, headers
        assert (await client.get("/mcp", headers=HEADERS)).status_code == 405


async def test_a_session_is_of_no_use_to_another_key(site: Site) -> None:
    async with site.client(await site.key(Role.READER)) as mine, site.client(await site.key(Role.READER)) as theirs:
        opened = await mine.post("/mcp", json=_initialize(), headers=HEADERS)
        session = {**HEADERS, "Mcp-Session-Id": opened.headers["Mcp-Session-Id"]}
        assert (await theirs.post("/mcp", json=PING, headers=session)).status_code == 404
        assert (await mine.post("/mcp", json=PING, headers=session)).status_code == 200


class Alternating(httpx2.AsyncBaseTransport):
    """An address with several gateways behind it: each request comes to the next."""

    def __init__(self, *apps: Any) -> None:
        self._gateways = cycle([httpx2.ASGITransport(app, raise_app_exceptions=False) for app in apps])

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        return await next(self._gateways).handle_async_request(request)


@pytest.mark.parametrize("mode", GENERATIONS)
async def test_without_sessions_every_message_may_come_to_another_gateway(tmp_path: Path, mode: Any) -> None:
    site = Site(tmp_path / "two")
    await site.open(mcp=McpLimits(sessions=False))
    headers = {"Authorization": f"Bearer {await site.key(Role.READER)}"}
    transport = Alternating(site.app, create_app(site.app.state.runtime.ports))
    async with (
        httpx2.AsyncClient(transport=transport, headers=headers) as http,
        Client(streamable_http_client("http://testserver/mcp", http_client=http), mode=mode) as client,
    ):
        for _ in range(4):
            assert not (await client.call_tool("search", {"query": "harbour", "kb": "main"})).is_error
        assert len((await client.list_tools()).tools) == len(TOOLS)
    await site.house.close_stores()


async def test_a_key_that_opens_too_many_sessions_loses_the_one_that_rested_longest(site: Site) -> None:
    async with site.client(await site.key(Role.READER)) as client:
        opened = [
            (await client.post("/mcp", json=_initialize(), headers=HEADERS)).headers["Mcp-Session-Id"]
            for _ in range(SESSIONS_PER_KEY + 1)
        ]
        for session, status in ((opened[0], 404), (opened[1], 200), (opened[-1], 200)):
            answer = await client.post("/mcp", json=PING, headers={**HEADERS, "Mcp-Session-Id": session})
            assert answer.status_code == status


async def test_a_gateway_that_is_told_so_serves_none_of_it(tmp_path: Path) -> None:
    site = Site(tmp_path / "off")
    await site.open(mcp=McpLimits(enabled=False))
    async with site.client(await site.key(Role.READER)) as client:
        refused = await client.post("/mcp", json=PING, headers=HEADERS)
        assert (refused.status_code, "ATOLL_MCP__ENABLED" in refused.text) == (501, True)
    await site.house.close_stores()


def test_starting_a_gateway_loads_nothing_of_it() -> None:
    code = "import sys, gateway.__main__; print(*sorted({'mcp', 'mcp_types', 'gateway.mcp.server'} & set(sys.modules)))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == ""


def _initialize() -> dict[str, Any]:
    about = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
    return {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": about}
