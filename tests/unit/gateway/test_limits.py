"""Rates, requests and uploads in flight."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from atoll.access.limits import Gate, Slots
from atoll.access.rates import LocalRates, RateLimit
from atoll.domain.ids import Subject
from atoll.errors import DependencyDown, QuotaExceeded
from gateway.dependencies import Limits
from tests.unit.gateway.conftest import Site

SOMEBODY = Subject("k")


async def test_a_bucket_fills_with_time() -> None:
    now = 0.0
    rates = LocalRates(60, clock=lambda: now)
    assert [await rates.take(SOMEBODY) for _ in range(60)] == [0] * 60
    assert await rates.take(SOMEBODY) == pytest.approx(1)
    assert await rates.take(Subject("other")) == 0
    now = 1.0
    assert await rates.take(SOMEBODY) == 0
    assert await rates.take(SOMEBODY) > 0


async def test_without_the_broker_each_gateway_counts_for_itself() -> None:
    now, asked = 0.0, 0

    class Away:
        async def take(self, subject: Subject) -> float:
            nonlocal asked
            asked += 1
            raise DependencyDown("away")

    limit = RateLimit(Away(), LocalRates(2, clock=lambda: now), clock=lambda: now)
    await limit.check(SOMEBODY)
    await limit.check(SOMEBODY)
    with pytest.raises(QuotaExceeded):
        await limit.check(SOMEBODY)
    assert asked == 1, "it is not asked again at once"
    now = 3.0
    with pytest.raises(QuotaExceeded):
        await limit.check(SOMEBODY)
    assert asked == 2


async def test_over_the_rate_is_429(tmp_path: Path) -> None:
    site = Site(tmp_path / "slow")
    await site.open(requests_per_minute=3)
    async with site.client(await site.key()) as client, site.client(await site.key()) as other:
        statuses = [(await client.get("/v1/kbs")).status_code for _ in range(4)]
        assert statuses == [200, 200, 200, 429]
        answer = await client.get("/v1/kbs")
        assert int(answer.headers["retry-after"]) >= 1
        assert answer.headers["content-type"] == "application/problem+json"
        assert (await other.get("/v1/kbs")).status_code == 200
    site.house.database.close()
    site.house.blobs.close()


async def test_requests_in_flight_are_bounded_by_key(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, go = asyncio.Event(), asyncio.Event()
    page = site.house.catalogue.page

    async def held(*arguments: object, **more: object) -> object:
        begun.set()
        await go.wait()
        return await page(*arguments, **more)

    monkeypatch.setattr(site.house.catalogue, "page", held)
    monkeypatch.setattr(site.app.state.runtime.admission._requests, "_per_subject", 1)
    async with site.client(await site.key()) as client, site.client(await site.key()) as other:
        first = asyncio.create_task(client.get("/v1/kbs/main/documents"))
        await begun.wait()
        assert (await client.get("/v1/kbs")).status_code == 429
        assert (await other.get("/v1/kbs")).status_code == 200
        go.set()
        assert (await first).status_code == 200
        assert (await client.get("/v1/kbs")).status_code == 200, "the slot is free again"


def test_slots_have_a_total() -> None:
    slots = Slots(2, "things", total=3)
    with ExitStack() as held:
        for subject in (SOMEBODY, SOMEBODY, Subject("b")):
            held.enter_context(slots.hold(subject))
        with pytest.raises(QuotaExceeded):
            held.enter_context(slots.hold(Subject("c")))
    with slots.hold(SOMEBODY):
        pass


async def test_a_gate_lets_some_wait_and_sends_the_rest_away() -> None:
    gate = Gate(1, "uploads", max_wait_seconds=0.05)
    outcomes: list[str] = []
    free = asyncio.Event()

    async def go() -> None:
        try:
            async with gate.enter():
                await free.wait()
                outcomes.append("in")
        except QuotaExceeded:
            outcomes.append("away")

    tasks = [asyncio.create_task(go()) for _ in range(7)]
    await asyncio.sleep(0.1)
    assert outcomes == ["away"] * 6, "two at once, four after their wait"
    free.set()
    await asyncio.gather(*tasks)
    assert outcomes[-1] == "in"
    async with gate.enter():
        pass


async def test_many_uploads_at_once_are_taken_or_sent_away(tmp_path: Path) -> None:
    site = Site(tmp_path / "busy")
    await site.open(limits=Limits(concurrent_uploads=1, concurrent_requests=500, allowed_hosts=("testserver",)))
    key = await site.key()

    async def slowly(number: int) -> AsyncIterator[bytes]:
        yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n'
        await asyncio.sleep(0.01)
        yield f"text {number}\r\n--b--\r\n".encode()

    async with site.client(key) as client:

        async def send(number: int) -> httpx.Response:
            return await client.post(
                "/v1/kbs/main/documents",
                content=slowly(number),
                headers={"Content-Type": "multipart/form-data; boundary=b"},
            )

        answers = await asyncio.gather(*map(send, range(40)))
        statuses = [answer.status_code for answer in answers]
        assert set(statuses) == {202, 429}
        assert all("retry-after" in answer.headers for answer in answers if answer.status_code == 429)
        counts = (await client.get("/v1/kbs/main/documents")).json()["counts"]
    assert counts == {"queued": statuses.count(202)}
    site.house.database.close()
    site.house.blobs.close()
