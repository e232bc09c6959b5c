"""What an extractive answer takes beside its search with 10 k passages: python -m benchmarks.answers_at_size.

The stack and the passages of benchmarks/search.py: the stub embedder stands for the model, so that what is measured is
our own time. Searches and answers to the same questions in turns. Prints JSON in milliseconds.
"""

from __future__ import annotations

import asyncio
import json
import random
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx
from benchmarks.search import PASSAGES_PER_DOCUMENT, Stack, fill, optimised, percentiles, wait, words

PASSAGES = 10_000
WARM_UP, QUESTIONS = 20, 200
OPTIMISED_SECONDS = 120.0


def taken(client: httpx.Client, route: str, body: dict[str, Any]) -> tuple[float, Any]:
    """Ask once; return milliseconds and the answer."""
    began = time.perf_counter()
    answer = client.post(f"/v1/kbs/default/{route}", json=body)
    answer.raise_for_status()
    return (time.perf_counter() - began) * 1000, answer.json()


def measure(client: httpx.Client) -> dict[str, Any]:
    """Return what searches and answers take, and the step of extraction as the gateway counts it."""
    searches, answers, steps = list[float](), list[float](), list[float]()
    for number in range(WARM_UP + QUESTIONS):
        question = f"What is {words(random.Random(number), 6)}?"  # noqa: S311 - texts of a benchmark
        search, _ = taken(client, "search", {"query": question, "mode": "mix"})
        answer, body = taken(client, "query", {"query": question, "mode": "mix", "answer": "extract"})
        if number >= WARM_UP:
            searches.append(search)
            answers.append(answer)
            steps.append(body["timings_ms"]["extract"])
    return {
        "questions": QUESTIONS,
        "search_ms": percentiles(searches),
        "answer_ms": percentiles(answers),
        "extract_ms": percentiles(steps),
        "answer_beyond_search_ms_p50": round(statistics.median(map(float.__sub__, answers, searches)), 1),
    }


def main() -> None:
    """Run on a stack of its own."""
    with tempfile.TemporaryDirectory() as folder:
        stack = Stack(Path(folder) / "data")
        try:
            stack.start()
            asyncio.run(fill(stack, 0, PASSAGES // PASSAGES_PER_DOCUMENT))
            ready = wait(lambda: optimised(stack), OPTIMISED_SECONDS)
            with stack.client() as client:
                print(json.dumps({"passages": PASSAGES, "optimised": ready, **measure(client)}, indent=2))
        finally:
            stack.stop()


if __name__ == "__main__":
    main()
