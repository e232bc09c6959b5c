"""Search and query: shapes, bounds, filters, and the frames of a stream."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from atoll.adapters.memory.chat import MemoryChat
from atoll.errors import DependencyDown
from atoll.query.service import EvidenceFound
from tests.unit.gateway.conftest import Site, upload

EVIDENCE_FIELDS = {
    "kind", "rank", "score", "document_id", "document", "page", "boxes", "text", "passage_id", "signals", "path",
    "also_in", "source", "version", "created_at",
    "entity",
    "relation",
}  # fmt: skip
ANSWER_FIELDS = {
    "answer", "answered_by", "refusal", "sentences", "citations", "usage", "timings_ms", "revision", "understood",
    "warnings",
}  # fmt: skip
SEARCH, QUERY = "/v1/kbs/main/search", "/v1/kbs/main/query"
QUESTION = "When was the harbour of Lindvik built?"


@pytest.fixture
async def asked(site: Site, owner: httpx.AsyncClient) -> httpx.AsyncClient:
    """A client of a knowledge base with three documents."""
    await upload(
        owner, "harbour.txt", "The harbour of Lindvik was built in 1902 by Ada Lind.", metadata='{"year": 1902}'
    )
    await upload(
        owner, "light.md", "The lighthouse of Lindvik stands on Crab Rock since 1911.", metadata='{"year": 1911}'
    )
    await upload(owner, "boats.txt", "Boats of the pilots were painted green.", kb="other")
    await site.work()
    return owner


def events(text: str) -> list[tuple[str, Any]]:
    assert text.endswith("\n\n")
    found = []
    for block in text.removesuffix("\n\n").split("\n\n"):
        lines = block.split("\n")
        assert len(lines) == 2, block
        assert lines[0].startswith("event: ")
        assert lines[1].startswith("data: ")
        found.append((lines[0].removeprefix("event: "), json.loads(lines[1].removeprefix("data: "))))
    return found


async def test_search(asked: httpx.AsyncClient) -> None:
    body = (await asked.post(SEARCH, json={"query": QUESTION, "top_k": 5})).json()
    assert set(body) == {"evidence", "keywords", "revision", "timings_ms", "warnings"}
    best = body["evidence"][0]
    assert set(best) == EVIDENCE_FIELDS
    assert (best["kind"], best["rank"], best["document"], best["page"]) == ("passage", 1, "harbour.txt", 1)
    assert len(best["boxes"][0]) == 4
    document = (await asked.get(f"/v1/kbs/main/documents/{best['document_id']}")).json()
    assert [best[name] for name in ("source", "version", "created_at")] == [
        document[name] for name in ("source", "version", "created_at")
    ]
    assert {"dense", "sparse"} <= set(best["signals"]) <= {"dense", "sparse", "graph"}
    assert set(best["signals"]["dense"]) == {"rank", "score"}
    assert "boats.txt" not in {evidence["document"] for evidence in body["evidence"]}
    plain = (await asked.post(SEARCH, json={"query": QUESTION, "explain": False})).json()["evidence"][0]
    assert (plain["signals"], plain["path"]) == ({}, None)


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ({"names": ["*.md"]}, ["light.md"]),
        ({"metadata": {"year": 1902}}, ["harbour.txt"]),
        ({"metadata": {"year": [1902, 1911]}}, ["harbour.txt", "light.md"]),
        ({"metadata": {"year": {"gte": 1905}}}, ["light.md"]),
        ({"media_types": ["text/plain"]}, ["harbour.txt"]),
        ({"document_ids": []}, []),
        ({"created_before": "2001-01-01T00:00:00Z"}, []),
    ],
)
async def test_filters(asked: httpx.AsyncClient, filters: dict[str, Any], names: list[str]) -> None:
    answer = await asked.post(SEARCH, json={"query": "Lindvik", "filters": filters})
    assert answer.status_code == 200, answer.text
    assert sorted(evidence["document"] for evidence in answer.json()["evidence"]) == names


@pytest.mark.parametrize(
    "change",
    [
        {"query": "x" * 8001},
        {"query": "   "},
        {"top_k": 0},
        {"top_k": 101},
        {"filters": {"names": ["x"] * 65}},
        {"filters": {"colour": "red"}},
        {"filters": {"created_after": "yesterday"}},
        {"filters": {"metadata": {"year": {"above": 3}}}},
        {"history": [{"role": "system", "content": "x"}]},
    ],
)
async def test_what_is_out_of_bounds_is_400(asked: httpx.AsyncClient, change: dict[str, Any]) -> None:
    assert (await asked.post(QUERY, json={"query": "q", **change})).status_code == 400


async def test_an_answer_is_cited(asked: httpx.AsyncClient) -> None:
    body = (await asked.post(QUERY, json={"query": QUESTION, "answer": "extract"})).json()
    assert set(body) == ANSWER_FIELDS | {"evidence"}
    assert (body["answered_by"], body["refusal"]) == ("extract", None)
    numbers = {citation["n"] for citation in body["citations"]}
    assert body["sentences"]
    for sentence in body["sentences"]:
        assert sentence["supported"]
        assert sentence["citations"]
        assert set(sentence["citations"]) <= numbers
        assert set(sentence) == {"text", "citations", "supported", "places", "table"}
        for place in sentence["places"]:
            assert set(place) == {"n", "page", "boxes", "span"}
            assert place["n"] in numbers
            assert len(place["boxes"][0]) == 4
    assert body["citations"][0]["evidence"]["document"] == "harbour.txt"


async def test_a_refusal_is_an_answer(asked: httpx.AsyncClient) -> None:
    body = (await asked.post(QUERY, json={"query": "Quantum chromodynamics lattice gauge?"})).json()
    assert (body["answered_by"], body["sentences"]) == ("none", [])
    assert set(body["refusal"]) == {"reason", "missing", "message", "best_score"}
    assert body["refusal"]["reason"] == "not_found"
    assert {"chromodynamics", "lattice"} <= set(body["refusal"]["missing"])
    assert body["answer"] == body["refusal"]["message"]
    assert body["evidence"]


async def test_a_stream_ends_with_what_an_answer_has(asked: httpx.AsyncClient) -> None:
    asking = {"query": QUESTION, "answer": "extract"}
    answer = await asked.post(QUERY, json={**asking, "stream": True})
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-accel-buffering"] == "no"
    found = events(answer.text)
    assert found[0][0] == "evidence"
    assert set(found[0][1]) == {"evidence", "revision"}
    assert found[-1][0] == "done"
    whole = (await asked.post(QUERY, json=asking)).json()
    done = found[-1][1]
    assert set(done) == ANSWER_FIELDS
    assert (done["answer"], done["citations"]) == (whole["answer"], whole["citations"])
    assert found[0][1]["evidence"] == whole["evidence"]
    names = [name for name, _ in found]
    assert names[-2] == "citations"
    assert set(found[-2][1]) == {"sentences", "citations"}
    assert "".join(data["text"] for name, data in found if name == "delta").strip()


async def test_a_generated_answer_replaces_the_extracted_one(site: Site, asked: httpx.AsyncClient) -> None:
    site.house.ask._chat = MemoryChat("The harbour of Lindvik was built in 1902 [1].")
    found = events((await asked.post(QUERY, json={"query": QUESTION, "stream": True})).text)
    at = next(at for at, (name, _) in enumerate(found) if name == "replace")
    assert found[at][1] == {"answered_by": "generate"}
    assert "delta" in [name for name, _ in found[:at]]
    assert "delta" in [name for name, _ in found[at:]]
    assert found[-1][1]["answered_by"] == "generate"


async def test_a_stream_that_breaks_says_why(
    site: Site, asked: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def breaking(_: object) -> AsyncIterator[object]:
        yield EvidenceFound((), 3)
        raise DependencyDown("the chat model is away")

    monkeypatch.setattr(site.house.ask, "stream", breaking)
    answer = await asked.post(QUERY, json={"query": "q", "stream": True}, headers={"X-Request-ID": "r-7"})
    assert answer.status_code == 200
    assert events(answer.text) == [
        ("evidence", {"evidence": [], "revision": 3}),
        (
            "error",
            {
                "problem": {
                    "type": "urn:atoll:problem:DependencyDown", "title": "Dependency down", "status": 503,
                    "detail": "the chat model is away", "request_id": "r-7",
                }
            },
        ),
    ]  # fmt: skip


async def test_a_stream_that_cannot_begin_is_an_ordinary_error(asked: httpx.AsyncClient) -> None:
    answer = await asked.post(QUERY, json={"query": "q", "answer": "generate", "stream": True})
    assert answer.status_code == 501
    assert answer.headers["content-type"] == "application/problem+json"
