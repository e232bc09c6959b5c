"""Searches, questions and answers on the wire."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, Field, StrictBool, StrictFloat, StrictInt

from atoll.domain.answer import AnsweredBy, Citation
from atoll.domain.evidence import Evidence, EvidenceKind, Filters, Mode
from atoll.domain.ids import DocumentUid, document_id
from atoll.domain.reader import Reader
from atoll.query.service import AnswerMode, QueryOutcome, QueryRequest, SearchOutcome, SearchRequest, Turn
from atoll.records.filters import MAX_PATTERNS, MAX_STARS
from gateway.search.answer_parts import (
    CautionOut,
    RefusalOut,
    SentenceOut,
    refusal_out,
    sentences_out,
    warnings_out,
)
from gateway.wire import WHOLE, Body, Composed, Moment, Revision, Truth

MAX_QUERY_CHARACTERS = 8000
MAX_TOP_K = 100
_MAX_TURNS = 50
_MAX_FILTER_VALUES = 4096
_MAX_PATTERNS = 64

Scalar = StrictBool | StrictInt | StrictFloat | Annotated[str, Field(max_length=2048)]
Text = Annotated[str, Field(max_length=512)]


class Range(BaseModel, extra="forbid"):
    """Bounds of a metadata value, both included."""

    gte: Scalar | None = None
    lte: Scalar | None = None


class FiltersIn(BaseModel, extra="forbid"):
    """What a search is narrowed to."""

    document_ids: Annotated[list[Text], Field(max_length=_MAX_FILTER_VALUES)] | None = None
    names: Annotated[list[Annotated[Text, Composed]], Field(max_length=MAX_PATTERNS)] | None = Field(
        None, description=f"Glob patterns, of at most {MAX_STARS} stars each."
    )
    sources: Annotated[list[Annotated[Text, Composed]], Field(max_length=_MAX_FILTER_VALUES)] | None = None
    media_types: Annotated[list[Text], Field(max_length=_MAX_PATTERNS)] | None = None
    labels: Annotated[list[Text], Field(max_length=_MAX_PATTERNS)] | None = None
    created_after: Moment | None = None
    created_before: Moment | None = None
    metadata: dict[Text, Range | Annotated[list[Scalar], Field(max_length=_MAX_FILTER_VALUES)] | Scalar] | None = Field(
        None,
        max_length=_MAX_PATTERNS,
        description="A value, a list of values of which one is enough, or bounds. A document's list is found by each "
        "of its members; bounds compare single values only.",
    )

    def to_domain(self) -> Filters:
        """Return the filters."""
        ids = _tuple(self.document_ids)
        return Filters(
            document_ids=None if ids is None else tuple(map(DocumentUid, ids)),
            names=_tuple(self.names),
            sources=_tuple(self.sources),
            media_types=_tuple(self.media_types),
            labels=_tuple(self.labels),
            created_after=self.created_after,
            created_before=self.created_before,
            metadata={
                key: wanted.model_dump(exclude_none=True) if isinstance(wanted, Range) else wanted
                for key, wanted in (self.metadata or {}).items()
            },
        )


class SearchIn(Body):
    """A search; ``top_k`` is the number of results."""

    query: str = Field(min_length=1, max_length=MAX_QUERY_CHARACTERS)
    mode: Mode = Mode.MIX
    top_k: Annotated[int, Field(ge=1, le=MAX_TOP_K), WHOLE] = 20
    filters: FiltersIn | None = None
    explain: Truth = Field(True, description="Tell each result's rank and score in each list, and its path.")

    def to_search(self, reader: Reader) -> SearchRequest:
        """Return the request to the query service."""
        return SearchRequest(
            reader=reader,
            query=self.query,
            mode=self.mode,
            top_k=self.top_k,
            filters=self._filters(),
        )

    def _filters(self) -> Filters:
        return Filters() if self.filters is None else self.filters.to_domain()


class TurnIn(BaseModel, extra="forbid"):
    """One turn of the conversation so far."""

    role: Literal["user", "assistant"]
    content: str = Field(max_length=MAX_QUERY_CHARACTERS * 4)


class QueryIn(SearchIn):
    """A question."""

    answer: AnswerMode = AnswerMode.AUTO
    history: list[TurnIn] = Field(default_factory=list, max_length=_MAX_TURNS)
    stream: Truth = False

    def to_query(self, reader: Reader) -> QueryRequest:
        """Return the request to the query service."""
        return QueryRequest(
            reader=reader,
            query=self.query,
            mode=self.mode,
            top_k=self.top_k,
            filters=self._filters(),
            answer=self.answer,
            history=tuple(Turn(role=turn.role, content=turn.content) for turn in self.history),
        )


class SignalOut(BaseModel):
    """Rank (from 1) and raw score in one list; null for a key that is limited to some labels."""

    rank: int
    score: float | None


class StepOut(BaseModel):
    """One step on the way through the graph to a piece of evidence."""

    passage_id: str
    entity: str


class EvidenceEntityOut(BaseModel):
    """The entity that a piece of evidence is about, as its passage writes it."""

    id: str
    name: str
    type: str


class EvidenceRelationOut(BaseModel):
    """What a passage says about two entities; without ``id`` they only stand together in a sentence."""

    id: str | None
    head: str
    tail: str
    keywords: list[str]
    weight: float


class EvidenceOut(BaseModel):
    """A ranked piece of a document; boxes are in page points, origin top left."""

    kind: EvidenceKind
    rank: int
    score: float
    document_id: str
    document: str
    source: str | None
    version: int | None = Field(description="None for a page whose document shows no text here, like `created_at`.")
    created_at: datetime | None
    page: int
    boxes: list[tuple[float, float, float, float]]
    text: str
    passage_id: str | None = Field(description="None for a page without text.")
    signals: dict[str, SignalOut]
    path: list[StepOut] | None
    also_in: list[str]
    entity: EvidenceEntityOut | None = None
    relation: EvidenceRelationOut | None = None

    @classmethod
    def of(cls, evidence: Evidence, *, explain: bool = True) -> Self:
        """Return the wire form."""
        path = evidence.path if explain else None
        return cls(
            kind=evidence.kind,
            rank=evidence.rank,
            score=evidence.score,
            document_id=document_id(evidence.document_id),
            document=evidence.document,
            source=evidence.source,
            version=evidence.version,
            created_at=evidence.created_at,
            page=evidence.page,
            boxes=list(evidence.boxes),
            text=evidence.text,
            passage_id=evidence.passage_id,
            signals={name: SignalOut(rank=signal.rank, score=signal.score) for name, signal in evidence.signals.items()}
            if explain
            else {},
            path=None if path is None else [StepOut(passage_id=passage, entity=entity) for passage, entity in path],
            also_in=list(map(document_id, evidence.also_in)),
            entity=evidence.entity and EvidenceEntityOut.model_validate(evidence.entity, from_attributes=True),
            relation=evidence.relation and EvidenceRelationOut.model_validate(evidence.relation, from_attributes=True),
        )


class SearchOut(BaseModel):
    """Ranked evidence, best first."""

    evidence: list[EvidenceOut]
    keywords: list[str]
    revision: Revision
    timings_ms: dict[str, float]
    warnings: list[CautionOut] = Field(description="What the reader should know, for instance a reranker that is away.")

    @classmethod
    def of(cls, outcome: SearchOutcome, *, explain: bool) -> Self:
        """Return the wire form."""
        return cls(
            evidence=evidence_out(outcome.evidence, explain=explain),
            keywords=list(outcome.keywords),
            revision=outcome.revision,
            timings_ms=dict(outcome.timings_ms),
            warnings=warnings_out(outcome.warnings),
        )


class CitationOut(BaseModel):
    """A numbered piece of evidence."""

    n: int
    evidence: EvidenceOut


class AnswerOut(BaseModel):
    """An answer without the evidence that was found, as a stream ends with it."""

    answer: str
    answered_by: AnsweredBy
    refusal: RefusalOut | None
    sentences: list[SentenceOut]
    citations: list[CitationOut]
    usage: dict[str, Any]
    timings_ms: dict[str, float]
    revision: Revision
    understood: str = Field(description="The question as it was searched.")
    warnings: list[CautionOut] = Field(description="What the reader should know, for instance a reranker that is away.")


class QueryOut(AnswerOut):
    """An answer: each sentence with its citations, and the evidence."""

    evidence: list[EvidenceOut]


def evidence_out(evidence: Sequence[Evidence], *, explain: bool) -> list[EvidenceOut]:
    """Return evidence in its wire form."""
    return [EvidenceOut.of(each, explain=explain) for each in evidence]


def citations_out(citations: Sequence[Citation], *, explain: bool) -> list[CitationOut]:
    """Return citations in their wire form."""
    return [CitationOut(n=each.n, evidence=EvidenceOut.of(each.evidence, explain=explain)) for each in citations]


def answer_fields(outcome: QueryOutcome, *, explain: bool) -> dict[str, Any]:
    """Return the fields of `AnswerOut`."""
    answer = outcome.answer
    return {
        "answer": answer.text,
        "answered_by": answer.answered_by,
        "refusal": refusal_out(answer.refusal),
        "sentences": sentences_out(answer.sentences),
        "citations": citations_out(answer.citations, explain=explain),
        "usage": dict(outcome.usage),
        "timings_ms": dict(outcome.timings_ms),
        "revision": outcome.revision,
        "understood": outcome.understood,
        "warnings": warnings_out(outcome.warnings),
    }


def _tuple(values: list[str] | None) -> tuple[str, ...] | None:
    return None if values is None else tuple(values)
