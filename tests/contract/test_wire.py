"""Whatever a caller writes into any place of any operation is answered, with a clear refusal where it cannot be taken.

The places come from the API's own description, so that a new operation is tried without anybody adding it here.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.openai.errors import is_openai
from tests.support.records import STORES, open_either
from tests.unit.gateway.conftest import Site, upload

#: Never ends.
STREAMS = {"/v1/kbs/{kb}/events"}
#: Numbers and texts for a path, a query string or a header.
WRITTEN = (
    "99999999999999999999", "9223372036854775808", "9223372036854775807", "-1", "-9223372036854775809", "1e400", "0.5",
    "%00", "%ED%A0%80", "%", "x" * 3000, "..%2f..", "[", "*" * 64, "0001-01-01T00:00:00%2B23:59",
    "9999-12-31T23:59:59-23:59", "9999-12-31T23:59:59Z", "1969-12-31T23:59:59Z", "2024-01-01", "null", "",
)  # fmt: skip
DEEP: Any = {"deep": 1}
for _ in range(300):
    DEEP = {"deep": DEEP}
#: Values for a place in a JSON body.
VALUES: tuple[Any, ...] = (
    10**30, 2**63, 2**63 - 1, -(2**63) - 1, -1, 0, 1, 0.5, 1e300, True, None, "", "\ud800", "a\0b", "x" * 3000, [], {},
    ["\ud800"], {"\udfff": 1}, {"a": 10**30}, {"a": {"gte": 2**63}}, {"a": [2**64]}, DEEP, [[[[]]]], ["x"] * 5000,
    "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59", "2024-01-01", "1969-12-31T23:59:59Z",
)  # fmt: skip
#: As Python's json writes them and no other JSON does.
RAW = (b'{"query": NaN}', b'{"query": "q", "filters": {"metadata": {"a": Infinity}}}', b"[" * 100_000, b"\xff", b"")
FORMS = {
    "a boundary without an end": "multipart/form-data; boundary=" + "b" * 300,
    "no boundary": "multipart/form-data",
    "an empty boundary": "multipart/form-data; boundary=",
    "an odd boundary": 'multipart/form-data; boundary="\x7f\t "',
}


@dataclass(frozen=True)
class Place:
    """A place of an operation that a caller fills: ``kind`` is path, query, header or body."""

    method: str
    path: str
    kind: str
    name: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.method} {self.path} {self.kind} {'.'.join(self.name)}"


def places(schema: Mapping[str, Any]) -> Iterator[Place]:
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            for each in operation.get("parameters", ()):
                yield Place(method, path, each["in"], (each["name"],))
            content = operation.get("requestBody", {}).get("content", {})
            if "application/json" in content:
                for name in fields(schema, content["application/json"]["schema"]):
                    yield Place(method, path, "body", name)


def fields(schema: Mapping[str, Any], shape: Mapping[str, Any], depth: int = 2) -> Iterator[tuple[str, ...]]:
    """Yield the names of a body's fields, and of the objects and lists of objects in it."""
    if "$ref" in shape:
        shape = schema["components"]["schemas"][shape["$ref"].rsplit("/", 1)[1]]
    for name, value in shape.get("properties", {}).items():
        yield (name,)
        inner = [value, *value.get("anyOf", ()), value.get("items", {})]
        for each in (one for one in inner if "$ref" in one and depth):
            yield from ((name, *rest) for rest in fields(schema, each, depth - 1))


def body(path: str) -> dict[str, Any]:
    """A body that its operation takes."""
    return {
        "search": {"query": "harbour"}, "query": {"query": "harbour", "answer": "extract"}, "heatmap": {"query": "q"},
        "kbs": {"name": "third"}, "keys": {"name": "key", "role": "reader"}, "session": {"key": "atoll_a_b"},
        "documents": {"documents": [{"name": "j.txt", "text": "text"}]},
        "responses": {"model": "atoll/main", "input": "harbour"}, "embeddings": {"model": "any", "input": "harbour"},
        "completions": {"model": "atoll/main", "messages": [{"role": "user", "content": "harbour"}]},
    }.get(path.rsplit("/", 1)[1], {})  # fmt: skip


def filled(document: dict[str, Any], name: tuple[str, ...], value: Any) -> dict[str, Any]:
    """A body with ``value`` at a place of it."""
    first, *rest = name
    if not rest:
        return {**document, first: value}
    known = document.get(first) or {}
    if isinstance(known, list):
        return {**document, first: [filled(known[0], tuple(rest), value)]}
    return {**document, first: filled(known, tuple(rest), value)}


@pytest.fixture(params=STORES)
async def site(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Site]:
    site = Site(tmp_path / "house", records=open_either(request, request.param, tmp_path / "house"))
    await site.open(requests_per_minute=10**6)
    yield site
    await site.house.close_stores()


@pytest.fixture
async def owner(site: Site) -> AsyncIterator[httpx.AsyncClient]:
    async with site.client(await site.key()) as client:
        yield client


async def values_of(site: Site, owner: httpx.AsyncClient) -> dict[str, str]:
    """What path parameters can be."""
    sent = await upload(owner, "harbour.txt", "The harbour of Lindvik was built in 1902.", metadata='{"year": 1902}')
    await site.work()
    entity = (await owner.get("/v1/kbs/main/graph/entities")).json()["entities"][0]["id"]
    return {
        "kb": "main", "document": sent["documents"][0]["id"], "batch": sent["batch_id"], "entity": entity, "page": "1",
        "key": "0" * 16, "model": "atoll/main",
    }  # fmt: skip


def check(answer: httpx.Response, asked: str) -> None:
    if is_openai(answer.request.url.path):
        assert answer.status_code < 500 or answer.json()["error"]["code"] == "not_available", f"{asked}: {answer.text}"
        if answer.status_code >= 400:
            assert len(answer.json()["error"]["message"]) > 8, asked
        return
    assert answer.status_code < 500 or answer.json()["type"].endswith("NotAvailable"), f"{asked}: {answer.text[:200]}"
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == "application/problem+json", asked
        assert len(answer.json()["detail"]) > 8, asked


async def send(owner: httpx.AsyncClient, place: Place, values: Mapping[str, str], value: Any) -> httpx.Response:
    known = {**values, place.name[0]: value} if place.kind == "path" else dict(values)
    path = re.sub(r"{(\w+)}", lambda found: known.get(found[1], "none"), place.path)
    if place.kind == "query":
        path += f"?{place.name[0]}={value}"
    headers = {place.name[0]: value} if place.kind == "header" else {}
    content = None
    if place.method in {"post", "patch"}:
        headers["Content-Type"] = "application/json"
        content = json.dumps(filled(body(place.path), place.name, value) if place.kind == "body" else body(place.path))
    return await owner.request(place.method.upper(), path, headers=headers, content=content)


async def test_nothing_that_a_caller_writes_is_a_500(
    request: pytest.FixtureRequest, site: Site, owner: httpx.AsyncClient
) -> None:
    values = await values_of(site, owner)
    tried = 0
    step = (
        4 if "neo4j" in request.node.name else 1
    )  # every value comes somewhere; what is the gateway's is shown with SQLite
    for number, place in enumerate(places(site.app.openapi())):
        for value in (VALUES if place.kind == "body" else WRITTEN)[number % step :: step]:
            if place.path in STREAMS and place.kind != "header":
                continue
            if place.kind == "header" and (place.path in STREAMS and re.fullmatch(r"[0-9]{1,16}|", value)):
                continue
            if place.kind == "path" and value == "":
                continue  # another path
            if place.method == "delete" and place.kind == "query" and value == "":
                continue
            check(await send(owner, place, values, value), f"{place} = {str(value)[:60]!r}")
            tried += 1
    assert tried > 1500 // step
    # Whatever of it was taken, no list fails because of it.
    for path in ("/v1/keys", "/v1/kbs", "/v1/audit", "/v1/kbs/main/documents", "/v1/kbs/main/graph/entities"):
        answer = await owner.get(path, params={} if path.endswith("entities") else {"limit": 500})
        assert answer.status_code == 200, (path, answer.text[:200])


async def test_bodies_and_forms_that_are_none_are_refused(site: Site, owner: httpx.AsyncClient) -> None:
    values = await values_of(site, owner)
    for path, operations in site.app.openapi()["paths"].items():
        for method in operations.keys() & {"post", "patch"}:
            address = re.sub(r"{(\w+)}", lambda found: values.get(found[1], "none"), path)
            for raw in RAW:
                answer = await owner.request(
                    method.upper(), address, content=raw, headers={"Content-Type": "application/json"}
                )
                check(answer, f"{method} {path} {raw[:40]!r}")
    for name, kind in FORMS.items():
        answer = await owner.post("/v1/kbs/main/documents", content=b"--b\r\n", headers={"Content-Type": kind})
        assert answer.status_code == 400, name
        check(answer, name)


async def test_times_at_the_ends_of_the_calendar_are_refused_and_cannot_be_stored(
    site: Site, owner: httpx.AsyncClient
) -> None:
    for wrong in ("9999-12-31T23:59:59-23:59", "9999-12-31T00:00:00Z", "0001-01-01T00:00:00+23:59", "1969-12-31T23:59:59Z",
                  "2024-05-25", "2024-05-25T10:00:00", 0.5, "0.5"):  # fmt: skip
        key = {"name": "k", "role": "reader", "expires_at": wrong}
        assert (await owner.post("/v1/keys", json=key)).status_code == 400, wrong
        assert (await owner.get("/v1/audit", params={"since": str(wrong)})).status_code == 400, wrong
        search = {"query": "q", "filters": {"created_after": wrong}}
        assert (await owner.post("/v1/kbs/main/search", json=search)).status_code == 400, wrong
    good = await owner.post("/v1/keys", json={"name": "k", "role": "reader", "expires_at": "9999-12-30T00:00:00Z"})
    assert good.json()["expires_at"] == "9999-12-30T00:00:00Z"
    listed = (await owner.get("/v1/keys")).json()["keys"]
    assert datetime.fromisoformat(listed[-1]["expires_at"]).year == 9999
    assert (await owner.get("/v1/audit", params={"since": "1970-01-01T01:00:00+01:00"})).status_code == 200
