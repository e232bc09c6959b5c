"""From the rows of a sheet to its tables: where one ends, what stands over it, and which rows name its columns."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from atoll.domain.block import BlockKind
from parser.flow import CellElement, Element
from parser.table_shape import header_rows, is_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

#: A longer table is given in parts of so many rows, each with the header, so that memory does not follow its length.
_ROWS_AT_ONCE = 2000
_MOST_TITLES = 3
_LONG_TEXT = 60
_MOST_SPAN = 1000
#: Part of a table's columns that rows after a blank row must fill to go on under its header.
_SAME_COLUMNS = 0.6
_LEAST_COLUMNS = 2
#: Rows by which header rows are told.
_LOOKED_AT = 50


@dataclass(slots=True)
class SheetCell:
    """A cell with text: rows and columns count from 0; a merged one reaches to ``last_row`` and ``last_column``."""

    text: str
    column: int
    last_column: int
    last_row: int
    address: str = ""
    value: str = ""
    formula: str = ""


@dataclass(slots=True)
class SheetRow:
    """A row that is shown. ``position`` counts rows that are shown, so that hidden ones part nothing."""

    row: int
    position: int
    cells: list[SheetCell]
    is_header: bool = False
    is_emphasised: bool = False


@dataclass(slots=True)
class _Table:
    """What a table that was passed on leaves for rows that go on under its header."""

    header: list[SheetRow] = field(default_factory=list)
    columns: list[int] = field(default_factory=list)


class Tables:
    """Passes the rows of one sheet on as elements; tables are numbered on from ``first_table``.

    ``names_first`` says that the first row is expected to name the columns, as in files of delimited text.
    """

    def __init__(self, sheet: str, first_table: int = 0, *, names_first: bool = False) -> None:
        self.count = first_table
        self._sheet = sheet
        self._names_first = names_first
        self._before = _Table()

    def elements(self, rows: Iterable[SheetRow]) -> Iterator[Element]:
        """The tables, and paragraphs where text stands alone, from top to bottom."""
        band: list[SheetRow] = []
        continues = False
        for row in rows:
            if band and not _follows(band, row):
                yield from self._band(band, continues=continues)
                band, continues = [], False
            elif len(band) == _ROWS_AT_ONCE:
                yield from self._band(band, continues=continues)
                band, continues = [], True
            band.append(row)
        if band:
            yield from self._band(band, continues=continues)

    def _band(self, rows: list[SheetRow], *, continues: bool) -> Iterator[Element]:
        if continues:
            yield from self._table(rows, 0, ())
            return
        columns = _columns(rows)
        if len(columns) == 1 and (len(rows) <= 2 or any(len(row.cells[0].text) >= _LONG_TEXT for row in rows)):  # noqa: PLR2004
            for row in rows:
                yield Element(BlockKind.PARAGRAPH, row.cells[0].text)
            return
        titles = _titles(rows)
        yield from self._side_by_side(rows[titles:], [row.cells[0].text for row in rows[:titles]])

    def _side_by_side(self, rows: list[SheetRow], captions: Sequence[str]) -> Iterator[Element]:
        """One table, or several that stand beside each other with an empty column and a header each."""
        parts = _parted(rows)
        if len(parts) > 1 and all(self._headers(part) for part in parts):
            for text in captions:
                yield Element(BlockKind.PARAGRAPH, text)
            for part in parts:
                yield from self._table(part, self._headers(part), ())
        else:
            yield from self._table(rows, self._headers(rows), captions)

    def _table(self, rows: list[SheetRow], headers: int, captions: Sequence[str]) -> Iterator[Element]:
        columns = _columns(rows)
        inherited: list[SheetRow] = []
        if not headers and self._before.header and _same(columns, self._before.columns):
            inherited = self._before.header
            columns = _columns([*inherited, *rows])
        else:
            self._before = _Table(rows[:headers] or _names_alone(rows), columns)
        self.count += 1
        for text in captions:
            yield Element(BlockKind.CAPTION, text, table=self.count)
        shown = [row.row for row in rows]
        for row in inherited:
            yield self._row(row, columns, [row.row], is_header=True)
        for number, row in enumerate(rows):
            yield self._row(row, columns, shown, is_header=number < headers)

    def _row(self, row: SheetRow, columns: list[int], shown: list[int], *, is_header: bool) -> Element:
        cells = []
        for cell in row.cells:
            column = bisect_left(columns, cell.column)
            width = max(1, bisect_right(columns, cell.last_column) - column)
            height = max(1, bisect_right(shown, cell.last_row) - bisect_left(shown, row.row))
            cells.append(
                CellElement(
                    cell.text,
                    column,
                    width,
                    min(height, _MOST_SPAN),
                    address=cell.address,
                    value=cell.value,
                    formula=cell.formula,
                )
            )
        return Element(BlockKind.TABLE, cells=tuple(cells), table=self.count, is_header=is_header, sheet=self._sheet)

    def _headers(self, rows: list[SheetRow]) -> int:
        """How many rows at the top name the columns."""
        marked = next((at for at, row in enumerate(rows) if not row.is_header), len(rows))
        if 0 < marked < len(rows):
            return marked
        columns = _columns(rows)
        shown = [row.row for row in rows]
        looked_at = [self._row(row, columns, shown, is_header=False).cells for row in rows[:_LOOKED_AT]]
        emphasised = next((at for at, row in enumerate(rows) if not row.is_emphasised), 0)
        found = header_rows(looked_at, emphasised=emphasised)
        if not found and self._names_first and len(rows) > 1:
            texts = [cell.text for cell in looked_at[0]]
            is_full = len(texts) == len(columns) >= _LEAST_COLUMNS and len(set(texts)) == len(texts)
            return int(is_full and all(map(is_name, texts)))
        return found


def _follows(band: list[SheetRow], row: SheetRow) -> bool:
    """Whether a row belongs to the rows before it: no blank row between them, or a merged cell over it."""
    if row.position - band[-1].position <= 1:
        return True
    return any(cell.last_row >= row.row for each in band[-_LOOKED_AT:] for cell in each.cells)


def _columns(rows: Iterable[SheetRow]) -> list[int]:
    """The columns in which something begins, in order; others are left out."""
    return sorted({cell.column for row in rows for cell in row.cells})


def _titles(rows: list[SheetRow]) -> int:
    """How many rows at the top are titles: one text alone over rows of several cells."""
    count = 0
    while count < min(_MOST_TITLES, len(rows)) and len(rows[count].cells) == 1 and is_name(rows[count].cells[0].text):
        count += 1
    if count == len(rows) or len(rows[count].cells) < _LEAST_COLUMNS:
        return 0
    return count


def _names_alone(rows: list[SheetRow]) -> list[SheetRow]:
    """A single row of names, which may be the header of rows after a blank one."""
    if len(rows) == 1 and len(rows[0].cells) >= _LEAST_COLUMNS and all(is_name(cell.text) for cell in rows[0].cells):
        return rows
    return []


def _same(columns: list[int], others: list[int]) -> bool:
    return (
        len(columns) >= _LEAST_COLUMNS and set(columns) <= set(others) and len(columns) >= _SAME_COLUMNS * len(others)
    )


def _parted(rows: list[SheetRow]) -> list[list[SheetRow]]:
    """The rows, parted where a column is empty in all of them and two or more columns stand on either side."""
    taken: set[int] = set()
    for row in rows:
        for cell in row.cells:
            taken.update(range(cell.column, min(cell.last_column, cell.column + _MOST_SPAN) + 1))
    groups: list[list[int]] = []
    for column in sorted(taken):
        if groups and column - groups[-1][-1] == 1:
            groups[-1].append(column)
        else:
            groups.append([column])
    if len(groups) < 2 or any(len(group) < _LEAST_COLUMNS for group in groups):  # noqa: PLR2004
        return [rows]
    parts = []
    for group in groups:
        part = []
        for row in rows:
            cells = [cell for cell in row.cells if group[0] <= cell.column <= group[-1]]
            if cells:
                part.append(SheetRow(row.row, row.position, cells, row.is_header, row.is_emphasised))
        parts.append(part)
    return parts
