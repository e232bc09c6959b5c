"""What is asked of the query service, and what comes back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from atoll.domain.answer import Answer, AnsweredBy, Caution, Citation, Sentence
from atoll.domain.evidence import Evidence, Filters, Mode
from atoll.domain.reader import Reader
from atoll.query.question.history import Turn


class AnswerMode(StrEnum):
    """Who is to write the answer; ``AUTO`` shows sentences of the documents until the model's answer is there."""

    AUTO = "auto"
    GENERATE = "generate"
    EXTRACT = "extract"


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """A search in one knowledge base."""

    reader: Reader
    query: str
    mode: Mode
    top_k: int
    filters: Filters


@dataclass(frozen=True, slots=True)
class QueryRequest:
    """A question to be answered from one knowledge base.

    ``answer_tokens`` is how long an answer that a chat model writes may be; None: as long as the settings say.
    """

    reader: Reader
    query: str
    mode: Mode
    top_k: int
    filters: Filters
    answer: AnswerMode = AnswerMode.AUTO
    history: tuple[Turn, ...] = ()
    answer_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class SearchOutcome:
    """Ranked evidence, best first; every part of it was visible in ``revision`` or later.

    ``warnings`` tell what the ranking went without.
    """

    evidence: tuple[Evidence, ...]
    keywords: tuple[str, ...]
    revision: int | None
    timings_ms: Mapping[str, float]
    warnings: tuple[Caution, ...] = ()


@dataclass(frozen=True, slots=True)
class QueryOutcome:
    """An answer with the evidence that was found.

    ``understood`` is the question as it was searched: with what the conversation adds, and misspelt words put right.
    ``usage`` holds prompt_tokens and completion_tokens where known.
    """

    answer: Answer
    evidence: tuple[Evidence, ...]
    usage: Mapping[str, int]
    timings_ms: Mapping[str, float]
    revision: int | None
    understood: str
    warnings: tuple[Caution, ...] = ()


@dataclass(frozen=True, slots=True)
class EvidenceFound:
    """Retrieval is done."""

    evidence: tuple[Evidence, ...]
    revision: int | None


@dataclass(frozen=True, slots=True)
class Delta:
    """The next piece of the answer's text."""

    text: str


@dataclass(frozen=True, slots=True)
class Replace:
    """The text shown so far is void; what follows is written by ``answered_by``."""

    answered_by: AnsweredBy


@dataclass(frozen=True, slots=True)
class Citations:
    """The sentences of the text shown so far and what they rest on."""

    sentences: tuple[Sentence, ...]
    citations: tuple[Citation, ...]


@dataclass(frozen=True, slots=True)
class Done:
    """The whole outcome; always the last event."""

    outcome: QueryOutcome


StreamEvent = EvidenceFound | Delta | Replace | Citations | Done
