"""Whether there is room for more documents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from atoll.domain.document import NewDocument
from atoll.domain.reader import Reader
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


def check_room(room: Room, documents: Sequence[NewDocument], uploader: Reader) -> None:
    """Raise QuotaExceeded when there is no room for all of ``documents``.

    A restricted uploader is told no figure: figures count documents that it does not see.
    """
    if room.waiting + len(documents) > room.most_waiting:
        waiting = "too many documents" if uploader.is_restricted else f"{room.waiting} documents"
        raise QuotaExceeded(
            f"{waiting} wait already, at most {room.most_waiting} may; upload more when some are ready",
            retry_after_seconds=_WAITING_SECONDS,
        )
    wanted = {"documents": len(documents), "bytes": sum(each.bytes for each in documents)}
    for name, more in wanted.items():
        if name in room.quota and room.held[name] + more > room.quota[name]:
            told = f"may hold {room.quota[name]} {name} and holds {room.held[name]}; delete some or raise the quota"
            if uploader.is_restricted:
                told = f"has no room left by its quota of {name}; ask its owner for more"
            raise QuotaExceeded(f"the knowledge base {told}", retry_after_seconds=_QUOTA_SECONDS)
