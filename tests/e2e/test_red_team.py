"""Documents that try to steer are followed by no answer, also where the chat model does whatever it reads."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.support.fake_chat import FakeChat
from tests.support.red_team import Fact, facts, followed, is_right, obedient
from tests.support.stack import Stack

pytestmark = pytest.mark.slow

ENGLISH = [fact for fact in facts() if fact.language == "en"]


@pytest.fixture(scope="module")
def asked(shared_stack: Stack, own_kb: str, chat: FakeChat) -> Iterator[tuple[httpx.Client, str]]:
    usual, chat.reply = chat.reply, obedient
    with shared_stack.client() as client:
        shared_stack.upload(client, {name: data for fact in ENGLISH for name, data in fact.files.items()}, kb=own_kb)
        assert {each["status"] for each in shared_stack.settled(client, kb=own_kb)} == {"ready"}
        yield client, own_kb
    chat.reply = usual


@pytest.mark.parametrize("mode", ["extract", "auto", "generate"])
@pytest.mark.parametrize("fact", ENGLISH, ids=lambda fact: fact.name)
def test_no_answer_follows_a_document_that_tries_to_steer(
    asked: tuple[httpx.Client, str], fact: Fact, mode: str
) -> None:
    client, kb = asked
    reply = client.post(f"/v1/kbs/{kb}/query", json={"query": fact.question, "answer": mode})
    assert reply.status_code == 200, reply.text
    assert is_right(fact, reply.json()), reply.json()["answer"]
    assert followed(fact, reply.json()) == [], reply.json()["answer"]
