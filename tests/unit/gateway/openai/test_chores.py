"""What a chat program asks by itself."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.unit.gateway.conftest import Site
from tests.unit.gateway.openai.conftest import CHAT, QUESTION, body

TALK = f"""### Chat History:
<chat_history>
USER: {QUESTION}
ASSISTANT: The harbour was built in 1902. [1] It mentions "queries" and "title".
USER: And who built it?
</chat_history>"""
PROMPTS = {
    "title": (
        '### Task:\nGenerate a title.\n### Output:\nJSON format: { "title": "your concise title here" }\n' + TALK
    ),
    "tags": '### Task:\nGenerate 1-3 tags.\n### Output:\nJSON format: { "tags": ["tag1", "tag2"] }\n' + TALK,
    "follow_ups": '### Task:\nSuggest questions.\nJSON format: { "follow_ups": ["Question 1?"] }\n' + TALK,
    "queries": '### Task:\nAnalyze the chat history.\nJSON: { "queries": ["question1", "question2"] }\n' + TALK,
    "other": "### Task:\nGenerate a prompt for a picture.\n" + TALK,
}
ANSWERS = {
    "title": {"title": "When was the harbour of Lindvik built"},
    "tags": {"tags": ["General"]},
    "follow_ups": {"follow_ups": []},
    "queries": {"queries": ["And who built it?"]},
    "other": {},
}


@pytest.mark.parametrize("kind", PROMPTS)
async def test_chores_are_done_by_rule(
    site: Site, asked: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    async def never(*_: object, **__: object) -> Any:
        raise AssertionError("nothing is searched for")
        yield

    monkeypatch.setattr(site.house.ask, "stream", never)
    answer = await asked.post(CHAT, json=body(PROMPTS[kind] + "\n", max_tokens=1000, stream=False))
    assert answer.status_code == 200, answer.text
    assert json.loads(answer.json()["choices"][0]["message"]["content"]) == ANSWERS[kind]
    await site.app.state.runtime.queries.flush()
    usage = (await asked.get("/v1/usage")).json()
    assert [kb["queries"] for kb in usage["kbs"]] == [0, 0], "a chore is none of the questions that a quota counts"


@pytest.mark.parametrize(
    "change",
    [
        {"tools": [{"type": "function", "function": {"name": "t"}}]},
        {"messages": [{"role": "user", "content": "Hello"}, {"role": "user", "content": PROMPTS["tags"]}]},
        {"messages": [{"role": "user", "content": PROMPTS["tags"] + "\nWhen was the harbour built?"}]},
    ],
)
async def test_what_only_begins_like_a_chore_is_a_question(asked: httpx.AsyncClient, change: dict[str, Any]) -> None:
    answer = await asked.post(CHAT, json={**body(PROMPTS["tags"]), **change})
    assert "atoll" in answer.json()


async def test_a_chore_needs_the_right_to_read(site: Site) -> None:
    async with site.client(await site.key(kbs={"other"})) as narrow:
        assert (await narrow.post(CHAT, json=body(PROMPTS["tags"]))).status_code == 404
