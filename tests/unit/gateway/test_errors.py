"""Errors are problem documents whoever raises them, and what surrounds every request."""

from __future__ import annotations

import asyncio
import json
import logging

import httpx
import pytest

from atoll.domain.principal import subject_of_key
from atoll.errors import DependencyDown, LeaseLost
from atoll.logs import JsonLines
from gateway.events.hub import Hubs
from tests.unit.gateway.conftest import Site, upload

FIELDS = {"type", "title", "status", "detail", "request_id"}
SEARCH = "/v1/kbs/main/search"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"query": ""}, "body.query: must be at least 1 long"),
        ({}, "body.query: is missing"),
        ({"query": "q", "top_k": 0}, "body.top_k: must be at least 1"),
        ({"query": "q", "top_k": 1.5}, "body.top_k: must be a whole number"),
        ({"query": "q", "filters": "none"}, "body.filters: must be an object"),
        ({"query": "q", "wrong": 1}, "body.wrong: is not known here"),
        (
            {"query": "q", "filters": {"metadata": {"nested": {"a": 1}}}},
            "body.filters.metadata.nested: has none of the forms that the description of the API names",
        ),
    ],
)
async def test_what_does_not_fit_is_told_in_our_words(
    owner: httpx.AsyncClient, body: dict[str, object], said: str
) -> None:
    assert (await owner.post(SEARCH, json=body)).json()["detail"] == said


async def test_errors_are_problem_documents(owner: httpx.AsyncClient) -> None:
    cases = {
        404: owner.get("/nothing/here"),
        405: owner.put("/v1/kbs"),
        400: owner.post(SEARCH, json={"query": ""}),
        501: owner.post(SEARCH, json={"query": "q", "mode": "visual"}),
        413: owner.post(SEARCH, content=b"x" * (2**20 + 1), headers={"Content-Type": "application/json"}),
        409: owner.post("/v1/kbs", json={"name": "main"}),
    }
    for status, call in cases.items():
        answer = await call
        assert answer.status_code == status, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        body = answer.json()
        assert set(body) == FIELDS
        assert body["status"] == status
        assert body["request_id"] == answer.headers["x-request-id"]


async def test_what_libraries_refuse_is_a_problem_document_too(site: Site, owner: httpx.AsyncClient) -> None:
    document = (await upload(owner, "a.txt", "some text"))["documents"][0]["id"]
    path = f"/v1/kbs/main/documents/{document}/file"
    cases = {"bytes=5-2": 400, "pages=1-2": 400, "bytes=99-": 416}
    for given, status in cases.items():
        answer = await owner.get(path, headers={"Range": given})
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), given
        assert set(answer.json()) == FIELDS
    assert answer.headers["content-range"] == "bytes */9"
    assert (await owner.get(path, headers={"Range": "bytes=5-"})).text == "text"


async def test_head_is_answered_where_get_is(site: Site, owner: httpx.AsyncClient) -> None:
    document = (await upload(owner, "a.txt", "some text"))["documents"][0]["id"]
    for path in ("/v1/kbs/main", f"/v1/kbs/main/documents/{document}/file", "/health/live", "/docs", "/v1/kbs/none"):
        got, headed = await owner.get(path), await owner.head(path)
        assert (headed.status_code, headed.content) == (got.status_code, b""), path
        assert headed.headers["content-type"] == got.headers["content-type"]
        assert headed.headers.get("content-length") == got.headers.get("content-length")
    assert (await owner.head("/v1/kbs/main/search")).status_code == 405
    async with asyncio.timeout(5):  # a stream has no end of its own
        assert (await owner.head("/v1/kbs/main/events")).status_code == 200
    assert not site.app.state.runtime.kept(Hubs)._hubs


async def test_methods_that_are_possible_are_told(owner: httpx.AsyncClient) -> None:
    for path, allowed in {
        "/v1/kbs/main": "DELETE, GET, HEAD, OPTIONS, PATCH", "/v1/kbs": "GET, HEAD, OPTIONS, POST",
        "/v1/kbs/main/search": "OPTIONS, POST", "/openapi.json": "GET, HEAD, OPTIONS",
    }.items():  # fmt: skip
        wrong = await owner.put(path)
        assert (wrong.status_code, wrong.headers["allow"]) == (405, allowed)
        assert "PUT" in wrong.json()["detail"]
        asked = await owner.options(path)
        assert (asked.status_code, asked.headers["allow"], asked.content) == (204, allowed, b"")
    assert (await owner.options("/nothing")).status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'{"query": "q", "explain": 0}',
        b'{"query": "q", "top_k": "5"}',
        b'{"query": "q", "colour": 1}',
        b'{"query": "q", "top_k": 101}',
        b'{"query": "q", "mode": "x"}',
    ],
)
async def test_invalid_bodies_are_400(owner: httpx.AsyncClient, body: bytes) -> None:
    answer = await owner.post(SEARCH, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert answer.json()["detail"]


async def test_details_do_not_repeat_what_was_sent(owner: httpx.AsyncClient) -> None:
    answer = await owner.post(SEARCH, json={"query": "x" * 8001, "filters": {"names": "classified"}})
    assert answer.status_code == 400
    assert "classified" not in answer.text
    assert "xxx" not in answer.text


async def test_the_unexpected_is_a_bare_500(
    site: Site, owner: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(*_: object, **__: object) -> object:
        raise RuntimeError("inner detail")

    monkeypatch.setattr(site.house.catalogue, "page", broken)
    answer = await owner.get("/v1/kbs/main/documents?name=classified", headers={"X-Request-ID": "abc-1"})
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert "inner detail" not in answer.text
    assert answer.json()["request_id"] == "abc-1"
    lines = [JsonLines().format(record) for record in caplog.records]
    assert any("inner detail" in line for line in lines)
    assert not any("classified" in line for line in lines)


async def test_errors_of_the_inside_stay_inside(
    site: Site, owner: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lost(*_: object, **__: object) -> object:
        raise LeaseLost("token 7 of worker w1")

    monkeypatch.setattr(site.house.catalogue, "page", lost)
    answer = await owner.get("/v1/kbs/main/documents")
    assert answer.status_code == 500
    assert "w1" not in answer.text


async def test_a_dependency_that_is_down_says_when_to_come_back(
    site: Site, owner: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def down(*_: object, **__: object) -> object:
        raise DependencyDown("the index is away", 2.2)

    monkeypatch.setattr(site.house.ask, "search", down)
    answer = await owner.post(SEARCH, json={"query": "q"})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "3")


async def test_only_known_hosts_are_answered(owner: httpx.AsyncClient) -> None:
    for host, status in {"testserver": 200, "testserver:8000": 200, "evil.example": 400, "": 400}.items():
        answer = await owner.get("/health/live", headers={"Host": host})
        assert answer.status_code == status, host


async def test_every_answer_has_security_headers_and_no_cors(owner: httpx.AsyncClient) -> None:
    for path in ("/health/live", "/nothing", "/v1/kbs"):
        headers = (await owner.get(path, headers={"Origin": "http://evil.example"})).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["cache-control"] == "no-store"
        assert "default-src 'none'" in headers["content-security-policy"]
        assert not [name for name in headers if name.startswith("access-control")]


@pytest.mark.parametrize("given", ["x" * 65, "a b", "a\tb", "<script>"])
async def test_odd_request_ids_are_replaced(owner: httpx.AsyncClient, given: str) -> None:
    answer = await owner.get("/health/live", headers={"X-Request-ID": given})
    assert answer.headers["x-request-id"] != given
    assert answer.headers["x-request-id"]


async def test_the_log_tells_of_requests_without_their_content(
    site: Site, owner: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "gateway"):
        await owner.post(SEARCH, json={"query": "classified question"})
        await owner.get("/v1/kbs/main/documents?name=classified")
        await owner.get("/classified")
    lines = [json.loads(JsonLines().format(record)) for record in caplog.records if record.name == "gateway.access"]
    assert [line["route"] for line in lines] == ["/v1/kbs/{kb}/search", "/v1/kbs/{kb}/documents", "(404)"]
    assert [line["status"] for line in lines] == [200, 200, 404]
    assert all(line["request_id"] and line["method"] and line["ms"] >= 0 for line in lines)
    assert lines[0]["subject"] == subject_of_key((await site.keys.list(await site.house.tenants.ensure("acme")))[0].id)
    assert "classified" not in json.dumps(lines)
