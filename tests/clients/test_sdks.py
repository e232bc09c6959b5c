"""Clients of OpenAI's API, unchanged and in an environment of their own, against the local stack."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.clients import chat_server
from tests.clients.chat_server import ChatServer
from tests.support.stack import ROOT, Stack, running

PYTHON = ROOT / ".venv-clients" / "bin" / "python"
HERE = Path(__file__).parent
#: A caller that went away is noticed, and the model's slot free, within this time.
FREE_SECONDS = 1.0
DOCUMENT = b"The harbour of Lindvik was built in 1902 by Ada Lind.\n\nThe lighthouse of Lindvik stands on Crab Rock.\n"


@pytest.fixture(scope="module")
def chat() -> Iterator[ChatServer]:
    with chat_server.serving() as server:
        yield server


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, chat: ChatServer) -> Iterator[Stack]:
    with running(tmp_path_factory.mktemp("clients"), {"ATOLL_CHAT__URL": chat.url}) as started:
        with started.client() as owner:
            started.upload(owner, {"harbour.txt": DOCUMENT})
            assert [each["status"] for each in started.settled(owner)] == ["ready"]
        yield started


def told(stack: Stack, script: str) -> dict[str, Any]:
    """What a client printed."""
    command = [str(PYTHON), str(HERE / script), stack.address, stack.key]
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(stack.data), "NO_PROXY": "127.0.0.1"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_openai(stack: Stack, chat: ChatServer) -> None:
    found = told(stack, "with_openai.py")
    assert found["models"] == ["atoll/default", "atoll/default"]
    first, second = found["talk"]
    assert ("1902" in first["text"], first["cited"]) == (True, ["harbour.txt, page 1"])
    assert ("Ada Lind" in second["text"], second["cited"][0]) == (True, "harbour.txt, page 1")
    picture = httpx.get(first["url"])
    assert (picture.status_code, picture.headers["content-type"]) == (200, "image/png")
    assert "1902" in found["stream"]["text"]
    assert found["stream"]["sources"] == found["stream"]["cited"] == ["harbour.txt, page 1"]
    assert "say nothing" in found["refusal"]
    assert [(name, code) for name, code, _ in found["before"]] == [
        ("NotFoundError", "model_not_found"), ("AuthenticationError", "invalid_api_key"),
        ("BadRequestError", "bad_input"), ("NotFoundError", "not_found"),
    ]  # fmt: skip
    assert "/v1/chat/completions" in found["before"][3][2]
    assert "1902" in found["midway"][0]
    assert "broke off" in found["midway"][1]
    assert chat.freed["written"] - found["written"] < FREE_SECONDS
    assert chat.freed["read"] - found["read"] < FREE_SECONDS
    assert found["embeddings"] == [384, 384]
    assert ("1902" in found["response"]["text"], found["response"]["cited"]) == (True, ["harbour.txt, page 1"])
    assert ("1902" in found["events"][0], found["events"][1]) == (True, "response.completed")


@pytest.mark.parametrize("script", ["with_langchain.py", "with_pydantic_ai.py"])
def test_frameworks(stack: Stack, chat: ChatServer, script: str) -> None:
    chat.freed.clear()
    found = told(stack, script)
    first, second = found["talk"]
    assert ("1902" in first, "[1]" in first, "Ada Lind" in second) == (True, True, True)
    assert "1902" in found["stream"]
    assert "say nothing" in found["refusal"]
    assert "Atoll answers" in found["before"]
    if "midway" in found:
        assert "1902" in found["midway"][0]
        assert "broke off" in found["midway"][1]
    assert chat.freed["written"] - found["written"] < FREE_SECONDS
