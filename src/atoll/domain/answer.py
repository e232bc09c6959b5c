"""An answer: sentences, each with its citations or marked unsupported, or a refusal."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from atoll.domain.evidence import Evidence


class AnsweredBy(StrEnum):
    """Who wrote the answer: sentences of the documents, a chat model, or nobody (a refusal)."""

    EXTRACT = "extract"
    GENERATE = "generate"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence; ``citations`` are the numbers of the citations that support it."""

    text: str
    citations: tuple[int, ...]
    supported: bool


@dataclass(frozen=True, slots=True)
class Citation:
    """A numbered piece of evidence, as the marks ``[n]`` of an answer refer to it (numbers from 1)."""

    n: int
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why nothing was answered; ``best_score`` is the best cosine that was seen."""

    reason: str
    best_score: float


@dataclass(frozen=True, slots=True)
class Answer:
    """The whole answer to a question."""

    text: str
    answered_by: AnsweredBy
    refusal: Refusal | None
    sentences: tuple[Sentence, ...]
    citations: tuple[Citation, ...]
