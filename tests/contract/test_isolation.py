"""Two tenants with the same documents under the same names: nothing of one is in any answer to the other."""

from __future__ import annotations

import json
import random
import re
from collections.abc import AsyncIterator
from itertools import product
from pathlib import Path
from typing import Any

import httpx
import pytest

from atoll.domain.principal import Role
from tests.support.house import ACTOR, DIMENSIONS
from tests.support.records import STORES, open_either
from tests.support.written import Line, write
from tests.unit.gateway.conftest import Site, upload

#: Ids as they are made here: uids, UUIDs, key ids. A SHA-256 is longer; equal bytes have equal ones everywhere.
ID = re.compile(r"\b(?:[0-9a-f]{32}|[0-9a-f]{16}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\b")
TIME = re.compile(
    r'"(?:created_at|ready_at|last_used_at|at|expires_at)":(?:"[^"]*"|null)|"seconds":[^,}]*|"timings_ms":\{[^}]*\}'
)
#: Of the whole installation, for its operator: no figure of one tenant can be told from them by another.
INSTALLATION = {"/health/live", "/health/ready", "/metrics", "/v1/system", "/v1/tenants", "/v1/tenants/{tenant}"}
#: Never ends; what it sends is what `documents` shows, by the same read.
STREAMS = {"/v1/kbs/{kb}/events"}
SEARCHES = ("harbour of Lindvik", "Ada", "Merle")
FILES = {
    "harbour.txt": "The harbour of Lindvik was built in 1902 by Ada Lind. " * 6,
    "boats.txt": "Boats were green. " * 9,
}


class Tenant:
    """A tenant of its own with a knowledge base of the same name and content as all others."""

    def __init__(self, site: Site, name: str) -> None:
        self.site, self.name = site, name
        self.client: httpx.AsyncClient

    async def open(self) -> None:
        house = self.site.house
        tenant = await house.tenants.ensure(self.name)
        kb = await house.knowledge_bases.create(tenant, "main", language="en", settings={}, quota={}, actor=ACTOR)
        key = await self.site.key(Role.OWNER, tenant=self.name)
        self.client = httpx.AsyncClient(
            transport=httpx.ASGITransport(self.site.app, raise_app_exceptions=False, client=("192.0.2.7", 1)),
            base_url="http://testserver",
            headers={"Authorization": f"Bearer {key}"},
        )
        self.batches = [(await upload(self.client, name, text))["batch_id"] for name, text in FILES.items()]
        await self.site.work()
        lines = [
            Line("Ada met Bob.", ["ada:person", "bob:person"], [("ada", "bob", "Ada met Bob.")]),
            Line("Ada owns the Merle.", ["ada:person", "merle:ship"]),
        ]
        written = await write(house, kb.uid, "crew.txt", lines, dimensions=DIMENSIONS)
        self.crew = written.uid
        path = house.blobs.path(kb.uid, written.uid)
        path.parent.mkdir(parents=True)
        path.write_text("crew")

    async def resources(self) -> dict[str, list[str]]:
        """Return what each path parameter can be."""
        documents = (await self.client.get("/v1/kbs/main/documents")).json()["documents"]
        entities = (await self.client.get("/v1/kbs/main/graph/entities")).json()["entities"]
        assert len(documents) == 3
        assert len(entities) >= 3
        return {
            "kb": ["main"],
            "document": [each["id"] for each in documents],
            "batch": self.batches,
            "entity": [each["id"] for each in entities],
            "page": ["1"],
            "model": [each["id"] for each in (await self.client.get("/v1/models")).json()["data"]],
            "key": [each["id"] for each in (await self.client.get("/v1/keys")).json()["keys"]],
        }

    async def everything(self, paths: list[str]) -> dict[str, str]:
        """Return the answers of all GET routes, and of some searches, by what was asked."""
        resources = await self.resources()
        found = {}
        for path in paths:
            for filled in filled_paths(path, resources):
                variants = [{"format": "graphml"}, {"format": "jsonl"}] if path.endswith("/export") else [{}]
                for parameters in variants:
                    answer = await self.client.get(filled, params=parameters)
                    if self.crew in filled and path.endswith(("/pages/{page}", "/skipped")):
                        assert answer.status_code == 404  # written by hand, never laid out
                        continue
                    assert answer.status_code == 200, (filled, answer.text[:200])
                    found[f"{filled} {parameters}"] = answer.text
        for query in SEARCHES:
            answer = await self.client.post("/v1/kbs/main/search", json={"query": query, "mode": "mix"})
            assert answer.status_code == 200, answer.text
            found[f"search {query}"] = answer.text
        return found


def filled_paths(path: str, resources: dict[str, list[str]]) -> list[str]:
    names = re.findall(r"{(\w+)}", path)
    return [path.format(**dict(zip(names, values, strict=True))) for values in product(*(resources[n] for n in names))]


def get_routes(site: Site) -> list[str]:
    paths: dict[str, Any] = site.app.openapi()["paths"]
    return sorted(path for path, methods in paths.items() if "get" in methods and path not in INSTALLATION | STREAMS)


def masked(text: str) -> str:
    """An answer without times, with ids numbered in order of their appearance."""
    seen: dict[str, str] = {}
    return ID.sub(lambda found: seen.setdefault(found[0], f"<{len(seen)}>"), TIME.sub("", text))


def scores(text: str) -> list[Any]:
    """What a search found, without the order among equals, which ids decide."""
    return sorted(
        (each["document"], each["text"], each["score"], sorted((n, s["score"]) for n, s in each["signals"].items()))
        for each in json.loads(text)["evidence"]
    )


#: Drawn by a parser that this house has not.
DRAWN = "/v1/kbs/{kb}/documents/{document}/pages/{page}.png"


@pytest.fixture(params=STORES)
async def site(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Site]:
    site = Site(tmp_path / "house", records=open_either(request, request.param, tmp_path / "house"))
    await site.open()
    yield site
    await site.house.close_stores()


@pytest.fixture
async def tenants(site: Site) -> tuple[Tenant, Tenant]:
    one, two = Tenant(site, "north"), Tenant(site, "south")
    await one.open()
    return one, two


async def test_two_tenants_share_no_id_score_or_count(site: Site, tenants: tuple[Tenant, Tenant]) -> None:
    one, two = tenants
    paths = [path for path in get_routes(site) if path != DRAWN]
    assert len(paths) >= 15
    alone = await one.everything(paths)
    await two.open()
    beside = await one.everything(paths)
    other = await two.everything(paths)

    ids = [set(ID.findall(" ".join([*found, *found.values()]))) for found in (beside, other)]
    assert all(len(each) > 15 for each in ids)
    assert ids[0] & ids[1] == set()

    # What one is told does not move when the other comes: no score and no count holds anything of both.
    assert alone.keys() == beside.keys()
    for asked, text in alone.items():
        if not asked.startswith("/v1/audit"):  # grows by what the test itself does
            assert TIME.sub("", beside[asked]) == TIME.sub("", text), asked
    # Equal documents are told of in equal words: every score and count is that of one knowledge base alone.
    for query in SEARCHES:
        assert scores(other[f"search {query}"]) == scores(beside[f"search {query}"]) != []
    for route in ("labels", "stats"):
        asked = f"/v1/kbs/main/graph/{route} {{}}"
        assert masked(other[asked]) == masked(beside[asked])


async def test_what_belongs_to_another_tenant_is_not_there(site: Site, tenants: tuple[Tenant, Tenant]) -> None:
    one, two = tenants
    await two.open()
    foreign = await two.resources()
    tried = 0
    for path in get_routes(site):
        names = set(re.findall(r"{(\w+)}", path))
        if names & {"document", "batch", "entity", "key"}:
            for filled in filled_paths(path, foreign):
                answer = await one.client.get(filled)
                assert answer.status_code == 404, filled
                assert not set(ID.findall(answer.text)) - set(ID.findall(filled)) - {answer.json()["request_id"]}
                tried += 1
    assert tried > 20


#: What any answer may differ in: ids, times, and opaque numbers, which are told apart by the installation's counts.
ORDER = re.compile(r'"(?:next_cursor|id)":"[\w-]{32}"|"request_id":"[^"]*"|"secret":"[^"]*"|"seconds":[0-9.]+')
WORDS = ("harbour", "Lindvik", "Ada", "boats", "green", "Merle", "Bob", "1902")


class Busy:
    """A tenant that does one random thing after the other; equal seeds do equal things."""

    def __init__(self, site: Site, name: str, seed: int) -> None:
        self.site, self.name, self.random = site, name, random.Random(seed)

    async def open(self) -> None:
        tenant = await self.site.house.tenants.ensure(self.name)
        await self.site.house.knowledge_bases.create(tenant, "main", language="en", settings={}, quota={}, actor=ACTOR)
        key = await self.site.key(Role.OWNER, tenant=self.name)
        self.client = httpx.AsyncClient(
            transport=httpx.ASGITransport(self.site.app, raise_app_exceptions=False, client=("192.0.2.7", 1)),
            base_url="http://testserver",
            headers={"Authorization": f"Bearer {key}"},
        )

    async def act(self) -> tuple[str, int, str]:
        """Do something; return what, the status, and the answer without what may differ."""
        what, method, path, more = await self._choose()
        answer = await self.client.request(method, path, **more)
        await self.site.work()
        if path.endswith(("/search", "/query")) and answer.status_code == 200:
            # Ids decide between equals, so that of two equally good sentences either may be the answer.
            return what, answer.status_code, f"{answer.json().get('answered_by')} {scores(answer.text)}"
        return what, answer.status_code, ORDER.sub("", masked(answer.text))

    async def _choose(self) -> tuple[str, str, str, dict[str, Any]]:
        one = self.random
        named = sorted((await self.client.get("/v1/kbs/main/documents")).json()["documents"], key=lambda d: d["name"])
        document = one.choice(named)["id"] if named else "none"
        keys = (await self.client.get("/v1/keys")).json()["keys"]
        text = " ".join(one.choice(WORDS) for _ in range(12)) + "."
        labels = one.choice(["", "red", "red,blue"])
        kb = one.choice(["main", "extra"])
        return one.choice([
            ("upload", "POST", "/v1/kbs/main/documents", {
                "files": {"file": (f"{one.randrange(4)}.txt", text.encode())},
                "data": {"labels": labels, "replace": one.choice(["true", "false"])},
            }),
            ("delete", "DELETE", f"/v1/kbs/main/documents/{document}", {}),
            ("preview", "DELETE", f"/v1/kbs/main/documents/{document}", {"params": {"dry_run": "true"}}),
            ("show", "GET", f"/v1/kbs/main/documents/{document}", {}),
            ("relabel", "PATCH", f"/v1/kbs/main/documents/{document}", {"json": {"labels": labels.split(",")[:1]}}),
            ("list", "GET", "/v1/kbs/main/documents", {"params": {"limit": 500}}),
            ("search", "POST", "/v1/kbs/main/search", {"json": {"query": one.choice(WORDS), "explain": True}}),
            ("search", "POST", "/v1/kbs/main/search", {"json": {"query": f"{one.choice(WORDS)} {one.choice(WORDS)}"}}),
            ("ask", "POST", "/v1/kbs/main/query", {"json": {"query": f"Who is {one.choice(WORDS)}?"}}),
            ("graph", "GET", "/v1/kbs/main/graph/stats", {}),
            ("make", "POST", "/v1/kbs", {"json": {"name": kb}}),
            ("end", "DELETE", "/v1/kbs/extra", {}),
            ("limit", "PATCH", f"/v1/kbs/{kb}", {"json": {"quota": {"documents": one.randrange(3, 9)}}}),
            ("kbs", "GET", "/v1/kbs", {}),
            ("usage", "GET", "/v1/usage", {}),
            ("key", "POST", "/v1/keys", {"json": {"name": "k", "role": "reader", "kbs": ["main"], "labels": ["red"]}}),
            ("rename", "PATCH", f"/v1/keys/{one.choice(keys)['id']}", {"json": {"name": f"k{one.randrange(9)}"}}),
            ("keys", "GET", "/v1/keys", {}),
            ("audit", "GET", "/v1/audit", {"params": {"limit": 500}}),
        ])  # fmt: skip


@pytest.mark.parametrize("store", STORES)
async def test_whatever_one_tenant_does_the_other_is_told_the_same(
    request: pytest.FixtureRequest, store: str, tmp_path: Path
) -> None:
    """A tenant's answers while another does other random things are those that it has alone."""
    seed, told, ids = random.randrange(10**6), [], {}
    for beside in (False, True):
        folder = tmp_path / str(beside)
        site = Site(folder, records=open_either(request, store, folder))
        await site.open()
        north, south = Busy(site, "north", seed), Busy(site, "south", seed + 1)
        own: list[Any] = []
        for each in (north, south) if beside else (north,):
            await each.open()
        for number in range(STEPS[store]):
            own.append(await north.act())
            if beside:
                await south.act()
                if number == STEPS[store] // 2:
                    admin = await site.house.tenants.ensure(".installation")
                    await site.house.tenants.suspend("south", suspended=True, by=admin, actor=ACTOR)
                    await site.house.tenants.suspend("south", suspended=False, by=admin, actor=ACTOR)
        told.append(own)
        if beside:
            for each in (north, south):
                seen = [(await each.client.get(path)).text for path in LISTS]
                ids[each.name] = set(ID.findall(" ".join(seen)))
        await site.house.close_stores()
    for number, (alone, with_other) in enumerate(zip(*told, strict=True)):
        assert with_other == alone, f"seed {seed}, step {number}"
    assert {status for _, status, _ in told[0]} >= {200}, seed
    assert ids["north"] & ids["south"] == set(), seed


#: Things done by each tenant.
STEPS = {"sqlite": 40, "neo4j": 15}
LISTS = ("/v1/kbs", "/v1/kbs/main/documents", "/v1/kbs/main/graph/entities", "/v1/keys", "/v1/audit?limit=500")
