"""What an amendment does to a document: what of it differs, whether it may be, who loses sight, what is told of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from atoll.domain.document import Amendment
from atoll.domain.ids import DocumentUid, document_id
from atoll.domain.principal import Actor, Event
from atoll.domain.reader import Reader
from atoll.errors import Conflict, Forbidden
from atoll.records import events


@dataclass(frozen=True, slots=True)
class Standing:
    """What an amendment may change, as it is now, and what stays: the content's hash, and what it says of itself.

    ``told`` is among the metadata whatever is given, unless that says something else.
    """

    uid: DocumentUid
    labels: tuple[str, ...]
    metadata: Mapping[str, Any]
    name: str
    source: str | None
    sha256: str
    told: Mapping[str, Any] = field(default_factory=dict)

    def after(self, amendment: Amendment) -> Standing:
        """Return the document with the amendment."""
        return Standing(
            uid=self.uid,
            labels=self.labels if amendment.labels is None else tuple(sorted(amendment.labels)),
            metadata=self.metadata if amendment.metadata is None else {**self.told, **amendment.metadata},
            name=self.name if amendment.name is None else amendment.name,
            source=self.source if amendment.source is None else amendment.source or None,
            sha256=self.sha256,
            told=self.told,
        )

    @property
    def place(self) -> tuple[str | None, str]:
        """Where it stands: its source and name."""
        return self.source, self.name


def differing(standing: Standing, amendment: Amendment) -> Amendment:
    """Return what of an amendment is not so already."""
    after = standing.after(amendment)
    return Amendment(
        labels=None if set(after.labels) == set(standing.labels) else after.labels,
        metadata=None if after.metadata == standing.metadata else after.metadata,
        name=None if after.name == standing.name else after.name,
        source=None if after.source == standing.source else after.source or "",
    )


def check_amendment(reader: Reader, amendment: Amendment, twins: Sequence[DocumentUid]) -> None:
    """Check an amendment; ``twins`` are the other documents of the same bytes at its new place that the reader sees.

    Raises:
        Forbidden: a label that the reader does not hold.
        Conflict: the same bytes are at that place already.
    """
    if amendment.labels is not None and not reader.sees(amendment.labels):
        raise Forbidden("this key may only give documents labels that it holds itself")
    if twins:
        raise Conflict(
            f"the same bytes are at that place already, as document {document_id(twins[0])}; delete one of the two, or "
            "choose another name or source"
        )


def hides(standing: Standing, amendment: Amendment) -> bool:
    """Whether somebody who saw the document may see it no longer."""
    return not set(standing.after(amendment).labels) <= set(standing.labels)


def renumbers(amendment: Amendment) -> bool:
    """Whether the document becomes a version of another place, or one that others see, and needs a version there.

    Its version may have counted documents that those who see it from now on do not.
    """
    return amendment.name is not None or amendment.source is not None or amendment.labels is not None


def events_of(actor: Actor, standing: Standing, amendment: Amendment, revision: int) -> list[Event]:
    """Return the events of an amendment of which everything differs; labels are told as they were and as they are."""
    told = []
    if amendment.labels is not None:
        told.append(events.document_relabelled(actor, standing.uid, standing.labels, amendment.labels, revision))
    others = [name for name in amendment.changed if name != "labels"]
    if others:
        told.append(events.document_amended(actor, standing.uid, others, revision))
    return told
