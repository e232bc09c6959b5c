"""Clients of the Model Context Protocol, unchanged and in environments of their own, against the local stack."""

from __future__ import annotations

import json

import pytest

from tests.clients.chat_server import ChatServer
from tests.clients.conftest import HERE, PYTHON, said, told
from tests.support.stack import ATOLL, Stack

TOOLS = {"ask", "search", "open_page", "read_passages", "list_documents"}
FREE_SECONDS = 1.0


def test_the_sdk_by_both_ways_and_in_both_generations(stack: Stack, chat: ChatServer) -> None:
    found = told(stack, chat, PYTHON, "with_mcp.py", ATOLL)
    assert found.pop("sessions") == ["harbour.txt"] * 20
    assert set(found) == {"http legacy", "http auto", "stdio legacy", "stdio auto"}
    for way, visit in found.items():
        assert set(visit["tools"]) == TOOLS, way
        assert ("1902" in visit["answer"], visit["document"], visit["image"]) == (True, "harbour.txt", "PNG"), way
        assert (visit["refused"], visit["after"]) == (True, True), way
        assert visit["failed"][0], way
        assert visit["failed"][1].startswith("NotFound: "), way
        assert visit["free_seconds"] < FREE_SECONDS, way


def test_pydantic_ai_asks_and_sees_the_page(stack: Stack, chat: ChatServer) -> None:
    found = told(stack, chat, PYTHON, "with_pydantic_ai_mcp.py")
    assert set(found["tools"]) == TOOLS
    assert ("1902" in found["answer"], found["images"]) == (True, 1)


@pytest.mark.parametrize("way", ["http", "stdio"])
def test_the_inspector(stack: Stack, node: str, way: str) -> None:
    program = HERE / "node/node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js"
    if way == "http":
        target = [f"{stack.address}/mcp", "--transport", "http", "--header", f"Authorization: Bearer {stack.key}"]
    else:
        settings = {"ATOLL_DATA_DIR": str(stack.data), "ATOLL_GATEWAY__PORT": str(stack.ports["GATEWAY"])}
        given = [word for name, value in settings.items() for word in ("-e", f"{name}={value}")]
        target = [str(ATOLL), "mcp", "--transport", "stdio", *given]
    calls = (
        ["--method", "tools/list"],
        [
            "--method",
            "tools/call",
            "--tool-name",
            "ask",
            "--tool-arg",
            "question=When was the harbour of Lindvik built?",
        ],
    )
    listed, asked = [json.loads(said(stack, [node, program, "--cli", *target, *call])) for call in calls]
    assert {tool["name"] for tool in listed["tools"]} == TOOLS
    assert "1902" in asked["structuredContent"]["answer"]
