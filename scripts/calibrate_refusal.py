"""What refusing costs, and how the signs of an answer are to be weighed: measured on questions with expectations.

    python -m scripts.calibrate_refusal QUESTIONS.jsonl [--fit]
        (--corpus corpus.jsonl | --gateway http://127.0.0.1:8000 --kb default --key-file .atoll/owner.key)

A question is a JSON object a line with ``question``, ``answerable`` and, for follow-ups, ``history``. The passages are
those of a running gateway's knowledge base, or of a file of {"id", "title", "text"} lines; they are searched in this
process. Printed is, for each certainty, how many answerable questions are refused and how many others are answered: set
ATOLL_QUERY__CERTAINTY by it. ``--fit`` prints the weights that part the two best, for `atoll.query.answer.gate`.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import astuple, fields
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from benchmarks.in_process import READER, PackagedEmbedder, pipeline_over, read_lines, titled_passages
from numpy.typing import NDArray

from atoll.domain.evidence import Filters, Mode
from atoll.domain.ids import ChunkId, DocumentUid, PassageId
from atoll.domain.passage import Passage
from atoll.query.answer.compose import compose
from atoll.query.answer.gate import WEIGHTS, Signs, likelihood, signs_of
from atoll.query.answer.judge import judge
from atoll.query.answer.scale import measured
from atoll.query.question.history import Turn
from atoll.query.search.pipeline import SearchPipeline
from atoll.query.search.timings import Timings

TOP_K = 20
STEPS = [step / 20 for step in range(4, 18)]
#: How strongly weights are held near 0, steps of the descent, and its rate.
RIDGE, ROUNDS, RATE = 2.0, 4000, 0.2
_LEAST_SPREAD = 1e-9


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


async def signs_for(pipeline: SearchPipeline, questions: Sequence[dict[str, Any]]) -> list[Signs]:
    """Answer every question once and return the signs of its answer; a question without evidence has none."""
    embedder = PackagedEmbedder()
    scale = await measured(embedder)
    found_signs = []
    for entry in questions:
        history = tuple(Turn(turn["role"], turn["content"]) for turn in entry.get("history", []))
        found = await pipeline.find(
            READER,
            entry["question"],
            mode=Mode.MIX,
            filters=Filters(),
            top_k=TOP_K,
            timings=Timings(),
            history=history,
            count_words=True,
        )
        judged = await judge(found, embedder, scale)
        chosen = compose(judged)
        nothing = Signs(*(0.0 for _ in fields(Signs)))
        found_signs.append(signs_of(judged, chosen, found.rarity) if chosen else nothing)
    return found_signs


def fitted(signs: Sequence[Signs], answerable: NDArray[np.bool_]) -> tuple[dict[str, float], float]:
    """Return weights and bias of a logistic regression whose weights keep the direction that each sign has."""
    rows = np.array([astuple(each) for each in signs])
    names = [each.name for each in fields(Signs)]
    direction = np.sign([WEIGHTS[name] for name in names])
    middle, spread = rows.mean(axis=0), rows.std(axis=0) + _LEAST_SPREAD
    scaled, wanted = (rows - middle) / spread, answerable.astype(float)
    weights, bias = np.zeros(len(names)), 0.0
    for _ in range(ROUNDS):
        off = 1 / (1 + np.exp(-(scaled @ weights + bias))) - wanted
        weights -= RATE * (scaled.T @ off + RIDGE * weights) / len(rows)
        weights[direction * weights < 0] = 0.0
        bias -= RATE * float(off.mean())
    raw = weights / spread
    return dict(zip(names, raw.round(2).tolist(), strict=True)), round(bias - float(raw @ middle), 2)


async def run(arguments: argparse.Namespace) -> None:
    """Print what each certainty costs."""
    if arguments.corpus:
        passages, names = titled_passages(arguments.corpus)
    else:
        key = arguments.key_file.read_text(encoding="utf-8").strip()
        passages, names = await asyncio.to_thread(gateway_passages, arguments.gateway, arguments.kb, key)
    questions = read_lines(arguments.questions)
    pipeline = await pipeline_over(passages, names, language=arguments.language)
    signs = await signs_for(pipeline, questions)
    likely = np.array([likelihood(each) for each in signs])
    answerable = np.array([bool(entry["answerable"]) for entry in questions])
    print("certainty false_refusals false_answers")
    for step in STEPS:
        refused = likely < step
        print(f"{step:9.2f} {refused[answerable].mean():14.3f} {1 - refused[~answerable].mean():13.3f}")
    if arguments.fit:
        weights, bias = fitted(signs, answerable)
        print(f"weights {weights}\nbias {bias}")


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("questions", type=Path)
    parser.add_argument("--corpus", type=Path)
    parser.add_argument("--gateway", default="http://127.0.0.1:8000")
    parser.add_argument("--kb", default="default")
    parser.add_argument("--key-file", type=Path, default=Path(".atoll/owner.key"))
    parser.add_argument("--language", default="en")
    parser.add_argument("--fit", action="store_true", help="print fitted weights, too")
    asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
