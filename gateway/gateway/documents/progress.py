"""How long a batch will still take."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from atoll.domain.document import Document, Status

_UNDER_WAY = frozenset({Status.QUEUED, Status.PROCESSING})


def eta_seconds(documents: Sequence[Document], now: datetime) -> float | None:
    """Return the time left at the pace so far; 0 when nothing is under way, None when nothing has ended yet."""
    left = sum(document.status in _UNDER_WAY for document in documents)
    if not left:
        return 0.0
    # Duplicates were there before; what came with this upload was accepted last.
    started = max(document.created_at for document in documents)
    ended = sum(document.ready_at is not None and document.ready_at >= started for document in documents)
    if not ended:
        return None
    return round(left * (now - started).total_seconds() / ended, 1)
