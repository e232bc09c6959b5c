"""The shipped Compose files on a real engine: started once, looked at and knocked about by the tests of this folder."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.compose import built
from tests.compose.journey import client
from tests.support import llama

ROOT = Path(__file__).parents[2]
#: Whoever runs the stack is not root; another person of the host must not read its secrets.
OPERATOR, STRANGER = 40001, 40002
PROJECT = "atoll-test"
_UP_SECONDS = 600


def docker(*arguments: str, check: bool = True, both: bool = False, timeout: float = 120) -> str:
    """Run the client and return what it printed, with ``both`` what it complained about too."""
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False, timeout=timeout)
    assert not check or done.returncode == 0, f"docker {' '.join(arguments)}: {done.stdout}{done.stderr}"
    return done.stdout + done.stderr if both else done.stdout


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class Running:
    """A running stack and its operator's folder."""

    folder: Path
    port: int
    profile: str
    project: str
    file: str
    environment: Mapping[str, str]
    up_seconds: float = 0.0
    printed: list[str] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def compose(self, *arguments: str, check: bool = True, timeout: float = _UP_SECONDS) -> str:
        which = ["-p", self.project, "-f", self.file, "--env-file", str(self.folder / ".env")]
        command = ["docker", "compose", *which, *arguments]
        done = subprocess.run(
            command, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False, timeout=timeout
        )
        assert not check or done.returncode == 0, f"{command}: {done.stdout[-3000:]}{done.stderr[-3000:]}"
        return done.stdout

    def client(self) -> httpx.Client:
        return client(self.address, self.folder / ".atoll" / "owner.key")

    def containers(self, service: str | None = None, *, ended: bool = False) -> list[str]:
        chosen = [] if service is None else [service]
        return self.compose("ps", "-q", *(["-a"] if ended else []), *chosen).split()

    def inspect(self, *, ended: bool = False) -> dict[str, dict[str, Any]]:
        """Container name without the project -> what the engine says about it."""
        found = json.loads(docker("inspect", *self.containers(ended=ended)))
        return {each["Name"].strip("/").removeprefix(f"{self.project}-"): each for each in found}

    def healthy(self, service: str, seconds: float = 180) -> None:
        """Wait until every container of a service is healthy."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            states = [
                docker("inspect", "-f", "{{.State.Health.Status}}", each, check=False).strip()
                for each in self.containers(service)
            ]
            if states and all(state == "healthy" for state in states):
                return
            time.sleep(1)
        raise AssertionError(f"{service} did not become healthy: {self.compose('logs', '--tail', '20', service)}")


@contextmanager
def running(
    stand_ins: Sequence[str],
    *,
    project: str = PROJECT,
    file: str = "docker-compose.yml",
    place_model: Callable[[Path], None] | None = None,
) -> Iterator[Running]:
    """Start a shipped file with --wait as an operator who is not root, and take all away again.

    ``place_model`` puts a chat model into the folder it gets; by default a small one, where one is installed.
    """
    folder = Path(tempfile.mkdtemp(prefix="atoll-compose-", dir="/var/tmp"))
    try:
        (folder / "models").mkdir()
        (place_model or _place_model)(folder / "models")
        os.chown(folder, OPERATOR, OPERATOR)
        as_user(
            OPERATOR, [sys.executable, "-P", "-m", "atoll.cli.main", "init", "--compose", "--offline"], cwd=folder
        ).check_returncode()
        profile = "cpu" if any((folder / "models").iterdir()) else "extract"
        stack = Running(
            folder, free_port(), profile, project, file, _environment(folder, grpc="qdrant" not in " ".join(stand_ins))
        )
        stack.environment = {**stack.environment, "ATOLL_GATEWAY__PORT": str(stack.port)}
        stack.compose("down", "-v", "--remove-orphans", "-t", "10")  # what an earlier run that was ended left
        started = time.monotonic()
        try:
            try:
                stack.compose("up", "--wait", "--no-build")
            except AssertionError as error:
                error.add_note(stack.compose("logs", "--no-color", "--tail", "15", check=False))
                raise
            stack.up_seconds = time.monotonic() - started
            yield stack
        finally:
            stack.compose("down", "-v", "--remove-orphans", "-t", "10", check=False)
    finally:
        shutil.rmtree(folder)


def _place_model(models: Path) -> None:
    """Give the stack a small chat model, where one is installed; without one it starts without chat, and says so."""
    model = llama.model()
    if model is None:
        print("no small chat model is installed: the stack starts with profile extract, without llama.cpp")
    else:
        shutil.copy(model, models / model.name)


def as_user(uid: int, command: Sequence[str], *, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a command as a user of the host."""
    prefix = ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", "--"] if os.getuid() == 0 else []
    return subprocess.run(
        [*prefix, *command],
        cwd=cwd, env={"PATH": os.environ["PATH"], "PYTHONPATH": f"{ROOT / 'src'}", "HOME": str(cwd)},
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


def _environment(folder: Path, *, grpc: bool) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "DOCKER_HOST"}}
    return {
        **kept,
        **built.SETTINGS,
        "ATOLL_COMPOSE__SECRETS_DIR": str(folder / "secrets"),
        "ATOLL_VECTORS__GRPC": "true" if grpc else "false",
        "ATOLL_COMPOSE__MODELS_DIR": str(folder / "models"),
        "ATOLL_COMPOSE__HF_CACHE_DIR": str(folder / "models"),
    }
