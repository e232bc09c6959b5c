"""Where the characters of a passage stand: its lines on their pages, and the rows and cells of its tables."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from atoll.domain.page import Box, Place

_WORD = re.compile(r"[^ ]+")


@dataclass(frozen=True, slots=True)
class PlacedLine:
    """A line of a passage, or of one of its cells: ``text[start:end]`` of the passage, and where it is seen.

    ``starts`` are those of `atoll.domain.block.Line`. ``is_repeated`` marks what the passage repeats so that it can
    be understood alone: the caption and the header of a table whose beginning stands in an earlier passage.
    """

    start: int
    end: int
    page: int
    box: Box
    starts: tuple[int, ...] = ()
    is_repeated: bool = False

    def clipped(self, text: str, start: int, end: int) -> PlacedLine | None:
        """The part of the line within a span of the passage's ``text``, or None; without ``starts`` the box stays."""
        first, last = max(start, self.start), min(end, self.end)
        if first >= last:
            return None
        if (first, last) == (self.start, self.end):
            return self
        line = replace(self, start=first, end=last)
        words = [match.span() for match in _WORD.finditer(text, self.start, self.end)]
        inside = [at for at, (begins, ends) in enumerate(words) if begins < last and ends > first]
        if not inside or len(self.starts) != len(words):
            return line
        ahead, behind = inside[0], inside[-1] + 1
        from_edge = [*map(abs, self.starts), self.box.x1 - self.box.x0]
        begins_at = from_edge[ahead] + _within(words[ahead], first, from_edge[ahead + 1] - from_edge[ahead])
        # What follows begins a blank further on; a word that is cut ends where its last character does.
        ends_at = from_edge[behind] - (_BLANK * self._height if behind < len(words) else 0.0)
        if last < words[behind - 1][1]:
            ends_at = from_edge[behind - 1] + _within(words[behind - 1], last, ends_at - from_edge[behind - 1])
        ends_at = max(ends_at, begins_at + 1)
        if self.starts[-1] < 0 or self.starts[0] < 0:
            box = Box(self.box.x1 - ends_at, self.box.y0, self.box.x1 - begins_at, self.box.y1)
        else:
            box = Box(self.box.x0 + begins_at, self.box.y0, self.box.x0 + ends_at, self.box.y1)
        shift = self.starts[ahead]
        return replace(line, box=box.rounded(), starts=tuple(at - shift for at in self.starts[ahead:behind]))

    @property
    def _height(self) -> float:
        return self.box.y1 - self.box.y0


#: White between two words, in line heights.
_BLANK = 0.22


def _within(word: tuple[int, int], position: int, width: float) -> float:
    """How far into a word a position lies, in points; letters count alike."""
    begins, ends = word
    return width * max(0, position - begins) / (ends - begins)


@dataclass(frozen=True, slots=True)
class PlacedCell:
    """A cell's text in the passage; ``column`` counts from 0, ``columns`` are spanned. ``start == end`` if empty."""

    start: int
    end: int
    column: int
    columns: int = 1
    is_header: bool = False


@dataclass(frozen=True, slots=True)
class PlacedRow:
    """A row, or the part of one that is too long for a passage: its text in the passage and its cells."""

    start: int
    end: int
    cells: tuple[PlacedCell, ...]
    is_header: bool = False


@dataclass(frozen=True, slots=True)
class PlacedTable:
    """A table, or the part of one that stands in a passage.

    ``columns`` names each column by its header cells from top to bottom ("Autumn flow"), also where the header is too
    long to be repeated in the text. ``caption`` is its span in the text, or None.
    """

    columns: tuple[str, ...]
    rows: tuple[PlacedRow, ...]
    caption: tuple[int, int] | None = None

    def names_of(self, cell: PlacedCell) -> str:
        """The header of the columns that a cell stands in, each name once."""
        return " ".join(dict.fromkeys(filter(None, self.columns[cell.column : cell.column + cell.columns])))


@dataclass(frozen=True, slots=True)
class PassageLayout:
    """Where a passage's text stands. ``spellings`` are others that are searched as well."""

    lines: tuple[PlacedLine, ...] = ()
    tables: tuple[PlacedTable, ...] = ()
    spellings: tuple[str, ...] = ()

    def places(self, text: str, start: int, end: int) -> tuple[Place, ...]:
        """Where ``text[start:end]`` of the passage is seen, a place a line, in reading order."""
        clipped = (line.clipped(text, start, end) for line in self.lines)
        return tuple(Place(line.page, line.box) for line in clipped if line is not None)

    def row_at(self, position: int) -> tuple[PlacedTable, PlacedRow] | None:
        """The table's row that holds a character of the passage, if it is in one."""
        for table in self.tables:
            for row in table.rows:
                if row.start <= position < row.end:
                    return table, row
        return None

    def boxes(self, page: int) -> tuple[Box, ...]:
        """What the passage covers of a page, without what it repeats.

        Lines that follow each other in a column are one box, and so is a table's row with the rows next to it.
        """
        rows = sorted((row.start, row.end) for table in self.tables for row in table.rows)
        found: list[Box] = []
        at, inside = 0, -1
        for line in self.lines:
            if line.page != page or line.is_repeated:
                continue
            while at < len(rows) and rows[at][1] <= line.start:
                at += 1
            row = at if at < len(rows) and rows[at][0] <= line.start else -1
            if row >= 0 and row == inside:
                found[-1] = found[-1].union(line.box)
            else:
                found.append(line.box)
            inside = row
        return merged(found)

    def to_json(self) -> str:
        """As JSON text: [lines, tables, spellings], fields in their order."""
        plain = [
            [[line.start, line.end, line.page, *line.box, line.starts, int(line.is_repeated)] for line in self.lines],
            [
                [
                    table.columns,
                    [[row.start, row.end, int(row.is_header), list(map(_cell_out, row.cells))] for row in table.rows],
                    table.caption,
                ]
                for table in self.tables
            ],
            self.spellings,
        ]
        return json.dumps(plain, ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> PassageLayout:
        """Return what ``to_json`` wrote."""
        lines, tables, spellings = json.loads(text)
        return cls(
            tuple(
                PlacedLine(start, end, page, Box(x0, y0, x1, y1), tuple(starts), bool(repeated))
                for start, end, page, x0, y0, x1, y1, starts, repeated in lines
            ),
            tuple(
                PlacedTable(
                    tuple(columns),
                    tuple(
                        PlacedRow(start, end, tuple(map(_cell_in, cells)), bool(header))
                        for start, end, header, cells in rows
                    ),
                    None if caption is None else (caption[0], caption[1]),
                )
                for columns, rows, caption in tables
            ),
            tuple(spellings),
        )


def merged(boxes: Sequence[Box]) -> tuple[Box, ...]:
    """Join the boxes of lines that follow each other downwards in one column."""
    found: list[Box] = []
    for box in boxes:
        if found and _continues(found[-1], box):
            found[-1] = found[-1].union(box)
        else:
            found.append(box)
    return tuple(found)


def _continues(above: Box, below: Box) -> bool:
    height = below.y1 - below.y0
    overlap = min(above.x1, below.x1) - max(above.x0, below.x0)
    return -height / 2 <= below.y0 - above.y1 <= height and overlap > 0


def _cell_out(cell: PlacedCell) -> list[int]:
    return [cell.start, cell.end, cell.column, cell.columns, int(cell.is_header)]


def _cell_in(value: Sequence[int]) -> PlacedCell:
    start, end, column, columns, is_header = value
    return PlacedCell(start, end, column, columns, bool(is_header))
