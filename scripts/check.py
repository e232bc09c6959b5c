"""Every check that is no test: each runs to its end, then one line a check says what failed and how to mend it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
PYTHON = sys.executable
BIN = Path(PYTHON).parent

#: Name, command, and what to do when it fails.
CHECKS: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("lint", (f"{BIN}/ruff", "check", "--quiet"), "ruff check --fix mends what can be mended by itself"),
    ("format", (f"{BIN}/ruff", "format", "--check", "--quiet"), "ruff format"),
    ("types", (f"{BIN}/mypy", "--no-error-summary"), "see the lines above"),
    ("imports", (f"{BIN}/lint-imports", "--no-cache"), "the contracts stand in pyproject.toml"),
    ("settings", (PYTHON, "scripts/render_env.py", "--check"), "make env"),
    ("api", (PYTHON, "-m", "gateway.openapi", "--check"), "python -m gateway.openapi --write"),
    ("compose", (PYTHON, "scripts/check_compose.py"), "see the lines above"),
    ("samples", (PYTHON, "scripts/build_samples.py", "--check"), "python scripts/build_samples.py"),
)


def main() -> int:
    """Run the checks and return the exit code."""
    failed = []
    for name, command, remedy in CHECKS:
        started = time.monotonic()
        result = subprocess.run(
            command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False
        )
        good = result.returncode == 0
        print(f"{name:<10} {'ok' if good else 'FAILED'}  {time.monotonic() - started:.1f} s", flush=True)
        if not good:
            print(f"{result.stdout}{result.stderr}", flush=True)
            failed.append(f"{name} ({remedy})")
    if failed:
        print(f"failed: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
