"""What the images weigh, unpacked against their budgets and compressed as they cross a gap, and how long a start takes."""

from __future__ import annotations

import json
import subprocess
import tarfile
import time
import zlib

import pytest

from tests.compose.journey import KB, QUESTION
from tests.compose.running import Running, docker

pytestmark = pytest.mark.timeout(600)

_READY_SECONDS = 90.0
#: Megabytes of 10^6 bytes, unpacked, on a base that carries no wheel of torch; the parser has no budget.
_BUDGETS = {"gateway": 340, "ingestion": 600, "parser": None, "embeddings": 1300, "colpali": 1700}


def test_images_are_within_their_budgets(stack: Running) -> None:
    del stack
    over = {}
    compressed = _compressed([f"atoll/{name}:0.1.0" for name in _BUDGETS])
    for name, budget in _BUDGETS.items():
        image = f"atoll/{name}:0.1.0"
        size = int(docker("image", "inspect", "-f", "{{.Size}}", image)) / 1e6
        print(f"\nimage {name}: {size:.1f} MB unpacked, {compressed[image]:.0f} MB compressed", end="")
        if budget is not None and size > budget:
            over[name] = size
    assert over == {}


def test_a_stack_that_ran_before_is_ready_in_time_and_answers_at_once(stack: Running) -> None:
    """Without chat, whose start is as long as its model; `up --wait` returns when the first question can be answered."""
    stack.compose("down", "-t", "30")
    before = stack.environment
    stack.environment = {**before, "COMPOSE_PROFILES": "extract"}
    try:
        started = time.monotonic()
        stack.compose("up", "--wait", "--no-build")
        seconds = time.monotonic() - started
        with stack.client() as owner:
            assert owner.post(f"{KB}/query", json={"query": QUESTION, "answer": "extract"}).status_code == 200
    finally:
        stack.environment = before
    stack.compose("up", "--wait", "--no-build")
    print(f"\nstack without chat ready in {seconds:.0f} s, volumes kept, and the first question answered")
    assert seconds <= _READY_SECONDS


def _compressed(images: list[str]) -> dict[str, float]:
    """Return megabytes of each image's layers, compressed; layers that images share are compressed once."""
    layers: dict[str, int] = {}
    with (
        subprocess.Popen(["docker", "save", *images], stdout=subprocess.PIPE) as saving,
        tarfile.open(fileobj=saving.stdout, mode="r|") as archive,
    ):
        for member in archive:
            content = archive.extractfile(member)
            if content is None:
                continue
            if member.name == "manifest.json":
                manifest = json.load(content)
                continue
            packer, size = zlib.compressobj(1), 0
            while block := content.read(1 << 20):
                size += len(packer.compress(block))
            layers[member.name] = size + len(packer.flush())
    return {image["RepoTags"][0]: sum(layers[name] for name in image["Layers"]) / 1e6 for image in manifest}
