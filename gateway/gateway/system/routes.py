"""The installation: what runs, how much waits, which versions and models."""

from __future__ import annotations

import asyncio
import platform
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from importlib.metadata import version
from typing import Annotated, TypeVar

from fastapi import APIRouter, Depends

from atoll.access.admit import Access
from atoll.domain.document import Status
from atoll.domain.principal import Action, Role
from atoll.domain.reader import Reader
from atoll.domain.reading import PIPELINE
from atoll.errors import AtollError
from gateway.auth import Authorized
from gateway.health.probes import Readiness
from gateway.runtime import Live, Runtime, kept
from gateway.system.schemas import ModelOut, ProcessOut, QueueOut, SystemOut, VersionsOut

T = TypeVar("T")

_PATIENCE_SECONDS = 3.0

router = APIRouter(prefix="/v1/system", tags=["system"])


@router.get("")
async def get_system(
    access: Annotated[Access, Depends(Authorized(Action.SEE_SYSTEM))],
    live: Live,
    readiness: Annotated[Readiness, Depends(kept(Readiness))],
) -> SystemOut:
    """Return what the gateway knows of processes, queue, versions and models."""
    (_, signs), queue, models = await asyncio.gather(readiness.look(), _queue(access, live), _names(live.ports.models))
    return SystemOut(
        processes=[
            ProcessOut(
                role=role, ok=sign.error is None, needed=sign.needed, latency_ms=sign.latency_ms, error=sign.error
            )
            for role, sign in signs.items()
        ],
        queue=queue,
        versions=VersionsOut(atoll=version("atoll"), api="1", pipeline=PIPELINE, python=platform.python_version()),
        models=[ModelOut(role=role, name=name) for role, name in models.items()],
    )


async def _queue(access: Access, live: Runtime) -> QueueOut:
    if access.principal.role is Role.ADMIN:
        counts: Mapping[Status, int] = await live.ports.records.catalogue.census()
        rings = None if live.ports.rings is None else await _answer(live.ports.rings)
        return QueueOut(documents={status.value: count for status, count in counts.items() if count}, rings=rings)
    tenant, reach, labels = access.principal.tenant, access.principal.kbs, access.principal.labels
    total: Counter[str] = Counter()
    for kb in await live.ports.records.knowledge_bases.list(tenant):
        if reach is None or kb.uid in reach:
            page = await live.ports.records.catalogue.page(
                Reader(tenant, kb.uid, labels), status=None, name=None, limit=1, before=None
            )
            total.update({status.value: count for status, count in page.counts.items()})
    return QueueOut(documents=dict(total), rings=None)


async def _names(models: Mapping[str, Callable[[], Awaitable[str]]]) -> dict[str, str | None]:
    names = await asyncio.gather(*(_answer(tell) for tell in models.values()))
    return dict(zip(models, names, strict=True))


async def _answer(ask: Callable[[], Awaitable[T]]) -> T | None:
    """Return what a process answers, None when it does not in time."""
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            return await ask()
    except (AtollError, TimeoutError):
        return None
