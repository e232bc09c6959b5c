"""Whether there is room for more documents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from atoll.domain.document import NewDocument
from atoll.errors import QuotaExceeded

#: When to ask again: for documents that wait, and for a quota that somebody has to raise or empty.
_WAITING_SECONDS = 30
_QUOTA_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class Room:
    """How full a knowledge base is: documents that wait for work, and what the quota's names stand at."""

    waiting: int
    most_waiting: int
    held: Mapping[str, int]
    quota: Mapping[str, int]


def check_room(room: Room, documents: Sequence[NewDocument]) -> None:
    """Raise QuotaExceeded when there is no room for all of ``documents``."""
    if room.waiting + len(documents) > room.most_waiting:
        raise QuotaExceeded(
            f"{room.waiting} documents wait already, at most {room.most_waiting} may; upload more when some are ready",
            retry_after_seconds=_WAITING_SECONDS,
        )
    wanted = {"documents": len(documents), "bytes": sum(each.bytes for each in documents)}
    for name, more in wanted.items():
        if name in room.quota and room.held[name] + more > room.quota[name]:
            raise QuotaExceeded(
                f"the knowledge base may hold {room.quota[name]} {name} and holds {room.held[name]}; delete some or "
                "raise the quota",
                retry_after_seconds=_QUOTA_SECONDS,
            )
