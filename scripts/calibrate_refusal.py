"""What refusal thresholds cost: false refusals of answerable questions against refusals of foreign ones.

    python -m scripts.calibrate_refusal --answerable questions.jsonl --foreign foreign.txt \
        (--corpus corpus.jsonl | --gateway http://127.0.0.1:8000 --kb default --key-file .atoll/owner.key)

The passages are those of a running gateway's knowledge base, or of a file of {"id", "title", "text"} lines; they are
searched in this process, so that both signs of every question are known. Set the chosen pair as
ATOLL_QUERY__REFUSE_COSINE and ATOLL_QUERY__REFUSE_TERMS.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
from benchmarks.in_process import KB, pipeline_over, read_lines, titled_passages

from atoll.domain.evidence import Filters, Mode
from atoll.domain.ids import ChunkId, DocumentUid, PassageId
from atoll.domain.passage import Passage
from atoll.query.answer.refuse import RefusalThresholds, term_share
from atoll.query.search.pipeline import SearchPipeline
from atoll.query.search.timings import Timings

TOP_K = 20
STEPS = [step / 50 for step in range(8, 31)]
MAX_FALSE_REFUSALS = 0.02
SHOWN = 12


def gateway_passages(address: str, kb: str, key: str) -> tuple[list[Passage], dict[DocumentUid, str]]:
    """Read every passage of a knowledge base over HTTP."""
    passages: list[Passage] = []
    names: dict[DocumentUid, str] = {}
    with httpx.Client(base_url=f"{address}/v1/kbs/{kb}", headers={"X-API-Key": key}, trust_env=False) as client:
        for document in _listed(client, "/documents", "documents", {"status": "ready"}):
            uid = DocumentUid(document["id"])
            names[uid] = document["name"]
            passages += (_passage(uid, row) for row in _listed(client, f"/documents/{uid}/passages", "passages", {}))
    return passages, names


def _listed(client: httpx.Client, path: str, field: str, filters: dict[str, str]) -> Iterator[dict[str, Any]]:
    cursor: str | None = None
    while True:
        reply = client.get(path, params=filters | ({"cursor": cursor} if cursor else {})).raise_for_status().json()
        yield from reply[field]
        cursor = reply["next_cursor"]
        if not cursor:
            return


def _passage(document: DocumentUid, row: dict[str, Any]) -> Passage:
    return Passage(
        PassageId(row["id"]),
        document,
        row["ordinal"],
        ChunkId(row["chunk_id"]),
        row["page"],
        (),
        row["char_start"],
        row["char_end"],
        row["text"],
        tuple(row["headings"]),
    )


async def signs_of(pipeline: SearchPipeline, questions: list[str]) -> list[tuple[float, float]]:
    """Search every question once and return its best cosine and its share of terms."""
    signs = []
    for text in questions:
        found = await pipeline.find(KB, None, text, mode=Mode.MIX, filters=Filters(), top_k=TOP_K, timings=Timings())
        signs.append((found.best_cosine, term_share(found)))
    return signs


def refused_share(signs: list[tuple[float, float]], thresholds: RefusalThresholds) -> float:
    """Return the share of questions that would be refused."""
    return sum(not thresholds.admit(cosine, terms) for cosine, terms in signs) / len(signs)


async def main(arguments: argparse.Namespace) -> None:
    """Print the best pairs and what they refuse."""
    if arguments.corpus:
        passages, names = titled_passages(arguments.corpus)
    else:
        key = arguments.key_file.read_text(encoding="utf-8").strip()
        passages, names = gateway_passages(arguments.gateway, arguments.kb, key)
    pipeline = await pipeline_over(passages, names)
    answerable = await signs_of(pipeline, [row["question"] for row in read_lines(arguments.answerable)])
    foreign = await signs_of(pipeline, arguments.foreign.read_text(encoding="utf-8").splitlines())
    rows = [
        (refused_share(answerable, pair), refused_share(foreign, pair), pair)
        for pair in (RefusalThresholds(cosine, terms) for cosine in STEPS for terms in STEPS)
    ]
    rows.sort(key=lambda row: (max(row[0], MAX_FALSE_REFUSALS), -row[1]))
    print(f"{len(passages)} passages, {len(answerable)} answerable and {len(foreign)} foreign questions")
    print("refuse_cosine refuse_terms false_refusals foreign_refused")
    for false, right, pair in rows[:SHOWN]:
        print(f"{pair.cosine:13.2f} {pair.terms:12.2f} {false:14.3f} {right:15.3f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--answerable", type=Path, default=Path("tests/data/sample_questions.jsonl"))
    parser.add_argument("--foreign", type=Path, default=Path("tests/data/foreign_questions.txt"))
    parser.add_argument("--corpus", type=Path, help="JSON lines instead of a gateway's passages")
    parser.add_argument("--gateway", default="http://127.0.0.1:8000")
    parser.add_argument("--kb", default="default")
    parser.add_argument("--key-file", type=Path, default=Path(".atoll/owner.key"))
    asyncio.run(main(parser.parse_args()))
