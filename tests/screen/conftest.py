"""One local stack with the samples for all journeys of the screen, and the Node that drives a real Chromium."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image
from scripts import screen

from tests.support.stack import ATOLL, ROOT, SAMPLES, Stack, require, running

JOURNEY_SECONDS = 240
#: Names a folder to which the pictures of the manual go, made anew: `SCREEN_PICTURES=docs/pictures make test-screen`.
KEPT_IN = "SCREEN_PICTURES"
#: So many colours show a page of text and marks as it is, in half the bytes.
COLOURS = 256


def keep_pictures(made: Path, kept: Path) -> None:
    """Put the pictures that docs/screen.md shows into a folder, those of them that the journeys made."""
    kept.mkdir(exist_ok=True)
    for name in re.findall(r"\(pictures/([\w-]+\.png)\)", (ROOT / "docs" / "screen.md").read_text()):
        if (made / name).exists():
            with Image.open(made / name) as picture:
                picture.convert("RGB").quantize(COLOURS, kmeans=1, dither=Image.Dither.NONE).save(
                    kept / name, optimize=True
                )


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
def travel(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Path], str]]:
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
                "SCREEN_ATOLL": str(ATOLL),
                "SCREEN_STACK": json.dumps(stack.environment),
                "SCREEN_PICTURES": str(folder),
            },
            capture_output=True, text=True, timeout=JOURNEY_SECONDS, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}\n{stack.logs()}"
        return done.stdout

    yield run
    if KEPT_IN in os.environ:
        keep_pictures(folder, ROOT / os.environ[KEPT_IN])
