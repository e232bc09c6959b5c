"""What a document replaces when it is published, and whether it comes too late itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from atoll.domain.document import Replaces
from atoll.domain.ids import DocumentUid


@dataclass(frozen=True, slots=True)
class Rival:
    """A document and what decides between it and others of its place: of two the one that was uploaded later wins.

    ``turn`` is when it was uploaded last, in the order in which documents are accepted; a version does not tell.
    """

    uid: DocumentUid
    turn: int
    labels: tuple[str, ...]
    replaces: Replaces | None


def outcome(document: Rival, visible: Sequence[Rival]) -> tuple[DocumentUid, ...] | None:
    """Return what a document replaces, oldest first, or None when a later version has taken its place already.

    ``visible`` are the visible documents of its source and name.
    """
    later = (each for each in visible if each.turn > document.turn)
    if any(each.replaces is not None and each.replaces.covers(document.labels) for each in later):
        return None
    if document.replaces is None:
        return ()
    earlier = sorted((each for each in visible if each.turn < document.turn), key=lambda each: each.turn)
    return tuple(each.uid for each in earlier if document.replaces.covers(each.labels))
