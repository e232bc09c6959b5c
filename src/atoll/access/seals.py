"""Sealing the audit trail, and verifying it."""

from __future__ import annotations

import hmac

from atoll.domain.ids import TenantId
from atoll.domain.seal import Seal, Verification
from atoll.errors import Conflict
from atoll.ports.accounts import Audit
from atoll.records.sealing import EVENTS_PER_SEAL, mark, seal_key

#: Seals of one call, so that a trail that was never sealed is caught up with in pieces.
_SEALS_AT_ONCE = 100
_SEALS_PER_READ = 100


class Seals:
    """Seals what was written to the audit trails and tells whether what was sealed is still there.

    Args:
        audit: the trails.
        pepper: what the key of the marks is derived from.
    """

    def __init__(self, audit: Audit, pepper: bytes) -> None:
        self._audit = audit
        self._key = seal_key(pepper)

    async def seal(self) -> None:
        """Seal events that no seal covers, of all tenants. Several gateways may do so at once."""
        for tenant in await self._audit.unsealed():
            for _ in range(_SEALS_AT_ONCE):
                if not await self._seal_next(tenant):
                    break

    async def verify(self, tenant: TenantId, *, noted: str | None = None) -> Verification:
        """Compare a tenant's events with their seals.

        Args:
            tenant: whose trail.
            noted: ``number:mark`` of a seal that somebody keeps elsewhere.
        """
        sealed, newest, broken = 0, None, None
        is_known = None if noted is None else False
        while seals := await self._audit.seals(tenant, after=newest.number if newest else 0, limit=_SEALS_PER_READ):
            for each in seals:
                if broken is None and not await self._fits(each, newest):
                    broken = each
                if noted is not None and hmac.compare_digest(named(each).encode(), noted.encode("utf-8", "replace")):
                    is_known = True
                sealed, newest = sealed + each.count, each
        return Verification(await self._audit.count(tenant), sealed, broken, newest, is_known)

    async def _seal_next(self, tenant: TenantId) -> bool:
        before = await self._audit.newest_seal(tenant)
        after = before.last if before else 0
        events = await self._audit.page(tenant, since=None, action=None, actor=None, after=after, limit=EVENTS_PER_SEAL)
        if not events:
            return False
        number = before.number + 1 if before else 1
        marked = mark(self._key, before.mark if before else "", events)
        try:
            await self._audit.seal(Seal(tenant, number, events[-1].id, len(events), marked))
        except Conflict:  # another gateway was quicker
            return False
        return len(events) == EVENTS_PER_SEAL

    async def _fits(self, seal: Seal, before: Seal | None) -> bool:
        """Whether a seal follows the one before, and its events are those that it was made of."""
        if seal.number != (before.number + 1 if before else 1):
            return False
        events = await self._audit.page(
            seal.tenant, since=None, action=None, actor=None, after=before.last if before else 0, limit=seal.count + 1
        )
        covered = [event for event in events if event.id <= seal.last]
        expected = mark(self._key, before.mark if before else "", covered)
        return len(covered) == seal.count and hmac.compare_digest(expected, seal.mark)


def named(seal: Seal) -> str:
    """Return a seal as it can be noted elsewhere."""
    return f"{seal.number}:{seal.mark}"
