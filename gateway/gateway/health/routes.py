"""Health, readiness, metrics.

Details of the installation are for keys that may observe it, and for this machine itself: a supervisor or a scraper
beside the gateway needs no key.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST

from atoll.access.authorize import ALLOWED
from atoll.domain.principal import Action
from atoll.errors import Forbidden, NotAuthenticated
from gateway.auth import Open, authenticate, is_local
from gateway.health.probes import Readiness
from gateway.health.schemas import DependencyOut, LiveOut, ReadyOut
from gateway.runtime import Live, Runtime, kept

router = APIRouter(tags=["health"])


@router.get("/health/live", dependencies=[Depends(Open("says only that the process answers"))])
async def live() -> LiveOut:
    """Say that the process answers."""
    return LiveOut()


@router.get(
    "/health/ready",
    dependencies=[Depends(Open("says only yes or no; details need a key"))],
    responses={503: {"model": ReadyOut}},
)
async def ready(
    request: Request, response: Response, live: Live, readiness: Annotated[Readiness, Depends(kept(Readiness))]
) -> ReadyOut:
    """Say whether everything that is needed is there."""
    is_ready, signs = await readiness.look()
    if not is_ready or live.stopping.is_set():
        response.status_code = 503
        response.headers["Retry-After"] = "1"
    details = None
    if await _may_observe(request, live):
        details = {
            name: DependencyOut(ok=sign.error is None, needed=sign.needed, latency_ms=sign.latency_ms, error=sign.error)
            for name, sign in signs.items()
        }
    return ReadyOut(status="ready" if response.status_code != 503 else "not ready", dependencies=details)  # noqa: PLR2004


@router.get(
    "/metrics",
    response_class=Response,
    dependencies=[Depends(Open("for this machine; others need a key, checked inside"))],
)
async def metrics(request: Request, live: Live) -> Response:
    """Return Prometheus figures."""
    if not await _may_observe(request, live):
        raise Forbidden("metrics are for this machine, or for a key that may see details of the installation")
    return Response(await live.metrics.render(), media_type=CONTENT_TYPE_LATEST)


async def _may_observe(request: Request, live: Runtime) -> bool:
    if is_local(request):
        return True
    try:
        principal = await authenticate(request, live)
    except (NotAuthenticated, Forbidden):  # the second when a tenant is suspended
        return False
    return Action.OBSERVE in ALLOWED[principal.role]
