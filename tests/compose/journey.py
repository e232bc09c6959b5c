"""A document of each kind up, ready, searched, asked, cited and deleted; also as a program, for another network.

``python -m tests.compose.journey ADDRESS KEY_FILE`` makes it from wherever it is started.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import httpx

SAMPLES = Path(__file__).parents[2] / "samples"
ONE_OF_EACH = ("osk-head-station-manual.pdf", "emergency-procedures.docx", "notices-to-mariners.html")
QUESTION = "How long will the usable fuel at Osk Head last in winter?"
KB = "/v1/kbs/default"
_NOT_NOW = 503


def client(address: str, key_file: Path) -> httpx.Client:
    """Return a client that shows the key in ``key_file`` and uses no proxy."""
    headers = {"Authorization": f"Bearer {key_file.read_text(encoding='utf-8').strip()}"}
    return httpx.Client(base_url=address, headers=headers, timeout=60, trust_env=False)


def upload(owner: httpx.Client, name: str, content: bytes, kb: str = KB) -> str:
    """Upload one document, again after a 503, and return its id."""
    for _ in range(30):
        try:
            answer = owner.post(f"{kb}/documents", files={"file": (name, content)})
        except httpx.TransportError:  # nobody was there, or left meanwhile: the same bytes again are the same document
            time.sleep(1)
            continue
        if answer.status_code != _NOT_NOW:
            assert answer.status_code == 202, answer.text
            identity: str = answer.json()["documents"][0]["id"]
            return identity
        time.sleep(1)
    raise AssertionError(f"{name} was not taken")


def await_ready(owner: httpx.Client, wanted: list[str], seconds: float = 300, kb: str = KB) -> None:
    """Wait until all documents are ready; one that failed is not waited for."""
    until = time.monotonic() + seconds
    states: dict[str, str] = {}
    while time.monotonic() < until:
        for each in wanted:
            if states.get(each) != "ready":
                answer = _get(owner, f"{kb}/documents/{each}")
                states[each] = answer.json()["status"] if answer.status_code == 200 else str(answer.status_code)
        if all(states[each] == "ready" for each in wanted):
            return
        assert not {"failed", "quarantined"} & set(states.values()), states
        time.sleep(0.5)
    raise AssertionError(states)


def _get(owner: httpx.Client, path: str) -> httpx.Response:
    try:
        return owner.get(path)
    except httpx.TransportError:
        return httpx.Response(_NOT_NOW)


def make(owner: httpx.Client, kb: str = KB) -> str:
    """Make the whole journey in a knowledge base that holds nothing else; return the answer that was cited."""
    ids = [upload(owner, name, (SAMPLES / name).read_bytes(), kb) for name in ONE_OF_EACH]
    await_ready(owner, ids, kb=kb)
    found = owner.post(f"{kb}/search", json={"query": QUESTION})
    assert found.status_code == 200, found.text
    evidence = found.json()["evidence"]
    assert evidence
    assert {each["document_id"] for each in evidence} <= set(ids)
    assert all(each["page"] >= 1 and each["boxes"] for each in evidence if each["kind"] == "passage")
    # Extracted, because a model that is small enough for a test says anything.
    answer = owner.post(f"{kb}/query", json={"query": QUESTION, "answer": "extract"}).json()
    assert answer["answered_by"] == "extract", answer
    cited = answer["citations"][0]["evidence"]
    page = owner.get(
        f"{kb}/documents/{cited['document_id']}/pages/{cited['page']}.png", params={"mark": cited["passage_id"]}
    )
    assert (page.status_code, page.content[:4]) == (200, b"\x89PNG")
    for each in ids:
        assert owner.delete(f"{kb}/documents/{each}").status_code == 200
        assert owner.get(f"{kb}/documents/{each}").status_code == 404
    after = owner.post(f"{kb}/search", json={"query": QUESTION}).json()["evidence"]
    assert not {each["document_id"] for each in after} & set(ids)
    text: str = answer["answer"]
    return text


if __name__ == "__main__":
    with client(sys.argv[1], Path(sys.argv[2])) as operator:
        sys.stdout.write(f"{make(operator)}\n")
