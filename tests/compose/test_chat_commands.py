"""The settings of the chat server as they arrive in both servers' commands; no server and no weights are needed.

Compose renders the environment, the shipped script puts the command together in a container, and a program in the
server's place prints what it was given.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from scripts import check_compose

from tests.compose.running import ROOT, Running, docker

pytestmark = pytest.mark.timeout(900)

_KNOBS = {
    "ATOLL_CHAT__MODEL": "acme",
    "ATOLL_CHAT__CONTEXT_TOKENS": "6144",
    "ATOLL_CHAT__THREADS": "3",
    "ATOLL_CHAT__GPU_LAYERS": "7",
    "ATOLL_CHAT__MLOCK": "1",
    "ATOLL_CHAT__GPU_MEMORY_UTILIZATION": "0.5",
    "ATOLL_CHAT__DTYPE": "bfloat16",
}
_KEY = "key-of-the-chat-server"
_SERVER = '#!/bin/sh\nprintf "%s\\n" "${VLLM_API_KEY:--}" "$*"\n'


def test_llama_cpp_is_given_the_settings(stack: Running, tmp_path: Path) -> None:
    del stack  # its images
    key, command = _given(tmp_path, "cpu", "chat", "llama.sh", "/app/llama-server", "small.gguf")
    assert key == "-"
    assert command.startswith("--model /models/small.gguf --alias acme ")
    assert "--ctx-size 12288 --threads 3 --n-gpu-layers 7 " in command  # two questions at a time, each of 6144 tokens
    assert "--api-key-file /run/secrets/chat_api_key" in command
    assert command.endswith("--load-mode mmap+mlock")


def test_vllm_is_given_the_settings(stack: Running, tmp_path: Path) -> None:
    del stack
    key, command = _given(tmp_path, "gpu", "chat-gpu", "vllm.sh", "/usr/local/bin/vllm", "small/config.json")
    assert key == _KEY  # in its own process; the container's environment and the command line do not hold it
    assert _KEY not in command
    assert command.startswith("serve /models/small --served-model-name acme ")
    assert "--max-model-len 6144 --gpu-memory-utilization 0.5 --dtype bfloat16 " in command


def _given(folder: Path, profile: str, service: str, script: str, server: str, model: str) -> tuple[str, str]:
    """Return the key in the server's own environment, and its command line."""
    chosen = {**_KNOBS, "ATOLL_CHAT__MODEL_FILE": model.partition("/")[0]}
    environment = check_compose.read("docker-compose.yml", profile, **chosen)["services"][service]["environment"]
    (folder / "models" / model).parent.mkdir(parents=True)
    (folder / "models" / model).write_text("")
    (folder / "server").write_text(_SERVER)
    (folder / "server").chmod(0o755)
    (folder / "key").write_text(_KEY)
    (folder / "environment").write_text("".join(f"{name}={value}\n" for name, value in environment.items()))
    assert _KEY not in json.dumps(environment)
    mounts = {
        folder / "models": "/models", folder / "server": server, folder / "key": "/run/secrets/chat_api_key",
        ROOT / "services" / "chat" / script: f"/etc/atoll/{script}",
    }  # fmt: skip
    said = docker(
        "run", "--rm", "--network", "none", "--env-file", str(folder / "environment"), "--user", "0",
        *(word for here, there in mounts.items() for word in ("-v", f"{here}:{there}:ro")),
        "--entrypoint", "/bin/sh", "atoll/gateway:0.1.0", f"/etc/atoll/{script}",
    )  # fmt: skip
    key, command = said.splitlines()
    return key, command
