"""How tests are shared out, and that `make test` builds an environment only for a test that was asked for."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence

import pytest
from scripts import environments

from tests.support import lanes
from tests.support.stack import ROOT


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        ("tests/unit/query/test_fuse.py::test_one", "tests/unit/query/test_fuse.py"),
        ("tests/contract/test_records.py::TestKeys::test_one[sqlite-two]", "tests/contract/test_records.py"),
        ("tests/contract/test_records.py::test_one[neo4j]", "neo4j"),
        ("tests/integration/test_neo4j_records.py::test_one", "neo4j"),
        ("tests/integration/test_load.py::test_one", "stack"),
        ("tests/e2e/test_samples.py::test_one[q-1]", "stack"),
    ],
)
def test_what_shares_a_server_stays_together(test: str, expected: str) -> None:
    assert lanes.group(test) == expected


def test_the_lanes_name_files_that_are_there_and_all_that_use_the_shared_stack() -> None:
    named = {*lanes.ON_THE_SHARED_STACK, *lanes.LONGEST_FIRST} - {lanes.NEO4J, lanes.STACK}
    assert [path for path in named if not (ROOT / path).is_file()] == []
    users = {
        str(path.relative_to(ROOT))
        for suite in ("unit", "contract", "integration", "airgap")
        for path in (ROOT / "tests" / suite).rglob("test_*.py")
        if "shared_stack" in path.read_text() or "own_kb" in path.read_text()
    } - {"tests/unit/test_lanes.py"}
    assert users == {path for path in lanes.ON_THE_SHARED_STACK if not path.startswith("tests/e2e/")}
    journeys = {path for path in (ROOT / "tests" / "e2e").glob("test_*.py") if "owner" in path.read_text()}
    assert {str(path.relative_to(ROOT)) for path in journeys} <= set(lanes.ON_THE_SHARED_STACK)


class Named:
    def __init__(self, nodeid: str) -> None:
        self.nodeid = nodeid


def order(*tests: str) -> Sequence[str]:
    return [each.nodeid for each in lanes.in_order([Named(test) for test in tests])]  # type: ignore[misc, list-item]


def test_the_longest_groups_begin_and_the_shared_stack_is_killed_last() -> None:
    unit, kill = "tests/unit/test_errors.py::a", "tests/integration/test_kill.py::a"
    reindex, load, journey = (
        f"tests/{name}.py::a" for name in ("integration/test_reindex", "integration/test_load", "e2e/test_journeys")
    )
    assert order(unit, reindex, kill, load, f"{unit}b", journey) == [journey, load, reindex, kill, unit, f"{unit}b"]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["tests/unit/query"], []),
        (["tests/integration", "-k", "page_server and tiles"], [".state/colpali"]),
        (["tests/integration/test_page_server.py", "-k", "flood"], []),
    ],
    ids=" ".join,
)
def test_an_environment_is_built_for_a_test_that_was_asked_for(words: list[str], expected: list[str]) -> None:
    asked = subprocess.run(
        [sys.executable, "scripts/environments.py", *words],
        cwd=ROOT, capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    assert asked.stdout.split() == expected


def test_all_environments_are_built_when_nothing_is_narrowed() -> None:
    assert environments.needed([]) == {"clients", "colpali", "llama"}


def test_every_environment_that_a_test_names_can_be_built() -> None:
    makefile = (ROOT / "Makefile").read_text()
    assert [name for name in environments.needed([]) if f"\n.state/{name}:" not in makefile] == []
