"""What a search costs on the real stack, in requests and beside a plain one: no step joins it unseen."""

from __future__ import annotations

import statistics
import time
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.support.stack import Stack

pytestmark = pytest.mark.slow

QUESTIONS = [
    "What torque should the clutch of the lamp changer slip at?",
    "Who signs for spare parts at the station?",
    "How often is the cooling water tested?",
    "What does the manual say of the night shift?",
]
#: How much longer than by words and meaning alone a search with pages and graph may take. Measured: 1.4 to 1.6.
MOST_TIMES = 2.5


def asked(stack: Stack, role: str) -> float:
    """Requests that a model server has answered, questions about itself aside."""
    row = stack.table()[role]
    token = Path(row["token_file"]).read_text().strip()
    text = httpx.get(f"{row['address']}/metrics", headers={"Authorization": f"Bearer {token}"}).raise_for_status().text
    return sum(
        sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == "atoll_model_requests_total" and sample.labels["route"].startswith("/v1/")
    )


def seconds(client: httpx.Client, mode: str, question: str) -> float:
    began = time.perf_counter()
    client.post("/v1/kbs/default/search", json={"query": question, "mode": mode}).raise_for_status()
    return time.perf_counter() - began


def test_mix_embeds_its_question_once(stack: Stack, owner: httpx.Client, samples: dict[str, str]) -> None:
    seconds(owner, "mix", "the first search asks what the page server is")
    before = {role: asked(stack, role) for role in ("embeddings", "pages")}
    for question in QUESTIONS:
        seconds(owner, "mix", question)
    rose = {role: asked(stack, role) - count for role, count in before.items()}
    assert rose == {"embeddings": len(QUESTIONS), "pages": 0}


def test_mix_costs_little_more_than_words_and_meaning(owner: httpx.Client, samples: dict[str, str]) -> None:
    took: dict[str, list[float]] = {"naive": [], "mix": []}
    for _ in range(8):
        for question in QUESTIONS:
            for mode, times in took.items():
                times.append(seconds(owner, mode, question))
    naive, mix = (statistics.median(times) for times in took.values())
    assert mix < MOST_TIMES * naive, f"mix {mix * 1000:.1f} ms, naive {naive * 1000:.1f} ms"
