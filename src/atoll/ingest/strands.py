"""Blocks -> strands: stretches of text that are measured in tokens at once, each character with its place.

A strand is a block, a part of a very long one, or a table's caption or row.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from atoll.domain.block import CELL_SEPARATOR, Block, BlockKind, Line, Row, without_furniture
from atoll.domain.layout import PlacedCell, PlacedLine, PlacedRow
from atoll.ingest.sentences import sentence_ends

#: Longest text that is tokenised in one piece.
MAX_CHARACTERS = 8_000


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """The table that a row belongs to, by its identity, and what its columns are called."""

    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Strand:
    """A text and where it stands; ``row`` is set for rows of a ``table``, whose caption has none."""

    text: str
    lines: tuple[PlacedLine, ...]
    kind: BlockKind
    level: int = 0
    table: Table | None = None
    row: PlacedRow | None = None
    spellings: tuple[str, ...] = ()


def strands(blocks: Iterable[Block]) -> list[Strand]:
    """The strands of a document's blocks, in reading order; what belongs to its pages is left out."""
    found: list[Strand] = []
    for block in without_furniture(blocks):
        if block.kind is BlockKind.TABLE:
            found += _table(block)
        else:
            text, lines = _placed(block.lines)
            whole = Strand(text, lines, block.kind, block.level, spellings=_spellings(block.lines))
            found += _bounded(whole)
    return found


def clipped(lines: Sequence[PlacedLine], text: str, start: int, end: int) -> tuple[PlacedLine, ...]:
    """The lines within ``text[start:end]``, with positions in that part."""
    inside = (line.clipped(text, start, end) for line in lines if line.start < end and line.end > start)
    return tuple(replace(line, start=line.start - start, end=line.end - start) for line in inside if line)


def _bounded(strand: Strand) -> Iterator[Strand]:
    """Split a strand after sentences so that none is longer than a tokenizer should be asked for at once."""
    text, start = strand.text, 0
    if len(text) > MAX_CHARACTERS:
        ends = sentence_ends(text)
        while len(text) - start > MAX_CHARACTERS:
            within = [end for end in ends if start < end <= start + MAX_CHARACTERS]
            end = within[-1] if within else text.rfind(" ", start, start + MAX_CHARACTERS) + 1 or start
            end = end if end > start else start + MAX_CHARACTERS
            yield replace(strand, text=text[start:end], lines=clipped(strand.lines, text, start, end))
            start = end
    if start:
        strand = replace(strand, text=text[start:], lines=clipped(strand.lines, text, start, len(text)))
    if strand.text:
        yield strand


def _placed(lines: Sequence[Line]) -> tuple[str, tuple[PlacedLine, ...]]:
    parts: list[str] = []
    placed: list[PlacedLine] = []
    at = 0
    for number, line in enumerate(lines):
        placed.append(PlacedLine(at, at + len(line.text), line.page, line.box, line.starts))
        gap = line.gap if number + 1 < len(lines) else ""
        parts += (line.text, gap)
        at += len(line.text) + len(gap)
    return "".join(parts), tuple(placed)


def _spellings(lines: Iterable[Line]) -> tuple[str, ...]:
    return tuple(spelling for line in lines for spelling in line.spellings)


def _table(block: Block) -> Iterator[Strand]:
    rows = block.full_rows()
    table = Table(_column_names(rows, block.columns))
    if block.caption:
        text, lines = _placed(block.caption)
        yield Strand(text.replace("\n", " "), lines, block.kind, table=table, spellings=_spellings(block.caption))
    for own, row in zip(block.rows, rows, strict=True):
        if any(cell.lines for cell in own.cells):
            yield _row(own, row, table)


def _row(own: Row, row: Row, table: Table) -> Strand:
    """A row with its own cells and those that reach into it, which only repeat what stands in an earlier row."""
    parts: list[str] = []
    lines: list[PlacedLine] = []
    cells: list[PlacedCell] = []
    at = 0
    by_column = {cell.column: cell for cell in row.cells}
    for column in range(len(table.columns)):
        if column:
            parts.append(CELL_SEPARATOR)
            at += len(CELL_SEPARATOR)
        cell = by_column.get(column)
        if cell is None:
            continue
        text, placed = _placed(cell.lines)
        parts.append(text.replace("\n", " "))
        repeats = cell not in own.cells
        lines += (replace(line, start=line.start + at, end=line.end + at, is_repeated=repeats) for line in placed)
        cells.append(PlacedCell(at, at + len(text), column, cell.columns, cell.is_header or row.is_header))
        at += len(text)
    text = "".join(parts)
    spellings = _spellings(line for cell in row.cells for line in cell.lines)
    placed_row = PlacedRow(0, len(text), tuple(cells), row.is_header)
    return Strand(text, tuple(lines), BlockKind.TABLE, table=table, row=placed_row, spellings=spellings)


def _column_names(rows: Sequence[Row], count: int) -> tuple[str, ...]:
    """What each column is called: the texts of the header cells above it, from top to bottom, each once."""
    names: list[dict[str, None]] = [{} for _ in range(count)]
    for row in rows:
        if not row.is_header:
            break
        for cell in row.cells:
            for column in range(cell.column, min(cell.column + cell.columns, count)):
                if text := cell.text:
                    names[column][text] = None
    return tuple(" ".join(name) for name in names)
