"""Who asks, and whether they may: every route declares one `Authorized`, `InKb` or `Open` as its dependency."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated
from urllib.parse import urlencode, urlsplit

from fastapi import Path
from starlette.datastructures import QueryParams
from starlette.requests import Request

from atoll.access.admit import Access, KbAccess
from atoll.access.signatures import SESSION_ENDED
from atoll.domain.ids import Subject
from atoll.domain.principal import Action, Principal
from atoll.errors import Forbidden, NotAuthenticated
from gateway.runtime import Live, Runtime

SESSION_COOKIE = "atoll_session"
#: The query parameter that makes an address a signed link.
LINK = "token"
_LOOPBACK = frozenset({"127.0.0.1", "::1"})

KbName = Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$", description="Name of the knowledge base.")]


class Open:
    """Marks a route that needs no key, and says why."""

    def __init__(self, reason: str) -> None:
        self.reason = reason

    async def __call__(self) -> None:
        """Let everyone in."""


class Authorized:
    """Lets in who may do ``action`` somewhere in their tenant.

    ``links`` lets signed links in as well. ``counted`` of False leaves the request out of those in flight; it is for
    streams that have a bound of their own. ``envelope`` leaves it out of those and of the rate: what is in it is let
    in apart.
    """

    def __init__(self, action: Action, *, links: bool = False, counted: bool = True, envelope: bool = False) -> None:
        self.action = action
        self._links = links
        self._counted = counted and not envelope
        self._rated = not envelope

    async def __call__(self, request: Request, live: Live) -> AsyncIterator[Access]:
        """Let the request in. Raises NotAuthenticated, QuotaExceeded, Forbidden."""
        principal = await authenticate(request, live, links=self._links)
        request_id = request.state.request_id
        async with live.admission.admit(
            principal, self.action, request_id=request_id, counted=self._counted, rated=self._rated
        ) as access:
            yield access


class InKb(Authorized):
    """Lets in who may do ``action`` in the knowledge base of the path.

    ``is_query`` makes the request one of the queries that quotas limit by the day.
    """

    def __init__(self, action: Action, *, links: bool = False, counted: bool = True, is_query: bool = False) -> None:
        super().__init__(action, links=links, counted=counted)
        self._is_query = is_query

    async def __call__(self, kb: KbName, request: Request, live: Live) -> AsyncIterator[KbAccess]:  # type: ignore[override]
        """Let the request in. Raises NotAuthenticated, QuotaExceeded, Forbidden, NotFound."""
        principal = await authenticate(request, live, links=self._links)
        request_id = request.state.request_id
        async with live.admission.admit_to(
            kb, principal, self.action, request_id=request_id, counted=self._counted, is_query=self._is_query
        ) as access:
            yield access


async def authenticate(request: Request, live: Runtime, *, links: bool = False) -> Principal:
    """Return whose request this is: by signed link, key or session, the first that is there.

    Raises:
        NotAuthenticated: nothing valid is there.
        Forbidden: a session is used from another site.
    """
    principal = await _principal(request, live, links=links)
    request.state.subject = principal.subject
    live.key_use.note(principal.subject)
    return principal


async def _principal(request: Request, live: Runtime, *, links: bool) -> Principal:
    query = request.query_params
    if links and LINK in query:
        subject = live.signer.link_subject(link_target(request.url.path, query), query[LINK])
        return await live.authenticator.by_subject(subject)
    scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
    if credentials and scheme.lower() == "bearer":
        return await live.authenticator.by_secret(credentials.strip())
    if key_text := request.headers.get("x-api-key"):
        return await live.authenticator.by_secret(key_text.strip())
    if token := request.cookies.get(SESSION_COOKIE):
        _check_same_site(request)
        return await live.authenticator.by_subject(await session_subject(token, live))
    raise NotAuthenticated("send a key: Authorization: Bearer atoll_<id>_<secret>, or X-API-Key")


async def session_subject(token: str, live: Runtime) -> Subject:
    """Return whose session a token is of. Raises NotAuthenticated when it was ended, here or at another gateway."""
    subject = await live.ports.records.sessions.find(live.signer.session_identity(token))
    if subject is None:
        raise NotAuthenticated(SESSION_ENDED)
    return subject


def link_target(path: str, query: QueryParams) -> str:
    """Return what a link's signature covers: the path, and the query in a fixed order."""
    covered = sorted((name, value) for name, value in query.multi_items() if name != LINK)
    return f"{path}?{urlencode(covered)}"


def is_local(request: Request) -> bool:
    """Whether the request comes from this machine and was not passed on by a proxy."""
    forwarded = any(name in request.headers for name in ("forwarded", "x-forwarded-for", "x-real-ip"))
    return not forwarded and request.client is not None and request.client.host in _LOOPBACK


def _check_same_site(request: Request) -> None:
    # The cookie is SameSite=Strict already; this holds where another port of the same host is another site's.
    if request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        raise Forbidden("a session is used from its own pages only; use a key")
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
        raise Forbidden("a session is used from its own pages only; use a key")
