"""What a person waits for, with the real embedding server: the first evidence of a streamed answer, and a deletion.

The whole local stack over the samples. Prints JSON in milliseconds. Questions never repeat; every stream is left right
after its first event, as an impatient reader would. Documents are deleted in whatever state they are in, while
others are still being ingested, and each must be gone from the next answer on.
"""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from collections import Counter
from pathlib import Path

import httpx
from tests.support.stack import SAMPLES, Stack

ROOT = Path(__file__).resolve().parent.parent
ROUNDS = 5
DELETED = 60


def question_texts() -> list[str]:
    """Return questions that do not repeat: those of the samples, each in a few wordings."""
    lines = (ROOT / "tests" / "data" / "sample_questions.jsonl").read_text().splitlines()
    asked = [json.loads(line)["question"] for line in lines]
    return [f"{question} (asked for file {number})" for number in range(ROUNDS) for question in asked]


def first_evidence(client: httpx.Client) -> list[float]:
    """Return the milliseconds from each question to its first event."""
    taken = []
    for question in question_texts():
        began = time.perf_counter()
        request = {"query": question, "stream": True}
        with client.stream("POST", "/v1/kbs/default/query", json=request) as answer:
            answer.raise_for_status()
            assert next(answer.iter_lines()) == "event: evidence"
            taken.append((time.perf_counter() - began) * 1000)
    return taken


def deletions(stack: Stack, client: httpx.Client) -> tuple[list[float], Counter[str]]:
    """Delete documents in the middle of their ingestion; return the milliseconds, and the states they were in."""
    text = "The lamp of pier {0} was lit in {0}. " * 40
    files = {f"pier-{number}.txt": text.format(number).encode() for number in range(DELETED)}
    uploaded = stack.upload(client, files)["documents"]
    taken, states = [], Counter[str]()
    for document in uploaded:
        path = f"/v1/kbs/default/documents/{document['id']}"
        states[client.get(path).json()["status"]] += 1
        began = time.perf_counter()
        client.delete(path).raise_for_status()
        taken.append((time.perf_counter() - began) * 1000)
        assert client.get(path).status_code == httpx.codes.NOT_FOUND
        time.sleep(0.05)  # so that the others move on meanwhile
    return taken, states


def summary(milliseconds: list[float]) -> dict[str, float]:
    """Return count, median, 99th percentile and maximum."""
    return {
        "n": len(milliseconds),
        "p50": round(statistics.median(milliseconds), 1),
        "p99": round(statistics.quantiles(milliseconds, n=100, method="inclusive")[98], 1),
        "max": round(max(milliseconds), 1),
    }


def main() -> None:
    """Run on a stack of its own."""
    with tempfile.TemporaryDirectory() as folder:
        stack = Stack(Path(folder), {"ATOLL_GATEWAY__REQUESTS_PER_MINUTE": "1000000"})
        ready_seconds = stack.up()
        try:
            with stack.client() as client:
                stack.upload(client, {path.name: path.read_bytes() for path in sorted(SAMPLES.iterdir())})
                stack.settled(client)
                first_evidence(client)  # warm
                evidence = first_evidence(client)
                deleted, states = deletions(stack, client)
        finally:
            stack.down()
    result = {
        "start_to_ready_seconds": round(ready_seconds, 1),
        "first_evidence_ms": summary(evidence),
        "delete_ms": summary(deleted),
        "deleted_in_state": dict(states),
    }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
