"""Models: knowledge bases by another name."""

from __future__ import annotations

import httpx
import pytest

from atoll.domain.principal import Role
from tests.unit.gateway.conftest import Site
from tests.unit.gateway.openai.conftest import error_of


async def test_a_model_is_a_knowledge_base_and_a_mode(owner: httpx.AsyncClient) -> None:
    body = (await owner.get("/v1/models")).json()
    assert body["object"] == "list"
    ids = [model["id"] for model in body["data"]]
    assert ids[:5] == ["atoll/main", "atoll/main/naive", "atoll/main/local", "atoll/main/global", "atoll/main/hybrid"]
    assert "atoll/other" in ids
    assert not {"atoll/main/bypass", "atoll/main/visual"} & set(ids), "neither a chat model nor pages are here"
    assert set(body["data"][0]) == {"id", "object", "created", "owned_by"}


async def test_a_model_is_found_by_its_name_however_its_slash_is_written(owner: httpx.AsyncClient) -> None:
    for path in ("/v1/models/atoll/main", "/v1/models/atoll%2Fmain", "/v1/models/atoll%2Fmain%2Fnaive"):
        answer = await owner.get(path)
        assert (answer.status_code, answer.json()["object"]) == (200, "model"), path
    assert answer.json()["id"] == "atoll/main/naive"


@pytest.mark.parametrize("name", ["atoll/none", "gpt-4o", "atoll/main/other", "main", "atoll/main/visual", "a" * 3000])
async def test_what_is_no_model_is_404(owner: httpx.AsyncClient, name: str) -> None:
    error = error_of(await owner.get(f"/v1/models/{name}"), 404)
    assert (error["type"], error["code"]) == ("invalid_request_error", "model_not_found")
    assert len(error["message"]) < 300


async def test_a_key_sees_the_models_of_its_knowledge_bases(site: Site) -> None:
    async with site.client(await site.key(Role.READER, kbs={"other"})) as client:
        ids = {model["id"].split("/")[1] for model in (await client.get("/v1/models")).json()["data"]}
        assert ids == {"other"}
        inside = error_of(await client.get("/v1/models/atoll/main"), 404)["message"]
        outside = error_of(await client.get("/v1/models/atoll/nowhere"), 404)["message"]
        assert inside.replace("main", "") == outside.replace("nowhere", "")
    async with site.client(await site.key(Role.OWNER, tenant="rival")) as stranger:
        assert (await stranger.get("/v1/models")).json()["data"] == []
    async with site.client(await site.key(Role.AUDITOR)) as auditor:
        error_of(await auditor.get("/v1/models"), 403)


async def test_listing_asks_the_store_for_the_knowledge_bases_and_nothing_else(
    site: Site, owner: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(*_: object, **__: object) -> object:
        raise AssertionError("a page load asks for models")

    for port, call in (("catalogue", "page"), ("knowledge_bases", "locate"), ("knowledge_bases", "get")):
        monkeypatch.setattr(getattr(site.house, port), call, never)
    assert (await owner.get("/v1/models")).status_code == 200
