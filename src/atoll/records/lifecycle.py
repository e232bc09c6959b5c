"""What a person may do to a document in which state."""

from __future__ import annotations

from atoll.domain.document import READ_AGAIN_FROM, Stage, Status
from atoll.errors import BadInput, Conflict


def check_retry(status: Status) -> None:
    """Raise Conflict unless a document of this status can be queued again."""
    if not status.is_ended:
        raise Conflict(f"the document is {status}; only failed, quarantined or cancelled ones are retried")


def check_cancel(status: Status) -> None:
    """Raise Conflict unless work on a document of this status can be stopped."""
    if not status.is_under_way:
        raise Conflict(f"the document is {status}; only queued or processing ones are cancelled")


def check_reprocess(status: Status, other: Status | None, stage: Stage) -> None:
    """Raise Conflict unless a document of this status can be read again; ``other`` is where a new reading stands.

    Raises:
        BadInput: nothing is read again from that stage on.
    """
    if stage not in READ_AGAIN_FROM:
        raise BadInput(f"a document is read again from {', '.join(READ_AGAIN_FROM)} on, not from {stage}")
    if status.is_under_way:
        raise Conflict(f"the document is {status}; it is read by today's pipeline as it is")
    if status.is_ended:
        raise Conflict(f"the document is {status}; `retry` works on it again")
    if other is not None and other.is_under_way:
        raise Conflict("the document is being read again already; `cancel` stops that")
