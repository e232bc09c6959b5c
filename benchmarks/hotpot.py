"""Recall of `naive` and `mix` on multi-hop questions, over HTTP: python -m benchmarks.hotpot [FOLDER].

The whole local stack: parser, packaged embedding model, named entities, record store, vector server, gateway; no
chat model. Every passage is a document of its own, its title the heading. FOLDER holds corpus.jsonl ({id, title,
text} a line) and questions.jsonl ({id, question, type, supporting}); default ../shared/data/hotpotqa100. Prints JSON:
recall at three cuts by mode and kind of question, which questions ``mix`` answers worse, and how often a passage is
found by its own first sentence without the title.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx
from tests.support.stack import ROOT, Stack

CUTS = (2, 5, 10)
MODES = ("naive", "mix")
KNOWN_ITEMS, KNOWN_CUTS = 200, (1, 5)
INGEST_SECONDS = 3000.0
_UPLOAD = 50
_SENTENCE_END = re.compile(r"(?<=[.!?])\s")

Rows = Sequence[Mapping[str, Any]]


def measure(folder: Path) -> dict[str, Any]:
    """Return the report, or why there is none."""
    if not (folder / "corpus.jsonl").exists():
        return {"skipped": f"{folder} holds no corpus.jsonl"}
    corpus, questions = read_lines(folder / "corpus.jsonl"), read_lines(folder / "questions.jsonl")
    with tempfile.TemporaryDirectory() as place:
        stack = Stack(Path(place), {"ATOLL_GATEWAY__REQUESTS_PER_MINUTE": "1000000"})
        stack.up()
        try:
            with stack.client() as client:
                began = time.perf_counter()
                names = ingest(stack, client, corpus)
                seconds = time.perf_counter() - began
                return {
                    "passages": len(corpus),
                    "ingest_seconds": round(seconds, 1),
                    **multi_hop(client, questions, names),
                    "known_item": known_items(client, corpus, names),
                }
        finally:
            stack.down()


def read_lines(path: Path) -> Rows:
    """Read a file of JSON lines."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def ingest(stack: Stack, client: httpx.Client, corpus: Rows) -> dict[str, str]:
    """Upload every passage and wait until all are ready; return the id of each document by our name for it."""
    for start in range(0, len(corpus), _UPLOAD):
        some = corpus[start : start + _UPLOAD]
        files = {f"{row['id']}.md": f"# {row['title']}\n\n{row['text']}\n".encode() for row in some}
        stack.upload(client, files)
        stack.settled(client, seconds=INGEST_SECONDS)
    documents = stack.settled(client, seconds=INGEST_SECONDS)
    failed = [each["name"] for each in documents if each["status"] != "ready"]
    assert not failed, f"not ready: {failed}"
    return {each["name"].removesuffix(".md"): each["id"] for each in documents}


def search(client: httpx.Client, query: str, mode: str, top_k: int) -> tuple[list[set[str]], float]:
    """Return the documents of each piece of evidence, and milliseconds of the graph steps."""
    answer = client.post("/v1/kbs/default/search", json={"query": query, "mode": mode, "top_k": top_k})
    answer.raise_for_status()
    body = answer.json()
    found = [{each["document_id"], *each["also_in"]} for each in body["evidence"]]
    return found, body["timings_ms"].get("graph", 0.0)


def multi_hop(client: httpx.Client, questions: Rows, names: Mapping[str, str]) -> dict[str, Any]:
    """Return recall by mode and kind of question, and the questions that ``mix`` answers worse at 5."""
    recalls: dict[str, list[list[float]]] = {}
    steps: list[float] = []
    for mode in MODES:
        recalls[mode] = []
        for row in questions:
            found, milliseconds = search(client, row["question"], mode, max(CUTS))
            gold = {names[each] for each in row["supporting"]}
            recalls[mode].append([len(gold & set().union(*found[:cut])) / len(gold) for cut in CUTS])
            if mode == "mix":
                steps.append(milliseconds)
    kinds = {"all": list(range(len(questions)))}
    for at, row in enumerate(questions):
        kinds.setdefault(row["type"], []).append(at)
    at_five = CUTS.index(5)
    return {
        **{
            mode: {kind: summary([rows[at] for at in chosen], CUTS) for kind, chosen in kinds.items()}
            for mode, rows in recalls.items()
        },
        "worse_at_5": [
            row["id"] for at, row in enumerate(questions) if recalls["mix"][at][at_five] < recalls["naive"][at][at_five]
        ],
        "graph_ms": {"p50": sorted(steps)[len(steps) // 2], "max": max(steps)},
    }


def known_items(client: httpx.Client, corpus: Rows, names: Mapping[str, str]) -> dict[str, Any]:
    """Return by mode how often a passage is found by its first sentence without its title."""
    report: dict[str, Any] = {}
    for mode in MODES:
        hits = []
        for row in corpus[:: max(1, len(corpus) // KNOWN_ITEMS)][:KNOWN_ITEMS]:
            query = _SENTENCE_END.split(row["text"])[0].replace(row["title"], "").strip()
            if not query:
                continue
            found, _ = search(client, query, mode, max(KNOWN_CUTS))
            hits.append([float(names[row["id"]] in set().union(*found[:cut])) for cut in KNOWN_CUTS])
        report[mode] = summary(hits, KNOWN_CUTS)
    return report


def summary(rows: Sequence[Sequence[float]], cuts: Sequence[int]) -> dict[str, float]:
    """Return the number of questions and the mean of each column."""
    means = {f"recall@{cut}": round(sum(row[at] for row in rows) / len(rows), 4) for at, cut in enumerate(cuts)}
    return {"questions": len(rows), **means}


if __name__ == "__main__":
    chosen = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT.parent / "shared" / "data" / "hotpotqa100"
    print(json.dumps(measure(chosen), indent=2))
