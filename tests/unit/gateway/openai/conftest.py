"""A knowledge base to ask through OpenAI's API."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.unit.gateway.conftest import Site, owner, site, upload

__all__ = ["owner", "site"]

CHAT = "/v1/chat/completions"
MODEL = "atoll/main/naive"
QUESTION = "When was the harbour of Lindvik built?"


@pytest.fixture
async def asked(site: Site, owner: httpx.AsyncClient) -> httpx.AsyncClient:
    """A client of a knowledge base with two documents."""
    await upload(owner, "harbour.txt", "The harbour of Lindvik was built in 1902 by Ada Lind.")
    await upload(owner, "light.md", "The lighthouse of Lindvik stands on Crab Rock since 1911.")
    await site.work()
    return owner


def body(question: Any = QUESTION, **more: Any) -> dict[str, Any]:
    """A request with one message."""
    return {"model": MODEL, "messages": [{"role": "user", "content": question}], **more}


def error_of(answer: httpx.Response, status: int) -> dict[str, Any]:
    """The error of an answer, which is an error object and nothing else."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    told: dict[str, Any] = answer.json()
    assert set(told) == {"error"}
    error: dict[str, Any] = told["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert error["message"]
    return error


def chunks(text: str) -> list[dict[str, Any]]:
    """The chunks of a whole stream, which has nothing but data lines and comments, and ends with the end mark."""
    blocks = [block for block in text.removesuffix("\n\n").split("\n\n") if not block.startswith(":")]
    assert all(block.startswith("data: ") and "\n" not in block for block in blocks), text
    assert blocks[-1] == "data: [DONE]"
    return [json.loads(block.removeprefix("data: ")) for block in blocks[:-1]]
