"""Document events: order, resumption, labels, bounds, and their end."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
import httpx
import pytest
from fastapi import FastAPI

from atoll.access.admit import KbAccess
from atoll.domain.ids import KeyId
from atoll.domain.principal import Actor, Principal, Role, subject_of_key
from atoll.errors import QuotaExceeded
from gateway import sse
from gateway.app import create_app
from gateway.events import routes
from gateway.events.hub import Hubs
from tests.support.house import ACTOR
from tests.unit.gateway.conftest import Site, upload


def access(site: Site, labels: set[str] | None = None, key: str = "k") -> KbAccess:
    principal = Principal(
        subject_of_key(KeyId(key)),
        site.main.tenant,
        "k",
        Role.READER,
        None,
        None if labels is None else frozenset(labels),
        "acme",
    )
    return KbAccess(principal, Actor(key, "-"), site.main.uid, "main")


def watch(site: Site, since: int | None, **options: Any) -> AsyncGenerator[bytes, None]:
    return routes._frames(access(site, **options), site.app.state.runtime, since)


async def take(frames: AsyncGenerator[bytes, None], count: int) -> list[tuple[str, Any, str]]:
    found = []
    async with asyncio.timeout(10):
        while len(found) < count:
            fields = dict(line.split(": ", 1) for line in (await anext(frames)).decode().strip().split("\n"))
            if fields["event"] != "heartbeat":
                found.append((fields["event"], json.loads(fields["data"]), fields["id"]))
    return found


async def test_changes_come_in_order_and_can_be_resumed(site: Site, owner: httpx.AsyncClient) -> None:
    await upload(owner, "before.txt", "text")
    async with aclosing(watch(site, None)) as frames:
        assert await anext(frames) == b"event: heartbeat\ndata: {}\n\n"
        await upload(owner, "a.txt", "text a")
        await upload(owner, "b.txt", "text b")
        found = await take(frames, 2)
    assert [(name, data["name"], data["status"]) for name, data, _ in found] == [
        ("document", "a.txt", "queued"), ("document", "b.txt", "queued"),
    ]  # fmt: skip
    assert "metadata" not in found[0][1]
    assert not any(identity.isdigit() for _, _, identity in found), "what others do is not counted in sight"
    since = site.app.state.runtime.opaque.number("change", site.main.uid, found[0][2])
    async with aclosing(watch(site, since)) as frames:
        again = await take(frames, 1)
    assert again[0][1:] == found[1][1:], "an event keeps its id"


async def test_other_labels_are_a_departure_to_those_who_lose_sight_and_a_change_to_the_others(
    site: Site, owner: httpx.AsyncClient
) -> None:
    document = (await upload(owner, "a.txt", "text a"))["documents"][0]["id"]
    async with (
        aclosing(watch(site, None, labels=set())) as outside,
        aclosing(watch(site, None, labels={"x"})) as inside,
    ):
        await anext(outside)
        await anext(inside)
        # Twice within one look: whoever lost sight at the first time is told, too.
        for labels in (["x"], ["x", "y"], ["x"]):
            answer = await owner.patch(f"/v1/kbs/main/documents/{document}", json={"labels": labels})
            assert answer.status_code == 200
        ((name, shown, _),) = await take(outside, 1)
        assert (name, shown) == ("deleted", {"id": document})
        ((name, shown, _),) = await take(inside, 1)
        assert (name, shown["labels"]) == ("document", ["x"])


async def test_who_falls_behind_misses_nothing(
    site: Site, owner: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.events.hub._RECENT", 3)
    async with aclosing(watch(site, None)) as slow, aclosing(watch(site, None)) as quick:
        await anext(slow)
        await anext(quick)
        for number in range(8):
            await upload(owner, f"{number}.txt", f"text {number}")
            await take(quick, 1)
        names = [data["name"] for _, data, _ in await take(slow, 8)]
    assert names == [f"{number}.txt" for number in range(8)]


async def test_labels_hold_for_events(site: Site, owner: httpx.AsyncClient) -> None:
    async with aclosing(watch(site, 0, labels={"red"})) as frames:
        await upload(owner, "blue.txt", "text b", labels="blue")
        await upload(owner, "red.txt", "text r", labels="red")
        assert [data["name"] for _, data, _ in await take(frames, 1)] == ["red.txt"]
        await upload(owner, "purple.txt", "text p", labels="red,blue")
        await upload(owner, "open.txt", "text o")
        assert [data["name"] for _, data, _ in await take(frames, 1)] == ["open.txt"]


async def test_one_look_serves_all_watchers(
    site: Site, owner: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks, after = 0, site.house.changes.after

    async def counted(*arguments: Any, **more: Any) -> Any:
        nonlocal looks
        looks += 1
        return await after(*arguments, **more)

    monkeypatch.setattr(site.house.changes, "after", counted)
    streams = [watch(site, None, key=f"k{number}") for number in range(30)]
    for frames in streams:
        await anext(frames)
    await upload(owner, "a.txt", "text")
    await asyncio.gather(*(take(frames, 1) for frames in streams))
    assert looks < 30
    for frames in streams:
        await frames.aclose()
    assert not site.app.state.runtime.kept(Hubs)._hubs, "the last watcher ends the looking"


async def seen(site: Site, since: int | None, app: FastAPI, **options: Any) -> list[tuple[str, Any]]:
    """Everything that a new stream tells within a moment."""
    frames, found = routes._frames(access(site, **options), app.state.runtime, since), []
    async with aclosing(frames):
        for _ in range(20):
            try:
                async with asyncio.timeout(1.2):
                    found += [each[:2] for each in await take(frames, 1)]
            except TimeoutError:
                break
    return found


@pytest.mark.parametrize("away", [True, False], ids=["another gateway", "the same gateway"])
async def test_no_stream_shows_what_was_deleted_or_replaced_before(
    site: Site, owner: httpx.AsyncClient, away: bool
) -> None:
    """Somebody watches the whole time, so that a gateway's memory holds the changes; the acts come from elsewhere."""
    other = create_app(site.app.state.runtime.ports)
    app = other if away else site.app
    watcher = routes._frames(access(site), app.state.runtime, None)
    async with aclosing(watcher):
        await anext(watcher)
        since = await app.state.runtime.kept(Hubs)._hubs[site.main.uid][0].begin()
        secret = (await upload(owner, "secret-merger-plan.txt", "text", source="ceo-laptop"))["documents"][0]["id"]
        first = (await upload(owner, "plan.txt", "first"))["documents"][0]["id"]
        await site.work()
        second = (await upload(owner, "plan.txt", "second", replace="true"))["documents"][0]["id"]
        await site.work()
        await take(watcher, 3)
        await owner.delete(f"/v1/kbs/main/documents/{secret}")
        told = await seen(site, since, app)
        assert "secret" not in json.dumps(told)
        assert "ceo" not in json.dumps(told)
        assert sorted((name, data["id"]) for name, data in told) == sorted(
            [("deleted", secret), ("deleted", first), ("document", second)]
        )
        await site.work()  # the rows go too
        assert ("deleted", {"id": secret}) in await seen(site, since, app)


async def test_a_watcher_learns_that_a_document_is_gone(site: Site, owner: httpx.AsyncClient) -> None:
    red = (await upload(owner, "red.txt", "text", labels="red"))["documents"][0]["id"]
    free = (await upload(owner, "free.txt", "text 2"))["documents"][0]["id"]
    async with aclosing(watch(site, None)) as everyone, aclosing(watch(site, None, labels={"blue"})) as blue:
        await anext(everyone)
        await anext(blue)
        for document in (red, free):
            await owner.delete(f"/v1/kbs/main/documents/{document}")
        await site.work()
        assert [each[:2] for each in await take(everyone, 2)] == [
            ("deleted", {"id": red}), ("deleted", {"id": free}),
        ]  # fmt: skip
        assert [each[:2] for each in await take(blue, 1)] == [("deleted", {"id": free})]


async def test_a_deleted_knowledge_base_ends_its_streams(
    site: Site, owner: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routes, "_CHECK_SECONDS", 0.1)
    monkeypatch.setattr(routes, "_LOOK_SECONDS", 0.05)
    key = (await site.key(Role.READER)).split("_")[1]
    await upload(owner, "a.txt", "text")
    async with aclosing(watch(site, None, key=key)) as frames, asyncio.timeout(10):
        await anext(frames)
        await owner.delete("/v1/kbs/main")
        assert b"a.txt" not in b"".join([frame async for frame in frames])


async def test_streams_are_bounded_by_key(site: Site) -> None:
    streams = [watch(site, None) for _ in range(16)]
    for frames in streams:
        await anext(frames)
    with pytest.raises(QuotaExceeded):
        await anext(watch(site, None))
    await streams[0].aclose()
    async with aclosing(watch(site, None)) as frames:
        await anext(frames)
    for frames in streams:
        await frames.aclose()


async def test_a_stopping_process_ends_its_streams(site: Site) -> None:
    async with aclosing(watch(site, None)) as frames:
        await anext(frames)
        site.app.state.runtime.stopping.set()
        async with asyncio.timeout(3):
            assert [frame async for frame in frames] == []


async def test_a_revoked_key_ends_its_stream(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routes, "HEARTBEAT_SECONDS", 0.1)
    monkeypatch.setattr(routes, "_CHECK_SECONDS", 0.1)
    monkeypatch.setattr(routes, "_LOOK_SECONDS", 0.05)
    text = await site.key(Role.READER)
    key = text.split("_")[1]
    async with aclosing(watch(site, None, key=key)) as frames, asyncio.timeout(10):
        assert await anext(frames) == await anext(frames), "a heartbeat"
        await site.keys.revoke(site.main.tenant, KeyId(key), ACTOR)
        assert len([frame async for frame in frames]) <= 1


@pytest.mark.parametrize("how", ["revoked", "expired"])
async def test_a_key_that_no_longer_holds_ends_its_stream_however_busy_it_is(
    site: Site, owner: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    assert routes._CHECK_SECONDS + routes._LOOK_SECONDS < 15
    monkeypatch.setattr(routes, "_CHECK_SECONDS", 0.5)
    expires = {"expires_at": datetime.now(UTC) + timedelta(seconds=1)} if how == "expired" else {}
    key = (await site.key(Role.READER, **expires)).split("_")[1]

    async def keep_busy() -> None:
        for number in range(10_000):
            await upload(owner, f"{number}.txt", f"text {number}")

    busy = asyncio.create_task(keep_busy())
    try:
        async with aclosing(watch(site, None, key=key)) as frames, asyncio.timeout(20):
            await take(frames, 2)
            if how == "revoked":
                await site.keys.revoke(site.main.tenant, KeyId(key), ACTOR)
            ended = time.monotonic()
            async for _ in frames:
                assert not busy.done()
            assert time.monotonic() - ended < 5
    finally:
        busy.cancel()


async def test_bad_resumption_is_refused(site: Site, owner: httpx.AsyncClient) -> None:
    elsewhere = site.app.state.runtime.opaque.text("change", "another", 1)
    for foreign in ("x", "17", elsewhere, elsewhere + "A"):
        answer = await owner.get("/v1/kbs/main/events", headers={"Last-Event-ID": foreign})
        assert answer.status_code in {400, 422}, foreign


async def test_a_slow_source_is_kept_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "HEARTBEAT_SECONDS", 0.02)
    closed = False

    async def source() -> AsyncGenerator[bytes, None]:
        nonlocal closed
        try:
            await asyncio.sleep(0.07)
            yield sse.frame("delta", {"text": "line\nbreak"})
        finally:
            closed = True

    found = [each async for each in sse.with_keep_alive(source())]
    assert found[0] == sse.KEEP_ALIVE
    assert found[-1] == b'event: delta\ndata: {"text":"line\\nbreak"}\n\n'
    early = sse.with_keep_alive(source())
    await anext(early)
    closed = False
    await early.aclose()
    assert closed, "who stops listening stops the work"


async def test_a_stream_that_is_cancelled_again_and_again_closes_its_source_undisturbed() -> None:
    steps: list[str] = []

    async def source() -> AsyncGenerator[bytes, None]:
        try:
            yield sse.frame("evidence", {})
            await asyncio.sleep(60)
        finally:
            for step in ("reply", "connection", "pool"):
                await asyncio.sleep(0.01)
                steps.append(step)

    frames = sse.with_keep_alive(source())
    await anext(frames)
    with anyio.move_on_after(0.02) as left:
        await anext(frames)
    assert left.cancelled_caught
    assert steps == ["reply", "connection", "pool"]


async def test_a_stream_ends_with_its_last_word_whether_frames_come_or_not() -> None:
    closed = False

    async def source() -> AsyncGenerator[bytes]:
        nonlocal closed
        try:
            yield b"one"
            await asyncio.Event().wait()
        finally:
            closed = True

    words = iter([None, None, b"the end"])

    async def last_word() -> bytes | None:
        return next(words)

    found = [each async for each in sse.with_keep_alive(source(), last_word, check_seconds=0.01)]

    assert found == [b"one", b"the end"]
    assert closed
