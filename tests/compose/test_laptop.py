"""The laptop's file with a chat model of the size it is meant for: what everything together keeps in memory."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.compose import random_model
from tests.compose.conftest import found_stand_ins
from tests.compose.journey import KB, await_ready, make, upload
from tests.compose.running import docker, running

pytestmark = [pytest.mark.soak, pytest.mark.timeout(1800)]

_BUDGET_GIB = 11.0
_UNITS = {"KiB": 2**-20, "MiB": 2**-10, "GiB": 1.0}
_USED = re.compile(r"^(\S+)  ([0-9.]+)([KMG]iB)", re.MULTILINE)


def test_a_laptop_with_a_model_of_three_billion_weights_stays_below_eleven_gib(checkout: Path) -> None:
    del checkout  # its images
    with running(
        found_stand_ins(),
        project="atoll-laptop",
        file="docker-compose.local.yml",
        place_model=lambda models: random_model.write(models / "random-3b.gguf"),
    ) as stack:
        with stack.client() as owner:
            print(f"\nready in {stack.up_seconds:.0f} s; {make(owner)}")
            await_ready(owner, [upload(owner, "a.txt", b"The fuel at Osk Head lasts for nine weeks.\n")])
            asked = {"query": "How long does the fuel last?", "answer": "generate", "top_k": 1}
            owner.post(f"{KB}/query", json=asked, timeout=600)  # every page of the weights has been used once
        stats = docker("stats", "--no-stream", "--format", "{{.Name}}  {{.MemUsage}}", *stack.containers())
        print(stats)
        used = {name: float(number) * _UNITS[unit] for name, number, unit in _USED.findall(stats)}
        # What is mapped from the model's file counts as the kernel's cache, not as the container's; it is needed all the same.
        chat = next(
            pid
            for pid in docker("top", stack.containers("chat")[0], "-eo", "pid,rss,comm").splitlines()
            if "llama" in pid
        )
        resident = int(chat.split()[1]) / 2**20
        total = sum(used.values()) - used["atoll-laptop-chat-1"] + max(resident, used["atoll-laptop-chat-1"])
        print(f"chat resident {resident:.2f} GiB; together {total:.2f} GiB")
        assert len(used) == 10
        assert total <= _BUDGET_GIB
