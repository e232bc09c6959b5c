"""Browser sessions: a key or a link goes in, a cookie that scripts cannot read comes out."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta

from fastapi import APIRouter, Depends, Request, Response

from atoll.access.signatures import LINK_SECONDS, LINK_USED, SESSION_SECONDS
from atoll.domain.ids import new_uid
from atoll.domain.principal import Principal, key_of
from atoll.errors import NotAuthenticated
from gateway.auth import SESSION_COOKIE, Open, authenticate
from gateway.keys.names import names_of
from gateway.keys.schemas import listed
from gateway.runtime import Live, Runtime
from gateway.session.schemas import SessionIn, SessionOut, SignInLinkOut

router = APIRouter(prefix="/v1/session", tags=["session"])


@router.post("", dependencies=[Depends(Open("the key or the link is in the body"))])
async def open_session(wanted: SessionIn, request: Request, response: Response, live: Live) -> SessionOut:
    """Log a browser in, with a key or with a link that `atoll open` made."""
    principal = await _proved(wanted, live)
    await live.ports.rates.check(principal.subject)
    request.state.subject = principal.subject
    identity = new_uid()
    await live.ports.records.sessions.open(identity, principal.subject, seconds=SESSION_SECONDS)
    response.set_cookie(
        SESSION_COOKIE,
        live.signer.session(identity),
        max_age=SESSION_SECONDS,
        path="/",
        httponly=True,
        samesite="strict",
        secure="https" in {request.url.scheme, request.headers.get("x-forwarded-proto", "")},
    )
    return await _shown(principal, live)


@router.get("", dependencies=[Depends(Open("tells a caller who they are; checked inside"))])
async def get_session(request: Request, live: Live) -> SessionOut:
    """Return who the caller is."""
    principal = await authenticate(request, live)
    await live.ports.rates.check(principal.subject)
    return await _shown(principal, live)


@router.post("/links", status_code=201, dependencies=[Depends(Open("gives a caller what they are; checked inside"))])
async def link_session(request: Request, live: Live) -> SignInLinkOut:
    """Make a link that signs a browser in as the caller, once, within five minutes."""
    principal = await authenticate(request, live)
    await live.ports.rates.check(principal.subject)
    identity = new_uid()
    await live.ports.records.sessions.open(identity, principal.subject, seconds=LINK_SECONDS)
    expires_at = datetime.now(UTC) + timedelta(seconds=LINK_SECONDS)
    return SignInLinkOut(link=live.signer.sign_in(identity), expires_at=expires_at)


@router.delete("", status_code=204, dependencies=[Depends(Open("ends the session of its own cookie"))])
async def close_session(request: Request, live: Live) -> Response:
    """Log a browser out: the session ends at every gateway."""
    if token := request.cookies.get(SESSION_COOKIE):
        with suppress(NotAuthenticated):  # it has ended already
            await live.ports.records.sessions.end(live.signer.session_identity(token))
    response = Response(status_code=204)
    response.delete_cookie(SESSION_COOKIE, path="/", httponly=True, samesite="strict")
    return response


async def _proved(wanted: SessionIn, live: Runtime) -> Principal:
    if wanted.key is not None:
        return await live.authenticator.by_secret(wanted.key.strip())
    assert wanted.link is not None, "the body has one of the two"
    subject = await live.ports.records.sessions.end(live.signer.sign_in_identity(wanted.link))
    if subject is None:
        raise NotAuthenticated(LINK_USED)
    return await live.authenticator.by_subject(subject)


async def _shown(principal: Principal, live: Runtime) -> SessionOut:
    return SessionOut(
        key_id=key_of(principal.subject) or "",
        name=principal.name,
        role=principal.role,
        tenant=principal.tenant_name,
        kbs=listed(await names_of(principal.kbs, principal.tenant, live)),
        labels=listed(principal.labels),
        expires_at=datetime.now(UTC) + timedelta(seconds=SESSION_SECONDS),
    )
