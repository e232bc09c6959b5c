"""Clients of OpenAI's API, unchanged and each in an environment of its own, against the local stack."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest

from tests.clients.chat_server import ChatServer
from tests.clients.conftest import HERE, LLAMA_INDEX, PYTHON, said, told
from tests.support.stack import Stack

#: A caller that went away is noticed, and the model's slot free, within this time.
FREE_SECONDS = 1.0


def test_openai(stack: Stack, chat: ChatServer) -> None:
    found = told(stack, chat, PYTHON, "with_openai.py")
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


@pytest.mark.parametrize(
    "client", ["langchain", "litellm", "haystack", "llama_index", "pydantic_ai", "openai", "ai_sdk"]
)
def test_clients(stack: Stack, chat: ChatServer, node: str, client: str) -> None:
    chat.freed.clear()
    if client in {"openai", "ai_sdk"}:
        found = told(stack, chat, node, f"node/with_{client}.mjs")
    else:
        found = told(stack, chat, LLAMA_INDEX if client == "llama_index" else PYTHON, f"with_{client}.py")
    first, second = found["talk"]
    assert ("1902" in first, "[1]" in first, "Ada Lind" in second) == (True, True, True)
    assert found.get("cited", ["harbour.txt, page 1"]) == ["harbour.txt, page 1"]
    assert "1902" in found["stream"]
    assert "say nothing" in found["refusal"]
    assert any(word in found["before"] for word in ("Atoll answers", "/v1/chat/completions")), found["before"]
    assert "1902" in found["midway"][0]
    assert "broke off" in found["midway"][1]
    for moment in ("written", "read"):
        assert chat.freed[moment] - found[moment] < FREE_SECONDS, moment


PROMPTFOO = {
    "prompts": [
        json.dumps([{"role": "user", "content": "{{question}}"}]),
        json.dumps([
            {"role": "user", "content": "{{question}}"},
            {"role": "assistant", "content": "It was built in 1902 [1]."},
            {"role": "user", "content": "{{next}}"},
        ]),
    ],
    "tests": [
        {"vars": {"question": "When was the harbour of Lindvik built?", "next": "And who built it?"},
         "assert": [{"type": "contains", "value": "[1]"}, {"type": "contains", "value": "Ada Lind"}]},
        {"vars": {"question": "Quantum chromodynamics lattice gauge?", "next": "Quantum chromodynamics at all?"},
         "assert": [{"type": "contains", "value": "say nothing"}]},
    ],
}  # fmt: skip


def test_promptfoo(stack: Stack, node: str, tmp_path: Path) -> None:
    """It holds conversations and counts a refusal for an answer; what is wrong with a request is in its table."""
    options = {"apiBaseUrl": f"{stack.address}/v1", "apiKey": stack.key}
    strict = {**options, "response_format": {"type": "json_object"}}
    providers = [{"id": "openai:chat:atoll/default", "label": name, "config": config}
                 for name, config in (("plain", options), ("strict", strict))]  # fmt: skip
    (tmp_path / "promptfooconfig.json").write_text(json.dumps({**PROMPTFOO, "providers": providers}))
    program = HERE / "node" / "node_modules" / "promptfoo" / "dist" / "src" / "entrypoint.js"
    words = ["eval", "--no-cache", "--no-table", "-c", "promptfooconfig.json", "-o", "told.json"]
    # It ends with 100 where one of its tests fails, as those do that are refused.
    with pytest.raises(AssertionError, match="Results:"):
        said(stack, [node, program, *words], tmp_path, PROMPTFOO_CONFIG_DIR=str(tmp_path))
    rows = json.loads((tmp_path / "told.json").read_text())["results"]["results"]
    plain = [row for row in rows if row["provider"]["label"] == "plain"]
    assert [row["success"] for row in plain] == [True] * 4, [row.get("response") or row.get("error") for row in plain]
    refused = [row["error"] for row in rows if row["provider"]["label"] == "strict"]
    assert len(refused) == 4
    assert all("response_format" in error for error in refused), refused
