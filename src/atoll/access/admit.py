"""Letting a request in: who may do it, how often, how many at a time; a refusal stands in the audit trail.

Every front admits its requests here, HTTP routes and whatever speaks another protocol, so that none forgets a rule::

    principal = await authenticator.by_secret(text)
    async with admission.admit_to("main", principal, Action.READ, request_id=request_id) as access:
        ...  # counts as a request in flight until here
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass

from atoll.access.authorize import authorize
from atoll.access.limits import Slots
from atoll.access.queries import Queries
from atoll.access.rates import RateLimit
from atoll.domain.ids import KbUid
from atoll.domain.principal import Action, Actor, Principal, Scope
from atoll.domain.reader import Reader
from atoll.errors import Forbidden, NotFound
from atoll.ports.accounts import Audit, KnowledgeBases
from atoll.records import events


@dataclass(frozen=True, slots=True)
class Access:
    """A request that was let in: whose it is, and how the audit trail names it."""

    principal: Principal
    actor: Actor


@dataclass(frozen=True, slots=True)
class KbAccess(Access):
    """A request that was let into one knowledge base."""

    kb: KbUid
    kb_name: str

    @property
    def reader(self) -> Reader:
        """The knowledge base as the caller may see it."""
        return Reader(self.principal.tenant, self.kb, self.principal.labels)


class Admission:
    """Admits requests of known principals.

    Args:
        rates: how often each subject may ask.
        requests: how many requests each subject may have in flight in this process.
        knowledge_bases: where a knowledge base's uid is found by its name.
        queries: what counts queries.
        audit: where refusals are written.
    """

    def __init__(
        self, *, rates: RateLimit, requests: Slots, knowledge_bases: KnowledgeBases, queries: Queries, audit: Audit
    ) -> None:
        self._rates = rates
        self._requests = requests
        self._knowledge_bases = knowledge_bases
        self._queries = queries
        self._audit = audit

    @asynccontextmanager
    async def admit(
        self, principal: Principal, action: Action, *, request_id: str, counted: bool = True, rated: bool = True
    ) -> AsyncIterator[Access]:
        """Let a request in that is about the principal's tenant.

        Args:
            principal: whose request it is.
            action: what it wants to do.
            request_id: how logs and the audit trail name the request.
            counted: whether it is one of the requests in flight; streams have a bound of their own.
            rated: whether it counts towards the subject's rate; an envelope does not whose content is let in apart.

        Raises:
            QuotaExceeded: the subject asks too often, or has too many requests in flight.
            Forbidden: the principal may not do this.
        """
        actor = Actor(subject=principal.subject, request_id=request_id)
        async with self._turn(principal, counted=counted, rated=rated):
            await self._check(principal, actor, action, None)
            yield Access(principal, actor)

    @asynccontextmanager
    async def admit_to(
        self,
        kb: str,
        principal: Principal,
        action: Action,
        *,
        request_id: str,
        counted: bool = True,
        is_query: bool = False,
    ) -> AsyncIterator[KbAccess]:
        """Let a request into the knowledge base named ``kb``; otherwise like `admit`.

        ``is_query`` says that it is one of the queries that quotas limit by the day.

        Raises:
            QuotaExceeded: like `admit`, or the quota of queries is used up for today.
            Forbidden: like `admit`.
            NotFound: there is no such knowledge base, or none for this principal.
        """
        actor = Actor(subject=principal.subject, request_id=request_id)
        async with self._turn(principal, counted=counted):
            await self._check(principal, actor, action, kb)
            located = await self._knowledge_bases.locate(principal.tenant, kb)
            await self._check(principal, actor, action, kb, located.uid)
            if is_query:
                await self._queries.count(principal.tenant, located)
            yield KbAccess(principal, actor, located.uid, kb)

    @asynccontextmanager
    async def _turn(self, principal: Principal, *, counted: bool, rated: bool = True) -> AsyncIterator[None]:
        with self._requests.hold(principal.subject) if counted else nullcontext():
            if rated:
                await self._rates.check(principal.subject)
            yield

    async def _check(
        self, principal: Principal, actor: Actor, action: Action, kb: str | None, uid: KbUid | None = None
    ) -> None:
        try:
            authorize(principal, action, Scope(principal.tenant, uid, kb or ""))
        except (Forbidden, NotFound) as refusal:
            await self._audit.record(principal.tenant, events.denied(actor, action, kb, refusal.type))
            raise
