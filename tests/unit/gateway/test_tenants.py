"""Tenants, by admin keys that read no document; keys changed within the rights of who changes them."""

from __future__ import annotations

import json
import re
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest

from atoll.bootstrap.gateway import Front
from atoll.domain.principal import Role
from atoll.domain.tenant import INSTALLATION
from atoll.errors import DependencyDown
from atoll.settings import Settings
from atoll.settings.sections import ChatSettings, RerankerSettings
from gateway.__main__ import models_of
from gateway.events import routes
from tests.unit.gateway.conftest import Site, upload
from tests.unit.gateway.test_events import access

#: What an admin may ask for beside what needs no key.
FOR_ADMINS = re.compile(r"/v1/(tenants|audit|usage|system)\b")


@pytest.fixture
async def admin(site: Site) -> Any:
    async with site.client(await site.key(Role.ADMIN, tenant=INSTALLATION)) as client:
        yield client


def filled(schema: dict[str, Any], whole: dict[str, Any]) -> Any:  # noqa: PLR0911 - a case each
    """Return a value that a schema of the description takes, as far as it says so."""
    if "$ref" in schema:
        return filled(whole["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]], whole)
    for key in ("default", "const"):
        if schema.get(key) is not None:
            return schema[key]
    if "enum" in schema:
        return schema["enum"][0]
    for key in ("anyOf", "oneOf"):
        if key in schema:
            return filled(schema[key][0], whole)
    match schema.get("type"):
        case "object":
            return {name: filled(schema["properties"][name], whole) for name in schema.get("required", ())}
        case "array":
            return [filled(schema.get("items", {}), whole)] if schema.get("minItems") else []
        case "string":
            return "2030-01-01T00:00:00Z" if schema.get("format") == "date-time" else "north"
        case "boolean":
            return True
    return 1


async def test_a_tenant_is_made_with_its_first_owner_key(site: Site, admin: httpx.AsyncClient) -> None:
    answer = await admin.post("/v1/tenants", json={"name": "north", "quota": {"documents": 5}})
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert made.keys() == {"id", "name", "status", "quota", "created_at", "suspended_at", "owner_key"}
    assert (made["name"], made["status"], made["quota"]) == ("north", "active", {"documents": 5})
    async with site.client(made["owner_key"]) as north:
        assert (await north.get("/v1/session")).json()["tenant"] == "north"
        assert (await north.post("/v1/kbs", json={"name": "main"})).status_code == 201
        assert [key["role"] for key in (await north.get("/v1/keys")).json()["keys"]] == ["owner"]
        told = [each["action"] for each in (await north.get("/v1/audit")).json()["events"]]
        assert told[:2] == ["tenant.created", "key.created"]
    assert (await admin.post("/v1/tenants", json={"name": "north"})).status_code == 409
    for wrong in (
        {"name": "North"},
        {"name": INSTALLATION},
        {"name": "x", "quota": {"documents": -1}},
        {"name": "x", "y": 1},
    ):
        assert (await admin.post("/v1/tenants", json=wrong)).status_code == 400, wrong
    shown = (await admin.get("/v1/tenants/north")).json()
    assert shown.pop("usage") == {"documents": 0, "bytes": 0, "queries": 0}
    assert shown == {name: value for name, value in made.items() if name != "owner_key"}
    changed = await admin.patch("/v1/tenants/north", json={"quota": {"bytes": 10}})
    assert changed.json()["quota"] == {"bytes": 10}
    listed = (await admin.get("/v1/tenants", params={"limit": 1})).json()
    assert ([each["name"] for each in listed["tenants"]], listed["next_cursor"]) == (["acme"], "acme")
    rest = (await admin.get("/v1/tenants", params={"cursor": "acme"})).json()
    assert [each["name"] for each in rest["tenants"]] == ["north"], "the installation's own is none of them"
    assert "owner_key" not in json.dumps(rest)
    assert (await admin.get("/v1/tenants/south")).status_code == 404
    assert (await admin.get(f"/v1/tenants/{INSTALLATION}")).status_code == 400
    own = [(each["action"], each["object"]) for each in (await admin.get("/v1/audit")).json()["events"]]
    assert own[1:] == [("tenant.created", "tenant north"), ("tenant.changed", "tenant north")]


async def test_only_admins_manage_tenants(site: Site, owner: httpx.AsyncClient) -> None:
    assert (await owner.get("/v1/tenants")).status_code == 403
    assert (await owner.post("/v1/tenants/acme/suspend")).status_code == 403
    assert (await owner.post("/v1/keys", json={"name": "a", "role": "admin"})).status_code == 403


async def test_an_admin_reads_nothing_of_any_tenant(
    site: Site, owner: httpx.AsyncClient, admin: httpx.AsyncClient
) -> None:
    document = (await upload(owner, "secret.txt", "the harbour of Lindvik"))["documents"][0]["id"]
    await site.work()
    schema: dict[str, Any] = site.app.openapi()
    tried = 0
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            if "security" not in operation or FOR_ADMINS.match(path):
                continue
            body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
            shown = path.format(kb="main", document=document, page=1, batch="b", key="k", entity="e")
            parameters = {
                each["name"]: filled(each["schema"], schema)
                for each in operation.get("parameters", ())
                if each["in"] == "query" and each.get("required")
            }
            sent = None if body is None else filled(body, schema)
            if sent is not None and path in {"/v1/chat/completions", "/v1/responses"}:
                sent["model"] = "atoll/main"  # which knowledge base is asked for stands in the body
            if path == "/v1/chat/completions":  # its last message has to be a question
                sent["messages"] = [{"role": "user", "content": "harbour"}]
            answer = await admin.request(method.upper(), shown, params=parameters, json=sent)
            assert answer.status_code == 403, (method, path, answer.text)
            assert "Lindvik" not in answer.text
            tried += 1
    assert tried > 30
    for path in ("/health/ready", "/metrics", "/v1/tenants", "/v1/tenants/acme", "/v1/audit"):
        answer = await admin.get(path)
        assert answer.status_code == 200, path
        assert not re.search("secret.txt|Lindvik", answer.text)


async def test_a_suspended_tenant_is_kept_out_at_once_and_everywhere(
    site: Site, owner: httpx.AsyncClient, admin: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = (await upload(owner, "a.txt", "text"))["documents"][0]["id"]
    link = (await owner.post(f"/v1/kbs/main/documents/{document}/links", json={})).json()["url"]
    monkeypatch.setattr(routes, "_CHECK_SECONDS", 0.0)
    key = await site.key()
    async with site.client() as browser, site.client(address="127.0.0.1") as local:
        await browser.post("/v1/session", json={"key": key})
        assert (await browser.get("/v1/kbs")).status_code == 200
        stream = routes._frames(access(site, key=key.split("_")[1]), site.app.state.runtime, None)
        async with aclosing(stream) as frames:
            await anext(frames)
            suspended = (await admin.post("/v1/tenants/acme/suspend")).json()
            assert (suspended["status"], suspended["suspended_at"] is not None) == ("suspended", True)
            assert [each async for each in frames] == [], "the stream ends"
        for client, path in ((owner, "/v1/kbs"), (browser, "/v1/kbs"), (browser, "/v1/session"), (browser, link)):
            answer = await client.get(path)
            assert (answer.status_code, "suspended" in answer.json()["detail"]) == (403, True), path
        assert (await browser.post("/v1/session", json={"key": key})).status_code == 403
        wrong = await local.get("/v1/kbs", headers={"Authorization": f"Bearer {key[:-4]}AAAA"})
        assert wrong.status_code == 401, "only who holds a key is told"
        assert (await owner.get("/health/ready")).json()["dependencies"] is None
        assert (await owner.get("/metrics")).status_code == 403
        await site.work()
        again = (await admin.post("/v1/tenants/acme/suspend")).json()
        assert again["suspended_at"] == suspended["suspended_at"]
        assert (await admin.post("/v1/tenants/acme/resume")).json()["status"] == "active"
        assert (await browser.get("/v1/kbs")).status_code == 200
        assert (await owner.get("/v1/kbs/main/documents")).json()["counts"] == {"ready": 1}, "work went on"
        told = [each["action"] for each in (await owner.get("/v1/audit")).json()["events"]]
        assert [each for each in told if each.startswith("tenant")] == ["tenant.suspended", "tenant.resumed"]


async def test_a_key_is_changed_within_the_rights_of_who_changes_it(site: Site, owner: httpx.AsyncClient) -> None:
    soon = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
    made = (await owner.post("/v1/keys", json={"name": "desk", "role": "reader", "kbs": ["main"]})).json()
    path = f"/v1/keys/{made['id']}"
    async with site.client(made["secret"]) as desk:
        assert (await desk.get("/v1/kbs/other")).status_code == 404
        changed = await owner.patch(path, json={"name": "front", "kbs": ["main", "other"], "labels": [" red "]})
        assert changed.status_code == 200, changed.text
        assert (changed.json()["name"], changed.json()["kbs"]) == ("front", ["main", "other"])
        assert changed.json() == (await owner.get(path)).json()
        session = (await desk.get("/v1/session")).json()
        assert (session["kbs"], session["labels"]) == (["main", "other"], ["red"]), "from the next request on"
        assert (await owner.patch(path, json={"expires_at": soon.isoformat()})).json()["expires_at"] is not None
        assert (await owner.patch(path, json={"name": "desk"})).json()["expires_at"] is not None, "left out: it stays"
        assert (await owner.patch(path, json={"expires_at": None})).json()["expires_at"] is None
        assert (await desk.patch(path, json={"role": "owner"})).status_code == 403
        for wrong in ({}, {"kbs": ["nope"]}, {"labels": [""]}, {"secret": "x"}, {"expires_at": "2001-01-01T00:00:00Z"}):
            assert (await owner.patch(path, json=wrong)).status_code == 400, wrong
        assert (await owner.patch("/v1/keys/none", json={"name": "x"})).status_code == 404
        narrow = await site.key(Role.OWNER, kbs={"main"}, labels={"red"}, expires_at=soon)
        async with site.client(narrow) as limited:
            assert (await limited.patch(path, json={"name": "mine"})).status_code == 404, "it reaches further"
            own = (await limited.post("/v1/keys", json={
                "name": "x", "role": "reader", "kbs": ["main"], "labels": ["red"], "expires_at": soon.isoformat()
            })).json()  # fmt: skip
            for wider in ({"role": "admin"}, {"kbs": "*"}, {"kbs": ["other"]}, {"kbs": ["nope"]}, {"labels": "*"},
                          {"labels": ["blue"]}, {"expires_at": None}):  # fmt: skip
                answer = await limited.patch(f"/v1/keys/{own['id']}", json=wider)
                assert answer.status_code == 403, wider
            assert (await limited.patch(f"/v1/keys/{own['id']}", json={"role": "editor"})).json()["role"] == "editor"
        assert (await owner.delete(path)).status_code == 200
        assert (await owner.patch(path, json={"name": "y"})).status_code == 409
    events = (await owner.get("/v1/audit", params={"action": "key.changed"})).json()["events"]
    assert [each["object"] for each in events][:1] == [f"key {made['id']}"]


async def test_the_last_owner_key_is_neither_limited_nor_ended(site: Site) -> None:
    text = await site.key()
    path = f"/v1/keys/{text.split('_')[1]}"
    async with site.client(text) as client:
        for less in (
            {"role": "reader"},
            {"kbs": ["main"]},
            {"labels": ["red"]},
            {"expires_at": "2999-01-01T00:00:00Z"},
        ):
            assert (await client.patch(path, json=less)).status_code == 409, less
        assert (await client.patch(path, json={"name": "first"})).json()["name"] == "first"
        await site.key()
        assert (await client.patch(path, json={"labels": ["red"]})).status_code == 200


async def test_a_key_does_not_reach_what_is_made_later_under_a_name_it_held(
    site: Site, owner: httpx.AsyncClient
) -> None:
    await owner.post("/v1/kbs", json={"name": "mb"})
    made = (await owner.post("/v1/keys", json={"name": "k", "role": "owner", "kbs": ["mb"]})).json()
    assert made["kbs"] == ["mb"]
    async with site.client(made["secret"]) as narrow:
        assert (await narrow.get("/v1/kbs/mb")).status_code == 200
        await owner.delete("/v1/kbs/mb")
        await owner.post("/v1/kbs", json={"name": "mb"})
        assert (await narrow.get("/v1/kbs/mb")).status_code == 404
        assert (await narrow.get("/v1/kbs")).json()["kbs"] == []
        assert (await narrow.get("/v1/session")).json()["kbs"] == []
        assert (await narrow.post("/v1/kbs", json={"name": "other2"})).status_code == 403
    assert (await owner.get(f"/v1/keys/{made['id']}")).json()["kbs"] == []


async def test_queries_of_a_day_are_limited_and_counted(site: Site, owner: httpx.AsyncClient) -> None:
    await upload(owner, "a.txt", "the harbour of Lindvik")
    await site.work()
    asked = {"query": "harbour"}
    for _ in range(2):
        assert (await owner.post("/v1/kbs/main/search", json=asked)).status_code == 200
    assert [kb["queries"] for kb in (await owner.get("/v1/usage")).json()["kbs"]] == [0, 0]
    await site.app.state.runtime.queries.flush()
    limited = await owner.patch("/v1/kbs/main", json={"quota": {"queries_per_day": 3}})
    assert limited.json()["quota"] == {"queries_per_day": 3}
    assert (await owner.post("/v1/kbs/main/query", json=asked)).status_code == 200
    async with site.client(await site.key(Role.READER, labels={"red"})) as reader:
        refused = await reader.post("/v1/kbs/main/query", json={**asked, "stream": True})
        assert (refused.status_code, refused.json()["type"]) == (429, "urn:atoll:problem:QuotaExceeded")
        assert 0 < int(refused.headers["retry-after"]) <= 86_400
        assert not re.search(r"\d", refused.json()["detail"])
        assert (await reader.get("/v1/usage")).status_code == 403
    assert (await owner.get("/v1/kbs/main/documents")).status_code == 200, "it limits queries alone"
    usage = (await owner.get("/v1/usage", params={"days": 2})).json()
    assert usage["tenant"] == "acme"
    assert usage["kbs"][0].keys() == {"name", "documents", "passages", "bytes", "queries"}
    assert [(kb["name"], kb["documents"], kb["queries"]) for kb in usage["kbs"]] == [("main", 1, 3), ("other", 0, 0)]
    async with site.client(await site.key(Role.OWNER, kbs={"other"})) as narrow:
        assert [kb["name"] for kb in (await narrow.get("/v1/usage")).json()["kbs"]] == ["other"]
    async with site.client(await site.key(Role.OWNER, labels={"red"})) as narrow:
        assert (await narrow.get("/v1/usage")).status_code == 403
    for wrong in ({"queries_per_day": -1}, {"queries_per_day": 1.5}, {"queries": 1}):
        assert (await owner.patch("/v1/kbs/main", json={"quota": wrong})).status_code == 400, wrong


async def test_an_admin_sees_what_a_tenant_uses_in_sums(
    site: Site, owner: httpx.AsyncClient, admin: httpx.AsyncClient
) -> None:
    await upload(owner, "a.txt", "text")
    await upload(owner, "b.txt", "more", kb="other")
    await owner.post("/v1/kbs/main/search", json={"query": "text"})
    await site.app.state.runtime.queries.flush()
    shown = await admin.get("/v1/tenants/acme")
    assert shown.json()["usage"] == {"documents": 2, "bytes": 8, "queries": 1}
    assert (await admin.get("/v1/usage")).json() == {"tenant": INSTALLATION, "kbs": []}
    assert (await admin.patch("/v1/tenants/acme", json={"quota": {"documents": 2}})).status_code == 200
    full = await owner.post("/v1/kbs/main/documents", files={"file": ("c.txt", b"third")})
    assert (full.status_code, "the tenant has no room" in full.json()["detail"]) == (429, True)
    assert "retry-after" in full.headers


async def test_the_system_is_shown_to_owners_and_admins(tmp_path: Path) -> None:
    async def name() -> str:
        return "all-MiniLM-L6-v2"

    async def away() -> str:
        raise DependencyDown("nobody answers")

    async def rings() -> int:
        return 7

    site = Site(tmp_path / "house")
    await site.open(models={"embeddings": name, "pages": away}, rings=rings)
    async with (
        site.client(await site.key()) as owner,
        site.client(await site.key(Role.ADMIN, tenant=INSTALLATION)) as admin,
        site.client(await site.key(Role.OWNER, labels={"red"})) as red,
        site.client(await site.key(Role.OWNER, tenant="rival")) as rival,
    ):
        await upload(owner, "a.txt", "text", labels="blue")
        body = (await owner.get("/v1/system")).json()
        assert body.keys() == {"processes", "queue", "versions", "models"}
        assert [(each["role"], each["ok"], each["needed"]) for each in body["processes"]] == [("records", True, True)]
        assert body["models"] == [{"role": "embeddings", "name": "all-MiniLM-L6-v2"}, {"role": "pages", "name": None}]
        assert body["versions"].keys() == {"atoll", "api", "pipeline", "python"}
        queues = [(await client.get("/v1/system")).json()["queue"] for client in (owner, admin, red, rival)]
        assert queues == [
            {"documents": {"queued": 1}, "rings": None},
            {"documents": {"queued": 1}, "rings": 7},
            {"documents": {}, "rings": None},
            {"documents": {}, "rings": None},
        ]
        for role in (Role.EDITOR, Role.READER, Role.AUDITOR):
            async with site.client(await site.key(role)) as other:
                assert (await other.get("/v1/system")).status_code == 403
    await site.house.close_stores()


async def test_models_are_named_by_their_servers_or_the_settings(site: Site) -> None:
    settings = Settings(
        chat=ChatSettings(url="http://chat/v1", model_file="qwen/qwen.gguf"),
        reranker=RerankerSettings(model_dir=Path("/models/cross-encoder")),
    )
    front = SimpleNamespace(embedder=site.house.embedder, pages=None, chat=object())
    named = {role: await tell() for role, tell in models_of(settings, cast(Front, front)).items()}
    assert named == {
        "embeddings": site.house.embedder.card.model,
        "chat": "qwen/qwen.gguf",
        "reranker": "cross-encoder",
    }
