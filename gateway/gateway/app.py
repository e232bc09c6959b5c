"""The application: routes, error answers and what surrounds every request."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.routing import Route

import gateway.audit.routes
import gateway.docs.routes
import gateway.documents.routes
import gateway.events.routes
import gateway.graph.routes
import gateway.health.routes
import gateway.kbs.routes
import gateway.keys.routes
import gateway.mcp.routes
import gateway.openai.routes
import gateway.pages.routes
import gateway.search.routes
import gateway.session.routes
import gateway.system.routes
import gateway.tenants.routes
import gateway.usage.routes
import gateway.web
from atoll.access.limits import Gate
from atoll.intake.accept import UploadLimits, Uploads
from atoll.pages.cache import PageCache
from atoll.pages.views import PageViews
from gateway import background, describe, errors
from gateway.background import Ringer
from gateway.dependencies import Dependencies
from gateway.documents.upload import UploadReader
from gateway.events.hub import Hubs
from gateway.health.probes import Readiness
from gateway.mcp.front import Front
from gateway.middleware import AllowedHosts, BoundedBody, HeadAsGet, ProblemsOnly, RequestContext
from gateway.openai.asking import Counted
from gateway.openai.errors import OpenAIErrors
from gateway.openai.runs import Runs
from gateway.runtime import Runtime

_log = logging.getLogger(__name__)

_CONCURRENT_DRAWINGS = 4

_FEATURES = (
    gateway.documents.routes,
    gateway.pages.routes,
    gateway.events.routes,
    gateway.search.routes,
    gateway.graph.routes,
    gateway.kbs.routes,
    gateway.keys.routes,
    gateway.openai.routes,
    gateway.session.routes,
    gateway.system.routes,
    gateway.tenants.routes,
    gateway.usage.routes,
    gateway.audit.routes,
    gateway.mcp.routes,
    gateway.health.routes,
    gateway.docs.routes,
    gateway.web,
)


def create_app(ports: Dependencies) -> FastAPI:
    """Return the ASGI application; ``app.state.runtime`` holds what it keeps."""
    app = routes()
    runtime = Runtime(ports)
    for state in _states(ports, runtime.ringer):
        runtime.keep(state)
    runtime.keep(Front(runtime))
    app.state.runtime = runtime
    app.router.lifespan_context = _lifespan
    errors.install(app, [*api_routes(), *(route for route in app.routes if isinstance(route, Route))])
    # The last one added is the outermost.
    app.add_middleware(HeadAsGet)
    app.add_middleware(BoundedBody)
    app.add_middleware(ProblemsOnly)
    app.add_middleware(AllowedHosts, hosts=ports.limits.allowed_hosts)
    app.add_middleware(RequestContext, metrics=runtime.metrics)
    app.add_middleware(OpenAIErrors)
    return app


def _states(ports: Dependencies, ringer: Ringer) -> Iterator[object]:
    """Yield what each feature keeps between requests."""
    limits = ports.limits
    uploads = Uploads(
        blobs=ports.blobs,
        passwords=ports.passwords,
        catalogue=ports.records.catalogue,
        ring=ringer.ring,
        turn=Gate(limits.concurrent_uploads, "uploads").enter,
        limits=UploadLimits(limits.max_upload_bytes, limits.max_documents_per_upload),
    )
    yield UploadReader(uploads)
    yield Hubs(ports.records.changes)
    yield Readiness(ports.dependencies)
    yield Runs(ports.ask, ports.records.passages)
    yield Counted()
    yield PageViews(
        catalogue=ports.records.catalogue,
        passages=ports.records.passages,
        blobs=ports.blobs,
        artefacts=ports.artefacts,
        parser=ports.parser,
        heat=ports.heat,
        cache=PageCache(ports.drawings, limits.page_cache_bytes),
        turn=Gate(_CONCURRENT_DRAWINGS, "pages to draw").enter,
    )


def routes() -> FastAPI:
    """Return an application that has routes and a description, and nothing to serve them with."""
    app = FastAPI(
        title="Atoll",
        version="1",
        description="Answers over your documents, every sentence cited.",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        separate_input_output_schemas=False,
        generate_unique_id_function=_operation_id,
    )
    for feature in _FEATURES:
        app.include_router(feature.router)
    describe.describe(app, api_routes())
    return app


def api_routes() -> list[APIRoute]:
    """Return every route there is."""
    return [route for feature in _FEATURES for route in feature.router.routes if isinstance(route, APIRoute)]


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    runtime: Runtime = app.state.runtime
    pages = runtime.kept(PageViews)
    features = (pages.adopt(), background.tell_older(runtime.ports), runtime.kept(Front).run())
    async with background.running(
        runtime.ports, runtime.ringer, runtime.key_use, runtime.queries, runtime.seals, *features
    ):
        yield
        runtime.stopping.set()
        if awaited := await runtime.kept(UploadReader).uploads.ended():
            _log.info("waited for %d uploads to be recorded", awaited)


def _operation_id(route: APIRoute) -> str:
    return route.name
