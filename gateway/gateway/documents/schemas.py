"""Documents on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, Field, WithJsonSchema

from atoll.domain.document import Accepted, Amendment, Document, DocumentPage, Receipt, Stage, StageState, Status
from atoll.domain.ids import document_id
from atoll.domain.json_values import MAX_WHOLE
from atoll.errors import BadInput
from atoll.intake.names import check_metadata, clean_file_name, clean_labels, clean_source
from gateway.wire import WHOLE, Body, Truth, Whole


class ErrorOut(BaseModel):
    """Why a document failed."""

    type: str
    stage: Stage
    page: int | None
    message: str


class WarningOut(BaseModel):
    """Something to know about a document that could be read."""

    type: str
    page: int | None
    message: str


class StageOut(BaseModel):
    """One step of a document's journey."""

    name: Stage
    state: StageState
    done: int
    total: int
    seconds: float
    attempts: int
    error: str | None


class ReadOut(BaseModel):
    """How a document was read; ``older`` says that the pipeline of today would read it in another way."""

    pipeline: int
    parser: str
    why: str
    language: str
    encoding: str | None
    older: bool


class DocumentState(BaseModel):
    """A document without its metadata, as events carry it."""

    id: str
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
    labels: list[str]
    created_at: datetime
    ready_at: datetime | None
    error: ErrorOut | None
    warnings: list[WarningOut]
    stages: list[StageOut]
    read: ReadOut | None

    @classmethod
    def of(cls, document: Document) -> Self:
        """Return the wire form of a document."""
        return cls.model_validate(fields(document))


class DocumentOut(DocumentState):
    """A document."""

    metadata: dict[str, Any]


class DuplicateOut(BaseModel):
    """An uploaded file that was there already, at the same source; ``applied`` is what the upload changed about it."""

    name: str
    document_id: str
    applied: list[str]


class NamesakeOut(BaseModel):
    """A document that has the name of an uploaded file and another source: it was neither replaced nor changed."""

    name: str
    source: str | None
    document_id: str


class AcceptedOut(BaseModel):
    """What became of an upload."""

    batch_id: str
    documents: list[DocumentOut]
    duplicates: list[DuplicateOut]
    namesakes: list[NamesakeOut]

    @classmethod
    def of(cls, accepted: Accepted) -> Self:
        """Return the wire form."""
        return cls(
            batch_id=accepted.batch,
            documents=[DocumentOut.of(each) for each in accepted.documents],
            duplicates=[
                DuplicateOut(name=each.name, document_id=document_id(each.document), applied=list(each.applied))
                for each in accepted.duplicates
            ],
            namesakes=[
                NamesakeOut(name=each.name, source=each.source, document_id=document_id(each.document))
                for each in accepted.namesakes
            ],
        )


#: How many documents have each status; one that none has is left out.
Counts = Annotated[
    dict[str, int],
    WithJsonSchema({"type": "object", "properties": {status.value: {"type": "integer"} for status in Status}}),
]


class DocumentsOut(BaseModel):
    """A page of a listing; ``counts`` is over all documents that the caller sees and ``name`` matches.

    So is ``older``, the number of those that an older pipeline read.
    """

    documents: list[DocumentOut]
    counts: Counts
    older: int
    next_cursor: str | None

    @classmethod
    def of(cls, page: DocumentPage, next_cursor: str | None) -> Self:
        """Return the wire form; ``next_cursor`` is the page's ``next_before``, sealed."""
        return cls(
            documents=[DocumentOut.of(each) for each in page.documents],
            counts={status.value: count for status, count in page.counts.items()},
            older=page.older,
            next_cursor=next_cursor,
        )


class BatchOut(BaseModel):
    """How an upload gets on; ``eta_seconds`` is null as long as nothing can be said."""

    counts: Counts
    documents: list[DocumentOut]
    eta_seconds: float | None


class KeptOut(BaseModel):
    """What other documents share with a deleted one."""

    entities: int


class RemovedOut(BaseModel):
    """What goes with a document. Entities are those that nothing else mentions; bytes are those of the original."""

    passages: int
    chunks: int
    pages: int
    entities: int
    mentions: int
    assertions: int
    vectors: int
    bytes: int


class ReceiptOut(BaseModel):
    """What a deletion removes, or would remove."""

    document_id: str
    dry_run: bool
    removed: RemovedOut
    kept: KeptOut

    @classmethod
    def of(cls, receipt: Receipt) -> Self:
        """Return the wire form."""
        return cls(
            document_id=document_id(receipt.document),
            dry_run=receipt.dry_run,
            removed=RemovedOut(**receipt.removed),
            kept=KeptOut(entities=receipt.kept_entities),
        )


class TextIn(BaseModel, extra="forbid"):
    """A text to be taken as a document; what is left out stays as it is in one that is there already.

    The folder part of its name lies below ``source``.
    """

    name: str
    text: str
    source: str | None = None
    metadata: dict[str, Any] | None = None
    labels: list[str] | None = None


class TextsIn(Body):
    """The JSON variant of an upload."""

    nul = True  # a document may hold whatever its author wrote

    documents: list[TextIn] = Field(min_length=1)
    replace: Truth = False


class DocumentPatch(Body):
    """What is to be otherwise about a document; what is left out stays. A source of null or "" is none."""

    labels: list[str] = Field(default_factory=list)
    metadata: dict[str, Any] = Field(default_factory=dict)
    name: str = ""
    source: str | None = None

    def amendment(self) -> Amendment:
        """Return what was sent, cleaned as an upload's is. Raises BadInput."""
        sent = self.model_fields_set
        if not all(label.strip() for label in self.labels):
            raise BadInput("a label is empty; send [] to take all labels away, so that everybody sees the document")
        return Amendment(
            labels=clean_labels(self.labels) if "labels" in sent else None,
            metadata=check_metadata(self.metadata) if "metadata" in sent else None,
            name=clean_file_name(self.name) if "name" in sent else None,
            source=clean_source(self.source) or "" if "source" in sent else None,
        )


class ReprocessIn(Body):
    """What to read again: everything, or only from a stage on; ``password`` opens an encrypted file once more."""

    stage: Literal["parse", "chunk", "extract", "embed", "store"] = Field("parse", alias="from")
    password: str = Field("", json_schema_extra={"format": "password", "writeOnly": True})


class LinkIn(Body):
    """What a signed link is for: a page's image, or, without ``page``, the file."""

    page: Annotated[int, Field(ge=1, le=MAX_WHOLE), WHOLE] | None = None
    mark: list[str] = Field(default_factory=list, max_length=64)
    dpi: Whole | None = None


class SignedLinkOut(BaseModel):
    """A link that needs no key, relative to this server, and until when it holds."""

    url: str
    expires_at: datetime


def fields(document: Document) -> dict[str, Any]:
    """Return a document's fields by their wire names."""
    return {
        "id": document.id,
        "name": document.name,
        "source": document.source,
        "version": document.version,
        "status": document.status,
        "media_type": document.media_type,
        "bytes": document.bytes,
        "sha256": document.sha256,
        "pages": document.pages,
        "passages": document.passages,
        "entities": document.entities,
        "metadata": dict(document.metadata),
        "labels": list(document.labels),
        "created_at": document.created_at,
        "ready_at": document.ready_at,
        "error": _plain(document.error),
        "warnings": [_plain(each) for each in document.warnings],
        "stages": [_plain(each) for each in document.stages],
        "read": document.read and {**(_plain(document.read) or {}), "older": document.read.is_older},
    }


def _plain(value: Any) -> dict[str, Any] | None:
    return None if value is None else {name: getattr(value, name) for name in value.__slots__}
