"""Start a gateway: ``python -m gateway``. The only place here that knows settings."""

from __future__ import annotations

import asyncio
import logging
import socket
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

from atoll import collector, logs, settings
from atoll.access.rates import LocalRates, RateLimit
from atoll.bootstrap.gateway import Front, gateway
from atoll.errors import IndexMissing, StartRefused
from atoll.query.retrieve.heatmap import PageHeat
from atoll.settings import Settings
from gateway.app import create_app
from gateway.dependencies import Dependencies, Dependency, Gauges, Limits, McpLimits
from gateway.server import listen, serve

_MIB = 2**20


def main() -> int:
    """Serve until SIGTERM; return the exit code."""
    try:
        values = settings.load()
        logs.configure(values.log_level)
        for line in settings.unsupported():
            logging.getLogger("gateway").warning("%s", line)
        with listen(values.gateway.host, values.gateway.port) as listener:
            asyncio.run(_run(values, listener))
    except StartRefused as refusal:
        sys.stderr.write(f"gateway: {refusal}\n")
        return 1
    return 0


async def _run(values: Settings, listener: socket.socket) -> None:
    async with gateway(values) as front:
        logging.getLogger("gateway").info("listening on %s", values.gateway.address)
        app = create_app(dependencies(values, front))
        collector.settle()
        await serve(app, listener)


def dependencies(values: Settings, front: Front) -> Dependencies:
    """Return what the application works with."""
    section, records = values.gateway, front.records

    async def waiting() -> dict[str, float]:
        return {"ingest": float(await front.doorbell.waiting())}

    async def census() -> dict[str, float]:
        return {status.value: float(count) for status, count in (await records.catalogue.census()).items()}

    return Dependencies(
        records=records,
        doorbell=front.doorbell,
        blobs=front.blobs,
        passwords=front.passwords,
        artefacts=front.artefacts,
        drawings=front.drawings,
        parser=front.parser,
        ask=front.ask,
        embedder=front.embedder,
        heat=None if front.page_retriever is None else PageHeat(front.page_retriever),
        rates=RateLimit(front.rates, LocalRates(section.requests_per_minute)),
        pepper=front.pepper,
        limits=Limits(
            max_upload_bytes=section.max_upload_mib * _MIB,
            max_documents_per_upload=section.max_documents_per_upload,
            concurrent_uploads=section.concurrent_uploads,
            concurrent_requests=section.concurrent_requests,
            page_cache_bytes=section.page_cache_mib * _MIB,
            answer_seconds=section.answer_seconds,
            whole_answer_seconds=section.whole_answer_seconds,
            allowed_hosts=tuple(section.allowed_hosts.split(",")),
        ),
        mcp=McpLimits(
            enabled=values.mcp.enabled,
            sessions=values.mcp.sessions,
            allowed_origins=tuple(filter(None, map(str.strip, values.mcp.allowed_origins.split(",")))),
            call_seconds=values.mcp.call_seconds,
        ),
        dependencies=_leaned_on(front),
        models=models_of(values, front),
        rings=front.doorbell.waiting,
        screen=screen_folder(section.screen_dir),
        public_url=section.public_url,
        gauges=(
            Gauges("atoll_documents", "Documents by status.", "status", census),
            Gauges("atoll_queue_length", "Rings that no worker has answered.", "queue", waiting),
        ),
    )


def _leaned_on(front: Front) -> dict[str, Dependency]:
    """Return what readiness asks. An index that is not whole is told and stops nothing: searches go on without it."""

    async def index_is_whole() -> None:
        gaps = sorted({*await front.records.index_source.gaps(), *await front.vectors.missing()})
        if gaps:
            raise IndexMissing(f"the index is incomplete and being made again: {', '.join(gaps)}")

    found = {
        "records": Dependency(front.records.ping, needed=True),
        "vectors": Dependency(front.vectors.missing, needed=True),
        "index": Dependency(index_is_whole, needed=False),
        "embeddings": Dependency(front.embedder.describe, needed=True),
        "parser": Dependency(front.parser.ping, needed=False),
        "queue": Dependency(front.doorbell.waiting, needed=False),
    }
    if front.pages is not None:
        found["pages"] = Dependency(front.pages.describe, needed=False)
    return found


def models_of(values: Settings, front: Front) -> dict[str, Callable[[], Awaitable[str]]]:
    """Return what tells each model's name: its server, or for those that do not say the settings."""

    def told(name: str) -> Callable[[], Awaitable[str]]:
        async def name_it() -> str:
            return name

        return name_it

    async def embeddings() -> str:
        return (await front.embedder.describe()).model

    found: dict[str, Callable[[], Awaitable[str]]] = {"embeddings": embeddings}
    if (pages := front.pages) is not None:

        async def of_pages() -> str:
            return (await pages.describe()).model

        found["pages"] = of_pages
    if front.chat is not None:
        found["chat"] = told(values.chat.model_file or values.chat.model)
    if values.reranker.model_dir is not None or values.reranker.url is not None:
        found["reranker"] = told(values.reranker.model_dir.name if values.reranker.model_dir else values.reranker.model)
    return found


def screen_folder(given: Path | None) -> Path:
    """Return the folder of the built screen. Raises StartRefused for a folder that was named and holds none."""
    if given is not None and not (given / "index.html").is_file():
        raise StartRefused(
            f"{given} holds no built screen; build it with `make web`, or unset ATOLL_GATEWAY__SCREEN_DIR"
        )
    if given is not None:
        return given
    here = Path(__file__).resolve()
    carried = here.with_name("screen")  # images and wheels hold it beside this code
    return carried if carried.is_dir() else here.parents[2] / "web" / "dist"


if __name__ == "__main__":
    sys.exit(main())
