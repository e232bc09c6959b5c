"""What `make test` must build before pytest runs: an environment only for a test that was asked for and marks its need.

Arguments are pytest's. Prints the targets of the Makefile, one a line. `pytest.mark.environment("colpali")` on a test
says that it needs `.state/colpali`.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
#: As `make test` takes part in these when nothing is narrowed.
SUITES = ("unit", "contract", "integration", "e2e", "airgap")
_MARK = re.compile(r'mark\.environment\("(\w+)"\)')


def named(path: Path) -> set[str]:
    """Return the environments that a test file speaks of."""
    return set(_MARK.findall(path.read_text(encoding="utf-8")))


class Needs:
    """Collects what the chosen tests need, and leaves files alone that need nothing."""

    def __init__(self) -> None:
        self.environments: set[str] = set()

    def pytest_ignore_collect(self, collection_path: Path) -> bool | None:
        """Pass over a test file that speaks of no environment: importing all of them takes a minute."""
        if collection_path.is_file() and collection_path.name.startswith("test_") and not named(collection_path):
            return True
        return None

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Count all that a file speaks of when it cannot be imported: the run will say why."""
        path = ROOT / report.nodeid.split("::", 1)[0]
        if report.failed and path.is_file():
            self.environments |= named(path)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """See what was chosen."""
        for item in session.items:
            self.environments.update(mark.args[0] for mark in item.iter_markers("environment"))


def needed(words: list[str]) -> set[str]:
    """Return the environments of the tests that these arguments of pytest choose."""
    if not words:
        files = (path for suite in SUITES for path in (ROOT / "tests" / suite).rglob("test_*.py"))
        return set().union(*(named(path) for path in files))
    found = Needs()
    os.chdir(ROOT)
    # What is wrong with the arguments is said by the run itself.
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        pytest.main([*words, "--collect-only", "-q", "-n", "0"], plugins=[found])
    return found.environments


def main() -> int:
    """Print the targets."""
    for name in sorted(needed(sys.argv[1:])):
        print(f".state/{name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
