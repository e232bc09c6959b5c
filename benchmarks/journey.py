"""Processor time of a document's journey in all processes of the local stack: python -m benchmarks.journey [CHECKOUT].

The first 300 documents of ../shared/data/hotpotqa100, with the packaged embedding model, named entities and page
vectors. CHECKOUT is another checkout of this repository, whose build is measured beside this one: both stacks are up
at once and get their documents in turn, fifty at a time. Prints JSON: for each build processor milliseconds a document
by role, their sum, and documents a second. Processor time is what to compare where the machine is busy with other
things; ``busy_cores_other_than_ours`` says how many cores those took.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil
from benchmarks.cores import Foreign
from tests.support.stack import ROLES, ROOT, Stack

DATA = ROOT.parent / "shared" / "data" / "hotpotqa100" / "corpus.jsonl"
DOCUMENTS, TURN, WARM = 300, 50, 20
PACKAGES = ("src", "gateway", "services/ingestion", "services/parser", "services/embeddings", "services/colpali")
READY_SECONDS = 600.0
_POLL_SECONDS = 0.5


@dataclass
class Build:
    """A stack of one checkout, and what its turns took."""

    stack: Stack
    client: httpx.Client
    spent_ms: Counter[str] = field(default_factory=Counter)
    rates: list[float] = field(default_factory=list)

    def ingest(self, files: dict[str, bytes], *, counted: bool = True) -> None:
        """Upload and wait until all is ready; add up what that took."""
        wanted = self.ready() + len(files)
        before, began = processor_seconds(self.stack), time.perf_counter()
        self.stack.upload(self.client, files)
        while self.ready() < wanted:
            assert time.perf_counter() - began < READY_SECONDS, self.stack.logs()
            time.sleep(_POLL_SECONDS)
        seconds = time.perf_counter() - began
        if counted:
            after = processor_seconds(self.stack)
            self.spent_ms.update({role: (after[role] - before[role]) * 1000 for role in after})
            self.rates.append(len(files) / seconds)

    def ready(self) -> int:
        """Return how many documents are ready."""
        counts: dict[str, int] = self.client.get("/v1/kbs/default/documents", params={"limit": 1}).json()["counts"]
        assert not counts.get("failed"), counts
        return counts.get("ready", 0)

    def report(self) -> dict[str, object]:
        """Return what was measured."""
        by_role = {role: round(ms / DOCUMENTS, 1) for role, ms in self.spent_ms.most_common()}
        return {
            "processor_ms_a_document": round(sum(self.spent_ms.values()) / DOCUMENTS, 1),
            "by_role": by_role,
            "documents_a_second": round(statistics.median(self.rates), 2),
        }


def processor_seconds(stack: Stack) -> dict[str, float]:
    """Return what each role has used so far, its children included, those that ended as well."""
    used = {}
    for role in ROLES:
        process = psutil.Process(stack.pid(role))
        family = [process, *process.children(recursive=True)]
        used[role] = sum(sum(member.cpu_times()[:4]) for member in family)
    return used


def documents() -> list[tuple[str, bytes]]:
    """Return names and contents of all documents that are needed."""
    rows = [json.loads(line) for line in DATA.read_text(encoding="utf-8").splitlines()[: DOCUMENTS + WARM]]
    return [(f"{row['id']}.md", f"# {row['title']}\n\n{row['text']}\n".encode()) for row in rows]


def measure(checkouts: Sequence[Path]) -> dict[str, object]:
    """Measure all builds in turns."""
    files = documents()
    builds: dict[str, Build] = {}
    with tempfile.TemporaryDirectory() as place:
        try:
            for number, checkout in enumerate(checkouts):
                path = Path(":".join(str(checkout / package) for package in PACKAGES))
                folder = Path(place) / str(number)
                folder.mkdir()
                stack = Stack(folder, {"ATOLL_GATEWAY__REQUESTS_PER_MINUTE": "1000000"}, path=path)
                stack.up()
                builds["this" if number == 0 else "other"] = Build(stack, stack.client())
            for build in builds.values():
                build.ingest(dict(files[DOCUMENTS:]), counted=False)
            foreign = Foreign([])
            for start in range(0, DOCUMENTS, TURN):
                for build in builds.values():
                    build.ingest(dict(files[start : start + TURN]))
            cores = foreign.cores()
        finally:
            for build in builds.values():
                build.client.close()
                build.stack.down()
    own = sum(sum(build.spent_ms.values()) for build in builds.values()) / 1000
    return {
        "documents": DOCUMENTS,
        **{name: build.report() for name, build in builds.items()},
        "busy_cores_other_than_ours": round(max(0.0, cores - own / max(1e-9, _elapsed(builds))), 2),
    }


def _elapsed(builds: dict[str, Build]) -> float:
    return sum(TURN / rate for build in builds.values() for rate in build.rates)


def main() -> None:
    """Run, or say why not."""
    if not DATA.exists():
        print(json.dumps({"skipped": f"{DATA} is not there"}))
        return
    print(json.dumps(measure([ROOT, *map(Path, sys.argv[1:2])]), indent=2))


if __name__ == "__main__":
    main()
