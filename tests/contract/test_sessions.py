"""Port ``Sessions`` on every record store."""

from __future__ import annotations

import asyncio

import pytest

from atoll.domain.ids import Subject
from atoll.ports.sessions import MAX_PER_SUBJECT
from tests.support.records import STORES, open_either

ADA, BO = Subject("key:ada"), Subject("user:bo")


@pytest.fixture(params=STORES)
async def sessions(request: pytest.FixtureRequest, tmp_path):
    opened = open_either(request, request.param, tmp_path)
    yield opened.ports.sessions
    await opened.ports.aclose()


async def test_a_session_is_found_until_it_ends(sessions):
    await sessions.open("s1", ADA, seconds=60)
    await sessions.open("s2", BO, seconds=60)
    assert [await sessions.find(each) for each in ("s1", "s2", "s3")] == [ADA, BO, None]
    assert await sessions.end("s1") == ADA
    assert [await sessions.find("s1"), await sessions.end("s1"), await sessions.find("s2")] == [None, None, BO]


async def test_of_many_who_end_it_one_is_told_whose_it_was(sessions):
    await sessions.open("link", ADA, seconds=60)
    assert sorted(map(str, await asyncio.gather(*(sessions.end("link") for _ in range(8))))) == ["None"] * 7 + [ADA]


async def test_what_has_expired_is_gone(sessions):
    await sessions.open("old", ADA, seconds=0)
    assert await sessions.find("old") is None
    assert await sessions.end("old") is None


async def test_a_subject_has_a_bounded_number(sessions):
    for number in range(MAX_PER_SUBJECT + 2):
        await sessions.open(f"s{number}", ADA, seconds=60)
        await asyncio.sleep(0.002)
    await sessions.open("other", BO, seconds=60)
    assert [await sessions.find(each) for each in ("s0", "s1", "s2", "other")] == [None, None, ADA, BO]
