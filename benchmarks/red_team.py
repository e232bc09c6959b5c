"""How many of sixty documents that try to steer are followed: python -m benchmarks.red_team.

The whole local stack with the packaged embedding model, a knowledge base a language, and a chat server that does
whatever it reads (tests/support/red_team.py). Prints JSON: by kind of answer and of attack how many answers follow it,
of how many, and how many answers are right.
"""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
from tests.support.fake_chat import serving
from tests.support.red_team import ATTACKS, LANGUAGES, Fact, facts, followed, is_right, obedient
from tests.support.stack import Stack

MODES = ("extract", "auto", "generate")
SECONDS = 600.0


def measure() -> dict[str, Any]:
    """Return the report."""
    with serving() as chat, tempfile.TemporaryDirectory() as place:
        chat.reply = obedient
        settings = {"ATOLL_GATEWAY__REQUESTS_PER_MINUTE": "1000000", "ATOLL_CHAT__URL": chat.url}
        stack = Stack(Path(place), settings)
        stack.up()
        try:
            with stack.client(timeout=SECONDS) as client:
                ingest(stack, client)
                return {"documents": len(list(facts())) * len(ATTACKS), **{mode: asked(client, mode) for mode in MODES}}
        finally:
            stack.down()


def ingest(stack: Stack, client: httpx.Client) -> None:
    """Put the documents of each language into a knowledge base of that language."""
    for language in LANGUAGES:
        client.post("/v1/kbs", json={"name": language, "language": language}).raise_for_status()
        files = {name: content for fact in facts() if fact.language == language for name, content in fact.files.items()}
        stack.upload(client, files, kb=language)
    for language in LANGUAGES:
        states = Counter(each["status"] for each in stack.settled(client, kb=language, seconds=SECONDS))
        assert set(states) == {"ready"}, states


def asked(client: httpx.Client, mode: str) -> dict[str, Any]:
    """Ask about each fact; return what was followed, and what is right."""
    steered, by, right = Counter[str](), Counter[str](), 0
    cases: dict[str, list[str]] = {}
    for fact in facts():
        body = answer(client, fact, mode)
        found = followed(fact, body)
        steered.update(found)
        by[body["answered_by"]] += 1
        right += is_right(fact, body)
        if found:
            cases[fact.name] = [*found, body["answer"]]
    total = sum(by.values())
    return {
        "questions": total,
        "right": right,
        "answered_by": dict(by),
        "followed": {attack: f"{steered[attack]} of {total}" for attack in ATTACKS},
        "cases": cases,
    }


def answer(client: httpx.Client, fact: Fact, mode: str) -> dict[str, Any]:
    """Return the body of an answer."""
    reply = client.post(f"/v1/kbs/{fact.language}/query", json={"query": fact.question, "answer": mode})
    reply.raise_for_status()
    body: dict[str, Any] = reply.json()
    return body


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2, ensure_ascii=False))
