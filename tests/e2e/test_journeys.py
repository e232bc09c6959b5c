"""What an operator, an analyst and a program do with a running stack, and what each of them must never see."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from atoll.access import keys
from atoll.bootstrap import secret_files, stores
from atoll.domain.principal import Actor, Role
from tests.support.fake_chat import FakeChat
from tests.support.stack import Stack, until

pytestmark = pytest.mark.slow

HARBOUR = (
    b"The harbour master of Veltmere is Ottoline Brask. She keeps the tide gauge of Veltmere in the old custom house."
)
RENEWED = b"The harbour master of Veltmere is Casimir Thole. He moved the tide gauge of Veltmere to the breakwater."
FIREWORK = b"The password of the firework store at Veltmere is kept by Sergeant Quillfeather and by nobody else."
QUESTION = "Who is the harbour master of Veltmere?"


@pytest.fixture
def kb(owner: httpx.Client, request: pytest.FixtureRequest) -> Iterator[str]:
    """A knowledge base of the test's own."""
    name = request.node.name.replace("[", "-").replace("]", "").removeprefix("test_").replace("_", "-")[:60]
    assert owner.post("/v1/kbs", json={"name": name, "language": "en"}).status_code < 300
    yield name
    assert owner.delete(f"/v1/kbs/{name}").status_code < 300
    assert owner.get(f"/v1/kbs/{name}").status_code == 404


def ask(client: httpx.Client, kb: str, question: str = QUESTION, **more: Any) -> dict[str, Any]:
    answer = client.post(f"/v1/kbs/{kb}/query", json={"query": question, "answer": "extract", **more})
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def stream(client: httpx.Client, kb: str, **body: Any) -> list[tuple[str, dict[str, Any]]]:
    """Return the events of a streamed answer."""
    request = {"query": QUESTION, "stream": True, **body}
    with client.stream("POST", f"/v1/kbs/{kb}/query", json=request) as answer:
        assert answer.status_code == 200, answer.read()
        assert answer.headers["content-type"].startswith("text/event-stream")
        frames = "".join(answer.iter_text()).strip().split("\n\n")
    pairs = [frame.split("\n", 1) for frame in frames if not frame.startswith(":")]
    return [(name.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for name, data in pairs]


def upload(stack: Stack, client: httpx.Client, kb: str, name: str, content: bytes, **fields: str) -> str:
    [document] = stack.upload(client, {name: content}, kb=kb, **fields)["documents"]
    settled = {each["id"]: each["status"] for each in stack.settled(client, kb=kb)}
    assert settled[document["id"]] == "ready"
    uid: str = document["id"]
    return uid


def everything(client: httpx.Client, kb: str) -> str:
    """All that a knowledge base shows, as one text."""
    queries = [QUESTION, "tide gauge", '"old custom house"', "Veltmere"]  # an answer repeats words of its query
    shown = [client.get(f"/v1/kbs/{kb}").text, client.get(f"/v1/kbs/{kb}/documents").text]
    shown += [json.dumps(ask(client, kb, query), ensure_ascii=False) for query in queries]
    shown += [client.post(f"/v1/kbs/{kb}/search", json={"query": query, "top_k": 100}).text for query in queries]
    return "\n".join(shown)


def test_the_stream_has_the_agreed_order_and_shapes(stack: Stack, owner: httpx.Client, kb: str) -> None:
    upload(stack, owner, kb, "harbour.txt", HARBOUR)
    events = stream(owner, kb, answer="extract")
    names = [name for name, _ in events]
    assert names[0] == "evidence"
    assert names[-2:] == ["citations", "done"]
    assert set(names[1:-2]) == {"delta"}
    bodies = dict(events)
    assert set(bodies["evidence"]) == {"evidence", "revision"}
    assert bodies["evidence"]["evidence"][0]["document"] == "harbour.txt"
    assert set(bodies["citations"]) == {"sentences", "citations"}
    done = bodies["done"]
    text = "".join(data["text"] for name, data in events if name == "delta")
    assert done["answer"] == text
    assert "Ottoline Brask" in text
    assert done["sentences"] == bodies["citations"]["sentences"]
    whole = ask(owner, kb)
    assert set(done) == set(whole) - {"evidence"}
    assert done["answer"] == whole["answer"]


def test_readers_who_leave_after_the_first_event_keep_nobody_waiting(
    stack: Stack, owner: httpx.Client, kb: str
) -> None:
    upload(stack, owner, kb, "harbour.txt", HARBOUR)
    for number in range(24):
        request = {"query": f"{QUESTION} ({number})", "stream": True}
        with owner.stream("POST", f"/v1/kbs/{kb}/query", json=request, timeout=15) as answer:
            assert answer.status_code == 200
            assert next(answer.iter_lines()) == "event: evidence"
    assert ask(owner, kb)["sentences"]


def test_a_refusal_is_a_proper_answer_in_the_stream_too(stack: Stack, owner: httpx.Client, kb: str) -> None:
    upload(stack, owner, kb, "harbour.txt", HARBOUR)
    done = dict(stream(owner, kb, query="Which enzyme unwinds DNA during replication?", answer="extract"))["done"]
    assert done["answered_by"] == "none"
    assert done["sentences"] == done["citations"] == []
    assert done["refusal"]["reason"]


def test_nothing_deleted_is_ever_shown_again(stack: Stack, owner: httpx.Client, kb: str) -> None:
    uid = upload(stack, owner, kb, "harbour.txt", HARBOUR)
    upload(stack, owner, kb, "other.txt", b"The lifeboat of Veltmere is painted orange.")
    assert "Ottoline" in ask(owner, kb)["answer"]
    path = f"/v1/kbs/{kb}/documents/{uid}"
    shown = [path, f"{path}/file", f"{path}/passages", f"{path}/pages/1", f"{path}/pages/1.png"]
    assert {owner.get(each).status_code for each in shown} == {200}
    receipt = owner.delete(path)
    assert receipt.status_code == 200, receipt.text
    assert receipt.json()["removed"]["passages"] == 1
    assert "Ottoline" not in everything(owner, kb)
    assert uid not in everything(owner, kb)
    assert {owner.get(each).status_code for each in shown} == {404}
    assert owner.delete(path).status_code == 404
    until(lambda: not list((stack.data / "blobs").glob(f"*/{uid}")), 60, "its files are purged")


def test_a_replacement_takes_the_place_at_once_and_a_failed_one_does_not(
    stack: Stack, owner: httpx.Client, kb: str
) -> None:
    old = upload(stack, owner, kb, "harbour.txt", HARBOUR)
    stack.upload(owner, {"harbour.txt": b"%PDF-1.4 truncated"}, kb=kb, replace="true")
    statuses = {each["id"]: each["status"] for each in stack.settled(owner, kb=kb)}
    assert sorted(statuses.values()) == ["failed", "ready"]
    assert statuses[old] == "ready"
    assert "Ottoline" in ask(owner, kb)["answer"]
    new = upload(stack, owner, kb, "harbour.txt", RENEWED, replace="true")
    assert "Casimir Thole" in ask(owner, kb)["answer"]
    assert "Ottoline" not in everything(owner, kb)
    assert owner.get(f"/v1/kbs/{kb}/documents/{old}").status_code == 404
    assert owner.get(f"/v1/kbs/{kb}/documents/{new}").json()["version"] > 1


def test_the_same_bytes_again_are_the_same_document(stack: Stack, owner: httpx.Client, kb: str) -> None:
    uid = upload(stack, owner, kb, "harbour.txt", HARBOUR)
    again = stack.upload(owner, {"harbour.txt": HARBOUR}, kb=kb)
    assert [each["id"] for each in again["documents"]] == [uid]
    assert again["duplicates"] == [{"name": "harbour.txt", "document_id": uid, "applied": []}]
    copy = upload(stack, owner, kb, "copy.txt", HARBOUR)
    assert sorted(each["name"] for each in stack.documents(owner, kb)) == ["copy.txt", "harbour.txt"]
    cited = ask(owner, kb)["citations"][0]["evidence"]
    assert {cited["document_id"], *cited["also_in"]} == {uid, copy}


def test_labels_hide_from_keys_that_do_not_hold_them(stack: Stack, owner: httpx.Client, kb: str) -> None:
    upload(stack, owner, kb, "harbour.txt", HARBOUR)
    secret = upload(stack, owner, kb, "firework.txt", FIREWORK, labels="guarded,stores")
    with (
        _key(stack, owner, kb, labels=["stores"]) as partly,
        _key(stack, owner, kb, labels=["stores", "guarded"]) as fully,
    ):
        question = "Who keeps the password of the firework store at Veltmere?"
        assert "Quillfeather" in ask(fully, kb, question)["answer"]
        seen = json.dumps(ask(partly, kb, question)) + everything(partly, kb)
        assert "Quillfeather" not in seen
        assert secret not in seen
        assert "firework.txt" not in seen
        path = f"/v1/kbs/{kb}/documents/{secret}"
        hidden = [partly.get(f"{path}{each}") for each in ("", "/file", "/passages", "/pages/1", "/pages/1.png")]
        unknown = partly.get(f"/v1/kbs/{kb}/documents/{'0' * 32}")
        assert {each.status_code for each in hidden} == {404}
        assert hidden[0].json()["title"] == unknown.json()["title"]
        assert {partly.delete(path).status_code} <= {403, 404}
        assert "Ottoline" in ask(partly, kb)["answer"]


def test_a_tenant_does_not_learn_that_another_one_exists(stack: Stack, owner: httpx.Client, kb: str) -> None:
    uid = upload(stack, owner, kb, "harbour.txt", HARBOUR)
    with stack.client(_other_tenants_key(stack)) as other:
        assert other.post("/v1/kbs", json={"name": kb, "language": "en"}).status_code < 300, "names are a tenant's own"
        foreign = "The lighthouse of Veltmere shows a green light."
        theirs = upload(stack, other, kb, "light.txt", foreign.encode())
        scores = _scores(owner, kb)
        for number in range(5):
            upload(stack, other, kb, f"more-{number}.txt", HARBOUR + b" %d" % number)
        assert _scores(owner, kb) == pytest.approx(scores, abs=1e-5)
        assert "green light" not in everything(owner, kb)
        assert theirs not in everything(owner, kb)
        assert [each["id"] for each in stack.documents(owner, kb)] == [uid]
        assert uid not in everything(other, kb)
        for client, document in ((other, uid), (owner, theirs)):
            path = f"/v1/kbs/{kb}/documents/{document}"
            answers = [client.get(f"{path}{each}") for each in ("", "/file", "/passages", "/pages/1.png")]
            assert {each.status_code for each in (*answers, client.delete(path))} == {404}
        assert {each["name"] for each in other.get("/v1/kbs").json()["kbs"]} == {kb}
        assert uid not in other.get("/v1/audit").text
        assert other.get("/v1/kbs/default").status_code == 404
        with other.stream("GET", "/v1/kbs/default/events") as events:
            assert events.status_code == 404
    assert ask(owner, kb)["citations"][0]["evidence"]["document_id"] == uid


def test_a_generated_answer_is_checked_sentence_by_sentence(
    stack: Stack, owner: httpx.Client, kb: str, chat: FakeChat
) -> None:
    upload(stack, owner, kb, "harbour.txt", HARBOUR)
    chat.status, chat.reply = (
        200,
        lambda prompt: (
            "The harbour master of Veltmere is Ottoline Brask [1]. The moon is made of green cheese. "
            "The tide gauge is kept in the old custom house [1][9]."
        ),
    )
    body = ask(owner, kb, answer="generate")
    assert body["answered_by"] == "generate"
    first, second, third = body["sentences"]
    assert first["citations"] == [1]
    assert first["supported"] is True
    assert second["supported"] is False
    assert second["citations"] == []
    assert third["supported"] is True
    assert "[9]" not in body["answer"]
    assert body["citations"][0]["evidence"]["document"] == "harbour.txt"
    assert body["usage"]["completion_tokens"] == 7
    sent = chat.requests[-1]
    assert "tools" not in sent
    assert "Ottoline Brask" in sent["messages"][-1]["content"]


def test_auto_shows_sentences_first_and_the_generated_answer_replaces_them(
    stack: Stack, owner: httpx.Client, kb: str, chat: FakeChat
) -> None:
    upload(stack, owner, kb, "harbour.txt", HARBOUR)
    chat.status, chat.reply = 200, lambda prompt: "It is Ottoline Brask, harbour master of Veltmere [1]."
    events = stream(owner, kb, answer="auto")
    names = [name for name, _ in events]
    at = names.index("replace")
    assert names[0] == "evidence"
    assert names[1:at] == ["delta"] * (at - 2) + ["citations"]
    assert events[at][1] == {"answered_by": "generate"}
    assert names[-2:] == ["citations", "done"]
    assert events[-1][1]["answered_by"] == "generate"
    assert events[-1][1]["answer"] == "".join(data["text"] for name, data in events[at:] if name == "delta")


@pytest.mark.parametrize("failure", ["down", "declines"])
def test_auto_keeps_the_sentences_when_the_model_has_nothing(
    stack: Stack, owner: httpx.Client, kb: str, chat: FakeChat, failure: str
) -> None:
    upload(stack, owner, kb, "harbour.txt", HARBOUR)
    chat.status = 500 if failure == "down" else 200
    chat.reply = lambda prompt: "NOT IN THE DOCUMENTS"
    done = dict(stream(owner, kb, answer="auto"))["done"]
    chat.status = 200
    assert done["answered_by"] == "extract"
    assert "Ottoline" in done["answer"]


def test_where_there_is_evidence_the_model_is_asked_and_may_decline(
    stack: Stack, owner: httpx.Client, kb: str, chat: FakeChat
) -> None:
    upload(stack, owner, kb, "harbour.txt", HARBOUR)
    before = len(chat.requests)
    chat.reply = lambda prompt: "NOT IN THE DOCUMENTS"
    body = ask(owner, kb, "Which enzyme unwinds DNA during replication?", answer="generate")
    assert body["answered_by"] == "none"
    assert body["sentences"] == []
    assert body["refusal"]["reason"] == "not_found"
    assert len(chat.requests) == before + 1


def test_no_log_holds_a_question_or_a_sentence(stack: Stack, owner: httpx.Client, kb: str) -> None:
    upload(stack, owner, kb, "harbour.txt", HARBOUR)
    ask(owner, kb, "Who is the harbour master of Veltmere, for the sake of Xylographia?")
    logs = "\n".join(path.read_text() for path in (stack.data / "logs").glob("*.log"))
    assert len(logs) > 1000
    for private in ("Ottoline", "Xylographia", "custom house", stack.key):
        assert private not in logs


@contextmanager
def _key(stack: Stack, owner: httpx.Client, kb: str, *, labels: list[str]) -> Iterator[httpx.Client]:
    answer = owner.post("/v1/keys", json={"name": "test", "role": "reader", "kbs": [kb], "labels": labels})
    assert answer.status_code < 300, answer.text
    with stack.client(answer.json()["secret"]) as client:
        yield client
        assert owner.delete(f"/v1/keys/{answer.json()['id']}").status_code < 300
        assert client.get(f"/v1/kbs/{kb}").status_code == 401


def _other_tenants_key(stack: Stack) -> str:
    """Make a second tenant in the running stack's store; tenants have no route of their own yet."""

    async def make() -> str:
        store = stores.records(stack.settings)
        try:
            tenant = await store.tenants.ensure("other")
            key, text = keys.issue(secret_files.pepper(stack.settings), tenant=tenant, name="owner", role=Role.OWNER)
            await store.keys.create(key, Actor(subject="init", request_id="-"))
            return text
        finally:
            await store.aclose()

    return asyncio.run(make())


def _scores(client: httpx.Client, kb: str) -> list[float]:
    answer = client.post(f"/v1/kbs/{kb}/search", json={"query": QUESTION, "top_k": 100})
    signals = [each["signals"] for each in answer.json()["evidence"]]
    return [signal["score"] for each in signals for _, signal in sorted(each.items())]
