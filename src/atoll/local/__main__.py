"""The supervisor role: `python -m atoll.local`, which `atoll up --local` starts in the background."""

from __future__ import annotations

import sys

from atoll import settings
from atoll.errors import StartRefused, StorageFull
from atoll.local.control import supervise


def main() -> int:
    """Run the local stack until told to stop; return the exit code."""
    try:
        supervise(settings.load())
    except (StartRefused, StorageFull) as refusal:
        print(refusal.message, file=sys.stderr, flush=True)  # noqa: T201 - the one line an operator reads
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
