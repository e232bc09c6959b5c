"""What one gateway process keeps between requests, all of it bounded and none of it needed after a restart."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, TypeVar

from fastapi import Depends
from starlette.requests import HTTPConnection

from atoll.access.admit import Admission
from atoll.access.keys import Authenticator
from atoll.access.limits import Slots
from atoll.access.opaque import Opaque
from atoll.access.queries import Queries
from atoll.access.seals import Seals
from atoll.access.signatures import Signer
from gateway.background import KeyUse, Ringer
from gateway.dependencies import Dependencies
from gateway.metrics import Metrics

T = TypeVar("T")

_EVENT_STREAMS_PER_SUBJECT = 16
_EVENT_STREAMS = 256


class Runtime:
    """Built once by `app.create_app`; routes receive it as ``Live``.

    What only one feature keeps is made by `app.create_app` with that feature's own class, put in with `keep` and
    received by its routes with `kept`: this module knows no feature.
    """

    def __init__(self, ports: Dependencies) -> None:
        limits = ports.limits
        self.ports = ports
        self.authenticator = Authenticator(ports.records.keys, ports.pepper)
        self.signer = Signer(ports.pepper)
        self.queries = Queries(ports.records.usage)
        self.seals = Seals(ports.records.audit, ports.pepper)
        self.opaque = Opaque(ports.pepper)
        self.admission = Admission(
            rates=ports.rates,
            requests=Slots(limits.concurrent_requests, "requests with this key"),
            knowledge_bases=ports.records.knowledge_bases,
            queries=self.queries,
            audit=ports.records.audit,
        )
        self.metrics = Metrics(ports.gauges)
        self.ringer = Ringer(ports)
        self.key_use = KeyUse(ports)
        self.streams = Slots(_EVENT_STREAMS_PER_SUBJECT, "event streams", total=_EVENT_STREAMS)
        self.stopping = asyncio.Event()
        self._kept: dict[type[Any], Any] = {}

    def keep(self, state: object) -> None:
        """Keep what one feature works with; there is one of each class."""
        self._kept[type(state)] = state

    def kept(self, kind: type[T]) -> T:
        """Return what a feature keeps."""
        state: T = self._kept[kind]
        return state


async def _of(connection: HTTPConnection) -> Runtime:
    runtime: Runtime = connection.app.state.runtime
    return runtime


Live = Annotated[Runtime, Depends(_of)]


def kept(kind: type[T]) -> Callable[[Runtime], Awaitable[T]]:
    """Return the dependency that gives a route what its feature keeps: ``Annotated[Hubs, Depends(kept(Hubs))]``."""

    async def of(live: Live) -> T:
        return live.kept(kind)

    return of
