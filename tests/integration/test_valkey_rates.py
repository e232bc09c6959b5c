"""Token buckets in a real Valkey: shared, refilled by its clock, and forgotten when full."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from atoll.adapters.valkey_rates import ValkeyRates
from atoll.domain.ids import Subject
from atoll.errors import DependencyDown
from atoll.local.valkey import find_server


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[str]:
    """The address of a Valkey of our own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [find_server(), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path)],
        stdout=subprocess.DEVNULL,
    )
    try:
        with redis.Redis(port=port) as client:
            deadline = time.monotonic() + 10
            while True:
                try:
                    client.ping()
                    break
                except redis.ConnectionError:
                    assert time.monotonic() < deadline
                    time.sleep(0.05)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        process.kill()
        process.wait(10)


async def test_gateways_share_a_bucket(broker: str) -> None:
    one, two = (ValkeyRates(broker, None, per_minute=120) for _ in range(2))
    subject, other = Subject("k"), Subject("other")
    waits = await asyncio.gather(*(rates.take(subject) for rates in [one, two] * 70))
    assert 118 <= waits.count(0) <= 126, "a full bucket, and what came back meanwhile"
    assert all(0 <= wait <= 0.6 for wait in waits)
    assert await two.take(other) == 0
    await asyncio.sleep(0.7)
    assert await one.take(subject) == 0, "tokens come back"
    with redis.Redis.from_url(broker) as client:
        assert 0 < client.pttl("atoll:rate:k") <= 60_000, "an unused bucket goes away"
    await one.close()
    await two.close()


async def test_a_broker_that_is_away_is_named(tmp_path: Path) -> None:
    rates = ValkeyRates("redis://127.0.0.1:9/0", None, per_minute=1)
    with pytest.raises(DependencyDown):
        await rates.take(Subject("k"))
    await rates.close()
