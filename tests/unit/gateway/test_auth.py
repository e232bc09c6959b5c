"""Who may do what: keys, roles, scopes, sessions, links."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import itsdangerous.timed
import pytest
from fastapi.dependencies.models import Dependant

from atoll.access import signatures
from atoll.domain.ids import KeyId
from atoll.domain.principal import Role
from gateway.app import api_routes, create_app
from gateway.auth import Authorized, Open
from tests.support.house import ACTOR
from tests.unit.gateway.conftest import Site, upload

#: What anyone may call. Whoever adds a route here must have a reason that stands beside it in the code.
OPEN = {
    "live", "ready", "metrics", "open_session", "get_session", "link_session", "close_session", "show_docs", "show_screen", "get_asset",
}  # fmt: skip


def test_every_route_declares_who_may_call_it() -> None:
    routes = api_routes()
    assert len(routes) > 25
    for route in routes:
        calls = [each.call for each in route.dependant.dependencies]
        keyed = [call for call in calls if isinstance(call, Authorized)]
        opened = [call for call in calls if isinstance(call, Open)]
        assert len(keyed) + len(opened) == 1, f"{route.path} must declare one Authorized, InKb or Open"
        assert bool(opened) == (route.name in OPEN), route.path


def test_no_route_waits_for_a_thread_to_be_let_in() -> None:
    def calls(dependant: Dependant) -> Iterator[Callable[..., Any]]:
        for each in dependant.dependencies:
            assert each.call is not None
            yield each.call
            yield from calls(each)

    found = {call for route in api_routes() for call in calls(route.dependant)}
    assert found
    for call in found:
        function = call if inspect.isfunction(call) else type(call).__call__
        assert inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function), call


async def test_every_operation_refuses_a_request_without_a_key(site: Site) -> None:
    operations = [
        (method.upper(), path)
        for path, methods in site.app.openapi()["paths"].items()
        for method, operation in methods.items()
        if "security" in operation
    ]
    assert len(operations) > 20
    async with site.client() as client:
        for method, path in operations:
            shown = path.format(kb="main", document="d", page=1, batch="b", key="k", entity="e", tenant="t", model="m")
            body = {"name": "x", "role": "reader", "query": "q", "model": "atoll/main", "messages": []}
            answer = await client.request(method, shown, json=body)
            assert answer.status_code in {400, 401}, (method, path)
            if answer.status_code == 401:
                assert answer.headers["www-authenticate"].startswith("Bearer")


READ, WRITE = ("GET", "/v1/kbs/main/documents"), ("DELETE", "/v1/kbs/main/documents/none")
KBS, KEYS, AUDIT = ("PATCH", "/v1/kbs/main"), ("GET", "/v1/keys"), ("GET", "/v1/audit")
METRICS = ("GET", "/metrics")
MATRIX = {
    Role.OWNER: {READ: 200, WRITE: 404, KBS: 200, KEYS: 200, AUDIT: 200, METRICS: 200},
    Role.EDITOR: {READ: 200, WRITE: 404, KBS: 403, KEYS: 403, AUDIT: 403, METRICS: 403},
    Role.READER: {READ: 200, WRITE: 403, KBS: 403, KEYS: 403, AUDIT: 403, METRICS: 403},
    Role.AUDITOR: {READ: 403, WRITE: 403, KBS: 403, KEYS: 403, AUDIT: 200, METRICS: 200},
    Role.ADMIN: {READ: 403, WRITE: 403, KBS: 403, KEYS: 403, AUDIT: 403, METRICS: 200},
}


@pytest.mark.parametrize("role", Role)
async def test_roles(site: Site, role: Role) -> None:
    async with site.client(await site.key(role)) as client:
        for (method, path), status in MATRIX[role].items():
            answer = await client.request(method, path, json={} if method == "PATCH" else None)
            assert answer.status_code == status, (method, path, answer.text)


async def test_denials_are_audited(site: Site, owner: httpx.AsyncClient) -> None:
    async with site.client(await site.key(Role.READER, kbs={"other"})) as client:
        assert (await client.delete("/v1/kbs/other/documents/x")).status_code == 403
        assert (await client.get("/v1/kbs/main/documents", headers={"X-Request-ID": "r1"})).status_code == 404
    events = (await owner.get("/v1/audit")).json()["events"]
    denied = [(event["action"], event["object"], event["result"]) for event in events if "denied" in event["action"]]
    assert denied == [("write.denied", "kb other", "Forbidden"), ("read.denied", "kb main", "NotFound")]
    assert events[-1]["request_id"] == "r1"


async def test_scopes_do_not_tell_what_lies_outside(site: Site, owner: httpx.AsyncClient) -> None:
    document = (await upload(owner, "a.txt", "secret text"))["documents"][0]["id"]
    async with site.client(await site.key(Role.OWNER, tenant="rival")) as stranger:
        answers = [(await stranger.get(f"/v1/kbs/{kb}/documents/{document}")).json() for kb in ("main", "none")]
        assert [answer["status"] for answer in answers] == [404, 404]
        assert answers[0]["detail"].replace("main", "") == answers[1]["detail"].replace("none", "")
        assert (await stranger.get("/v1/kbs")).json()["kbs"] == []
    async with site.client(await site.key(Role.READER, kbs={"other"})) as narrow:
        assert [kb["name"] for kb in (await narrow.get("/v1/kbs")).json()["kbs"]] == ["other"]
        here = await narrow.get(f"/v1/kbs/main/documents/{document}")
        nowhere = await narrow.get(f"/v1/kbs/none/documents/{document}")
        assert here.json()["detail"].replace("main", "") == nowhere.json()["detail"].replace("none", "")
    assert (await owner.get(f"/v1/kbs/other/documents/{document}")).status_code == 404


async def test_labels_hide_documents_everywhere(site: Site, owner: httpx.AsyncClient) -> None:
    red = (await upload(owner, "red.txt", "the red harbour report", labels="red"))["documents"][0]["id"]
    both = (await upload(owner, "both.txt", "the purple harbour report", labels="red,blue"))["documents"][0]["id"]
    await upload(owner, "open.txt", "the open harbour report")
    await site.work()
    async with site.client(await site.key(Role.READER, labels={"red"})) as client:
        listed = (await client.get("/v1/kbs/main/documents")).json()
        assert sorted(document["name"] for document in listed["documents"]) == ["open.txt", "red.txt"]
        assert listed["counts"] == {"ready": 2}
        assert (await client.get(f"/v1/kbs/main/documents/{red}")).status_code == 200
        for path in ("", "/file", "/passages", "/pages/1", "/pages/1.png"):
            assert (await client.get(f"/v1/kbs/main/documents/{both}{path}")).status_code == 404, path
        found = (await client.post("/v1/kbs/main/search", json={"query": "harbour report"})).json()["evidence"]
        assert sorted(evidence["document"] for evidence in found) == ["open.txt", "red.txt"]
        kb = (await client.get("/v1/kbs/main")).json()
        assert (kb["documents"], kb["passages"], kb["bytes"]) == (2, None, None)


async def test_a_key_with_labels_is_told_no_revision_and_no_raw_score(site: Site, owner: httpx.AsyncClient) -> None:
    await upload(owner, "red.txt", "the red harbour report", labels="red")
    await site.work()
    asked = {"query": "harbour report"}
    for key, told in ((await site.key(Role.READER, labels={"red"}), False), (await site.key(Role.READER), True)):
        async with site.client(key) as client:
            searched = (await client.post("/v1/kbs/main/search", json=asked)).json()
            answered = (await client.post("/v1/kbs/main/query", json=asked)).json()
            streamed = await client.post("/v1/kbs/main/query", json={**asked, "stream": True})
            events = [json.loads(line.removeprefix("data: ")) for line in streamed.text.split("\n") if "data: " in line]
            exported = (await client.get("/v1/kbs/main/graph/export", params={"format": "jsonl"})).text.split("\n")
            export = json.loads(exported[-2])
            bodies = [
                searched, answered, export, (await client.get("/v1/kbs/main")).json(),
                (await client.get("/v1/kbs/main/graph/stats")).json(), *(body for body in events if "revision" in body),
            ]  # fmt: skip
            assert len(bodies) == 7
            assert [body["revision"] is not None for body in bodies] == [told] * len(bodies)
            assert (export["complete"] is not None) is told
            graphml = (await client.get("/v1/kbs/main/graph/export")).text
            assert ('key="graph.revision"' in graphml) is told
            for body in (searched, answered):
                scores = [each["score"] for evidence in body["evidence"] for each in evidence["signals"].values()]
                assert {score is not None for score in scores} == {told}


async def test_the_last_owner_key_cannot_be_revoked(site: Site) -> None:
    text = await site.key()
    key = text.split("_")[1]
    async with site.client(text) as client:
        answer = await client.delete(f"/v1/keys/{key}")
        assert (answer.status_code, "another owner key" in answer.text) == (409, True)
        assert (await client.get(f"/v1/keys/{key}")).json()["revoked_at"] is None
        another = (await client.post("/v1/keys", json={"name": "second", "role": "owner"})).json()
        assert (await client.get(f"/v1/keys/{another['id']}")).json()["name"] == "second"
        assert (await client.delete(f"/v1/keys/{key}")).status_code == 200
        assert (await client.get("/v1/keys")).status_code == 401


async def test_a_key_for_a_knowledge_base_that_is_not_there_is_refused(site: Site, owner: httpx.AsyncClient) -> None:
    answer = await owner.post("/v1/keys", json={"name": "k", "role": "reader", "kbs": ["main", "nope"]})
    assert (answer.status_code, "nope" in answer.json()["detail"]) == (400, True)
    async with site.client(await site.key(Role.OWNER, kbs={"main"})) as narrow:
        told = [
            (await narrow.post("/v1/keys", json={"name": "k", "role": "reader", "kbs": [name]})).json()["detail"]
            for name in ("other", "nope")
        ]
        assert told[0] == told[1], "what is outside its reach is not told apart from what is not there"


async def test_labels_of_keys_are_those_of_documents(site: Site, owner: httpx.AsyncClient) -> None:
    await upload(owner, "a.txt", "text", labels="Café")
    made = (await owner.post("/v1/keys", json={"name": "k", "role": "reader", "labels": [" Cafe\u0301 "]})).json()
    assert made["labels"] == ["Café"]
    async with site.client(made["secret"]) as reader:
        assert (await reader.get("/v1/kbs/main/documents")).json()["counts"] == {"queued": 1}
    for wrong in ("", " ", "a,b", "a\u200bb", "x" * 65):
        answer = await owner.post("/v1/keys", json={"name": "k", "role": "reader", "labels": [wrong]})
        assert answer.status_code == 400, wrong


async def test_bad_keys(site: Site) -> None:
    good = await site.key()
    prefix, identity, secret = good.split("_", 2)
    expired = await site.key(expires_at=datetime.now(UTC) - timedelta(seconds=1))
    bad = ["", "x", "atoll_", "atoll__", f"{prefix}_{identity}_wrong", f"{prefix}_0000_{secret}", f"other_{identity}_{secret}",
           expired, good + "x", "atoll_" + "x" * 500]  # fmt: skip
    async with site.client() as client:
        for key in bad:
            answer = await client.get("/v1/kbs", headers={"Authorization": f"Bearer {key}"})
            assert answer.status_code == 401, key
            assert secret not in answer.text
        assert (await client.get("/v1/kbs", headers={"Authorization": f"bearer {good}"})).status_code == 200
        assert (await client.get("/v1/kbs", headers={"X-API-Key": good})).status_code == 200
        assert (await client.get("/v1/kbs", headers={"X-API-Key": "atoll_é_x".encode()})).status_code == 401


async def test_a_key_is_made_shown_once_and_revoked_at_once(site: Site, owner: httpx.AsyncClient) -> None:
    made = (await owner.post("/v1/keys", json={"name": "desk", "role": "reader", "kbs": ["main"]})).json()
    assert made["secret"].startswith(f"atoll_{made['id']}_")
    assert (made["kbs"], made["labels"], made["revoked_at"]) == (["main"], "*", None)
    listed = (await owner.get("/v1/keys")).json()["keys"]
    assert "secret" not in listed[-1]
    assert listed[-1]["name"] == "desk"
    async with site.client(made["secret"]) as client:
        assert (await client.get("/v1/kbs/main/documents")).status_code == 200
        revoked = await owner.delete(f"/v1/keys/{made['id']}")
        assert revoked.json()["revoked_at"] is not None
        assert (await client.get("/v1/kbs/main/documents")).status_code == 401
    assert (await owner.delete("/v1/keys/none")).status_code == 404


async def test_a_key_gives_no_right_that_it_does_not_have(site: Site) -> None:
    soon = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
    narrow = await site.key(Role.OWNER, kbs={"main"}, labels={"red"}, expires_at=soon)
    await site.key(Role.READER)
    async with site.client(narrow) as client:
        fits = {"name": "x", "role": "reader", "kbs": ["main"], "labels": ["red"], "expires_at": soon.isoformat()}
        assert (await client.post("/v1/keys", json=fits)).status_code == 201
        for wider in ({"role": "admin"}, {"kbs": "*"}, {"kbs": ["other"]}, {"labels": "*"}, {"labels": ["red", "blue"]},
                      {"expires_at": None}, {"expires_at": (soon + timedelta(hours=1)).isoformat()}):  # fmt: skip
            assert (await client.post("/v1/keys", json=fits | wider)).status_code == 403, wider
        assert [key["name"] for key in (await client.get("/v1/keys")).json()["keys"]] == ["owner", "x"]
        everyones = (await site.keys.list(await site.house.tenants.ensure("acme")))[1]
        assert (await client.delete(f"/v1/keys/{everyones.id}")).status_code == 404
        assert (await client.get("/v1/audit")).status_code == 403
        assert (await client.delete("/v1/kbs/main")).status_code == 403, "it does not see all that it would delete"
        assert (await client.patch("/v1/kbs/main", json={"quota": {}})).status_code == 403, "it holds for others too"


async def test_sessions(site: Site) -> None:
    key = await site.key()
    async with site.client() as browser:
        assert (await browser.post("/v1/session", json={"key": "atoll_x_y"})).status_code == 401
        answer = await browser.post("/v1/session", json={"key": key})
        cookie = answer.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=strict" in cookie
        assert "secure" not in cookie
        assert key not in cookie
        assert answer.json()["role"] == "owner"
        assert (await browser.get("/v1/kbs")).status_code == 200
        crossing = {"Origin": "http://testserver:81"}
        assert (await browser.get("/v1/kbs", headers=crossing)).status_code == 403
        assert (await browser.get("/v1/kbs", headers={"Sec-Fetch-Site": "cross-site"})).status_code == 403
        assert (await browser.get("/v1/kbs", headers={"Origin": "http://testserver"})).status_code == 200
        assert (await browser.get("/v1/session")).json()["key_id"] == key.split("_")[1]
        stolen = {"Cookie": f"atoll_session={browser.cookies['atoll_session']}"}
        await browser.delete("/v1/session")
        assert (await browser.get("/v1/kbs")).status_code == 401
        assert (await browser.get("/v1/kbs", headers=stolen)).status_code == 401, "it ended at the server"
        assert (await browser.get("/v1/session")).status_code == 401
        for forged in (b"x", b"a.9999999999.0", "é.9999999999.é".encode()):
            answer = await browser.get("/v1/kbs", headers={"Cookie": b"atoll_session=" + forged})
            assert answer.status_code == 401
        secure = await browser.post("/v1/session", json={"key": key}, headers={"X-Forwarded-Proto": "https"})
        assert "secure" in secure.headers["set-cookie"].lower()


async def test_a_sign_in_link_holds_once_at_any_gateway(site: Site, owner: httpx.AsyncClient) -> None:
    made = (await owner.post("/v1/session/links")).json()["link"]
    another = Site.__new__(Site)
    another.app = create_app(site.app.state.runtime.ports)
    async with site.client() as browser, another.client() as elsewhere:
        for body in ({}, {"key": "a", "link": made}, {"link": "x"}, {"link": made[:-1]}):
            assert (await elsewhere.post("/v1/session", json=body)).status_code in {400, 401}, body
        opened = await elsewhere.post("/v1/session", json={"link": made})
        assert (opened.status_code, opened.json()["role"]) == (200, "owner")
        assert (await elsewhere.get("/v1/kbs")).status_code == 200
        assert (await browser.post("/v1/session", json={"link": made})).status_code == 401, "it was used"
        cookie = {"Cookie": f"atoll_session={elsewhere.cookies['atoll_session']}"}
        assert (await browser.get("/v1/kbs", headers=cookie)).status_code == 200
        await elsewhere.delete("/v1/session")
        assert (await browser.get("/v1/kbs", headers=cookie)).status_code == 401, "it ended at every gateway"
        forged = {"Cookie": f"atoll_session={made}"}
        assert (await browser.get("/v1/kbs", headers=forged)).status_code == 401, "a link is no session"


async def test_links_hold_for_what_they_were_made_for(
    site: Site, owner: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = [(await upload(owner, f"{n}.txt", f"text {n}"))["documents"][0]["id"] for n in (1, 2)]
    await site.work()
    key = await site.key(Role.READER)
    async with site.client(key) as reader, site.client() as anyone:
        link = (await reader.post(f"/v1/kbs/main/documents/{first}/links", json={})).json()["url"]
        assert (await anyone.get(link)).content == b"text 1"
        assert (await anyone.get(link.replace(first, second))).status_code == 401
        assert (await anyone.get(link.replace("token=", "token=W"))).status_code == 401
        assert (await anyone.get(link.partition("?")[0] + "?token=")).status_code == 401
        assert (await anyone.get(link + "&mark=x")).status_code == 401
        assert (await anyone.get(link.replace("/file", ""))).status_code == 401, "links are for pages and files"
        await site.keys.revoke(await site.house.tenants.ensure("acme"), KeyId(key.split("_")[1]), ACTOR)
        assert (await anyone.get(link)).status_code == 401
        page = (await owner.post(f"/v1/kbs/main/documents/{first}/links", json={"page": 1, "dpi": 96})).json()["url"]
        assert (await anyone.get(page)).status_code == 501, "the twin of the parser draws nothing, but it was asked"
        late = datetime.now(UTC).timestamp() + signatures.LINK_SECONDS + 1
        monkeypatch.setattr(itsdangerous.timed.time, "time", lambda: late)
        assert (await anyone.get(page)).status_code == 401
