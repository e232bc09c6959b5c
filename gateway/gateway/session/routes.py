"""Browser sessions: a key goes in, a cookie that scripts cannot read comes out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from fastapi import APIRouter, Depends, Request, Response

from atoll.access.signatures import SESSION_SECONDS
from atoll.domain.principal import key_of
from gateway.auth import SESSION_COOKIE, Open
from gateway.keys.schemas import listed
from gateway.runtime import Live
from gateway.session.schemas import SessionIn, SessionOut

router = APIRouter(prefix="/v1/session", tags=["session"])


@router.post("", dependencies=[Depends(Open("the key is in the body"))])
async def open_session(wanted: SessionIn, request: Request, response: Response, live: Live) -> SessionOut:
    """Log a browser in."""
    principal = await live.authenticator.by_secret(wanted.key.strip())
    await live.ports.rates.check(principal.subject)
    request.state.subject = principal.subject
    secure = "https" in {request.url.scheme, request.headers.get("x-forwarded-proto", "")}
    response.set_cookie(
        SESSION_COOKIE,
        live.signer.session(principal.subject),
        max_age=SESSION_SECONDS,
        path="/",
        httponly=True,
        samesite="strict",
        secure=secure,
    )
    return SessionOut(
        key_id=key_of(principal.subject) or "",
        name=principal.name,
        role=principal.role,
        kbs=listed(principal.kbs),
        labels=listed(principal.labels),
        expires_at=datetime.now(UTC) + timedelta(seconds=SESSION_SECONDS),
    )


@router.delete("", status_code=204, dependencies=[Depends(Open("forgets a cookie"))], response_class=Response)
async def close_session() -> Response:
    """Log a browser out."""
    response = Response(status_code=204)
    response.delete_cookie(SESSION_COOKIE, path="/", httponly=True, samesite="strict")
    return response
