"""What one gateway process keeps between requests, all of it bounded and none of it needed after a restart."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection

from atoll.access.keys import Authenticator
from atoll.access.signatures import Signer
from atoll.domain.document import Accepted
from gateway.background import KeyUse, Ringer
from gateway.dependencies import Dependencies
from gateway.events.hub import Hubs
from gateway.health.probes import Readiness
from gateway.limits import Gate, Slots
from gateway.metrics import Metrics
from gateway.pages.cache import PageCache

_EVENT_STREAMS_PER_KEY = 16
_EVENT_STREAMS = 256
_CONCURRENT_JSON_UPLOADS = 2
_CONCURRENT_DRAWINGS = 4


class Runtime:
    """Built once by `app.create_app`; routes receive it as ``Live``."""

    def __init__(self, ports: Dependencies) -> None:
        limits = ports.limits
        self.ports = ports
        self.authenticator = Authenticator(ports.keys, ports.pepper)
        self.signer = Signer(ports.pepper)
        self.metrics = Metrics(ports.gauges)
        self.ringer = Ringer(ports)
        self.key_use = KeyUse(ports)
        self.requests = Slots(limits.concurrent_requests, "requests with this key")
        self.streams = Slots(_EVENT_STREAMS_PER_KEY, "event streams", total=_EVENT_STREAMS)
        self.uploads = Gate(limits.concurrent_uploads, "uploads")
        # A JSON upload lies in memory as a whole.
        self.json_uploads = Gate(_CONCURRENT_JSON_UPLOADS, "uploads as JSON")
        self.drawings = Gate(_CONCURRENT_DRAWINGS, "pages to draw")
        self.hubs = Hubs(ports.catalogue)
        self.pages = PageCache(limits.page_cache_bytes)
        self.readiness = Readiness(ports.dependencies)
        self.stopping = asyncio.Event()
        #: Uploads whose files lie on disk and whose record is being written; a stopping process waits for them.
        self.commits: set[asyncio.Task[Accepted]] = set()


async def _of(connection: HTTPConnection) -> Runtime:
    runtime: Runtime = connection.app.state.runtime
    return runtime


Live = Annotated[Runtime, Depends(_of)]
