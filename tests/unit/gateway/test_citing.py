"""Addresses of cited pages."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from atoll.access.admit import KbAccess
from atoll.domain.evidence import Evidence, Filters, Mode
from atoll.domain.principal import Action
from atoll.pages.views import PageViews
from atoll.query.service import SearchRequest
from gateway.citing import page_address, page_name
from gateway.runtime import Runtime
from tests.unit.gateway.conftest import Site, upload


async def found(site: Site, key: str) -> tuple[Runtime, KbAccess, Evidence]:
    live: Runtime = site.app.state.runtime
    principal = await live.authenticator.by_secret(key)
    async with live.admission.admit_to("main", principal, Action.READ, request_id="r") as access:
        asked = SearchRequest(reader=access.reader, query="harbour", mode=Mode.NAIVE, top_k=1, filters=Filters())
        outcome = await live.ports.ask.search(asked)
    return live, access, outcome.evidence[0]


@pytest.fixture
async def harbour(site: Site, owner: httpx.AsyncClient) -> None:
    await upload(owner, "har bour.txt", "The harbour of Lindvik was built in 1902.")
    await site.work()


async def test_a_cited_page_opens_without_a_key(site: Site, harbour: None, monkeypatch: pytest.MonkeyPatch) -> None:
    live, access, evidence = await found(site, await site.key())
    assert page_name(evidence) == "har bour.txt, page 1"
    address = page_address(live, access, evidence, base="http://testserver/")
    assert address.startswith("http://testserver/v1/kbs/main/documents/")
    assert parse_qs(urlsplit(address).query)["mark"] == [evidence.passage_id]
    asked: dict[str, Any] = {}

    async def drawing(*_: object, **more: object) -> object:
        asked.update(more)
        return None

    async def draw(*_: object) -> bytes:
        return b"png"

    monkeypatch.setattr(PageViews, "drawing", drawing)
    monkeypatch.setattr(PageViews, "draw", draw)
    async with site.client() as stranger:
        answer = await stranger.get(address)
        assert (answer.status_code, asked["marks"]) == (200, [evidence.passage_id])
        assert (await stranger.get(address.replace("mark=", "mark=x"))).status_code == 401


async def test_with_a_public_address_citations_lead_to_the_screen(tmp_path: Any) -> None:
    site = Site(tmp_path / "house")
    await site.open(public_url="https://atoll.example/")
    key = await site.key()
    async with site.client(key) as owner:
        document = (await upload(owner, "har bour.txt", "The harbour of Lindvik was built."))["documents"][0]["id"]
    await site.work()
    live, access, evidence = await found(site, key)
    address = page_address(live, access, evidence, base="http://testserver")
    assert address == (f"https://atoll.example/kb/main/doc/{document}/p/1?mark={evidence.passage_id}&name=har+bour.txt")
    await site.house.close_stores()
