"""Run the benchmarks one after another and keep what they print: python scripts/bench.py [NAME...].

A benchmark is a module in benchmarks/ that runs without arguments and prints one JSON value; it lands in
benchmarks/results/<name>.json, with the machine it was measured on. One that fails keeps its old result.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "benchmarks"
TIMEOUT_SECONDS = 3600.0


def names() -> list[str]:
    """Return the benchmarks; modules without a main part are what they share."""
    return sorted(path.stem for path in FOLDER.glob("*.py") if '__name__ == "__main__"' in path.read_text())


def machine() -> dict[str, object]:
    """Return what a figure depends on besides the code."""
    models = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    return {
        "cpu": models[0].partition(":")[2].strip() if models else platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_mib": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20,
        "python": platform.python_version(),
    }


def run(name: str) -> str | None:
    """Run one benchmark and write its result; return what went wrong, if anything did."""
    started = time.monotonic()
    print(f"{name} ...", flush=True)
    try:
        done = subprocess.run(
            [sys.executable, "-m", f"benchmarks.{name}"],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
            timeout=TIMEOUT_SECONDS,
            check=True,
        )
        result = json.loads(done.stdout)
    except subprocess.CalledProcessError as failed:
        return f"{name} ended with exit code {failed.returncode}"
    except subprocess.TimeoutExpired:
        return f"{name} was not done after {TIMEOUT_SECONDS:.0f} s"
    except ValueError:
        return f"{name} did not print one JSON value"
    report = {"measured_at": datetime.now(UTC).isoformat(timespec="seconds"), "machine": machine(), "result": result}
    path = FOLDER / "results" / f"{name}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    print(f"{name} {time.monotonic() - started:.0f} s -> {path.relative_to(ROOT)}", flush=True)
    return None


def main() -> int:
    """Run the named benchmarks, or all; return the exit code."""
    known = names()
    wanted = sys.argv[1:] or known
    if unknown := sorted(set(wanted) - set(known)):
        print(f"no such benchmark: {', '.join(unknown)} (there are: {', '.join(known)})", file=sys.stderr)
        return 2
    failures = [failure for name in wanted if (failure := run(name))]
    for failure in failures:
        print(failure, file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
