"""CPU of ingesting two-chunk documents without their model calls: chunk + store + index + publish.

Real stages, record store and vector server; parser, embedder and extractor are twins, whose own CPU is counted in.
Names are drawn like words, so that a few are in most documents. Prints JSON: CPU seconds a document for each hundred
documents, so that growth would show.
"""

from __future__ import annotations

import asyncio
import json
import random
import resource
import sys
import tempfile
import time
from pathlib import Path

from tests.support.readers import reader_of

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.support.house import DIMENSIONS, House
from tests.support.vectors import VectorServer

from atoll.adapters.qdrant_graph import QdrantGraphIndex

DOCUMENTS = 2000
WINDOW = 100
NAME_EVERY = 5
WORDS_PER_DOCUMENT = 1000  # two chunks of 1,200 tokens at the embedder's count


def document(number: int) -> str:
    """Return a document of about two chunks; texts never repeat."""
    generator = random.Random(number)  # noqa: S311 - a benchmark's texts
    sections = []
    for section in range(5):
        words = [word(int(generator.paretovariate(0.6)) % 20000) for _ in range(WORDS_PER_DOCUMENT // 5)]
        sentences = [" ".join(words[i : i + 12]) + "." for i in range(0, len(words), 12)]
        sections.append(f"# Section {section} of {number}\n" + "\n".join(sentences))
    return "\n".join(sections)


def word(rank: int) -> str:
    """Return a word by its rank; one in five is a name, which makes about seven a passage."""
    if rank % NAME_EVERY:
        return f"w{rank}"
    return "N" + "".join(chr(ord("a") + int(digit)) for digit in str(rank))


async def run(folder: Path, url: str, key: str) -> dict[str, object]:
    """Ingest and measure."""
    index = QdrantGraphIndex.connect(url, api_key=key, fingerprint="bench", dimensions=DIMENSIONS)
    house = House(folder, vectors=index)
    (kb,) = await house.open("bench")
    windows: list[float] = []
    walls: list[float] = []
    for start in range(0, DOCUMENTS, WINDOW):
        for number in range(start, start + WINDOW):
            await house.upload(kb, f"{number}.txt", document(number))
        cpu, wall = time.process_time(), time.perf_counter()
        await house.work()
        windows.append((time.process_time() - cpu) / WINDOW)
        walls.append((time.perf_counter() - wall) / WINDOW)
    ready = await house.catalogue.page(reader_of(kb), status=None, name=None, limit=1, before=None)
    await house.close()
    return {
        "documents": DOCUMENTS,
        "status": {str(status): count for status, count in ready.counts.items()},
        "passages_per_document": ready.documents[0].passages,
        "entities_per_document": ready.documents[0].entities,
        "cpu_seconds_per_document": {
            "first_100": round(windows[0], 4),
            "median": round(sorted(windows)[len(windows) // 2], 4),
            "last_100": round(windows[-1], 4),
        },
        "wall_seconds_per_document_median": round(sorted(walls)[len(walls) // 2], 4),
        "peak_rss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def main() -> None:
    """Run against a vector server of its own."""
    with tempfile.TemporaryDirectory() as folder:
        server = VectorServer(Path(folder) / "vectors")
        server.start()
        try:
            print(json.dumps(asyncio.run(run(Path(folder) / "house", server.url, server.api_key)), indent=2))
        finally:
            server.stop()


if __name__ == "__main__":
    main()
