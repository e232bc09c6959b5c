"""The same 200 documents and stub models through Atoll and through lightrag-hku, one after the other.

LIGHTRAG_PYTHON names an interpreter that has lightrag-hku installed, in an environment of its own; the other side is
../shared/tools/bench_lightrag.py, whose documents are used here too. Both have a chat model that lists up to 12 names
and 11 relations of a chunk at once, and an embedding model that hashes words. Atoll runs whole, behind HTTP, page
images off, with the models in a process that is not counted; LightRAG runs in one process that calls its stubs, whose
processor time it reports and is taken off. Prints JSON: processor time of the ingest a document, milliseconds of a
search (context, no answer) by mode, milliseconds of a deletion, peak memory.
"""

from __future__ import annotations

import importlib.util
import itertools
import json
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import psutil
from tests.support import fake_chat
from tests.support.stack import ROOT, Stack

TOOL = ROOT.parent / "shared" / "tools" / "bench_lightrag.py"
DOCUMENTS, WORDS, QUERIES, DELETIONS = 200, 1000, 20, 3
MAX_ENTITIES = 12
MODES = ("naive", "local", "global", "hybrid", "mix")
_NAME = re.compile(r"\b[A-Z][a-z]{3,}\b")
_PASSAGE = re.compile(r"^\[(\d+)\][^\n]*\n(.*?)(?=^\[\d+\]|^END )", re.MULTILINE | re.DOTALL)
_SECONDS = 1800.0


def tool() -> ModuleType:
    """Return the other side's program as a module: it makes the documents and the names that are asked for."""
    spec = importlib.util.spec_from_file_location("bench_lightrag", TOOL)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def reply(body: dict[str, Any]) -> fake_chat.Said:
    """List the first names of a chunk and relate each to the next of its passage, as the other side's stub does."""
    entities: list[dict[str, Any]] = []
    relations: list[dict[str, Any]] = []
    for number, text in _PASSAGE.findall(body["messages"][-1]["content"]):
        names = list(dict.fromkeys(_NAME.findall(text)))[: MAX_ENTITIES - len(entities)]
        entities += [{"passage": int(number), "name": name, "type": "concept"} for name in names]
        relations += [
            {
                "passage": int(number), "head": head, "keywords": ["association", "topic"], "tail": tail,
                "description": f"{head} and {tail} appear in sequence.", "weight": 1,
            }
            for head, tail in itertools.pairwise(names)
        ]  # fmt: skip
    return fake_chat.Said(json.dumps({"entities": entities, "relations": relations, "complete": True}))


class Ours:
    """Atoll's side."""

    def __init__(self, folder: Path, chat: str, embeddings: str) -> None:
        self.stack = Stack(
            folder,
            {
                "ATOLL_GATEWAY__REQUESTS_PER_MINUTE": "1000000",
                "ATOLL_EMBEDDINGS__URL": embeddings,
                "ATOLL_GRAPH__EXTRACTOR": "llm",
                "ATOLL_GRAPH__URL": chat,
                "ATOLL_PAGES__ENABLED": "false",
            },
        )

    def measure(self, made: ModuleType) -> dict[str, Any]:
        """Return the figures."""
        self.stack.up()
        try:
            with self.stack.client() as client:
                return {
                    "ingest": self._ingest(client, made.make_docs(DOCUMENTS, WORDS)),
                    "query_ms": {mode: self._query(client, mode, made.entity_pool()) for mode in MODES},
                    "delete_ms": self._delete(client),
                    "rss_mib": self._memory(),
                }
        finally:
            self.stack.down()

    def _ingest(self, client: httpx.Client, documents: list[str]) -> dict[str, Any]:
        before, began = self._cpu(), time.perf_counter()
        for start in range(0, len(documents), 50):
            part = {f"f{start + at:05d}.txt": text.encode() for at, text in enumerate(documents[start : start + 50])}
            self.stack.upload(client, part)
        rows = self.stack.settled(client, seconds=_SECONDS)
        wall = time.perf_counter() - began
        assert {each["status"] for each in rows} == {"ready"}
        stats = client.get("/v1/kbs/default/graph/stats").raise_for_status().json()
        return {
            "wall_s": round(wall, 2),
            "cpu_s_a_document": round((self._cpu() - before) / len(documents), 4),
            "graph": stats,
        }

    def _query(self, client: httpx.Client, mode: str, names: list[str]) -> dict[str, float]:
        chosen = random.Random(5)  # noqa: S311 - the other side's questions
        took = []
        for number in range(QUERIES + 2):
            one, two, three = (names[min(len(names) - 1, int(chosen.paretovariate(0.7)) - 1)] for _ in range(3))
            query = f"How does {one} relate to {two} and {three} in case {mode}{number}?"
            began = time.perf_counter()
            answer = client.post("/v1/kbs/default/search", json={"query": query, "mode": mode, "top_k": 20})
            took.append((time.perf_counter() - began) * 1000)
            answer.raise_for_status()
            assert answer.json()["evidence"]
        return {"p50": round(statistics.median(took[2:]), 1), "p95": round(sorted(took[2:])[int(0.95 * QUERIES)], 1)}

    def _delete(self, client: httpx.Client) -> list[float]:
        listing = client.get("/v1/kbs/default/documents", params={"limit": DELETIONS}).json()["documents"]
        took = []
        for row in listing:
            began = time.perf_counter()
            client.delete(f"/v1/kbs/default/documents/{row['id']}").raise_for_status()
            took.append(round((time.perf_counter() - began) * 1000, 1))
        return took

    def _processes(self) -> list[psutil.Process]:
        pids = [each["pid"] for each in self.stack.table().values() if each.get("pid")]
        processes = {pid: psutil.Process(pid) for pid in pids}
        children = {child.pid: child for each in processes.values() for child in each.children(recursive=True)}
        return list({**children, **processes}.values())

    def _cpu(self) -> float:
        """Return the processor seconds of all of Atoll's processes, of children that ended too."""
        times = [each.cpu_times() for each in self._processes()]
        return sum(each.user + each.system + each.children_user + each.children_system for each in times)

    def _memory(self) -> float:
        return round(sum(each.memory_info().rss for each in self._processes()) / 2**20, 1)


def theirs(python: str) -> dict[str, Any]:
    """Run the other side and return its figures under the names of ours."""
    with tempfile.TemporaryDirectory() as place:
        report = Path(place) / "report.json"
        command = [python, str(TOOL), "--docs", str(DOCUMENTS), "--words", str(WORDS), "--queries", str(QUERIES)]
        command += ["--max-entities", str(MAX_ENTITIES), "--tokenizer", "words", "--json", str(report)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=_SECONDS)
        found = json.loads(report.read_text())
    ingest = found["ingest"]
    own = ingest["cpu_s"] - sum(ingest["stub_cpu_s"].values())
    return {
        "version": found["lightrag"],
        "ingest": {
            "wall_s": ingest["wall_s"],
            "cpu_s_a_document": round(own / DOCUMENTS, 4),
            "graph": {"nodes": ingest["nodes"], "edges": ingest["edges"]},
        },
        "query_ms": {
            mode: {"p50": found["query"][mode]["p50_ms"], "p95": found["query"][mode]["p95_ms"]} for mode in MODES
        },
        "delete_ms": found["delete_doc_ms"],
        "rss_mib": found["peak_rss_mb_end"],
    }


def ours() -> dict[str, Any]:
    """Measure Atoll."""
    stub = subprocess.Popen(
        [sys.executable, "-m", "tests.support.stub_embedder", "--port", "0"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert stub.stdout is not None
        port = stub.stdout.readline().split()[1]
        with fake_chat.serving() as chat, tempfile.TemporaryDirectory() as place:
            chat.whole = reply
            return Ours(Path(place), chat.url, f"http://127.0.0.1:{port}").measure(tool())
    finally:
        stub.terminate()
        stub.wait(10)


def measure() -> dict[str, Any]:
    """Return both sides, or why there is nothing to compare."""
    python = os.environ.get("LIGHTRAG_PYTHON")
    if python is None or not TOOL.exists():
        return {"skipped": "set LIGHTRAG_PYTHON to an interpreter with lightrag-hku; needs ../shared/tools too"}
    load = os.getloadavg()[0]
    atoll, lightrag = ours(), theirs(python)
    return {
        "documents": DOCUMENTS,
        "words_a_document": WORDS,
        "load_average_before": round(load, 1),
        "atoll": atoll,
        "lightrag": lightrag,
        "times_faster": {
            "ingest_cpu": round(lightrag["ingest"]["cpu_s_a_document"] / atoll["ingest"]["cpu_s_a_document"], 1),
            **{mode: round(lightrag["query_ms"][mode]["p50"] / atoll["query_ms"][mode]["p50"], 1) for mode in MODES},
            "delete": round(statistics.median(lightrag["delete_ms"]) / statistics.median(atoll["delete_ms"]), 1),
        },
    }


if __name__ == "__main__":
    json.dump(measure(), sys.stdout, indent=2)
