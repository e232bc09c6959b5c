"""Start a gateway: ``python -m gateway``. The only place here that knows settings."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import sys
from types import FrameType

import uvicorn
from fastapi import FastAPI

from atoll import bootstrap, logs, settings
from atoll.access.rates import LocalRates, RateLimit
from atoll.domain.ids import KbUid
from atoll.errors import StartRefused
from atoll.settings import Settings
from gateway.app import create_app
from gateway.dependencies import Dependencies, Dependency, Gauges, Limits

_MIB = 2**20
_BACKLOG = 1024
_MAX_CONNECTIONS = 4096
_KEEP_ALIVE_SECONDS = 30
#: Answers that are being written get so long to end after SIGTERM; event streams end at once.
_DRAIN_SECONDS = 10
_MAX_HEADER_BYTES = 32 * 1024


class GatewayServer(uvicorn.Server):
    """Tells the application that the process stops: streams that never end by themselves would hold it up."""

    def __init__(self, config: uvicorn.Config, app: FastAPI) -> None:
        super().__init__(config)
        self._stopping: asyncio.Event = app.state.runtime.stopping

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to stop."""
        self._stopping.set()
        super().handle_exit(sig, frame)


def main() -> int:
    """Serve until SIGTERM; return the exit code."""
    try:
        values = settings.load()
        logs.configure(values.log_level)
        with _listen(values) as listener:
            asyncio.run(_serve(values, listener))
    except StartRefused as refusal:
        sys.stderr.write(f"gateway: {refusal}\n")
        return 1
    return 0


async def _serve(values: Settings, listener: socket.socket) -> None:
    async with bootstrap.gateway(values) as front:
        app = create_app(dependencies(values, front))
        config = uvicorn.Config(
            app,
            http="h11",
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            backlog=_BACKLOG,
            limit_concurrency=_MAX_CONNECTIONS,
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=_DRAIN_SECONDS,
            h11_max_incomplete_event_size=_MAX_HEADER_BYTES,
        )
        # The server sends itself the signal again when it has ended; then there are still clients to close.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: None)
        logging.getLogger("gateway").info("listening on %s", values.gateway.address)
        await GatewayServer(config, app).serve([listener])


def dependencies(values: Settings, front: bootstrap.Front) -> Dependencies:
    """Return what the application works with."""
    section, records = values.gateway, front.records
    needed = {
        "records": Dependency(records.database.ping, needed=True),
        "vectors": Dependency(lambda: front.vectors.count(KbUid("-")), needed=True),
        "embeddings": Dependency(front.embedder.describe, needed=True),
        "parser": Dependency(front.parser.ping, needed=False),
        "queue": Dependency(front.doorbell.waiting, needed=False),
    }

    async def waiting() -> dict[str, float]:
        return {"ingest": float(await front.doorbell.waiting())}

    return Dependencies(
        catalogue=records.catalogue,
        lifecycle=records.catalogue,
        passages=records.passages,
        keys=records.keys,
        knowledge_bases=records.knowledge_bases,
        audit=records.audit,
        doorbell=front.doorbell,
        blobs=front.blobs,
        parser=front.parser,
        ask=front.ask,
        rates=RateLimit(front.rates, LocalRates(section.requests_per_minute)),
        pepper=front.pepper,
        limits=Limits(
            max_upload_bytes=section.max_upload_mib * _MIB,
            max_documents_per_upload=section.max_documents_per_upload,
            concurrent_uploads=section.concurrent_uploads,
            concurrent_requests=section.concurrent_requests,
            page_cache_bytes=section.page_cache_mib * _MIB,
            allowed_hosts=tuple(section.allowed_hosts.split(",")),
        ),
        dependencies=needed,
        gauges=(
            Gauges("atoll_documents", "Documents by status.", "status", records.catalogue.census),
            Gauges("atoll_queue_length", "Rings that no worker has answered.", "queue", waiting),
        ),
    )


def _listen(values: Settings) -> socket.socket:
    host, port = values.gateway.host, values.gateway.port
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise StartRefused(
            f"cannot listen on {host}:{port} ({error.strerror}); stop what does, or set ATOLL_GATEWAY__PORT"
        ) from error
    return listener


if __name__ == "__main__":
    sys.exit(main())
