"""Python's garbage collector in a process that serves for long."""

from __future__ import annotations

import gc

#: Allocations before the young are looked through, and how many such rounds before older ones are. What a request
#: allocates is free as soon as it has ended; by default its own hits and rows alone would trigger several rounds.
_THRESHOLDS = (20_000, 50, 100)


def settle() -> None:
    """Leave out of every collection what exists now: modules, routes and schemas, which stay until the end.

    Call once, when everything is set up. Without it the collector walked some 170,000 such objects again and again,
    an eighth of the processor time of a search and the longest pauses in it (``benchmarks/search.py``).
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
