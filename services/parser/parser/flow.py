"""What a format without pages is read into: a stream of elements, which typesetting puts on pages."""

from __future__ import annotations

from dataclasses import dataclass, field

from atoll.domain.block import BlockKind

BULLET = "\N{BULLET}"


@dataclass(frozen=True, slots=True)
class CellElement:
    """A cell to be: its text, the column it begins in (from 0), and how many columns and rows it spans.

    Of a sheet, ``address``, ``value`` and ``formula`` as in `atoll.domain.block.Cell`.
    """

    text: str
    column: int
    columns: int = 1
    rows: int = 1
    is_header: bool = False
    address: str = ""
    value: str = ""
    formula: str = ""


@dataclass(frozen=True, slots=True)
class Element:
    """One block to be, or one row of a table: clean text in logical order; a line break in it starts a new line.

    ``level`` is 1 to 6 for headings and the depth, from 0, for list items and quotes. ``marker`` is a list item's
    bullet, number or letter as it is printed. Elements with the same ``table`` make one: captions, and rows of
    ``cells``. ``sheet`` is the name of the sheet that a table stands in. ``spellings`` are others that are
    searched as well, as in `atoll.domain.block.Line`. With ``page_label`` the element begins a new page that is called
    so ("Slide 3"), and so do the pages that it goes on to.
    """

    kind: BlockKind
    text: str = ""
    level: int = 0
    marker: str = ""
    cells: tuple[CellElement, ...] = ()
    table: int = 0
    is_header: bool = False
    sheet: str = ""
    spellings: tuple[str, ...] = ()
    page_label: str = ""


@dataclass(slots=True)
class Grid:
    """Finds the columns of a table's cells, row after row: cells of earlier rows may reach into later ones."""

    _reaching: dict[int, int] = field(default_factory=dict)

    def place(self, cells: list[CellElement]) -> tuple[CellElement, ...]:
        """The next row's cells, given in their order, each in its column."""
        taken = {column for column, rows in self._reaching.items() if rows > 0}
        placed: list[CellElement] = []
        reaching = {column: rows - 1 for column, rows in self._reaching.items() if rows > 1}
        column = 0
        for cell in cells:
            while column in taken:
                column += 1
            width = next((n for n in range(1, cell.columns) if column + n in taken), cell.columns)
            placed.append(
                CellElement(cell.text, column, width, cell.rows, cell.is_header, cell.address, cell.value, cell.formula)
            )
            if cell.rows > 1:
                reaching |= dict.fromkeys(range(column, column + width), cell.rows - 1)
            column += width
        self._reaching = reaching
        return tuple(placed)


def row_of(texts: list[str], table: int, *, is_header: bool = False) -> Element:
    """A row without merged cells."""
    cells = tuple(CellElement(text, column, is_header=is_header) for column, text in enumerate(texts))
    return Element(BlockKind.TABLE, cells=cells, table=table, is_header=is_header)
