"""Who asks, and whether they may: every route declares one `Authorized`, `InKb` or `Open` as its dependency."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode, urlsplit

from fastapi import Path
from starlette.datastructures import QueryParams
from starlette.requests import Request

from atoll.access.authorize import authorize
from atoll.domain.ids import KbUid
from atoll.domain.principal import Action, Actor, Principal, Scope
from atoll.errors import Forbidden, NotAuthenticated, NotFound
from atoll.ports.catalogue import Labels
from gateway.runtime import Live, Runtime

SESSION_COOKIE = "atoll_session"
LINK_KEY, LINK_EXPIRES, LINK_SIGNATURE = "key", "expires", "signature"
_LINK_PARAMETERS = frozenset({LINK_KEY, LINK_EXPIRES, LINK_SIGNATURE})
_LOOPBACK = frozenset({"127.0.0.1", "::1"})

KbName = Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$", description="Name of the knowledge base.")]


@dataclass(frozen=True, slots=True)
class Access:
    """A request that was let in: whose it is, and how the audit names it."""

    principal: Principal
    actor: Actor

    @property
    def labels(self) -> Labels:
        """The labels that the caller holds; None means all."""
        return self.principal.labels


@dataclass(frozen=True, slots=True)
class KbAccess(Access):
    """A request that was let into one knowledge base."""

    kb: KbUid
    kb_name: str


class Open:
    """Marks a route that needs no key, and says why."""

    def __init__(self, reason: str) -> None:
        self.reason = reason

    async def __call__(self) -> None:
        """Let everyone in."""


class Authorized:
    """Lets in who may do ``action`` somewhere in their tenant.

    ``links`` lets signed links in as well. ``counted`` of False leaves the request out of those in flight; it is for
    streams that have a bound of their own.
    """

    def __init__(self, action: Action, *, links: bool = False, counted: bool = True) -> None:
        self.action = action
        self._links = links
        self._counted = counted

    async def __call__(self, request: Request, live: Live) -> AsyncIterator[Access]:
        """Let the request in. Raises NotAuthenticated, QuotaExceeded, Forbidden."""
        principal = await authenticate(request, live, links=self._links)
        access = Access(principal, Actor(key=principal.key, request_id=request.state.request_id))
        with live.requests.hold(principal.key) if self._counted else nullcontext():
            await live.ports.rates.check(principal.key)
            await self._check(live, access, None)
            yield access

    async def _check(self, live: Runtime, access: Access, kb: str | None) -> None:
        principal = access.principal
        try:
            authorize(principal, self.action, Scope(principal.tenant, kb))
        except (Forbidden, NotFound) as refusal:
            await live.ports.audit.record(
                principal.tenant,
                access.actor,
                action=f"{self.action}.denied",
                subject="tenant" if kb is None else f"kb {kb}",
                result=refusal.type,
            )
            raise


class InKb(Authorized):
    """Lets in who may do ``action`` in the knowledge base of the path."""

    async def __call__(self, kb: KbName, request: Request, live: Live) -> AsyncIterator[KbAccess]:  # type: ignore[override]
        """Let the request in. Raises NotAuthenticated, QuotaExceeded, Forbidden, NotFound."""
        principal = await authenticate(request, live, links=self._links)
        actor = Actor(key=principal.key, request_id=request.state.request_id)
        with live.requests.hold(principal.key) if self._counted else nullcontext():
            await live.ports.rates.check(principal.key)
            await self._check(live, Access(principal, actor), kb)
            uid = await live.ports.knowledge_bases.locate(principal.tenant, kb)
            yield KbAccess(principal, actor, uid, kb)


async def authenticate(request: Request, live: Runtime, *, links: bool = False) -> Principal:
    """Return whose request this is: by signed link, key or session, the first that is there.

    Raises:
        NotAuthenticated: nothing valid is there.
        Forbidden: a session is used from another site.
    """
    principal = await _principal(request, live, links=links)
    request.state.key = principal.key
    live.key_use.note(principal.key)
    return principal


async def _principal(request: Request, live: Runtime, *, links: bool) -> Principal:
    query = request.query_params
    if links and LINK_SIGNATURE in query:
        key = live.signer.check_link(
            link_target(request.url.path, query),
            query.get(LINK_KEY, ""),
            query.get(LINK_EXPIRES, ""),
            query[LINK_SIGNATURE],
        )
        return await live.authenticator.by_id(key)
    scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
    if credentials and scheme.lower() == "bearer":
        return await live.authenticator.by_secret(credentials.strip())
    if key_text := request.headers.get("x-api-key"):
        return await live.authenticator.by_secret(key_text.strip())
    if token := request.cookies.get(SESSION_COOKIE):
        _check_same_site(request)
        return await live.authenticator.by_id(live.signer.session_key(token))
    raise NotAuthenticated("send a key: Authorization: Bearer atoll_<id>_<secret>, or X-API-Key")


def link_target(path: str, query: QueryParams) -> str:
    """Return what a link's signature covers: the path, and the query in a fixed order."""
    covered = sorted((name, value) for name, value in query.multi_items() if name not in _LINK_PARAMETERS)
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
