"""What an answer is made of in its wire form."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, Field

from atoll.domain.answer import Caution, Refusal, RefusalReason, Sentence


class RefusalOut(BaseModel):
    """Why nothing was answered."""

    reason: RefusalReason
    missing: list[str] = Field(description="Parts of the question that were not found together, as they were asked.")
    message: str
    best_score: float = Field(description="How near the nearest evidence came to an answer, 0 to 1.")


class CautionOut(BaseModel):
    """What a reader should know of a result."""

    type: str
    message: str


class PlaceOut(BaseModel):
    """Where a sentence stands in one of its citations."""

    n: int
    page: int
    boxes: list[tuple[float, float, float, float]]
    span: tuple[int, int] = Field(description="Its first and last character in the passage's text.")


class TableOut(BaseModel):
    """The table's row that a sentence is taken from."""

    header: list[str]
    row: list[str]


class SentenceOut(BaseModel):
    """A sentence of an answer with the numbers of its citations and its own places."""

    text: str
    citations: list[int]
    supported: bool
    places: list[PlaceOut]
    table: TableOut | None


def refusal_out(refusal: Refusal | None) -> RefusalOut | None:
    """Return a refusal in its wire form."""
    if refusal is None:
        return None
    return RefusalOut(
        reason=refusal.reason,
        missing=list(refusal.missing),
        message=refusal.message,
        best_score=refusal.best_score,
    )


def warnings_out(cautions: Sequence[Caution]) -> list[CautionOut]:
    """Return warnings in their wire form."""
    return [CautionOut(type=each.type, message=each.message) for each in cautions]


def sentences_out(sentences: Sequence[Sentence]) -> list[SentenceOut]:
    """Return sentences in their wire form."""
    return [
        SentenceOut(
            text=each.text,
            citations=list(each.citations),
            supported=each.supported,
            places=[
                PlaceOut(n=place.n, page=place.page, boxes=list(place.boxes), span=place.span) for place in each.places
            ],
            table=None if each.table is None else TableOut(header=list(each.table.header), row=list(each.table.row)),
        )
        for each in sentences
    ]
