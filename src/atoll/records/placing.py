"""Which uploads are documents that are there already, and what has to be done for that.

A place is a source and a name. The same bytes at the same place are one document among those that the uploader sees; at
another place they are a document of their own. What an upload says of labels and metadata holds for the document that
is there, or the upload is refused: nothing that was said is dropped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from atoll.domain.document import Amendment, Duplicate, NewDocument, Replaces, Status
from atoll.domain.ids import DocumentUid, document_id
from atoll.domain.reader import Reader
from atoll.errors import Conflict
from atoll.records.amending import Standing, differing

Place = tuple[str | None, str]


@dataclass(frozen=True, slots=True)
class Known:
    """A document that the uploader sees, at one of the places of its upload; ``turn`` as in `Rival`."""

    standing: Standing
    status: Status
    visible: bool
    turn: int
    replaces: Replaces | None


@dataclass(frozen=True, slots=True)
class Promotion:
    """A known document becomes the one that was uploaded last to its place.

    Where the upload ``replaces`` it replaces the others from now on, and of those takes the place of ``gone`` at once.
    """

    document: DocumentUid
    replaces: bool
    gone: tuple[DocumentUid, ...]


@dataclass(slots=True)
class Settled:
    """What an upload comes to: the document of each of its files, in order, and what has to be done for that.

    ``fresh`` are to be written first; ``firsts`` are the places of those that are the first there. ``again`` are ended
    documents to be queued again.
    """

    documents: list[DocumentUid] = field(default_factory=list)
    fresh: list[NewDocument] = field(default_factory=list)
    firsts: list[Place] = field(default_factory=list)
    duplicates: list[Duplicate] = field(default_factory=list)
    amendments: list[tuple[DocumentUid, Amendment]] = field(default_factory=list)
    promotions: list[Promotion] = field(default_factory=list)
    again: list[DocumentUid] = field(default_factory=list)


def replaceable(uploader: Reader) -> Replaces:
    """Return what an upload may replace: only documents that its uploader sees."""
    return Replaces(uploader.labels)


def settle(uploader: Reader, documents: Sequence[NewDocument], known: Sequence[Known], *, replace: bool) -> Settled:
    """Decide for each uploaded file which document it is.

    Raises:
        Conflict: a file is there already with labels that the upload would take away.
    """
    places: dict[Place, list[Known]] = {}
    for each in sorted(known, key=lambda each: each.turn):
        places.setdefault(each.standing.place, []).append(each)
    settled, own = Settled(), {new.uid for new in documents}
    for new in documents:
        here = places.setdefault((new.source, new.name), [])
        twin = _twin(new, here)
        # The second may have been written by an earlier run of this upload, whose end was not heard of.
        if twin is None or twin.standing.uid == new.uid:
            settled.fresh.append(new)
            if all(each.standing.uid in own for each in here):
                settled.firsts.append((new.source, new.name))
            settled.documents.append(new.uid)
            here.append(_as_known(new, replaceable(uploader) if replace else None, after=here))
        else:
            _settle_twin(settled, new, twin, here, replace=replace)
    settled.documents = list(dict.fromkeys(settled.documents))
    settled.again = list(dict.fromkeys(settled.again))
    settled.firsts = list(dict.fromkeys(settled.firsts))
    return settled


def _twin(new: NewDocument, here: Sequence[Known]) -> Known | None:
    """Return the document of a file's bytes at its place: the latest, or the latest with the labels that were said."""
    twins = [each for each in here if each.standing.sha256 == new.sha256]
    same = [each for each in twins if new.labels is not None and set(each.standing.labels) == set(new.labels)]
    return next(reversed(same or twins), None)


def _settle_twin(settled: Settled, new: NewDocument, twin: Known, here: Sequence[Known], *, replace: bool) -> None:
    uid = twin.standing.uid
    amendment = differing(twin.standing, Amendment(labels=new.labels, metadata=new.metadata))
    if amendment.labels is not None and not set(amendment.labels) >= set(twin.standing.labels):
        known = document_id(uid)
        raise Conflict(
            f"{new.name} is there already, as document {known}, with the labels {', '.join(twin.standing.labels)}, and "
            f"an upload takes no label away; change them with PATCH .../documents/{known} (`atoll documents label "
            f"{known} --set ...`), or upload without labels"
        )
    if amendment.changed:
        settled.amendments.append((uid, amendment))
    if twin.status.is_ended:
        settled.again.append(uid)
    others = [each for each in here if each is not twin]
    if (replace and (others or not twin.visible)) or _is_outdated(twin, others):
        gone = [each.standing.uid for each in others if replace and twin.visible and each.visible]
        settled.promotions.append(Promotion(uid, replace, tuple(gone)))
    settled.duplicates.append(Duplicate(new.name, uid, amendment.changed))
    settled.documents.append(uid)


def _is_outdated(twin: Known, others: Sequence[Known]) -> bool:
    """Whether a later one is about to replace a document, which was uploaded once more after it."""
    later = (each for each in others if each.turn > twin.turn and each.replaces is not None)
    return any(each.replaces is not None and each.replaces.covers(twin.standing.labels) for each in later)


def _as_known(new: NewDocument, replaces: Replaces | None, *, after: Sequence[Known]) -> Known:
    """Return a file of the upload as the files behind it find it."""
    standing = Standing(
        uid=new.uid,
        labels=new.labels or (),
        metadata=new.metadata or {},
        name=new.name,
        source=new.source,
        sha256=new.sha256,
    )
    turn = max((each.turn for each in after), default=0) + 1
    return Known(standing, Status.QUEUED, visible=False, turn=turn, replaces=replaces)
