"""Which tests one process runs together when several run them, and what begins first.

A file stays together, so that what it starts is started once. Two groups are wider than a file: all tests on Neo4j,
because there is one server and they empty it, and all tests that read and write the same local stack.
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from xdist.scheduler import LoadScopeScheduling

NEO4J = "neo4j"
STACK = "stack"
#: Files whose tests use the fixture `shared_stack`, in the order in which they run: what kills its processes is last.
ON_THE_SHARED_STACK = (
    "tests/e2e/test_cost.py",
    "tests/e2e/test_journeys.py",
    "tests/e2e/test_pages.py",
    "tests/e2e/test_samples.py",
    "tests/e2e/test_library.py",
    "tests/e2e/test_red_team.py",
    "tests/e2e/test_reading.py",
    "tests/integration/test_load.py",
    "tests/integration/test_durability.py",
    "tests/integration/test_known_faults.py",
    "tests/integration/test_reindex.py",
)
#: What takes longest begins first, so that at the end there are only short files to share out.
LONGEST_FIRST = (
    STACK,
    "tests/integration/test_kill.py",
    NEO4J,
    "tests/integration/test_page_server.py",
    "tests/integration/test_local_stack.py",
    "tests/integration/test_embedding_server.py",
    "tests/e2e/test_backup.py",
    "tests/airgap/test_sealed_journey.py",
)


def group(test: str) -> str:
    """Return the group of a test, by its id."""
    path = test.split("::", 1)[0]
    if NEO4J in test:
        return NEO4J
    return STACK if path in ON_THE_SHARED_STACK else path


def _place(test: str) -> tuple[int, int]:
    where, path = group(test), test.split("::", 1)[0]
    inside = ON_THE_SHARED_STACK.index(path) if where == STACK else 0
    return (LONGEST_FIRST.index(where) if where in LONGEST_FIRST else len(LONGEST_FIRST), inside)


def in_order(items: Sequence[pytest.Item]) -> list[pytest.Item]:
    """Return the tests in the order in which their groups begin; within a file they stay as they are."""
    return sorted(items, key=lambda item: _place(item.nodeid))


class Lanes(LoadScopeScheduling):
    """Hands whole groups to processes, in the order of the tests."""

    def __init__(self, config: pytest.Config, log: object) -> None:
        super().__init__(config, log)  # type: ignore[arg-type]
        config.option.loadscopereorder = False

    def _split_scope(self, nodeid: str) -> str:
        return group(nodeid)
