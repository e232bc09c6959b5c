"""All journeys run on the shared stack: real processes, the real embedding model, a chat server of the tests' own."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.support.stack import SAMPLES, Stack


@pytest.fixture(scope="package")
def stack(shared_stack: Stack) -> Stack:
    return shared_stack


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
