"""What `GET /v1/audit/verify` finds of a trail that somebody changed in the record store itself."""

from __future__ import annotations

import sqlite3
from typing import Any

import httpx
import pytest

from atoll.access import seals
from atoll.domain.principal import Role
from tests.unit.gateway.conftest import Site


@pytest.fixture
async def sealed(site: Site, owner: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Two seals over events of the tenant; what the newest is."""
    monkeypatch.setattr(seals, "EVENTS_PER_SEAL", 2)
    await owner.post("/v1/kbs", json={"name": "third"})
    await site.app.state.runtime.seals.seal()
    return (await owner.get("/v1/audit/verify")).json()["seal"]


def changed(site: Site, statement: str) -> None:
    with sqlite3.connect(site.house.folder / "records.sqlite3") as database:
        assert database.execute(statement).rowcount > 0, statement


async def test_a_trail_that_nobody_changed_is_intact(site: Site, owner: httpx.AsyncClient, sealed: str) -> None:
    found = (await owner.get("/v1/audit/verify")).json()
    assert found == {
        "is_intact": True, "events": 4, "sealed": 4, "seal": sealed, "broken_seal": None, "is_known": None,
    }  # fmt: skip
    assert sealed.startswith("2:")
    await owner.delete("/v1/kbs/third")
    found = (await owner.get("/v1/audit/verify", params={"seal": sealed})).json()
    assert (found["is_intact"], found["events"], found["sealed"], found["is_known"]) == (True, 5, 4, True)
    await site.app.state.runtime.seals.seal()
    found = (await owner.get("/v1/audit/verify", params={"seal": sealed})).json()
    assert (found["sealed"], found["is_known"], found["seal"][:2]) == (5, True, "3:")
    assert (await owner.get("/v1/audit/verify", params={"seal": "x"})).status_code == 400
    async with site.client(await site.key(Role.EDITOR)) as editor:
        assert (await editor.get("/v1/audit/verify")).status_code == 403


@pytest.mark.parametrize(
    ("statement", "broken"),
    [
        ("UPDATE audit_event SET actor = 'somebody else' WHERE action = 'kb.created' AND object = 'kb third'", 2),
        ("UPDATE audit_event SET at = at + 1 WHERE object = 'kb main'", 1),
        ("DELETE FROM audit_event WHERE object = 'kb third'", 2),
        ("DELETE FROM audit_seal WHERE number = 1", 2),
        ("UPDATE audit_seal SET count = count - 1 WHERE number = 2", 2),
        ("DELETE FROM audit_event", 1),
    ],
)  # fmt: skip
async def test_what_was_changed_is_found(
    site: Site, owner: httpx.AsyncClient, sealed: str, statement: str, broken: int | None
) -> None:
    changed(site, statement)
    found = (await owner.get("/v1/audit/verify")).json()
    assert (found["is_intact"], found["broken_seal"]) == (broken is None, broken)


async def test_the_newest_events_taken_out_with_their_seal_are_missed_by_a_noted_seal_alone(
    site: Site, owner: httpx.AsyncClient, sealed: str
) -> None:
    changed(site, "DELETE FROM audit_event WHERE object = 'kb third'")
    changed(site, "DELETE FROM audit_seal WHERE number = 2")
    assert (await owner.get("/v1/audit/verify")).json()["is_intact"]
    found = (await owner.get("/v1/audit/verify", params={"seal": sealed})).json()
    assert (found["is_intact"], found["is_known"]) == (False, False)


async def test_who_writes_into_the_store_cannot_seal(site: Site, owner: httpx.AsyncClient, sealed: str) -> None:
    """Marks need the pepper, which is not in the store."""
    changed(site, "UPDATE audit_event SET actor = 'x' WHERE object = 'kb third'")
    stranger = seals.Seals(site.audit, b"q" * 32)
    changed(site, "DELETE FROM audit_seal WHERE number = 2")
    await stranger.seal()
    assert (await owner.get("/v1/audit/verify")).json()["broken_seal"] == 2
