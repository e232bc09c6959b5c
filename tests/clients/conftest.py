"""The stack that all clients meet, the chat server behind it, and how a client is run."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from scripts import screen

from tests.clients import chat_server
from tests.clients.chat_server import ChatServer
from tests.support.stack import ROOT, Stack, running

HERE = Path(__file__).parent
PYTHON = ROOT / ".venv-clients" / "bin" / "python"
#: LlamaIndex wants an older openai than the others.
LLAMA_INDEX = ROOT / ".state" / "venv-llama-index" / "bin" / "python"
DOCUMENT = b"The harbour of Lindvik was built in 1902 by Ada Lind.\n\nThe lighthouse of Lindvik stands on Crab Rock.\n"


@pytest.fixture(scope="session")
def chat() -> Iterator[ChatServer]:
    with chat_server.serving() as server:
        yield server


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory, chat: ChatServer) -> Iterator[Stack]:
    with running(tmp_path_factory.mktemp("clients"), {"ATOLL_CHAT__URL": chat.url}) as started:
        with started.client() as owner:
            started.upload(owner, {"harbour.txt": DOCUMENT})
            assert [each["status"] for each in started.settled(owner)] == ["ready"]
        yield started


@pytest.fixture(scope="session")
def node() -> str:
    return screen.node_program()


def said(stack: Stack, command: Sequence[str | Path], folder: Path | None = None, **more: str) -> str:
    """Return what a client printed, which sees nothing of Atoll's settings and asks no other host."""
    environment = {
        "PATH": os.environ["PATH"], "HOME": str(stack.data), "NO_PROXY": "127.0.0.1",
        "LITELLM_LOCAL_MODEL_COST_MAP": "True", "HAYSTACK_TELEMETRY_ENABLED": "False",
        "PROMPTFOO_DISABLE_TELEMETRY": "1", "PROMPTFOO_DISABLE_UPDATE": "1", **more,
    }  # fmt: skip
    done = subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, timeout=120, env=environment,
        cwd=folder or stack.data, check=False,
    )  # fmt: skip
    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]
    return done.stdout


def told(stack: Stack, chat: ChatServer, program: Path | str, script: str, *more: str | Path) -> dict[str, Any]:
    """Return what a script of ours printed last."""
    printed = said(stack, [program, HERE / script, stack.address, stack.key, chat.address, *more])
    found: dict[str, Any] = json.loads(printed.splitlines()[-1])
    return found
