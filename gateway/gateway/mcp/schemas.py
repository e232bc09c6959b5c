"""What agents send to the tools and get back; the schemas that are published with each tool are made of these."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Self
from urllib.parse import quote, urlencode

from pydantic import BaseModel, Field

from atoll.domain.answer import AnsweredBy
from atoll.domain.document import Document, Status
from atoll.domain.evidence import Evidence, Mode
from atoll.domain.ids import document_id
from atoll.domain.json_values import MAX_WHOLE
from atoll.domain.page import RESOLUTIONS
from atoll.domain.passage import Passage
from atoll.query.service import AnswerMode, QueryOutcome
from gateway.search.answer_parts import CautionOut, RefusalOut, refusal_out, warnings_out
from gateway.search.schemas import MAX_QUERY_CHARACTERS, FiltersIn, TurnIn
from gateway.wire import WHOLE, Body, Composed

_MAX_RESULTS = 50
_MAX_LISTED = 100
_MAX_PASSAGES = 100
_MAX_MARKS = 64
_MAX_TURNS = 50

#: A page as an agent names it; ``mark`` is a passage that is highlighted.
PAGE_TEMPLATE = "atoll://{kb}/{document}/pages/{page}{?mark}"

DocumentId = Annotated[str, Field(max_length=64, description="`document_id` of another tool's result.")]
PassageMark = Annotated[str, Field(max_length=64)]
PageNumber = Annotated[int, Field(ge=1, le=MAX_WHOLE, description="Pages count from 1."), WHOLE]


def page_uri(kb: str, document: str, page: int, mark: str | None = None) -> str:
    """Return the address of a page, which `PAGE_TEMPLATE` describes."""
    marked = f"?{urlencode({'mark': mark})}" if mark else ""
    return f"atoll://{kb}/{quote(document, safe='')}/pages/{page}{marked}"


class Wanted(Body):
    """What every tool takes."""

    kb: str | None = Field(
        None,
        pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$",
        description="Name of the knowledge base; it may be left out where the key reads only one.",
    )


class SearchWanted(Wanted):
    """A search."""

    query: str = Field(min_length=1, max_length=MAX_QUERY_CHARACTERS, description="What to look for.")
    mode: Mode = Mode.MIX
    top_k: Annotated[int, Field(ge=1, le=_MAX_RESULTS), WHOLE] = 10
    filters: FiltersIn | None = None


class AskWanted(Wanted):
    """A question."""

    question: str = Field(min_length=1, max_length=MAX_QUERY_CHARACTERS, description="A whole question.")
    mode: Mode = Mode.MIX
    answer: AnswerMode = Field(
        AnswerMode.AUTO, description="`extract`: sentences of the documents, verbatim; `generate`: the chat model's."
    )
    history: list[TurnIn] = Field(
        default_factory=list, max_length=_MAX_TURNS, description="What was said before, if the question needs it."
    )
    filters: FiltersIn | None = None


class PageWanted(Wanted):
    """A page to look at."""

    document_id: DocumentId
    page: PageNumber
    mark: list[PassageMark] = Field(
        default_factory=list, max_length=_MAX_MARKS, description="`passage_id` of what is to be highlighted."
    )
    dpi: Annotated[int, WHOLE] = Field(
        RESOLUTIONS[0], description="Dots per inch.", json_schema_extra={"enum": list(RESOLUTIONS)}
    )


class DocumentsWanted(Wanted):
    """A listing."""

    name: Annotated[str, Composed] | None = Field(
        None, max_length=512, description="Glob pattern of names, for instance `*.pdf`."
    )
    status: Status | None = None
    limit: Annotated[int, Field(ge=1, le=_MAX_LISTED), WHOLE] = 25
    cursor: str | None = Field(None, max_length=64, description="`next_cursor` of the listing before.")


class PassagesWanted(Wanted):
    """A document's text, in order."""

    document_id: DocumentId
    after: Annotated[int, Field(ge=-1, le=MAX_WHOLE), WHOLE] = Field(
        -1, description="`next_after` of the reading before."
    )
    limit: Annotated[int, Field(ge=1, le=_MAX_PASSAGES), WHOLE] = 20


class Found(BaseModel):
    """A ranked piece of a document."""

    rank: int
    score: float
    document: str = Field(description="The document's name.")
    document_id: str
    source: str | None
    page: int
    passage_id: str | None = Field(description="None for a page without text.")
    text: str
    uri: str = Field(description="The page with this passage marked, to be read as a resource.")


class Cited(Found):
    """What the number ``n`` in an answer stands for."""

    n: int


class SearchFound(BaseModel):
    """Evidence, best first."""

    kb: str
    results: list[Found]
    warnings: list[CautionOut]


class SentenceTold(BaseModel):
    """A sentence of the answer; without citations, or not supported, it is not to be relied on."""

    text: str
    citations: list[int]
    supported: bool


class Answered(BaseModel):
    """An answer, every sentence with the numbers of its citations; or a refusal with the nearest passages."""

    kb: str
    answer: str
    answered_by: AnsweredBy
    sentences: list[SentenceTold]
    citations: list[Cited]
    refusal: RefusalOut | None
    nearest: list[Found] = Field(description="Where nothing was answered: what came nearest.")
    understood: str = Field(description="The question as it was searched.")
    warnings: list[CautionOut]

    @classmethod
    def of(cls, outcome: QueryOutcome, kb: str) -> Self:
        """Return the wire form."""
        answer = outcome.answer
        return cls(
            kb=kb,
            answer=answer.text,
            answered_by=answer.answered_by,
            sentences=[
                SentenceTold(text=each.text, citations=list(each.citations), supported=each.supported)
                for each in answer.sentences
            ],
            citations=[Cited(n=each.n, **_found(each.evidence, kb).model_dump()) for each in answer.citations],
            refusal=refusal_out(answer.refusal),
            nearest=found(outcome.evidence, kb) if answer.refusal is not None else [],
            understood=outcome.understood,
            warnings=warnings_out(outcome.warnings),
        )


class DocumentTold(BaseModel):
    """A document."""

    document_id: str
    name: str
    source: str | None
    status: Status
    media_type: str
    pages: int
    passages: int
    labels: list[str]
    created_at: datetime

    @classmethod
    def of(cls, document: Document) -> Self:
        """Return the wire form."""
        return cls(
            document_id=document.id,
            name=document.name,
            source=document.source,
            status=document.status,
            media_type=document.media_type,
            pages=document.pages,
            passages=document.passages,
            labels=list(document.labels),
            created_at=document.created_at,
        )


class DocumentsTold(BaseModel):
    """Documents, newest first; ``counts`` is over all that the key sees and the name matches."""

    kb: str
    documents: list[DocumentTold]
    counts: dict[str, int]
    next_cursor: str | None


class PassageTold(BaseModel):
    """A passage."""

    passage_id: str
    page: int
    headings: list[str]
    text: str
    uri: str

    @classmethod
    def of(cls, passage: Passage, kb: str, document: str) -> Self:
        """Return the wire form."""
        return cls(
            passage_id=passage.id,
            page=passage.page,
            headings=list(passage.headings),
            text=passage.text,
            uri=page_uri(kb, document, passage.page, passage.id),
        )


class PassagesTold(BaseModel):
    """Passages of one document, in order."""

    kb: str
    document_id: str
    passages: list[PassageTold]
    next_after: int | None


def found(evidence: Sequence[Evidence], kb: str) -> list[Found]:
    """Return evidence in its wire form."""
    return [_found(each, kb) for each in evidence]


def _found(evidence: Evidence, kb: str) -> Found:
    document = document_id(evidence.document_id)
    return Found(
        rank=evidence.rank,
        score=evidence.score,
        document=evidence.document,
        document_id=document,
        source=evidence.source,
        page=evidence.page,
        passage_id=evidence.passage_id,
        text=evidence.text,
        uri=page_uri(kb, document, evidence.page, evidence.passage_id),
    )
