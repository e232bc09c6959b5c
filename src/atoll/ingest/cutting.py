"""Strands -> passages and chunks.

A passage is at most one window of the embedder, in one section, and begins on one page: what follows on the next page
is a passage of its own, but a sentence or a table's row that goes on there stays whole. A part of a table begins with
the table's caption and header. A chunk is a run of passages up to ``chunk_tokens``; chunks that are cut for their
length overlap by whole passages.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from atoll.domain.ids import DocumentUid, chunk_id, passage_id
from atoll.domain.passage import Chunk, Passage
from atoll.ingest.pieces import SEPARATOR, Group, Piece, grouped_text, layout_of, pieces
from atoll.ingest.strands import Strand

#: Tokens of a passage's window that are kept for the headings it is embedded under.
HEADING_TOKENS = 48


@dataclass(frozen=True, slots=True)
class Chunked:
    """What a document is cut into."""

    passages: tuple[Passage, ...]
    chunks: tuple[Chunk, ...]


def chunk(
    document: DocumentUid,
    strands: Sequence[Strand],
    token_ends: Sequence[Sequence[int]],
    *,
    window_tokens: int,
    chunk_tokens: int,
    overlap_tokens: int,
) -> Chunked:
    """Cut a document's strands.

    Args:
        document: whose ids the parts carry.
        strands: in reading order.
        token_ends: for each strand, the character positions in its text after each token of the embedder.
        window_tokens: what the embedder reads of one text.
        chunk_tokens: most tokens in a chunk.
        overlap_tokens: tokens of passages that a chunk shares with the one before it.
    """
    room = window_tokens - HEADING_TOKENS
    groups = list(_groups(pieces(strands, token_ends, room), room))
    spans = _chunk_spans(groups, chunk_tokens, overlap_tokens)
    chunk_of: dict[int, int] = {}
    for number, (first, last) in enumerate(spans):
        for ordinal in range(first, last):
            chunk_of.setdefault(ordinal, number)
    passages: list[Passage] = []
    position = 0
    for ordinal, group in enumerate(groups):
        text, layout = grouped_text(group), layout_of(group)
        passages.append(
            Passage(
                id=passage_id(document, ordinal),
                document=document,
                ordinal=ordinal,
                chunk=chunk_id(document, chunk_of[ordinal]),
                page=group.page,
                boxes=layout.boxes(group.page),
                char_start=position,
                char_end=position + len(text),
                text=text,
                headings=group.pieces[-1].headings,
                layout_json=layout.to_json(),
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


def embedding_text(passage: Passage) -> str:
    """Return what is embedded: the headings that the passage does not hold itself, and its text."""
    lines = passage.text.split(SEPARATOR)
    above = [heading for heading in passage.headings if heading not in lines]
    return SEPARATOR.join([*above, passage.text])


def indexing_text(passage: Passage) -> str:
    """Return whose words are indexed: what is embedded, and other spellings of its words."""
    layout = passage.layout
    return SEPARATOR.join([embedding_text(passage), *(layout.spellings if layout else ())])


def _groups(found: Iterator[Piece], room: int) -> Iterator[Group]:
    """Pack pieces into passages: a page ends one, a heading begins one, unless it follows another heading."""
    group = Group()
    for unit in _units(found, room):
        first = unit[0]
        begins = first.is_heading and not all(each.is_heading for each in group.pieces)
        tokens = sum(piece.tokens for piece in unit)
        if group.pieces and (begins or first.page != group.page or group.tokens + tokens > room):
            yield group
            group = Group()
        if not group.pieces and first.head is not None and not first.is_head:
            group.repeat(first.head.repeated(room))
        for piece in unit:
            group.add(piece)
    if group.pieces:
        yield group


def _units(found: Iterator[Piece], room: int) -> Iterator[list[Piece]]:
    """Yield what stays together: a table's caption and header with its first row, everything else by itself."""
    head: list[Piece] = []
    for piece in found:
        if piece.is_head and (not head or piece.head is head[0].head):
            head.append(piece)
            continue
        fits = sum(each.tokens for each in head) + piece.tokens <= room
        if head and piece.head is head[0].head and fits:
            yield [*head, piece]
        else:
            yield from ([each] for each in head)
            if not piece.is_head:
                yield [piece]
        head = [piece] if piece.is_head else []
    yield from ([each] for each in head)


def _chunk_spans(groups: Sequence[Group], chunk_tokens: int, overlap_tokens: int) -> list[tuple[int, int]]:
    """Return runs (first, last + 1) of passages. A new top section ends a chunk that is at least half full."""
    spans: list[tuple[int, int]] = []
    first, tokens = 0, 0
    for ordinal, group in enumerate(groups):
        is_full = tokens + group.tokens > chunk_tokens
        is_section = group.pieces[0].is_heading and len(group.pieces[-1].headings) == 1
        if ordinal > first and (is_full or (is_section and tokens >= chunk_tokens // 2)):
            spans.append((first, ordinal))
            first, tokens = ordinal, 0
            # Overlap at least leaves room for the new passage, and never reaches a whole chunk back.
            while is_full and first - 1 > spans[-1][0] and tokens + groups[first - 1].tokens <= overlap_tokens:
                first -= 1
                tokens += groups[first].tokens
        tokens += group.tokens
    if groups:
        spans.append((first, len(groups)))
    return spans
