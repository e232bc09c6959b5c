"""Whether what the gateway leans on is there."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass

from atoll.errors import AtollError
from gateway.dependencies import Dependency

_TIMEOUT_SECONDS = 3.0
#: Answers are shared for this long, so that probing the gateway cannot become a load on what it probes.
_FRESH_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Sign:
    """A dependency's sign of life; ``error`` is None when it is well."""

    needed: bool
    latency_ms: float
    error: str | None


class Readiness:
    """Probes all dependencies at once."""

    def __init__(self, dependencies: Mapping[str, Dependency]) -> None:
        self._dependencies = dependencies
        self._lock = asyncio.Lock()
        self._signs: dict[str, Sign] = {}
        self._looked_at = -_FRESH_SECONDS

    async def look(self) -> tuple[bool, Mapping[str, Sign]]:
        """Return whether all that is needed is there, and each dependency's sign."""
        async with self._lock:
            if time.monotonic() - self._looked_at >= _FRESH_SECONDS:
                found = await asyncio.gather(*map(_probe, self._dependencies.values()))
                self._signs = dict(zip(self._dependencies, found, strict=True))
                self._looked_at = time.monotonic()
        return all(sign.error is None or not sign.needed for sign in self._signs.values()), self._signs


async def _probe(dependency: Dependency) -> Sign:
    started = time.perf_counter()
    error: str | None = None
    try:
        async with asyncio.timeout(_TIMEOUT_SECONDS):
            await dependency.probe()
    except AtollError as failure:
        error = failure.message
    except TimeoutError:
        error = f"no answer within {_TIMEOUT_SECONDS:.0f} s"
    return Sign(dependency.needed, round((time.perf_counter() - started) * 1000, 1), error)
