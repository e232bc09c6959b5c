"""Cost of the `nlp` extractor: processor time a passage, and memory of a worker that has read many documents.

The passages are those of the multi-hop corpus where it lies beside the repository, else of the samples' kind. The
worker is the one of a whole local stack; its memory is taken before its first document and after each round.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import psutil
from tests.support import corpus
from tests.support.stack import Stack, running

from atoll.adapters.spacy_extractor import SpacyExtractor
from atoll.domain.ids import DocumentUid, KbUid, chunk_id, passage_id
from atoll.domain.passage import Passage
from atoll.ports.extractor import ExtractionScope

CORPUS = Path(__file__).resolve().parents[2] / "shared" / "data" / "hotpotqa100" / "corpus.jsonl"
BATCH = 256
ROUNDS = 5
ROUND_DOCUMENTS = 100
_MIB = 2**20


def titled_texts() -> list[tuple[str, str]]:
    """Return titles and texts of passages."""
    if CORPUS.exists():
        rows = [json.loads(line) for line in CORPUS.read_text(encoding="utf-8").splitlines()]
        return [(row["title"], row["text"]) for row in rows]
    return [(f"Report {seed}", corpus.text(seed, 12).decode()[:1000]) for seed in range(1000)]


async def passage_cost() -> dict[str, object]:
    """Return processor milliseconds a passage, the model's loading left out, and what was found."""
    passages = []
    for number, (title, text) in enumerate(titled_texts()):
        uid = DocumentUid(str(number))
        passages.append(Passage(passage_id(uid, 0), uid, 0, chunk_id(uid, 0), 1, (), 0, len(text), text, (title,)))
    extractor, scope = SpacyExtractor(), ExtractionScope(KbUid("bench"), "en")
    started = time.process_time()
    await extractor.extract(passages[:1], scope)
    load = time.process_time() - started
    started, mentions = time.process_time(), 0
    for start in range(0, len(passages), BATCH):
        mentions += len((await extractor.extract(passages[start : start + BATCH], scope)).mentions)
    seconds = time.process_time() - started
    await extractor.aclose()
    return {
        "passages": len(passages),
        "cpu_ms_a_passage": round(1000 * seconds / len(passages), 2),
        "entities_a_passage": round(mentions / len(passages), 2),
        "load_cpu_seconds": round(load, 2),
        "load_average": round(os.getloadavg()[0], 1),
    }


def worker_memory(stack: Stack) -> dict[str, object]:
    """Return the worker's resident memory in MiB at its start and after each round of documents."""
    worker = psutil.Process(stack.pid("worker"))
    resident = [worker.memory_info().rss // _MIB]
    with stack.client() as client:
        for number in range(ROUNDS):
            files = corpus.documents(number, ROUND_DOCUMENTS, sentences=(20, 60))
            stack.upload(client, {f"{number}-{name}": content for name, content in files.items()})
            stack.settled(client, seconds=900)
            resident.append(worker.memory_info().rss // _MIB)
    return {"documents_a_round": ROUND_DOCUMENTS, "rss_mib": resident}


def main() -> None:
    """Measure both."""
    with tempfile.TemporaryDirectory() as folder, running(Path(folder)) as stack:
        memory = worker_memory(stack)
    print(json.dumps({"nlp": asyncio.run(passage_cost()), "worker": memory}, indent=2))


if __name__ == "__main__":
    main()
