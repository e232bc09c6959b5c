"""The real gateway in front of the real stages and record store; twins only where a network would be."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from atoll.access.keys import issue
from atoll.access.rates import LocalRates, RateLimit
from atoll.adapters.memory.graph_index import MemoryGraphIndex
from atoll.domain.principal import Role
from atoll.ports.pages import PageEmbedder
from atoll.query.retrieve.heatmap import PageHeat
from gateway.app import create_app
from gateway.dependencies import Dependencies, Dependency, Limits
from tests.support.house import ACTOR, House
from tests.support.records import OpenRecords

PEPPER = b"p" * 32


class Site:
    """A gateway with knowledge bases ``main`` and ``other`` of tenant ``acme``."""

    def __init__(
        self, folder: Path, *, records: OpenRecords | None = None, page_embedder: PageEmbedder | None = None
    ) -> None:
        self.house = House(folder, vectors=MemoryGraphIndex(), records=records, page_embedder=page_embedder)
        self.keys, self.audit = self.house.keys, self.house.audit
        self.app: FastAPI
        self.probes: dict[str, Dependency] = {"records": Dependency(self.house.database.ping, needed=True)}

    async def open(self, *, limits: Limits | None = None, requests_per_minute: int = 6000, **ports: Any) -> None:
        self.main, self.other = await self.house.open("main", "other")
        values: dict[str, Any] = {
            "records": self.house.records,
            "doorbell": self.house.doorbell,
            "blobs": self.house.blobs,
            "artefacts": self.house.artefacts,
            "drawings": self.house.drawings,
            "passwords": self.house.passwords,
            "parser": self.house.shop.parser,
            "ask": self.house.ask,
            "embedder": self.house.embedder,
            "heat": None if self.house.page_retriever is None else PageHeat(self.house.page_retriever),
            "rates": RateLimit(None, LocalRates(requests_per_minute)),
            "pepper": PEPPER,
            "limits": limits or Limits(allowed_hosts=("testserver",)),
            "dependencies": self.probes,
            "screen": self.house.folder / "screen",
        }
        self.app = create_app(Dependencies(**{**values, **ports}))

    async def key(
        self,
        role: Role = Role.OWNER,
        *,
        kbs: set[str] | None = None,
        labels: set[str] | None = None,
        tenant: str = "acme",
        **more: Any,
    ) -> str:
        """Return the text of a new key; ``kbs`` are names."""
        owner = await self.house.tenants.ensure(tenant)
        known = await self.house.knowledge_bases.list(owner) if kbs is not None else ()
        key, text = issue(
            PEPPER,
            tenant=owner,
            name=role.value,
            role=role,
            kbs=None if kbs is None else frozenset(kb.uid for kb in known if kb.name in kbs),
            labels=None if labels is None else frozenset(labels),
            **more,
        )
        await self.keys.create(key, ACTOR)
        return text

    @asynccontextmanager
    async def client(self, key: str | None = None, **options: Any) -> AsyncIterator[httpx.AsyncClient]:
        """A client of the application, on another machine unless ``address`` says otherwise."""
        address = options.pop("address", "192.0.2.7")
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False, client=(address, 1234))
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        async with httpx.AsyncClient(
            transport=transport, base_url="http://testserver", headers=headers, **options
        ) as client:
            yield client

    async def work(self) -> None:
        """Let rings go out and work on everything."""
        ringer = self.app.state.runtime.ringer
        while not ringer._waiting.empty():
            await self.house.doorbell.ring([ringer._waiting.get_nowait()])
        await self.house.work()

    def files(self) -> list[str]:
        """What lies in the blob store, without the folder of incoming files itself."""
        root = self.house.folder / "blobs"
        return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path != root / ".incoming")


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    site = Site(tmp_path / "house")
    await site.open()
    yield site
    await site.house.close_stores()


@pytest.fixture
async def owner(site: Site) -> AsyncIterator[httpx.AsyncClient]:
    async with site.client(await site.key()) as client:
        yield client


async def upload(
    client: httpx.AsyncClient, name: str, content: bytes | str, *, kb: str = "main", **fields: str
) -> Mapping[str, Any]:
    """Upload one file; return the answer's body."""
    data = content.encode() if isinstance(content, str) else content
    answer = await client.post(f"/v1/kbs/{kb}/documents", files={"file": (name, data)}, data=fields)
    assert answer.status_code == 202, answer.text
    body: Mapping[str, Any] = answer.json()
    return body
