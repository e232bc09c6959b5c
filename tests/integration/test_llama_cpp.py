"""The protocol against a real llama.cpp server. The model is far too small to be right: only forms are asserted."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from atoll.adapters.chat_extractor import ChatExtractor
from atoll.adapters.openai_chat import OpenAIChat
from atoll.domain.ids import DocumentUid, KbUid, chunk_id, passage_id
from atoll.domain.passage import Passage
from atoll.errors import ModelReplyInvalid
from atoll.ports.chat import ChatMessage, ChatUsage
from atoll.ports.extractor import ExtractionScope
from tests.support import llama

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300), pytest.mark.environment("llama")]

KEY = "a-key-of-the-test"
CONTEXT_TOKENS = 4096
TEXT = "Ingrid Sorensen founded Northwind Energy in Lisbon. Northwind Energy sold the KRT-9 line to Toyota."


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    path = llama.model()
    if path is None:
        pytest.skip(
            "llama.cpp and its test model are not installed; `make test` installs them where there are packages"
        )
    with llama.serving(path, api_key=KEY, context_tokens=CONTEXT_TOKENS) as address:
        yield address


def passages(text: str) -> list[Passage]:
    uid = DocumentUid("d")
    return [Passage(passage_id(uid, 0), uid, 0, chunk_id(uid, 0), 1, (), 0, len(text), text, ("History",))]


async def test_a_reply_follows_the_schema_and_nothing_is_believed_that_is_not_there(url, capsys):
    extractor = ChatExtractor(url=url, model="local", api_key=KEY, reply_tokens=160, gleaning=False)
    found = await extractor.extract(passages(TEXT), ExtractionScope(KbUid("kb"), "en", ("person", "organization")))
    await extractor.aclose()
    usage = extractor.usage
    with capsys.disabled():
        print(f"\nllama.cpp: {usage}, names {[m.surface for m in found.mentions]}, warnings {found.warnings}")
    assert usage.requests in {1, 2}
    assert usage.prompt_tokens > 200
    assert 0 < usage.completion_tokens <= 160 * usage.requests
    for mention in found.mentions:
        assert mention.span == (0, 0) or TEXT[slice(*mention.span)] == mention.surface
    ends = {mention.entity for mention in found.mentions}
    assert all({each.head, each.tail} <= ends for each in found.assertions)


async def test_streams_count_and_end_with_their_usage(url):
    chat = OpenAIChat(url=url, model="local", api_key=KEY)
    pieces = [p async for p in chat.stream([ChatMessage("user", "What is the capital of France?")], max_tokens=12)]
    assert await chat.count_tokens("Northwind Energy") == await chat.count_tokens("Northwind Energy") > 0
    await chat.aclose()
    assert any(isinstance(piece, str) for piece in pieces)
    assert isinstance(pieces[-1], ChatUsage)


async def test_a_wrong_key_and_a_prompt_that_is_too_long_are_named(url):
    stranger = ChatExtractor(url=url, model="local", api_key="wrong", reply_tokens=20)
    with pytest.raises(ModelReplyInvalid, match="refused the key"):
        await stranger.extract(passages(TEXT), ExtractionScope(KbUid("kb"), "en"))
    await stranger.aclose()
    extractor = ChatExtractor(url=url, model="local", api_key=KEY, reply_tokens=20)
    with pytest.raises(ModelReplyInvalid, match="400"):
        await extractor.extract(passages(f"{TEXT} " * 300), ExtractionScope(KbUid("kb"), "en"))
    await extractor.aclose()
