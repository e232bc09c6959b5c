"""What a document consists of, as both stores keep it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import orjson

from atoll.domain.entity import Assertion, Mention
from atoll.domain.ids import ChunkId, DocumentUid, EntityId, PassageId
from atoll.domain.page import Box
from atoll.domain.passage import Chunk, DocumentCard, Passage
from atoll.records.rows.values import Row, instant, texts


def chunk(row: Row) -> Chunk:
    """Build a chunk."""
    return Chunk(
        id=ChunkId(row["id"]),
        document=DocumentUid(row["document"]),
        ordinal=row["ordinal"],
        char_start=row["char_start"],
        char_end=row["char_end"],
        headings=texts(row["headings"]),
    )


def boxes(text: str) -> tuple[Box, ...]:
    """Return boxes from their JSON."""
    return tuple(Box(*box) for box in orjson.loads(text))


def passage(row: Row) -> Passage:
    """Build a passage."""
    return Passage(
        id=PassageId(row["id"]),
        document=DocumentUid(row["document"]),
        ordinal=row["ordinal"],
        chunk=ChunkId(row["chunk"]),
        page=row["page"],
        boxes=boxes(row["boxes_json"]),
        char_start=row["char_start"],
        char_end=row["char_end"],
        text=row["text"],
        headings=texts(row["headings"]),
        layout_json=row["layout_json"],
    )


def shown_passage(row: Row, document: Row) -> Passage:
    """Build a passage with what a citation tells of its document."""
    card = DocumentCard(document["source"], document["version"], instant(document["created_at"]))
    return replace(passage(row), card=card)


def mention(passage: PassageId, columns: Sequence[Any]) -> Mention:
    """Build a mention from entity, key, surface, type, occurrences and span."""
    entity, key, surface, type_, tf, start, end = columns
    return Mention(passage, EntityId(entity), key, surface, type_, tf, (start, end))


def assertion(columns: Sequence[Any]) -> Assertion:
    """Build an assertion from passage, ordinal, ends, keywords, description and weight."""
    passage, ordinal, head, tail, keywords, description, weight = columns
    return Assertion(passage, ordinal, head, tail, texts(keywords), description, weight)
