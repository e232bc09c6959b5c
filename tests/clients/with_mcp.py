"""The client of the official SDK of MCP: ``with_mcp.py ADDRESS KEY CHAT ATOLL`` prints what it got as JSON.

By HTTP and by standard input and output, in both generations of the protocol.
"""

from __future__ import annotations

import asyncio
import base64
import json
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import httpx2
from chat_state import until_read
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

HARBOUR = "When was the harbour of Lindvik built?"
ADDRESS, KEY, CHAT, ATOLL = sys.argv[1:5]
WAYS = ("http", "stdio")
GENERATIONS = ("legacy", "auto")
SESSIONS = 20


async def main() -> None:
    found = {f"{way} {mode}": await visit(way, mode) for way in WAYS for mode in GENERATIONS}
    print(json.dumps({**found, "sessions": await sessions()}))


@asynccontextmanager
async def agent(way: str, mode: Any) -> AsyncIterator[Client]:
    if way == "stdio":
        environment = {"ATOLL_API_KEY": KEY, "ATOLL_GATEWAY__PORT": str(urlsplit(ADDRESS).port)}
        async with Client(StdioServerParameters(command=ATOLL, args=["mcp"], env=environment), mode=mode) as client:
            yield client
        return
    async with (
        httpx2.AsyncClient(headers={"Authorization": f"Bearer {KEY}"}, timeout=60) as http,
        Client(streamable_http_client(f"{ADDRESS}/mcp", http_client=http), mode=mode) as client,
    ):
        yield client


async def visit(way: str, mode: str) -> dict[str, Any]:
    async with agent(way, mode) as client:
        tools = [tool.name for tool in (await client.list_tools()).tools]
        told: Any = (await client.call_tool("ask", {"question": HARBOUR})).structured_content
        cited = told["citations"][0]
        opened = await client.call_tool("open_page", {"document_id": cited["document_id"], "page": cited["page"]})
        image = next(block.data for block in opened.content if block.type == "image")
        refused: Any = (
            await client.call_tool("ask", {"question": "Quantum chromodynamics lattice?"})
        ).structured_content
        failed = await client.call_tool("search", {"query": "x", "kb": "none"})
        return {
            "tools": tools,
            "answer": told["answer"],
            "document": cited["document"],
            "image": base64.b64decode(image)[1:4].decode(),
            "refused": refused["refusal"] is not None,
            "failed": [failed.is_error, failed.content[0].text],
            "free_seconds": await cancelled(client),
            "after": not (await client.call_tool("search", {"query": "harbour"})).is_error,
        }


async def cancelled(client: Client) -> float:
    """Give a call up while the chat model reads; return how long it read on."""
    call = asyncio.create_task(client.call_tool("ask", {"question": f"{HARBOUR} Leave while it is read."}))
    await asyncio.to_thread(until_read, CHAT)
    call.cancel()
    await asyncio.gather(call, return_exceptions=True)
    moment = time.time()
    await asyncio.to_thread(until_read, CHAT, is_over=True)
    return time.time() - moment


async def sessions() -> list[str]:
    """Ask in many sessions at a time, half of each generation."""

    async def session(number: int) -> str:
        async with agent("http", GENERATIONS[number % 2]) as client:
            found: Any = (await client.call_tool("search", {"query": "harbour", "top_k": 1})).structured_content
        name: str = found["results"][0]["document"]
        return name

    return await asyncio.gather(*map(session, range(SESSIONS)))


asyncio.run(main())
