"""Ringing for work that nobody was told of: after a restart, a lost ring or a lease that ran out."""

from __future__ import annotations

import asyncio
import logging

from atoll.errors import AtollError
from atoll.ingest.rebuild.watch import IndexWatch
from atoll.ports.doorbell import Doorbell
from atoll.ports.ledger import Reconciliation

logger = logging.getLogger(__name__)

#: Documents rung for in one look, and the most rings that may wait unheard before another look rings.
MAX_RINGS = 256
#: A document is not rung for again within this time.
QUIET_SECONDS = 5.0


async def reconcile(
    ledger: Reconciliation,
    doorbell: Doorbell,
    *,
    owner: str,
    every_seconds: float,
    watch: IndexWatch | None = None,
    rounds: int | None = None,
) -> None:
    """Look every ``every_seconds`` (for ever, or ``rounds`` times) and ring, while this owner holds the lease.

    Whoever holds the lease also keeps the ``watch`` over the vector index.
    """
    done = 0
    while rounds is None or done < rounds:
        done += 1
        try:
            leads = await ledger.lead(owner, every_seconds * 3)
            if leads and watch is not None:
                watch.look()
            if leads and await doorbell.waiting() < MAX_RINGS:
                forgotten = await ledger.overdue(MAX_RINGS, quiet_seconds=QUIET_SECONDS)
                if forgotten:
                    await doorbell.ring(forgotten)
        except AtollError as error:
            logger.warning("reconciling waits: %s", error)
        await asyncio.sleep(every_seconds)
