"""What has to be done so that a knowledge base holds what a folder holds: a comparison without any effect."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

#: A document's source, empty for none, and its name.
Place = tuple[str, str]

_UNDER_WAY = frozenset({"queued", "processing"})
_MISREAD = frozenset({"failed", "quarantined"})
#: Share of a mirror's documents that may go at once without a word.
MOST_DELETED = 0.2


class Held(NamedTuple):
    """A document of the knowledge base."""

    id: str
    place: Place
    sha256: str
    status: str


class Move(NamedTuple):
    """A document whose file has another place now."""

    document: Held
    to: Place


@dataclass(slots=True)
class Plan:
    """What has to be done; ``misread`` are documents of files that could not be read, and did not change since."""

    added: list[Place] = field(default_factory=list)
    changed: list[Place] = field(default_factory=list)
    moved: list[Move] = field(default_factory=list)
    deleted: list[Held] = field(default_factory=list)
    misread: list[Held] = field(default_factory=list)
    unchanged: int = 0
    held: int = 0

    @property
    def is_done(self) -> bool:
        """Whether there is nothing to do."""
        return not (self.added or self.changed or self.moved or self.deleted)

    def deletes_too_many(self, accepted: int | None) -> bool:
        """Whether more documents would go than ``accepted``, or than usual where nobody has said how many may."""
        most = self.held * MOST_DELETED if accepted is None else accepted
        return len(self.deleted) > most


def place_text(place: Place) -> str:
    """A place as one path."""
    return "/".join(part for part in place if part)


def held(document: Mapping[str, Any]) -> Held:
    """A document as the API tells it."""
    place = (document["source"] or "", document["name"])
    return Held(document["id"], place, document["sha256"], document["status"])


def compare(
    hashes: Mapping[Place, str], stays: Callable[[Place], bool], documents: Iterable[Held], *, again: bool = False
) -> Plan:
    """Return what leads from the documents to the files.

    Args:
        hashes: the files that can be sent.
        stays: whether a document at a place is left alone though no file there can be sent.
        documents: what the knowledge base holds.
        again: whether files that could not be read are sent again.
    """
    plan = Plan()
    at: dict[Place, list[Held]] = defaultdict(list)
    for document in documents:
        at[document.place].append(document)
        plan.held += 1
    gone: dict[str, list[Held]] = defaultdict(list)
    for place, found in at.items():
        if place not in hashes and not stays(place):
            for document in found:
                gone[document.sha256].append(document)
    for place, sha256 in hashes.items():
        if place in at:
            _compare_place(plan, place, sha256, at[place], again=again)
        elif movable := [each for each in gone[sha256] if each.status == "ready"]:
            gone[sha256].remove(movable[0])
            plan.moved.append(Move(movable[0], place))
        else:
            plan.added.append(place)
    plan.deleted = sorted((document for found in gone.values() for document in found), key=lambda each: each.place)
    return plan


def _compare_place(plan: Plan, place: Place, sha256: str, found: list[Held], *, again: bool) -> None:
    same = [document for document in found if document.sha256 == sha256]
    others_shown = any(document.status == "ready" for document in found if document.sha256 != sha256)
    states = {document.status for document in same}
    if states & _UNDER_WAY or ("ready" in states and not others_shown):
        plan.unchanged += 1
    elif "ready" not in states and states & _MISREAD and not again:
        plan.misread += same
    else:  # sent again, bytes that are there already become the only ones that are shown
        plan.changed.append(place)
