"""Knowledge bases, audit, health, metrics, the description, and work beside the requests."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import re
import sqlite3
from collections.abc import Sequence
from pathlib import Path

import httpx
import pytest

from atoll.domain.ids import DocumentUid
from atoll.errors import DependencyDown
from gateway import background, openapi
from gateway.app import routes
from gateway.background import sweep
from gateway.dependencies import Dependency, Gauges
from gateway.docs.routes import asset
from gateway.health.probes import Readiness
from tests.unit.gateway.conftest import Site, upload


async def test_knowledge_bases(site: Site, owner: httpx.AsyncClient) -> None:
    answer = await owner.post("/v1/kbs", json={"name": "archive", "language": "de", "quota": {"documents": 1}})
    assert answer.status_code == 201
    made = answer.json()
    assert set(made) == {
        "id", "name", "language", "settings", "quota", "revision", "documents", "passages", "bytes", "created_at",
    }  # fmt: skip
    assert (made["language"], made["quota"], made["documents"]) == ("de", {"documents": 1}, 0)
    await upload(owner, "a.txt", "text", kb="archive")
    full = await owner.post("/v1/kbs/archive/documents", files={"file": ("b.txt", b"more")})
    assert full.status_code == 429
    assert "retry-after" in full.headers
    changed = (await owner.patch("/v1/kbs/archive", json={"quota": {}, "settings": {"x": 1}})).json()
    assert (changed["quota"], changed["settings"], changed["bytes"]) == ({}, {"x": 1}, 4)
    wrong = await owner.patch("/v1/kbs/archive", json={"settings": {"entity_types": ["<b>"]}})
    assert wrong.status_code == 400
    assert "entity_types" in wrong.text
    assert (await owner.post("/v1/kbs", json={"name": "archive"})).status_code == 409
    for name in ("Upper", "", "-x", "a" * 64, "a/b"):
        assert (await owner.post("/v1/kbs", json={"name": name})).status_code == 400, name
    first = (await owner.get("/v1/kbs", params={"limit": 2})).json()
    assert [kb["name"] for kb in first["kbs"]] == ["archive", "main"]
    rest = (await owner.get("/v1/kbs", params={"cursor": first["next_cursor"]})).json()
    assert ([kb["name"] for kb in rest["kbs"]], rest["next_cursor"]) == (["other"], None)
    assert (await owner.delete("/v1/kbs/archive")).status_code == 204
    assert (await owner.get("/v1/kbs/archive")).status_code == 404
    assert (await owner.get("/v1/kbs/archive/documents")).status_code == 404


async def test_the_audit_names_who_did_what(site: Site, owner: httpx.AsyncClient) -> None:
    body = await owner.post(
        "/v1/kbs/main/documents", files={"file": ("a.txt", b"text")}, headers={"X-Request-ID": "req-1"}
    )
    document = body.json()["documents"][0]["id"]
    page = (await owner.get("/v1/audit", params={"action": "document.accepted"})).json()
    event = page["events"][0]
    assert set(event) == {"id", "at", "actor", "action", "object", "result", "request_id", "revision"}
    assert (event["object"], event["result"], event["request_id"]) == (f"document {document}", "ok", "req-1")
    assert event["at"].endswith("Z")
    everything = (await owner.get("/v1/audit", params={"limit": 1})).json()
    following = (await owner.get("/v1/audit", params={"cursor": everything["next_cursor"]})).json()
    whole = (await owner.get("/v1/audit")).json()["events"]
    assert [each["id"] for each in whole] == [
        each["id"] for page in (everything, following) for each in page["events"]
    ], "an event keeps its id"
    assert not any(each["id"].isdigit() for each in whole), "ids do not count what other tenants do"
    assert (await owner.get("/v1/audit", params={"since": "2999-01-01T00:00:00Z"})).json()["events"] == []
    assert (await owner.get("/v1/audit", params={"actor": "nobody"})).json()["events"] == []
    assert (await owner.get("/v1/audit", params={"since": "yesterday"})).status_code == 400


async def test_readiness_names_what_is_away_to_those_who_may_know(site: Site, owner: httpx.AsyncClient) -> None:
    async def down() -> None:
        raise DependencyDown("nobody answers at 10.0.0.9")

    readiness = site.app.state.runtime.kept(Readiness)
    async with site.client() as stranger, site.client(address="127.0.0.1") as local:
        assert (await stranger.get("/health/live")).json() == {"status": "ok"}
        assert (await stranger.get("/health/ready")).json() == {"status": "ready", "dependencies": None}
        site.probes["queue"] = Dependency(down, needed=False)
        readiness._looked_at = -1.0
        answer = await local.get("/health/ready")
        assert answer.status_code == 200
        queue = answer.json()["dependencies"]["queue"]
        assert (queue["ok"], queue["needed"], queue["error"]) == (False, False, "nobody answers at 10.0.0.9")
        site.probes["vectors"] = Dependency(down, needed=True)
        readiness._looked_at = -1.0
        assert (await stranger.get("/health/ready")).status_code == 503
        assert "10.0.0.9" not in (await stranger.get("/health/ready")).text
        assert "10.0.0.9" in (await owner.get("/health/ready")).text
        passed_on = await local.get("/health/ready", headers={"X-Forwarded-For": "203.0.113.5"})
        assert passed_on.json()["dependencies"] is None


async def test_metrics(tmp_path) -> None:
    site = Site(tmp_path / "house")

    async def read() -> dict[str, float]:
        return {"ready": 3.0}

    async def broken() -> dict[str, float]:
        raise DependencyDown("away")

    await site.open(
        gauges=(Gauges("atoll_documents", "d", "status", read), Gauges("atoll_queue_length", "q", "queue", broken))
    )
    async with site.client(address="127.0.0.1") as local, site.client() as far:
        await local.get("/health/live")
        await local.get("/secret/path?with=query")
        text = (await local.get("/metrics")).text
        assert 'atoll_documents{status="ready"} 3.0' in text
        assert 'atoll_gateway_request_seconds_count{method="GET",route="/health/live",status="200"} 1.0' in text
        assert "secret" not in text
        assert (await far.get("/metrics")).status_code == 403
    site.house.database.close()
    site.house.blobs.close()


async def test_the_docs_need_nothing_from_elsewhere(owner: httpx.AsyncClient) -> None:
    page = await owner.get("/docs")
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    assert "//" not in page.text
    assert "script-src 'self'" in page.headers["content-security-policy"]
    named = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(named) == 4
    for path in named:
        assert path.startswith("/docs/assets/")
        assert (await owner.get(path)).status_code == 200, path
    assert "validatorUrl: null" in (await owner.get("/docs/assets/start.js")).text
    assert (await owner.get("/docs/assets/none.js")).status_code == 404
    assert (await owner.get("/docs/assets/..%2f..%2fapp.py")).status_code == 404
    assert len(asset("swagger-ui-bundle.js")) > 100_000


def test_the_committed_description_is_current() -> None:
    assert openapi.COMMITTED.read_text(encoding="utf-8") == openapi.render(routes()), (
        "run `python -m gateway.openapi --write`"
    )


#: Routes whose errors are objects of OpenAI's API.
OPENAI = {
    "/v1/models",
    "/v1/models/{model}",
    "/v1/chat/completions",
    "/v1/embeddings",
    "/v1/responses",
    "/v1/completions",
}


def test_the_description_knows_errors_as_problems_only() -> None:
    schema = routes().openapi()
    for path, operations in schema["paths"].items():
        for operation in operations.values():
            assert "422" not in operation["responses"], path
            for status, answer in operation["responses"].items():
                if status == "default" or (status.startswith(("4", "5")) and path != "/health/ready"):
                    wanted = "application/json" if path in OPENAI else "application/problem+json"
                    assert answer.get("content", {wanted: None}).keys() == {wanted}, (path, status)
    named = set(re.findall(r'"#/components/schemas/([^"]+)"', openapi.render(routes())))
    assert named <= schema["components"]["schemas"].keys()


def test_the_description_lists_refusals_by_code_and_names_schemas_as_the_code_does() -> None:
    schema = routes().openapi()
    paths = schema["paths"]

    def refused(method: str, path: str) -> set[int]:
        return {int(code) for code in paths[path][method]["responses"] if code != "default" and int(code) >= 400}

    every = {401, 403, 429, 503}
    kb = "/v1/kbs/{kb}"
    assert refused("get", "/v1/audit") == every | {400}
    assert refused("get", kb) == every | {400, 404}
    assert refused("patch", "/v1/keys/{key}") == every | {400, 404, 409, 413}
    assert refused("post", f"{kb}/documents") == every | {400, 404, 409, 413, 415, 507}
    assert refused("post", f"{kb}/query") == every | {400, 404, 413, 501, 502}
    assert refused("get", "/health/live") == set()
    assert [name for name in schema["components"]["schemas"] if "__" in name or "." in name] == []
    assert {"EntityOut", "LinkOut", "RelationOut", "SignedLinkOut"} <= schema["components"]["schemas"].keys()
    for name, field in (("ReceiptOut", "removed"), ("DocumentsOut", "counts"), ("BatchOut", "counts")):
        shape = schema["components"]["schemas"][name]["properties"][field]
        shape = schema["components"]["schemas"][shape["$ref"].rsplit("/", 1)[1]] if "$ref" in shape else shape
        assert len(shape["properties"]) >= 6, "named fields, no open object"


@pytest.mark.parametrize("recorded", [True, False])
async def test_what_a_dead_gateway_left_is_swept(site: Site, recorded: bool) -> None:
    """The process dies between moving the files and answering: what has a record stays, what has none goes."""
    blobs = site.house.blobs
    document = await site.house.upload(site.main, "kept.txt", "kept text")
    intake = await blobs.receive(site.main.uid)
    file = await intake.open("orphan" * 5)
    await file.write(b"orphan")
    await file.close()
    await intake.keep()
    if recorded:
        (intake._folder / f"{document.uid}.kept").touch()
    intake._lock.release()  # as the kernel does for a dead process
    for folder in (site.house.folder / "blobs" / ".incoming").iterdir():
        os.utime(folder, (1, 1))
    await sweep(site.app.state.runtime.ports)
    assert blobs.path(site.main.uid, document.uid).read_bytes() == b"kept text"
    assert [path for path in site.files() if "orphan" in path or ".incoming" in path] == []


async def test_work_beside_the_requests_goes_on_after_any_error(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    times = 0

    async def work() -> None:
        nonlocal times
        times += 1
        raise [sqlite3.DatabaseError("malformed"), DependencyDown("away"), RuntimeError("odd")][times % 3]

    task = asyncio.create_task(background._every(0.0, "counting", work))
    while times < 7:
        await asyncio.sleep(0)
    assert not task.done()
    task.cancel()
    told = [record.getMessage() for record in caplog.records if record.levelname in {"WARNING", "ERROR"}]
    assert any("counting failed" in line for line in told)
    assert any("counting is left for later: away" in line for line in told)


async def test_a_ring_that_fails_oddly_does_not_end_the_ringing(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    rung: list[str] = []

    class Doorbell:
        async def ring(self, documents: Sequence[DocumentUid]) -> None:
            rung.extend(documents)
            if len(rung) == 1:
                raise ValueError("odd")

    ringer = background.Ringer(dataclasses.replace(site.app.state.runtime.ports, doorbell=Doorbell()))
    task = asyncio.create_task(ringer.run())
    for number in range(3):
        ringer.ring([DocumentUid(f"d{number}")])
        await asyncio.sleep(0.01)
    task.cancel()
    assert rung == ["d0", "d1", "d2"]
    assert "not rung for 1 documents" in caplog.text


async def test_a_living_upload_is_not_swept(site: Site) -> None:
    intake = await site.house.blobs.receive(site.main.uid)
    await intake.open("orphan" * 5)
    os.utime(intake._folder, (1, 1))
    await sweep(site.app.state.runtime.ports)
    assert intake._folder.exists()
    await intake.settle(())
    assert site.files() == []


async def test_the_embedding_model_is_measured_before_anybody_asks(tmp_path: Path) -> None:
    class Asked:
        """Knows whether it was prepared, and that the first time the embedder was away."""

        def __init__(self) -> None:
            self.times = 0
            self.prepared = asyncio.Event()

        async def prepare(self) -> None:
            self.times += 1
            self.prepared.set()
            raise DependencyDown("the embedding server is away")

    ask, site = Asked(), Site(tmp_path / "house")
    await site.open(ask=ask)
    async with site.app.router.lifespan_context(site.app):
        await asyncio.wait_for(ask.prepared.wait(), 5)
    await site.house.close_stores()
    assert ask.times == 1
