"""What stages share."""

from __future__ import annotations

import asyncio

import pytest

from atoll.ingest.workshop import to_its_end


async def test_a_write_ends_before_the_stage_that_is_given_up_does() -> None:
    began, may_end, written = asyncio.Event(), asyncio.Event(), []

    async def write() -> None:
        began.set()
        await may_end.wait()
        written.append("points")

    stage = asyncio.create_task(to_its_end(write()))
    await began.wait()
    stage.cancel()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not stage.done()
    may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await stage
    assert written == ["points"]


async def test_a_write_that_fails_fails_the_stage() -> None:
    async def write() -> None:
        raise ValueError("no room")

    with pytest.raises(ValueError, match="no room"):
        await to_its_end(write())
