"""One local stack with the samples for all journeys of the screen, and the Node that drives a real Chromium."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from scripts import screen

from tests.support.stack import ROOT, SAMPLES, Stack, require, running

JOURNEY_SECONDS = 240


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    require("chromium")
    screen.build()
    with running(tmp_path_factory.mktemp("screen")) as stack:
        with stack.client() as owner:
            stack.upload(owner, {path.name: path.read_bytes() for path in sorted(SAMPLES.iterdir())})
            documents = stack.settled(owner)
        assert {each["status"] for each in documents} == {"ready"}, documents
        made = stack.run("init", "--admin")
        assert made.returncode == 0, made.stderr
        yield stack


@pytest.fixture(scope="package")
def travel(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], str]:
    """Run one file of journeys with Node's own test runner; return what it printed."""
    assert screen.npm(["ls", "playwright-core", "--silent"]) == 0
    node = screen.node_program()
    folder = tmp_path_factory.mktemp("pictures")

    def run(journeys: Path) -> str:
        done = subprocess.run(
            [node, "--test", "--test-reporter=spec", str(journeys)],
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(folder),
                "SCREEN_ADDRESS": stack.address,
                "SCREEN_KEY": stack.key,
                "SCREEN_ADMIN_KEY": (stack.data / "admin.key").read_text().strip(),
                "SCREEN_CHROMIUM": require("chromium"),
                "SCREEN_MODULES": str(ROOT / "web" / "package.json"),
                "SCREEN_SAMPLES": str(SAMPLES),
                "SCREEN_PICTURES": os.environ.get("SCREEN_PICTURES", str(folder)),
            },
            capture_output=True, text=True, timeout=JOURNEY_SECONDS, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}\n{stack.logs()}"
        return done.stdout

    return run
