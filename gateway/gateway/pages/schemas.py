"""Passages and pages on the wire."""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, Field

from atoll.domain.parsed import Skipped
from atoll.domain.passage import Passage
from gateway.wire import Body

MAX_QUERY_CHARACTERS = 8000

BoxOut = tuple[float, float, float, float]


class PassageOut(BaseModel):
    """A passage; character positions count in the document's text."""

    id: str
    ordinal: int
    page: int
    boxes: list[BoxOut]
    char_start: int
    char_end: int
    text: str
    chunk_id: str
    headings: list[str]

    @classmethod
    def of(cls, passage: Passage) -> Self:
        """Return the wire form."""
        return cls(
            id=passage.id,
            ordinal=passage.ordinal,
            page=passage.page,
            boxes=list(passage.boxes),
            char_start=passage.char_start,
            char_end=passage.char_end,
            text=passage.text,
            chunk_id=passage.chunk,
            headings=list(passage.headings),
        )


class PassagesOut(BaseModel):
    """A page of a document's passages, in order."""

    passages: list[PassageOut]
    next_cursor: str | None


class SkippedItem(BaseModel):
    """Something that is in no passage, with the reason as its type; what has no place has no page and no boxes."""

    type: str
    page: int | None
    boxes: list[BoxOut]
    text: str

    @classmethod
    def of(cls, skipped: Skipped) -> Self:
        """Return the wire form."""
        boxes = [] if skipped.box is None else [skipped.box]
        return cls(type=skipped.type, page=skipped.page, boxes=boxes, text=skipped.text)


class SkippedOut(BaseModel):
    """What of a document is in no passage, by page."""

    items: list[SkippedItem]
    total: int


class PlacedPassage(BaseModel):
    """Where on a page a passage stands: boxes in points, origin top left."""

    id: str
    boxes: list[BoxOut]


class PageOut(BaseModel):
    """A page: its size in points and its passages; ``label`` is what the document calls it, if not by its number."""

    page: int
    label: str | None
    width: float
    height: float
    passages: list[PlacedPassage]


class HeatmapIn(Body):
    """What to look for on a page."""

    query: str = Field(min_length=1, max_length=MAX_QUERY_CHARACTERS)
