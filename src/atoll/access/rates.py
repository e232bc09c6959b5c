"""Request rates: one token bucket a subject, shared by all gateways where the broker is there."""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from collections.abc import Callable

from atoll.domain.ids import Subject
from atoll.errors import DependencyDown, QuotaExceeded
from atoll.ports.rates import Rates

_log = logging.getLogger(__name__)

#: Subjects whose buckets are remembered; a forgotten bucket is a full one.
_MAX_BUCKETS = 10_000
#: The shared buckets are left alone this long after they failed.
_PAUSE_SECONDS = 2.0


class LocalRates:
    """Port ``Rates`` in this process.

    Args:
        per_minute: tokens that come back in a minute; a full bucket holds as many.
        clock: seconds, monotonic.
    """

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = per_minute / 60
        self._burst = float(per_minute)
        self._clock = clock
        self._buckets: OrderedDict[Subject, tuple[float, float]] = OrderedDict()

    async def take(self, subject: Subject) -> float:
        """Take one token."""
        now = self._clock()
        tokens, since = self._buckets.pop(subject, (self._burst, now))
        tokens = min(self._burst, tokens + (now - since) * self._rate)
        wait = 0.0 if tokens >= 1 else (1 - tokens) / self._rate
        self._buckets[subject] = (tokens if wait else tokens - 1, now)
        if len(self._buckets) > _MAX_BUCKETS:
            self._buckets.popitem(last=False)
        return wait


class RateLimit:
    """Refuses requests over a subject's rate.

    The broker is no part of what must work: without it each gateway counts for itself, so that reading goes on and
    uploads stay limited.
    """

    def __init__(self, shared: Rates | None, local: Rates, clock: Callable[[], float] = time.monotonic) -> None:
        self._shared = shared
        self._local = local
        self._clock = clock
        self._paused_until = 0.0

    async def check(self, subject: Subject) -> None:
        """Count one request. Raises QuotaExceeded over the rate."""
        wait = await self._take(subject)
        if wait > 0:
            raise QuotaExceeded("too many requests with this key; slow down", retry_after_seconds=wait)

    async def _take(self, subject: Subject) -> float:
        if self._shared is not None and self._clock() >= self._paused_until:
            try:
                return await self._shared.take(subject)
            except DependencyDown as error:
                self._paused_until = self._clock() + _PAUSE_SECONDS
                _log.warning("request rates are counted in this process for now: %s", error.message)
        return await self._local.take(subject)
