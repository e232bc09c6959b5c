"""Blocks -> passages and chunks.

A passage is at most one window of the embedder, on one page and in one section, and knows its boxes. A chunk is a
run of passages up to ``chunk_tokens``; chunks that are cut for their length overlap by whole passages.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from atoll.domain.ids import DocumentUid, chunk_id, passage_id
from atoll.domain.page import Block, BlockKind, Box, Line
from atoll.domain.passage import Chunk, Passage
from atoll.ingest.sentences import cut

#: Stands between the blocks of a passage and between the passages' texts in a document's text.
SEPARATOR = "\n"
#: Tokens of a passage's window that are kept for the headings it is embedded under.
HEADING_TOKENS = 48
#: Longest block that is tokenised in one piece.
MAX_BLOCK_CHARACTERS = 8_000


@dataclass(frozen=True, slots=True)
class Chunked:
    """A document's passages and chunks, both in reading order."""

    passages: tuple[Passage, ...]
    chunks: tuple[Chunk, ...]


@dataclass(frozen=True, slots=True)
class _Piece:
    """A block, or a part of a long one, on one page."""

    text: str
    tokens: int
    page: int
    boxes: tuple[Box, ...]
    headings: tuple[str, ...]
    is_heading: bool


def chunk(
    document: DocumentUid,
    blocks: Sequence[Block],
    token_ends: Sequence[Sequence[int]],
    *,
    window_tokens: int,
    chunk_tokens: int,
    overlap_tokens: int,
) -> Chunked:
    """Cut a document's blocks.

    Args:
        document: whose ids the parts carry.
        blocks: in reading order, each of bounded length (see ``bounded_blocks``).
        token_ends: for each block, the character positions in its text after each token of the embedder.
        window_tokens: what the embedder reads of one text.
        chunk_tokens: most tokens in a chunk.
        overlap_tokens: tokens of passages that a chunk shares with the one before it.
    """
    pieces = _pieces(blocks, token_ends, window_tokens - HEADING_TOKENS)
    groups = list(_groups(pieces, window_tokens - HEADING_TOKENS))
    spans = _chunk_spans(groups, chunk_tokens, overlap_tokens)
    chunk_of: dict[int, int] = {}
    for number, (first, last) in enumerate(spans):
        for ordinal in range(first, last):
            chunk_of.setdefault(ordinal, number)
    passages: list[Passage] = []
    position = 0
    for ordinal, group in enumerate(groups):
        text = SEPARATOR.join(piece.text for piece in group)
        passages.append(
            Passage(
                id=passage_id(document, ordinal),
                document=document,
                ordinal=ordinal,
                chunk=chunk_id(document, chunk_of[ordinal]),
                page=group[0].page,
                boxes=tuple(box for piece in group for box in piece.boxes),
                char_start=position,
                char_end=position + len(text),
                text=text,
                headings=group[-1].headings,
            )
        )
        position += len(text) + len(SEPARATOR)
    chunks = tuple(
        Chunk(
            id=chunk_id(document, number),
            document=document,
            ordinal=number,
            char_start=passages[first].char_start,
            char_end=passages[last - 1].char_end,
            headings=passages[first].headings,
        )
        for number, (first, last) in enumerate(spans)
    )
    return Chunked(passages=tuple(passages), chunks=chunks)


def bounded_blocks(blocks: Sequence[Block]) -> list[Block]:
    """Split blocks between lines so that none is longer than a tokenizer should be asked for at once."""
    bounded: list[Block] = []
    for block in blocks:
        lines: list[Line] = []
        characters = 0
        for line in block.lines:
            if lines and characters + len(line.text) > MAX_BLOCK_CHARACTERS:
                bounded.append(replace(block, lines=tuple(lines)))
                lines, characters = [], 0
            lines.append(line)
            characters += len(line.text)
        if lines:
            bounded.append(replace(block, lines=tuple(lines)))
    return bounded


def embedding_text(passage: Passage) -> str:
    """Return what is embedded and indexed: the headings that the passage does not hold itself, and its text."""
    lines = passage.text.split(SEPARATOR)
    above = [heading for heading in passage.headings if heading not in lines]
    return SEPARATOR.join([*above, passage.text])


def _pieces(blocks: Sequence[Block], token_ends: Sequence[Sequence[int]], max_tokens: int) -> Iterator[_Piece]:
    sections: list[tuple[int, str]] = []
    for block, ends in zip(blocks, token_ends, strict=True):
        text = block.text
        if block.kind is BlockKind.HEADING:
            sections = [(level, title) for level, title in sections if level < block.level]
            sections.append((block.level, text))
        headings = tuple(title for _, title in sections)
        for start, end in cut(text, ends, max_tokens):
            for page_start, page_end, page, boxes in _pages(block, start, end):
                part = text[page_start:page_end].strip()
                if part:
                    tokens = bisect_right(ends, page_end) - bisect_right(ends, page_start)
                    yield _Piece(part, tokens, page, boxes, headings, block.kind is BlockKind.HEADING)


def _pages(block: Block, start: int, end: int) -> Iterator[tuple[int, int, int, tuple[Box, ...]]]:
    """Yield the parts (start, end, page, boxes) of a span of a block's text, one for each page it touches."""
    offsets = (*block.line_offsets(), len(block.text))
    page, page_start, boxes = 0, start, list[Box]()
    for number, line in enumerate(block.lines):
        line_start, line_end = offsets[number], offsets[number + 1]
        if line_end <= start or line_start >= end:
            continue
        if boxes and line.page != page:
            yield page_start, line_start, page, merge(boxes)
            page_start, boxes = line_start, []
        page = line.page
        boxes.append(line.box)
    if boxes:
        yield page_start, end, page, merge(boxes)


def merge(boxes: Sequence[Box]) -> tuple[Box, ...]:
    """Join the boxes of lines that follow each other downwards in one column."""
    merged: list[Box] = []
    for box in boxes:
        if merged and _continues(merged[-1], box):
            merged[-1] = merged[-1].union(box)
        else:
            merged.append(box)
    return tuple(merged)


def _continues(above: Box, below: Box) -> bool:
    height = below.y1 - below.y0
    overlap = min(above.x1, below.x1) - max(above.x0, below.x0)
    return -height / 2 <= below.y0 - above.y1 <= height and overlap > 0


def _groups(pieces: Iterator[_Piece], max_tokens: int) -> Iterator[list[_Piece]]:
    """Pack pieces into passages: a page ends one, a heading begins one, unless it follows another heading."""
    group: list[_Piece] = []
    tokens = 0
    for piece in pieces:
        begins = piece.is_heading and not all(each.is_heading for each in group)
        if group and (begins or piece.page != group[0].page or tokens + piece.tokens > max_tokens):
            yield group
            group, tokens = [], 0
        group.append(piece)
        tokens += piece.tokens
    if group:
        yield group


def _chunk_spans(groups: Sequence[list[_Piece]], chunk_tokens: int, overlap_tokens: int) -> list[tuple[int, int]]:
    """Return runs (first, last + 1) of passages. A new top section ends a chunk that is at least half full."""
    sizes = [sum(piece.tokens for piece in group) for group in groups]
    spans: list[tuple[int, int]] = []
    first, tokens = 0, 0
    for ordinal, size in enumerate(sizes):
        is_full = tokens + size > chunk_tokens
        is_section = groups[ordinal][0].is_heading and len(groups[ordinal][-1].headings) == 1
        if ordinal > first and (is_full or (is_section and tokens >= chunk_tokens // 2)):
            spans.append((first, ordinal))
            first, tokens = ordinal, 0
            # Overlap at least leaves room for the new passage, and never reaches a whole chunk back.
            while is_full and first - 1 > spans[-1][0] and tokens + sizes[first - 1] <= overlap_tokens:
                first -= 1
                tokens += sizes[first]
        tokens += size
    if sizes:
        spans.append((first, len(sizes)))
    return spans
