"""docker-compose.dev.yml: a model server answers plain requests on loopback, to whoever has its token."""

from __future__ import annotations

import socket
import subprocess

import httpx
import pytest

from tests.compose.running import ROOT, Running
from tests.support.stack import unavailable

pytestmark = pytest.mark.timeout(900)

_PORT = 8081
_FILES = ("-f", "docker-compose.yml", "-f", "docker-compose.dev.yml")


def test_the_embedding_server_answers_on_loopback(stack: Running) -> None:
    """One of the three, in a project of its own; `make check` reads all their ports."""
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", _PORT)) == 0:
            unavailable(f"port {_PORT} is taken")
    words = ["docker", "compose", "-p", "atoll-test-dev", *_FILES, "--env-file", str(stack.folder / ".env")]

    def compose(*arguments: str) -> None:
        subprocess.run(
            [*words, *arguments], cwd=ROOT, env=stack.environment, check=True, capture_output=True, timeout=200
        )

    try:
        compose("up", "--wait", "--no-build", "--no-deps", "embeddings")
        with httpx.Client(base_url=f"http://127.0.0.1:{_PORT}", trust_env=False, timeout=30) as client:
            body = {"model": "local", "input": ["a lamp"]}
            assert client.post("/v1/embeddings", json=body).status_code == 401
            token = (stack.folder / "secrets" / "embeddings_token").read_text().strip()
            answer = client.post("/v1/embeddings", json=body, headers={"Authorization": f"Bearer {token}"})
        assert len(answer.json()["data"][0]["embedding"]) == 384
    finally:
        compose("down", "-v", "-t", "5")
