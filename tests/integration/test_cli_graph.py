"""`atoll graph` against a real gateway process."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import networkx as nx
import pytest

from atoll.adapters.memory.graph_index import MemoryGraphIndex
from tests.support.house import House
from tests.support.written import Line, write

Cli = Callable[..., subprocess.CompletedProcess[str]]


async def _fill(folder: Path) -> None:
    house = House(folder, vectors=MemoryGraphIndex())
    (kb,) = await house.open("main")
    lines = [
        Line("Ada sails with Bob.", ["ada lind:person", "bob:person"], [("ada lind", "bob", "Ada sails with Bob.")]),
        Line("Ada owns the \x1b[31mMerle.", ["ada lind:person", "merle:ship"]),
    ]
    await write(house, kb.uid, "crew.txt", lines)
    house.database.close()
    house.blobs.close()


@pytest.fixture
def atoll(tmp_path: Path) -> Iterator[Cli]:
    asyncio.run(_fill(tmp_path / "house"))
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.gateway_process", str(tmp_path / "house")],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    started = json.loads(process.stdout.readline())

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        environment = {
            "PATH": os.environ["PATH"], "ATOLL_DATA_DIR": str(tmp_path), "ATOLL_API_KEY": started["key"],
            "ATOLL_GATEWAY__PORT": str(started["port"]),
        }  # fmt: skip
        return subprocess.run(
            [sys.executable, "-m", "atoll.cli.main", "graph", *words, "--kb", "main"],
            env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    yield run
    process.send_signal(signal.SIGTERM)
    process.wait(20)
    process.stdout.close()


def test_an_entity_is_shown_by_name_or_id(atoll: Cli) -> None:
    shown = atoll("show", "Ada Lind")
    assert shown.returncode == 0, shown.stderr
    assert "Ada Lind  (person, 2 passages)" in shown.stdout
    assert "crew.txt (2)" in shown.stdout
    assert "merle" in shown.stdout
    assert "ada lind - bob: Ada sails with Bob." in shown.stdout
    assert "\x1b" not in shown.stdout
    body = json.loads(atoll("show", "ada", "--json").stdout)
    assert [each["name"] for each in body["neighbourhood"]["entities"]] == ["bob", "merle"]
    assert json.loads(atoll("show", body["id"], "--json").stdout)["name"] == "ada lind"


def test_a_name_that_nothing_has_is_one_line(atoll: Cli) -> None:
    for name, told in (("carl", "is called 'carl'"), ("l", "'ada lind', 'merle'")):
        answer = atoll("show", name)
        assert answer.returncode == 1
        assert told in answer.stderr
        assert answer.stderr.count("\n") == 1


def test_the_graph_is_exported_whole_to_a_file_or_to_the_terminal(atoll: Cli, tmp_path: Path) -> None:
    assert atoll("export", "-o", "graph.graphml").stdout == "graph.graphml\n"
    assert nx.read_graphml(tmp_path / "graph.graphml").number_of_nodes() == 3
    lines = [json.loads(line) for line in atoll("export", "--format", "jsonl").stdout.splitlines()]
    assert [line["kind"] for line in lines].count("entity") == 3
    failed = atoll("export", "-o", "nowhere/graph.graphml")
    assert (failed.returncode, failed.stderr.count("\n")) == (1, 1)
    assert not list(tmp_path.rglob("*.partial"))
