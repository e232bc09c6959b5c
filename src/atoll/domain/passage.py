"""Chunks and passages: the units of extraction and prompts, and of embedding and citation."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from atoll.domain.ids import ChunkId, DocumentUid, PassageId
from atoll.domain.layout import PassageLayout
from atoll.domain.page import Box, Place


@dataclass(frozen=True, slots=True)
class Chunk:
    """A section-aware window of a document: a run of passages."""

    id: ChunkId
    document: DocumentUid
    ordinal: int
    char_start: int
    char_end: int
    headings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DocumentCard:
    """What a citation tells of a passage's document beside its name."""

    source: str | None
    version: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Passage:
    """At most one embedder window of text in one section; character positions count in the document's text.

    It begins on ``page``, of which it covers ``boxes``; a sentence or table row that goes on over the page's end stays
    whole, so that a passage may reach into the next page. ``layout_json`` is its `PassageLayout` as text, which is only
    read where it is asked for; what was read by an older version has none. ``card`` is there where the passage was
    read to be shown.
    """

    id: PassageId
    document: DocumentUid
    ordinal: int
    chunk: ChunkId
    page: int
    boxes: tuple[Box, ...]
    char_start: int
    char_end: int
    text: str
    headings: tuple[str, ...]
    layout_json: str | None = None
    card: DocumentCard | None = field(default=None, compare=False)

    @property
    def layout(self) -> PassageLayout | None:
        """Where each character stands; made anew at every call."""
        return None if self.layout_json is None else PassageLayout.from_json(self.layout_json)

    def places(self, start: int, end: int) -> tuple[Place, ...]:
        """Where ``text[start:end]`` is seen, a place a line; the whole passage's boxes if no layout is known."""
        layout = self.layout
        if layout is None:
            return tuple(Place(self.page, box) for box in self.boxes)
        return layout.places(self.text, start, end)

    def boxes_on(self, page: int) -> tuple[Box, ...]:
        """What the passage covers of a page, which may be one that it only reaches into."""
        if page == self.page:
            return self.boxes
        layout = self.layout
        return () if layout is None else layout.boxes(page)


def on_page(passages: Iterable[Passage], page: int) -> tuple[tuple[PassageId, tuple[Box, ...]], ...]:
    """Return ids and boxes of those that cover something of a page, out of those that begin on it or the one before."""
    placed = ((passage.id, passage.boxes_on(page)) for passage in passages)
    return tuple((passage, boxes) for passage, boxes in placed if boxes)
