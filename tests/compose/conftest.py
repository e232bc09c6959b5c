"""One stack for all tests of this folder, and what stands in for an image that cannot be had, printed."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from shutil import copy, copytree, rmtree

import httpx
import pytest

from tests.compose import built
from tests.compose.running import ROOT, Running, docker, running
from tests.support.stack import unavailable

#: Made by the engine script from the same servers' packages or distribution; told apart by their labels, which they lack.
_FOREIGN = {
    "nginxinc/nginx-unprivileged:1.29.3-alpine": "nginx of a Linux distribution",
    "ghcr.io/ggml-org/llama.cpp:server-b11669": "llama.cpp of a Linux distribution",
    "valkey/valkey:8.1.9-alpine": "Valkey of a Linux distribution",
    "neo4j:5.26.30-community": "the real server under an entrypoint of the same variables",
    "qdrant/qdrant:v1.19.0-unprivileged": "our vector server, over REST",
}
_QDRANT = "qdrant/qdrant:v1.19.0-unprivileged"


@pytest.fixture(scope="session")
def checkout() -> Iterator[Path]:
    """Return a copy of this checkout from which every image was built."""
    if subprocess.run(["docker", "info"], capture_output=True, check=False).returncode != 0:
        unavailable("no container engine answers")
    if built.PREPARED is not None:
        built.build(Path(built.PREPARED))
        yield Path(built.PREPARED)
        return
    folder = Path(tempfile.mkdtemp(prefix="atoll-checkout-", dir="/var/tmp"))
    try:
        built.prepare(folder / "atoll")
        built.build(folder / "atoll")
        yield folder / "atoll"
    finally:
        rmtree(folder)


@pytest.fixture(scope="session")
def stack(checkout: Path) -> Iterator[Running]:
    del checkout  # its images
    stand_ins = found_stand_ins()
    with running(stand_ins) as started:
        print(f"\nstack with profile {started.profile} ready in {started.up_seconds:.0f} s, volumes empty")
        print("\n".join(f"stand-in: {line}" for line in stand_ins))
        yield started


@pytest.fixture(scope="session")
def owner(stack: Running) -> Iterator[httpx.Client]:
    with stack.client() as client:
        yield client


def found_stand_ins() -> list[str]:
    """Return which images are stand-ins; make Qdrant's where none is there."""
    if subprocess.run(["docker", "image", "inspect", _QDRANT], capture_output=True, check=False).returncode != 0:
        _build_qdrant()
    lines = []
    for image, what in _FOREIGN.items():
        labels = docker("image", "inspect", "-f", "{{json .Config.Labels}}", image)
        if "org.opencontainers" not in labels:  # every published one says where it comes from
            lines.append(f"{image}: {what}")
    return lines


def _build_qdrant() -> None:
    with tempfile.TemporaryDirectory() as folder:
        context = Path(folder)
        copy(ROOT / "requirements-core.lock", context)
        copytree(ROOT / "src" / "atoll", context / "src" / "atoll")
        copytree(ROOT / "tests" / "compose", context / "tests" / "compose")
        docker(
            "build", "-q", "-f", str(context / "tests/compose/qdrant.Dockerfile"), "-t", _QDRANT, folder, timeout=900
        )
