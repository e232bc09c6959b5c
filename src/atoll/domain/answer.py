"""An answer: sentences, each with its citations and places or marked unsupported, or a refusal."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from atoll.domain.evidence import Evidence
from atoll.domain.page import Box


class AnsweredBy(StrEnum):
    """Who wrote the answer: sentences of the documents, a chat model, or nobody (a refusal)."""

    EXTRACT = "extract"
    GENERATE = "generate"
    NONE = "none"


class RefusalReason(StrEnum):
    """Why a question is not answered."""

    NOT_FOUND = "not_found"
    LANGUAGE = "language"
    NOTHING_INDEXED = "nothing_indexed"


@dataclass(frozen=True, slots=True)
class AnswerPlace:
    """Where a sentence stands: in citation ``n``, in these boxes of a page; ``span`` is its text in the passage."""

    n: int
    page: int
    boxes: tuple[Box, ...]
    span: tuple[int, int]


@dataclass(frozen=True, slots=True)
class TableRow:
    """A row of a table with the names of its columns, empty strings where a column has none."""

    header: tuple[str, ...]
    row: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence; ``citations`` are the numbers of the citations that support it.

    ``places`` are the sentence's own, not the passage's. Of a table's row ``text`` names row and column, and ``table``
    is the whole row.
    """

    text: str
    citations: tuple[int, ...]
    supported: bool
    places: tuple[AnswerPlace, ...] = ()
    table: TableRow | None = None


@dataclass(frozen=True, slots=True)
class Citation:
    """A numbered piece of evidence, as the marks ``[n]`` of an answer refer to it (numbers from 1)."""

    n: int
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why nothing was answered: ``missing`` are the parts of the question, as they were asked, that nothing meets.

    ``message`` is one sentence for the reader. ``best_score`` says how near the best evidence came, 0 to 1.
    """

    reason: RefusalReason
    missing: tuple[str, ...]
    message: str
    best_score: float


@dataclass(frozen=True, slots=True)
class Caution:
    """What a reader should know of a result: ``type`` is for programs, ``message`` for people."""

    type: str
    message: str


@dataclass(frozen=True, slots=True)
class Answer:
    """The whole answer to a question."""

    text: str
    answered_by: AnsweredBy
    refusal: Refusal | None
    sentences: tuple[Sentence, ...]
    citations: tuple[Citation, ...]
