"""What the images weigh: unpacked against their budgets, and compressed as they cross a gap."""

from __future__ import annotations

import subprocess

import pytest

from tests.compose.running import Running, docker

pytestmark = pytest.mark.timeout(600)

#: Megabytes of 10^6 bytes, unpacked, on a base that carries no wheel of torch; the parser has no budget.
_BUDGETS = {"gateway": 280, "ingestion": 600, "parser": None, "embeddings": 1300, "colpali": 1700}


def test_images_are_within_their_budgets(stack: Running) -> None:
    del stack
    over = {}
    for name, budget in _BUDGETS.items():
        image = f"atoll/{name}:0.1.0"
        size = int(docker("image", "inspect", "-f", "{{.Size}}", image)) / 1e6
        print(f"\nimage {name}: {size:.0f} MB unpacked, {_compressed(image):.0f} MB compressed", end="")
        if budget is not None and size > budget:
            over[name] = size
    assert over == {}


def _compressed(image: str) -> float:
    with subprocess.Popen(["docker", "save", image], stdout=subprocess.PIPE) as saving:
        packed = subprocess.Popen(["gzip", "-1"], stdin=saving.stdout, stdout=subprocess.PIPE)
        assert packed.stdout is not None
        with packed, packed.stdout as stream:
            size = 0
            while block := stream.read(1 << 20):
                size += len(block)
    return size / 1e6
