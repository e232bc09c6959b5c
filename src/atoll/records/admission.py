"""Whether there is room for more documents, and which uploads are documents that are there already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from atoll.domain.document import NewDocument, Replaces, Status
from atoll.domain.ids import DocumentUid
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


def replaceable(uploader: Reader) -> Replaces:
    """Return what an upload may replace: only documents that its uploader sees."""
    return Replaces(uploader.labels)


@dataclass(frozen=True, slots=True)
class Known:
    """A document that the uploader sees and whose bytes are among those of the upload."""

    uid: DocumentUid
    sha256: str
    status: Status


@dataclass(frozen=True, slots=True)
class Settled:
    """What an upload comes to: the document of each of its files, in order, and what has to be done for that.

    ``duplicates`` are names of files whose bytes were there already, ``again`` are ended documents to be queued again.
    """

    documents: tuple[DocumentUid, ...]
    fresh: tuple[NewDocument, ...]
    duplicates: tuple[tuple[str, DocumentUid], ...]
    again: tuple[DocumentUid, ...]


def settle(uploader: Reader, documents: Sequence[NewDocument], known: Sequence[Known]) -> Settled:
    """Decide for each uploaded file which document it is; of ``known``, oldest first, the first of its bytes counts."""
    places: dict[str, DocumentUid] = {}
    ended: set[DocumentUid] = set()
    for each in known:
        if each.sha256 not in places:
            places[each.sha256] = each.uid
            if each.status.is_ended:
                ended.add(each.uid)
    chosen: list[DocumentUid] = []
    fresh: list[NewDocument] = []
    duplicates: list[tuple[str, DocumentUid]] = []
    for new in documents:
        uid = places.get(new.sha256)
        if uid is None:
            uid = new.uid
            fresh.append(new)
            if uploader.sees(new.labels):
                places[new.sha256] = uid
        else:
            duplicates.append((new.name, uid))
        chosen.append(uid)
    once = tuple(dict.fromkeys(chosen))
    return Settled(once, tuple(fresh), tuple(duplicates), tuple(uid for uid in once if uid in ended))
