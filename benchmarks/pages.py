"""The page-image server: milliseconds a page, and how well pages are ranked: python -m benchmarks.pages.

Reads `samples/` with the parser, embeds every page over HTTP and asks the sample questions that name a page. By
default the text-lines backend with the packaged embedding model, whose pages are made of their passages (so that a
page's milliseconds are those of its passages too); ``--model-dir`` measures a ColPali-family folder on the same pages,
drawn at 150 dpi (run it with the environment of requirements-colpali.lock by ``--python``).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from io import BytesIO
from pathlib import Path

import httpx
import numpy as np
import pypdfium2
from numpy.typing import NDArray
from tests.support.line_pages import line_pages
from tests.unit.parser.reading import read

from atoll.adapters.http_embedder import HttpEmbedder
from atoll.adapters.http_pages import HttpPageEmbedder
from atoll.domain import media
from atoll.domain.page_vectors import PageFailure, PageInput, PageVectors
from atoll.domain.parsed import ParsedDocument

ROOT = Path(__file__).parents[1]
START_SECONDS = 300.0
DPI = 150


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--model-dir", type=Path, help="a ColPali-family folder; default the text-lines backend")
    arguments.add_argument("--python", default=sys.executable, help="interpreter of the page-image server")
    arguments.add_argument("--longest-edge", type=int)
    arguments.add_argument("--pages", type=int, default=1000, help="at most so many pages")
    chosen = arguments.parse_args()
    documents = _documents()
    settings: dict[str, str] = {"ATOLL_PAGES__BACKEND": "text-lines"}
    if chosen.model_dir is not None:
        settings = {"ATOLL_PAGES__BACKEND": "colpali", "ATOLL_PAGES__MODEL_DIR": str(chosen.model_dir)}
        if chosen.longest_edge is not None:
            settings["ATOLL_PAGES__LONGEST_EDGE"] = str(chosen.longest_edge)
    with _server("embeddings", sys.executable, {}) as embeddings:
        settings["ATOLL_EMBEDDINGS__URL"] = embeddings
        with _server("colpali", chosen.python, settings) as url:
            if chosen.model_dir is None:
                embed = partial(_lines, embeddings, [document for _, document, _ in documents])
            else:
                embed = partial(_images, url, _drawn(documents)[: chosen.pages])
            names = [(name, page.number) for name, document, _ in documents for page in document.pages]
            report = asyncio.run(_measure(url, names, embed))
    print(json.dumps(report, indent=2))


async def _lines(url: str, documents: list[ParsedDocument], *, warm: bool) -> list[PageVectors | PageFailure]:
    """Make the pages of the vectors of their lines; some of them to warm up."""
    async with HttpEmbedder(url=url) as embedder:
        found = [await line_pages(embedder, document) for document in (documents[:2] if warm else documents)]
    return [page for pages in found for page in pages.values()]


async def _images(url: str, pages: list[PageInput], *, warm: bool) -> list[PageVectors | PageFailure]:
    """Embed the pages as pictures; some of them to warm up."""
    async with HttpPageEmbedder(url=url) as client:
        return await client.embed_pages(pages[:4] if warm else pages)


async def _measure(
    url: str, names: list[tuple[str, int]], embed: Callable[..., Awaitable[list[PageVectors | PageFailure]]]
) -> dict[str, object]:
    load_before = os.getloadavg()[0]
    async with HttpPageEmbedder(url=url) as client:
        card = await client.describe()
        await embed(warm=True)  # the first batches are slower
        started = time.perf_counter()
        pages = await embed(warm=False)
        milliseconds = 1000 * (time.perf_counter() - started) / len(pages)
        names = names[: len(pages)]
        questions = [question for question in _questions() if (question["document"], question["page"]) in names]
        took, queries = [], []
        for question in questions:
            started = time.perf_counter()
            queries += [query.vectors for query in await client.embed_queries([str(question["question"])])]
            took.append(1000 * (time.perf_counter() - started))
    sound = [page for page in pages if isinstance(page, PageVectors)]
    if len(sound) != len(pages):
        raise RuntimeError(f"{len(pages) - len(sound)} of {len(pages)} pages failed")
    ranks = [
        _rank(query, sound, names.index((str(question["document"]), int(str(question["page"])))))
        for question, query in zip(questions, queries, strict=True)
    ]
    return {
        "model": card.model,
        "load_before": round(load_before, 1),
        "pages": len(pages),
        "ms_per_page": round(milliseconds, 1),
        "vectors_per_page": round(statistics.mean(len(page.vectors) for page in sound), 1),
        "query_p50_ms": round(statistics.median(took), 1),
        "questions": len(ranks),
        "right_page_first": sum(rank == 0 for rank in ranks),
        "right_page_in_first_3": sum(rank < 3 for rank in ranks),
        "mean_reciprocal_rank": round(statistics.mean(1 / (1 + rank) for rank in ranks), 3),
    }


def _rank(query: NDArray[np.float32], pages: list[PageVectors], right: int) -> int:
    """Return at which place, from 0, MaxSim puts page ``right``."""
    scores = [
        float((query @ page.vectors.astype(np.float32).T).max(axis=1).sum()) if len(page.vectors) else 0.0
        for page in pages
    ]
    return sum(score > scores[right] for score in scores)


def _questions() -> list[Mapping[str, object]]:
    lines = (ROOT / "tests" / "data" / "sample_questions.jsonl").read_text(encoding="utf-8").splitlines()
    return [question for question in map(json.loads, lines) if question.get("page")]


def _documents() -> list[tuple[str, ParsedDocument, bytes]]:
    """Return name, content and PDF of each sample."""
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for sample in sorted((ROOT / "samples").iterdir()):
            content = sample.read_bytes()
            document, pdf = read(Path(folder), content, media.sniff(sample.name, content[:4096]), name=sample.name)
            found.append((sample.name, document, Path(pdf).read_bytes()))
    return found


def _drawn(documents: Sequence[tuple[str, ParsedDocument, bytes]]) -> list[PageInput]:
    pages: list[PageInput] = []
    for _, document, pdf in documents:
        with pypdfium2.PdfDocument(pdf) as opened:
            for page, drawn in zip(document.pages, opened, strict=True):
                content = BytesIO()
                drawn.render(scale=DPI / 72).to_pil().save(content, "PNG", compress_level=3)
                pages.append(PageInput(page, (), content.getvalue()))
    return pages


@contextmanager
def _server(module: str, python: str, settings: Mapping[str, str]) -> Iterator[str]:
    """Start a model server on a free port; yield its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    section = {"embeddings": "EMBEDDINGS", "colpali": "PAGES"}[module]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ATOLL_")}
    environment |= {f"ATOLL_{section}__PORT": str(port), "ATOLL_LOG_LEVEL": "WARNING", **settings}
    process = subprocess.Popen([python, "-m", module], env=environment)
    try:
        url, until = f"http://127.0.0.1:{port}", time.monotonic() + START_SECONDS
        while not _ready(url):
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"{module} did not become ready")
            time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        process.wait(90)


def _ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/ready", timeout=5).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


if __name__ == "__main__":
    main()
