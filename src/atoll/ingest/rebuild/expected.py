"""How many points a collection must hold, where that costs a walk over all documents to find out."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from atoll.domain.ids import KbUid
from atoll.ports.index_source import IndexedKb

#: How long nothing has come or gone before the walk is made.
QUIET_SECONDS = 60.0


@dataclass(slots=True)
class _Look:
    """Passages of a knowledge base (visible, hidden), since when, and the points that the index had.

    ``expected`` are those that it should have had, once they were counted.
    """

    passages: tuple[int, int]
    since: float
    counted: int
    expected: int | None = None


class Expected:
    """Counts what should be there when a knowledge base was quiet for a while, or when points went without a passage.

    While documents come and go, a walk at every look would never end. But an index that has fewer points than at the
    last look although no passage went, or none at the first look, has lost some: then it is made at once.

    Args:
        walk: counts the points that a knowledge base should have.
        quiet_seconds: how long the number of its passages must have stayed the same.
        clock: seconds.
    """

    def __init__(
        self,
        walk: Callable[[KbUid], Awaitable[int]],
        *,
        quiet_seconds: float = QUIET_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._walk = walk
        self._quiet_seconds = quiet_seconds
        self._clock = clock
        self._looks: dict[KbUid, _Look] = {}
        self._counts: dict[KbUid, int] = {}
        self._lost: set[KbUid] = set()

    def counted(self, kb: KbUid, points: int) -> None:
        """Take note of how many points the index has."""
        self._counts[kb] = points

    def rebuilt(self, kb: KbUid) -> None:
        """Forget what was counted: it is written anew."""
        self._looks.pop(kb, None)
        self._lost.discard(kb)

    async def least(self, kb: IndexedKb) -> int:
        """Return how many points there must be at least, 0 while that is not known."""
        look, counted = self._looks.get(kb.uid), self._counts.get(kb.uid)
        passages, had = (look.passages[0], look.counted) if look else (1, 1)
        if counted is not None and counted < had and kb.visible >= passages:
            self._lost.add(kb.uid)
        if look is None or look.passages != (kb.visible, kb.hidden):
            look = self._looks[kb.uid] = _Look((kb.visible, kb.hidden), self._clock(), counted or 0)
        look.counted = counted or 0
        is_quiet = self._clock() - look.since >= self._quiet_seconds
        if look.expected is None and (is_quiet or kb.uid in self._lost):
            look.expected = await self._walk(kb.uid)
        return look.expected or 0
