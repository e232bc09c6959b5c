"""What a person may do to a document in which state."""

from __future__ import annotations

from atoll.domain.document import Status
from atoll.errors import Conflict


def check_retry(status: Status) -> None:
    """Raise Conflict unless a document of this status can be queued again."""
    if not status.is_ended:
        raise Conflict(f"the document is {status}; only failed, quarantined or cancelled ones are retried")


def check_cancel(status: Status) -> None:
    """Raise Conflict unless work on a document of this status can be stopped."""
    if not status.is_under_way:
        raise Conflict(f"the document is {status}; only queued or processing ones are cancelled")
