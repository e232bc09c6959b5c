"""Chunks and passages: the units of extraction and prompts, and of embedding and citation."""

from __future__ import annotations

from dataclasses import dataclass

from atoll.domain.ids import ChunkId, DocumentUid, PassageId
from atoll.domain.page import Box


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
class Passage:
    """At most one embedder window of text, on one page; character positions count in the document's text."""

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
