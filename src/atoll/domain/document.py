"""A document, its stages, and what can be said about both."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from atoll.domain.ids import BatchId, DocumentUid, KbUid, document_id
from atoll.domain.reader import Labels
from atoll.domain.reading import Reading


class Status(StrEnum):
    """Where a document stands, as the API tells it."""

    QUEUED = "queued"
    PROCESSING = "processing"
    READY = "ready"
    FAILED = "failed"
    QUARANTINED = "quarantined"
    CANCELLED = "cancelled"

    @property
    def is_under_way(self) -> bool:
        """Whether work on such a document goes on, or will."""
        return self in {Status.QUEUED, Status.PROCESSING}

    @property
    def is_ended(self) -> bool:
        """Whether work on such a document ended without a result."""
        return self in {Status.FAILED, Status.QUARANTINED, Status.CANCELLED}


class Stage(StrEnum):
    """One step of a document's journey."""

    PARSE = "parse"
    CHUNK = "chunk"
    EXTRACT = "extract"
    EMBED = "embed"
    STORE = "store"
    INDEX = "index"
    PUBLISH = "publish"
    RELABEL = "relabel"
    PURGE = "purge"


#: The journey of an accepted document, in order. Relabel follows it when a document that the vector index holds gets
#: other labels; purge is the journey of a deleted one.
JOURNEY = (Stage.PARSE, Stage.CHUNK, Stage.EXTRACT, Stage.EMBED, Stage.STORE, Stage.INDEX, Stage.PUBLISH)
#: Where stages relabel and purge stand among a document's stages: behind every journey.
RELABEL_POSITION = 50
PURGE_POSITION = 100


#: Stages that a document can be read again from: those that leave outputs, and the one that writes them down.
READ_AGAIN_FROM = (Stage.PARSE, Stage.CHUNK, Stage.EXTRACT, Stage.EMBED, Stage.STORE)

#: How long watchers can be told that a document is gone; whoever was away for longer lists the documents anew.
DEPARTURE_MILLISECONDS = 3_600_000


class StageState(StrEnum):
    """Where a stage stands."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class DocumentError:
    """Why a document failed: the error's type, where, and a sentence for a person."""

    type: str
    stage: Stage
    page: int | None
    message: str


@dataclass(frozen=True, slots=True)
class DocumentWarning:
    """Something a reader of the document should know, although it could be read."""

    type: str
    page: int | None
    message: str


@dataclass(frozen=True, slots=True)
class StageProgress:
    """A stage as the API shows it; ``seconds`` is work time over all attempts."""

    name: Stage
    state: StageState
    done: int
    total: int
    seconds: float
    attempts: int
    error: str | None


@dataclass(frozen=True, slots=True)
class Replaces:
    """Which older versions a document replaces: those that the holder of ``labels`` (None: all) sees."""

    labels: Labels

    def covers(self, labels: Collection[str]) -> bool:
        """Whether a version with these labels is replaced."""
        return self.labels is None or self.labels.issuperset(labels)


@dataclass(frozen=True, slots=True)
class NewDocument:
    """A file that lies safely on disk and is about to be accepted; labels and metadata are None where none were said.

    What is not said stays as it is in a document that is there already.
    """

    uid: DocumentUid
    name: str
    source: str | None
    media_type: str
    bytes: int
    sha256: str
    labels: tuple[str, ...] | None
    metadata: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Amendment:
    """What somebody wants to be otherwise about a document; None leaves it as it is.

    A ``source`` of "" is none.
    """

    labels: tuple[str, ...] | None = None
    metadata: Mapping[str, Any] | None = None
    name: str | None = None
    source: str | None = None

    @property
    def changed(self) -> tuple[str, ...]:
        """The names of what is to be otherwise."""
        return tuple(name for name in ("labels", "metadata", "name", "source") if getattr(self, name) is not None)


@dataclass(frozen=True, slots=True)
class Document:
    """A document as its readers see it; ``artefacts`` are the keys of its stages' outputs.

    ``uid`` names the reading that readers see. ``read`` is None until the document was parsed. While it is read again
    (or after that failed), ``other_reading`` is the new reading, whose stages and error are shown.
    """

    uid: DocumentUid
    kb: KbUid
    name: str
    source: str | None
    version: int
    status: Status
    media_type: str
    bytes: int
    sha256: str
    pages: int
    passages: int
    entities: int
    metadata: Mapping[str, Any]
    labels: tuple[str, ...]
    created_at: datetime
    ready_at: datetime | None
    error: DocumentError | None
    changed_seq: int
    warnings: tuple[DocumentWarning, ...] = ()
    stages: tuple[StageProgress, ...] = ()
    artefacts: Mapping[Stage, str] = field(default_factory=dict)
    read: Reading | None = None
    other_reading: DocumentUid | None = None

    @property
    def id(self) -> DocumentUid:
        """What readers know it by."""
        return document_id(self.uid)

    @property
    def worked_on(self) -> DocumentUid:
        """The reading that work goes on with, to ring for."""
        return self.other_reading or self.uid


@dataclass(frozen=True, slots=True)
class Change:
    """That a document changed, or left the sight of those who hold ``labels``; numbers of a knowledge base rise."""

    number: int
    document: DocumentUid
    labels: frozenset[str]
    is_departure: bool


@dataclass(frozen=True, slots=True)
class Duplicate:
    """An uploaded file that is a document which was there; ``applied`` names what the upload changed about it."""

    name: str
    document: DocumentUid
    applied: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Namesake:
    """A document of the same name as an uploaded one, at another source."""

    name: str
    source: str | None
    document: DocumentUid


@dataclass(frozen=True, slots=True)
class Accepted:
    """What became of an upload: its documents, which files were there before, and what else has their names.

    ``namesakes`` are told of files that are the first at their place, the latest of each name.
    """

    batch: BatchId
    documents: tuple[Document, ...]
    duplicates: tuple[Duplicate, ...]
    namesakes: tuple[Namesake, ...] = ()


@dataclass(frozen=True, slots=True)
class DocumentPage:
    """One page of a listing; ``counts`` is over the whole listing, by status.

    ``older`` counts those that an older pipeline read, over the whole listing as well.
    ``next_before`` is the place that the next page lies before, None at the end.
    """

    documents: tuple[Document, ...]
    counts: Mapping[Status, int]
    older: int
    next_before: int | None


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a deletion removes (or would remove) and which shared entities stay."""

    document: DocumentUid
    dry_run: bool
    removed: Mapping[str, int] = field(default_factory=dict)
    kept_entities: int = 0
