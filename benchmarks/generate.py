"""Answers of a real chat model beside the documents' own sentences: python -m benchmarks.generate.

EVAL_CHAT_MODEL_FILE names a GGUF file that llama.cpp serves here (`xllamacpp`); without it nothing is measured. Sixty
questions of ../shared/data/questions, every fourth that the documents answer and then every third that they do not,
are asked with and without the model until EVAL_CHAT_SECONDS (default an hour) are over. Prints JSON: what each way
comes to, how many answers the model wrote, and the sentences called supported whose places lack one of their numbers.
"""

from __future__ import annotations

import json
import os
import re
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx
from tests.support import llama
from tests.support.stack import ROOT, SAMPLES, Stack

from atoll.evaluate.questions import Question, read_questions
from atoll.evaluate.verdict import judged

QUESTIONS = ROOT.parent / "shared" / "data" / "questions" / "samples.jsonl"
ANSWERABLE, UNANSWERABLE = 42, 18
KEY = "generate"
CONTEXT_TOKENS, SECONDS = 6144, 3600.0
THREADS = max(1, os.cpu_count() or 1)
_FIGURE = re.compile(r"\d+(?:[.,:]\d+)*")


def chosen(questions: Sequence[Question]) -> list[Question]:
    """Return sixty questions, both sorts in turns, so that the first ones are a fair part of all."""
    yes = [each for each in questions if each.answerable and each.kind != "language"][::4][:ANSWERABLE]
    no = [each for each in questions if not each.answerable][::3][:UNANSWERABLE]
    ordered = [(at / len(some), each) for some in (yes, no) for at, each in enumerate(some)]
    return [each.on_any_page() for _, each in sorted(ordered, key=lambda pair: pair[0])]


def asked(client: httpx.Client, question: Question, answer: str) -> tuple[dict[str, Any], float]:
    """Return the body of an answer and the seconds that it took."""
    body = {"query": question.text, "answer": answer, "history": [dict(turn) for turn in question.history]}
    began = time.perf_counter()
    reply = client.post("/v1/kbs/default/query", json=body)
    reply.raise_for_status()
    return reply.json(), time.perf_counter() - began


def unheld(body: Mapping[str, Any]) -> list[str]:
    """Return the sentences that are called supported and have a figure that stands in none of their places."""
    texts = {each["n"]: each["evidence"]["text"] or "" for each in body["citations"]}
    found = []
    for sentence in body["sentences"]:
        held = " ".join(texts[place["n"]][slice(*place["span"])] for place in sentence["places"])
        if sentence["supported"] and not set(_FIGURE.findall(sentence["text"])) <= set(_FIGURE.findall(held)):
            found.append(sentence["text"])
    return found


def row(client: httpx.Client, question: Question) -> dict[str, Any]:
    """Ask one question in both ways."""
    told: dict[str, Any] = {"id": question.id, "kind": question.kind, "answerable": question.answerable}
    for name, answer in (("model", "auto"), ("extract", "extract")):
        body, seconds = asked(client, question, answer)
        verdict = judged(question, body)
        told[name] = {
            "by": body["answered_by"],
            "usable": verdict.usable,
            "refused": verdict.refused,
            "right": verdict.right,
            "seconds": round(seconds, 1),
            "unheld": unheld(body) if body["answered_by"] == "generate" else [],
            "answer": body["answer"],
        }
    return told


def summary(rows: Sequence[Mapping[str, Any]], name: str) -> dict[str, Any]:
    """Count what one way of answering comes to."""
    yes = [each[name] for each in rows if each["answerable"]]
    no = [each[name] for each in rows if not each["answerable"]]
    return {
        "answerable": len(yes),
        "usable": sum(each["usable"] for each in yes),
        "false_refusals": sum(each["refused"] for each in yes),
        "written_by_the_model": sum(each["by"] == "generate" for each in yes),
        "unanswerable": len(no),
        "false_answers": sum(not each["right"] for each in no),
        "seconds": sorted(each["seconds"] for each in (*yes, *no)),
        "supported_without_its_figures": [text for each in (*yes, *no) for text in each["unheld"]],
    }


def measure(model: Path, seconds: float) -> dict[str, Any]:
    """Ask until the time is over."""
    rows: list[dict[str, Any]] = []
    with (
        llama.serving(model, api_key=KEY, context_tokens=CONTEXT_TOKENS, threads=THREADS) as url,
        tempfile.TemporaryDirectory() as place,
    ):
        key_file = Path(place) / "chat.key"
        key_file.write_text(KEY)
        settings = {
            "ATOLL_GATEWAY__REQUESTS_PER_MINUTE": "1000000",
            "ATOLL_CHAT__URL": url,
            "ATOLL_CHAT__API_KEY_FILE": str(key_file),
            "ATOLL_CHAT__CONTEXT_TOKENS": str(CONTEXT_TOKENS),
        }
        stack = Stack(Path(place), settings)
        stack.up()
        try:
            with stack.client(timeout=600.0) as client:
                stack.upload(client, {path.name: path.read_bytes() for path in sorted(SAMPLES.iterdir())})
                stack.settled(client, seconds=600.0)
                questions = chosen(read_questions(QUESTIONS))
                end = time.monotonic() + seconds
                for question in questions:
                    if time.monotonic() > end:
                        break
                    rows.append(row(client, question))
        finally:
            stack.down()
    told = {name: summary(rows, name) for name in ("extract", "model")}
    return {"model_file": model.name, "asked": len(rows), "of": len(questions), **told, "rows": rows}


def main() -> None:
    """Run, or say why not."""
    model = os.environ.get("EVAL_CHAT_MODEL_FILE")
    if not model or not QUESTIONS.exists():
        print(json.dumps({"skipped": f"EVAL_CHAT_MODEL_FILE is not set, or {QUESTIONS} is not there"}))
        return
    json.dump(measure(Path(model), float(os.environ.get("EVAL_CHAT_SECONDS", SECONDS))), sys.stdout, indent=2)


if __name__ == "__main__":
    main()
