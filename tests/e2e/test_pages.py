"""Pages on the real stack: embedded, ranked, marked, lit, gone with their document, and safe from kill -9."""

from __future__ import annotations

import io
import time
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image

from tests.support.stack import SAMPLES, Stack, running, until

pytestmark = pytest.mark.slow

QUESTION = "What torque should the clutch of the Osk Head lamp changer slip at?"
DOCUMENT, PAGE = "osk-head-station-manual.pdf", 2


def search(client: httpx.Client, query: str, **fields: object) -> dict:
    answer = client.post("/v1/kbs/default/search", json={"query": query, **fields})
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_visual_search_finds_the_page_and_marks_the_line(
    stack: Stack, owner: httpx.Client, samples: dict[str, str]
) -> None:
    found = search(owner, QUESTION, mode="visual", top_k=3)
    pages = [(each["document"], each["page"]) for each in found["evidence"]]
    assert (DOCUMENT, PAGE) in pages, pages
    right = found["evidence"][pages.index((DOCUMENT, PAGE))]
    assert right["kind"] == "page"
    assert set(right["signals"]) == {"pages"}
    assert right["boxes"]
    layout = owner.get(f"/v1/kbs/default/documents/{right['document_id']}/pages/{PAGE}").json()
    assert right["passage_id"] in {each["id"] for each in layout["passages"]}
    assert "embed_pages" in found["timings_ms"]


def test_mix_says_what_pages_found_and_its_answer_can_be_lit(owner: httpx.Client, samples: dict[str, str]) -> None:
    found = search(owner, QUESTION, mode="mix")
    first = found["evidence"][0]
    assert (first["document"], first["page"]) == (DOCUMENT, PAGE)
    assert "pages_missing" not in found["timings_ms"]
    assert any("pages" in each["signals"] for each in found["evidence"][:5])
    path = f"/v1/kbs/default/documents/{first['document_id']}/pages/{PAGE}"
    lit = owner.post(f"{path}/heatmap", json={"query": QUESTION})
    assert lit.status_code == 200, lit.text
    plain = owner.get(f"{path}.png")
    before, after = (
        np.asarray(Image.open(io.BytesIO(each.content)).convert("RGB"), dtype=int) for each in (plain, lit)
    )
    assert before.shape == after.shape
    assert 0.0005 < (np.abs(before - after).sum(axis=2) > 60).mean() < 0.6


def test_a_visual_question_is_answered_from_the_page(owner: httpx.Client, samples: dict[str, str]) -> None:
    answer = owner.post("/v1/kbs/default/query", json={"query": QUESTION, "mode": "visual", "answer": "extract"}).json()
    assert answer["answered_by"] == "extract", answer["refusal"]
    assert "6.5" in answer["answer"]


@pytest.mark.timeout(420)
def test_kill_9_of_the_page_server_during_ingest_ends_with_every_document_ready(tmp_path: Path) -> None:
    with running(tmp_path) as stack, stack.client() as client:
        stack.upload(client, {path.name: path.read_bytes() for path in sorted(SAMPLES.iterdir())})
        for _ in range(3):
            time.sleep(1.5)
            until(lambda: stack.kill("pages"), 60, "there is a page server to kill")
        documents = stack.settled(client, seconds=240)
        assert {each["status"] for each in documents} == {"ready"}, documents
        assert not [each["warnings"] for each in documents if each["warnings"]]
        pages = sum(each["pages"] for each in documents)
        dump = stack.dump()["default"]
        assert dump["page_points"] == pages
        # without it: mix goes on and says so, visual is away
        until(lambda: stack.kill("pages"), 60, "there is a page server to kill")
        missing = search(client, QUESTION)
        assert missing["evidence"][0]["document"] == DOCUMENT
        assert "pages_missing" in missing["timings_ms"]
        gone = next(each for each in documents if each["name"] == DOCUMENT)
        assert client.delete(f"/v1/kbs/default/documents/{gone['id']}").status_code == 200
        until(lambda: stack.dump()["default"]["page_points"] == pages - gone["pages"], 60, "its pages are purged")
