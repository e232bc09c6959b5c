"""Strands -> pieces that are never parted again, and groups of pieces as passages: their text and layout."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from atoll.domain.block import CELL_SEPARATOR, BlockKind
from atoll.domain.layout import PassageLayout, PlacedCell, PlacedLine, PlacedRow, PlacedTable
from atoll.ingest.sentences import cut, sentence_ends
from atoll.ingest.strands import Strand, Table, clipped

#: Stands between the blocks of a passage and between the passages' texts in a document's text.
SEPARATOR = "\n"
#: Share of a window that a table's caption and header may take in each of its parts.
_LARGEST_HEAD = 0.5


@dataclass(eq=False, slots=True)
class TableHead:
    """A table's caption and header rows, which each of its parts begins with; empty if they take too much room."""

    table: Table
    pieces: list[Piece] = field(default_factory=list)

    @property
    def tokens(self) -> int:
        """What it takes of a window."""
        return sum(piece.tokens for piece in self.pieces)

    def repeated(self, room: int) -> list[Piece]:
        """What a part that does not begin the table begins with."""
        return self.pieces if self.tokens <= room * _LARGEST_HEAD else []


@dataclass(frozen=True, slots=True)
class Piece:
    """A strand or a part of one: a paragraph or some sentences of it, a table's row or caption."""

    text: str
    tokens: int
    lines: tuple[PlacedLine, ...]
    headings: tuple[str, ...]
    is_heading: bool = False
    head: TableHead | None = None
    is_head: bool = False
    row: PlacedRow | None = None
    spellings: tuple[str, ...] = ()

    @property
    def page(self) -> int:
        """The page on which it begins."""
        return next((line.page for line in self.lines if not line.is_repeated), self.lines[0].page)


@dataclass(slots=True)
class Group:
    """The pieces of a passage; the first ``repeated`` of them only repeat a table's head."""

    pieces: list[Piece] = field(default_factory=list)
    repeated: int = 0
    tokens: int = 0

    @property
    def page(self) -> int:
        """The page on which the passage begins."""
        return self.pieces[self.repeated].page

    def add(self, piece: Piece) -> None:
        """Take one more piece in."""
        self.pieces.append(piece)
        self.tokens += piece.tokens

    def repeat(self, pieces: Sequence[Piece]) -> None:
        """Begin with what is repeated."""
        for piece in pieces:
            self.add(piece)
        self.repeated = len(self.pieces)


def pieces(strands: Sequence[Strand], token_ends: Sequence[Sequence[int]], room: int) -> Iterator[Piece]:
    """Cut strands into pieces of at most ``room`` tokens, a table's head included, each beginning on one page."""
    sections: list[tuple[int, str]] = []
    head: TableHead | None = None
    for strand, ends in zip(strands, token_ends, strict=True):
        if strand.kind is BlockKind.HEADING:
            sections = [(level, title) for level, title in sections if level < strand.level]
            sections.append((strand.level, strand.text))
        headings = tuple(title for _, title in sections)
        if strand.table is None:
            head = None
        elif head is None or head.table is not strand.table:
            head = TableHead(strand.table)
        left = room - sum(piece.tokens for piece in head.repeated(room)) if head else room
        for start, end in _spans(strand, ends, left):
            tokens = bisect_right(ends, end) - bisect_right(ends, start)
            piece = Piece(
                strand.text[start:end],
                tokens,
                clipped(strand.lines, strand.text, start, end),
                headings,
                strand.kind is BlockKind.HEADING,
                head,
                head is not None and (strand.row is None or strand.row.is_header),
                _part(strand.row, start, end),
                strand.spellings if start == 0 else (),
            )
            if not piece.lines:
                continue
            if head is not None and piece.is_head:
                head.pieces.append(piece)
            yield piece


def grouped_text(group: Group) -> str:
    """A passage's text."""
    return SEPARATOR.join(piece.text for piece in group.pieces)


def layout_of(group: Group) -> PassageLayout:
    """Where a passage's text stands."""
    lines: list[PlacedLine] = []
    tables: dict[TableHead, tuple[list[PlacedRow], list[tuple[int, int]]]] = {}
    at = 0
    for number, piece in enumerate(group.pieces):
        repeated = number < group.repeated
        lines += (
            replace(line, start=line.start + at, end=line.end + at, is_repeated=repeated or line.is_repeated)
            for line in piece.lines
        )
        if piece.head is not None:
            rows, captions = tables.setdefault(piece.head, ([], []))
            if piece.row is None:
                captions.append((at, at + len(piece.text)))
            else:
                rows.append(_shifted(piece.row, at))
        at += len(piece.text) + len(SEPARATOR)
    placed = (
        PlacedTable(head.table.columns, tuple(rows), (captions[0][0], captions[-1][1]) if captions else None)
        for head, (rows, captions) in tables.items()
    )
    spellings = (each for piece in group.pieces[group.repeated :] for each in piece.spellings)
    return PassageLayout(tuple(lines), tuple(placed), tuple(dict.fromkeys(spellings)))


def _spans(strand: Strand, ends: Sequence[int], room: int) -> Iterator[tuple[int, int]]:
    """Yield the spans of a strand's pieces, without white space around them."""
    text = strand.text
    cells = [end - len(CELL_SEPARATOR) for end in _cell_starts(strand.row)]
    for first, last in cut(text, ends, room, cells):
        for start, end in _pages(strand, first, last) if strand.row is None else [(first, last)]:
            part = text[start:end]
            left = start + len(part) - len(part.lstrip())
            right = left + len(part.strip())
            if left < right:
                yield (left, right) if strand.row is None else (start, end)


def _cell_starts(row: PlacedRow | None) -> list[int]:
    return [cell.start for cell in row.cells if cell.start >= len(CELL_SEPARATOR)] if row else []


def _pages(strand: Strand, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Cut a span where a page ends: after the sentence that goes on over it, but not over more than one end."""
    lines = [line for line in strand.lines if line.end > start and line.start < end]
    if not lines or lines[0].page == lines[-1].page:
        yield start, end
        return
    begins = [start, *(at for at in sentence_ends(strand.text) if start < at < end)]
    for line in lines:
        page = _page_at(lines, start)
        if line.page == page or line.start <= start:
            continue
        # Where the first sentence begins that has no part on this page.
        following = next((at for at in begins if at > start and _page_at(lines, at) > page), end)
        most = next((each.start for each in lines if each.page > page + 1), end)
        cut_at = min(following, most)
        yield start, cut_at
        start = cut_at
        if start >= end:
            return
    yield start, end


def _page_at(lines: Sequence[PlacedLine], position: int) -> int:
    """The page on which the first character from ``position`` on stands that is not white space."""
    return next((line.page for line in lines if line.end > position), lines[-1].page)


def _part(row: PlacedRow | None, start: int, end: int) -> PlacedRow | None:
    """What of a row lies in a span of its text, with positions in that part."""
    if row is None or (start, end) == (row.start, row.end):
        return row
    cells = [
        replace(cell, start=max(cell.start, start) - start, end=min(cell.end, end) - start)
        for cell in row.cells
        if cell.start < end and cell.end > start
    ]
    return PlacedRow(0, end - start, tuple(cells), row.is_header)


def _shifted(row: PlacedRow, by: int) -> PlacedRow:
    cells: list[PlacedCell] = [replace(cell, start=cell.start + by, end=cell.end + by) for cell in row.cells]
    return PlacedRow(row.start + by, row.end + by, tuple(cells), row.is_header)
