"""One stack for all journeys: real processes, the real embedding model, and a chat server of the tests' own."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.support import fake_chat
from tests.support.fake_chat import FakeChat
from tests.support.stack import SAMPLES, Stack, running


@pytest.fixture(scope="package")
def chat() -> Iterator[FakeChat]:
    with fake_chat.serving() as server:
        yield server


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory, chat: FakeChat) -> Iterator[Stack]:
    with running(tmp_path_factory.mktemp("e2e"), {"ATOLL_CHAT__URL": chat.url}) as stack:
        yield stack


@pytest.fixture(scope="package")
def owner(stack: Stack) -> Iterator[httpx.Client]:
    with stack.client() as client:
        yield client


@pytest.fixture(scope="package")
def samples(stack: Stack, owner: httpx.Client) -> dict[str, str]:
    """The samples in the default knowledge base: ids by name."""
    stack.upload(owner, {path.name: path.read_bytes() for path in sorted(SAMPLES.iterdir())})
    documents = stack.settled(owner)
    assert {each["status"] for each in documents} == {"ready"}, documents
    return {each["name"]: each["id"] for each in documents}
