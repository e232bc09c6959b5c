"""Tables of RTF: cells by the edges that their rows state, merged cells over what they span."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from atoll.domain.block import BlockKind
from parser.flow import CellElement, Element
from parser.table_shape import header_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

_MOST_COLUMNS = 500
#: Edges of different rows that are meant to be the same differ by so many twentieths of a point at most.
_SAME_EDGE = 60


@dataclass(slots=True)
class CellPlan:
    """How a row's cell is drawn: its right edge, and whether it goes on with the one to the left or above."""

    edge: int = 0
    joins_left: bool = False
    joins_above: bool = False


@dataclass(slots=True)
class Plan:
    """How a row is drawn: its left edge, its cells, and whether it is repeated on each page."""

    left: int = 0
    cells: list[CellPlan] = field(default_factory=list)
    is_header: bool = False
    begun: CellPlan = field(default_factory=CellPlan)

    def end_cell(self, edge: int) -> None:
        """A cell's right edge ends what is said of it."""
        self.begun.edge = edge
        if len(self.cells) < _MOST_COLUMNS:
            self.cells.append(self.begun)
        self.begun = CellPlan()


@dataclass(slots=True)
class _Cell:
    text: str
    start: int
    end: int
    rows: int = 1
    joins_above: bool = False


class Table:
    """The rows of one table until it ends."""

    def __init__(self) -> None:
        self._rows: list[tuple[list[_Cell], bool]] = []

    def add(self, plan: Plan, texts: list[str]) -> None:
        """Add a row; cells that nothing was said of stand one unit beside each other."""
        cells: list[_Cell] = []
        left = plan.left
        for number, text in enumerate(texts[:_MOST_COLUMNS]):
            said = plan.cells[number] if number < len(plan.cells) else CellPlan(left + 1440)
            edge = max(said.edge, left + 1)
            if said.joins_left and cells:
                cells[-1].end = edge
            else:
                cells.append(_Cell(text, left, edge, joins_above=said.joins_above))
            left = edge
        self._rows.append((cells, plan.is_header))

    def elements(self, number: int) -> Iterator[Element]:
        """The rows with their cells in columns."""
        edges = self._edges()
        above: dict[int, _Cell] = {}
        for cells, _ in self._rows:
            here: dict[int, _Cell] = {}
            for cell in cells:
                origin = above.get(cell.start)
                if cell.joins_above and origin is not None:
                    origin.rows += 1
                    here[cell.start] = origin
                else:
                    cell.joins_above = False
                    here[cell.start] = cell
            above = here
        rows = [[_placed(cell, edges) for cell in cells if not cell.joins_above] for cells, _ in self._rows]
        marked = next((at for at, (_, is_header) in enumerate(self._rows) if not is_header), 0)
        headers = marked or header_rows(rows)
        for at, row in enumerate(rows):
            if any(cell.text for cell in row):
                yield Element(BlockKind.TABLE, cells=tuple(row), table=number, is_header=at < headers)

    def _edges(self) -> list[int]:
        edges: list[int] = []
        for edge in sorted({edge for cells, _ in self._rows for cell in cells for edge in (cell.start, cell.end)}):
            if not edges or edge - edges[-1] > _SAME_EDGE:
                edges.append(edge)
        return edges


def _placed(cell: _Cell, edges: list[int]) -> CellElement:
    first, last = _nearest(cell.start, edges), _nearest(cell.end, edges)
    return CellElement(cell.text, first, max(1, last - first), cell.rows)


def _nearest(edge: int, edges: list[int]) -> int:
    at = bisect_left(edges, edge - _SAME_EDGE)
    return min(at, len(edges) - 1)
