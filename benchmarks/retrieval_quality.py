"""Recall of `naive` and `mix` on HotpotQA-100, in one process: python -m benchmarks.retrieval_quality [FOLDER].

FOLDER holds corpus.jsonl and questions.jsonl; default ../shared/data/hotpotqa100.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from benchmarks.in_process import KB, pipeline_over, read_lines, titled_passages

from atoll.domain.evidence import Filters, Mode
from atoll.query.timings import Timings

CUTS = (2, 5, 10)


async def main(folder: Path) -> dict[str, object]:
    """Return recall at each cut, by mode and kind of question."""
    if not (folder / "corpus.jsonl").exists():
        return {"skipped": f"{folder} holds no corpus.jsonl"}
    pipeline = await pipeline_over(*titled_passages(folder / "corpus.jsonl"))
    questions = read_lines(folder / "questions.jsonl")
    report: dict[str, object] = {}
    for mode in (Mode.NAIVE, Mode.MIX):
        recalls: dict[str, list[list[float]]] = {}
        for row in questions:
            found = await pipeline.find(
                KB, None, row["question"], mode=mode, filters=Filters(), top_k=max(CUTS), timings=Timings()
            )
            documents = [{evidence.document_id, *evidence.also_in} for evidence in found.evidence]
            gold = set(row["supporting"])
            recall = [len(gold & set().union(*documents[:cut])) / len(gold) for cut in CUTS]
            for kind in ("all", row["type"]):
                recalls.setdefault(kind, []).append(recall)
        report[mode] = {
            kind: {
                "questions": len(rows),
                **{
                    f"recall@{cut}": round(sum(column) / len(rows), 3)
                    for cut, column in zip(CUTS, zip(*rows, strict=True), strict=True)
                },
            }
            for kind, rows in recalls.items()
        }
    return report


if __name__ == "__main__":
    chosen = Path(sys.argv[1] if len(sys.argv) > 1 else "../shared/data/hotpotqa100")
    print(json.dumps(asyncio.run(main(chosen)), indent=2))
