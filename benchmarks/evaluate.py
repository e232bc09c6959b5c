"""How good the answers are, by `atoll eval` on the local stack: python -m benchmarks.evaluate.

Extractive answers over the samples (questions in ../shared/data/questions) and over the other organisation of
tests/data/library, with the packaged embedding model; where EVAL_MODEL_DIR names the folder of another one, with
that as well. Prints JSON: for each model and set the counts of all questions and of each kind, and the ids of the
questions that did not go well. A second run of the samples must be equal; ``second_run_differs`` names what is not.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.support.stack import ROOT, SAMPLES, Stack

LIBRARY = ROOT / "tests" / "data" / "library"
QUESTIONS = ROOT.parent / "shared" / "data" / "questions" / "samples.jsonl"
#: Knowledge base -> its documents and the questions about them.
SETS = {"samples": (SAMPLES, QUESTIONS), "library": (LIBRARY / "documents", LIBRARY / "questions.jsonl")}
MODEL_DIR = "EVAL_MODEL_DIR"
SECONDS = 1800.0


def measure(settings: Mapping[str, str]) -> dict[str, Any]:
    """Return what comes of each set on a stack with some settings."""
    with tempfile.TemporaryDirectory() as place:
        stack = Stack(Path(place), {"ATOLL_GATEWAY__REQUESTS_PER_MINUTE": "1000000", **settings})
        stack.up()
        try:
            return {name: of_set(stack, name, *paths) for name, paths in SETS.items()}
        finally:
            stack.down()


def of_set(stack: Stack, kb: str, documents: Path, questions: Path) -> dict[str, Any]:
    """Ingest the documents into a knowledge base of their own and ask the questions."""
    if not questions.exists():
        return {"skipped": f"{questions} is not there"}
    with stack.client(timeout=SECONDS) as client:
        client.post("/v1/kbs", json={"name": kb}).raise_for_status()
        stack.upload(client, {path.name: path.read_bytes() for path in sorted(documents.iterdir())}, kb=kb)
        states = {each["name"]: each["status"] for each in stack.settled(client, kb=kb, seconds=SECONDS)}
    assert set(states.values()) == {"ready"}, states
    first, second = (asked(stack, kb, questions) for _ in range(2))
    return {
        "kinds": first["kinds"],
        "failed": [each["id"] for each in first["questions"] if not each["good"]],
        "misplaced": [each["id"] for each in first["questions"] if each["placed"] is False],
        "second_run_differs": [
            one["id"] for one, other in zip(first["questions"], second["questions"], strict=True) if one != other
        ],
    }


def asked(stack: Stack, kb: str, questions: Path) -> Any:
    """Return a run of `atoll eval`."""
    command = ("eval", str(questions), "--kb", kb, "--any-page", "--places", "--json")
    done = stack.run(*command, seconds=SECONDS)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def main() -> None:
    """Measure with the packaged model, and with the other one if there is one."""
    result: dict[str, Any] = {"packaged": measure({})}
    if folder := os.environ.get(MODEL_DIR):
        result[Path(folder).name] = measure({"ATOLL_EMBEDDINGS__MODEL_DIR": folder})
    json.dump(result, sys.stdout, indent=2)


if __name__ == "__main__":
    main()
