"""Optimises one shard folder and ends: the child program of the optimiser.

It dies with its parent, so that nobody writes in a folder that the next server removes as a leftover.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from pathlib import Path

from atoll.local.vectors.edge import EdgeEngine

_PR_SET_PDEATHSIG = 1
_LOWEST_PRIORITY = 19


def die_with_parent(parent: int) -> None:
    """Ask the kernel to kill this process when its parent dies, however it dies."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before the request
        sys.exit(1)


def main(folder: str, parent: str) -> None:
    """Optimise the shard in ``folder`` at the lowest priority."""
    die_with_parent(int(parent))
    os.nice(_LOWEST_PRIORITY)
    EdgeEngine().optimise(Path(folder))


if __name__ == "__main__":
    main(*sys.argv[1:])
