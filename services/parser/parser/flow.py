"""What a format without pages is read into: a stream of elements, which typesetting puts on pages."""

from __future__ import annotations

from dataclasses import dataclass

from atoll.domain.page import BlockKind

BULLET = "\N{BULLET}"
CELL_SEPARATOR = " | "


@dataclass(frozen=True, slots=True)
class Element:
    """One block to be: clean text in logical order; a line break in it starts a new line.

    ``level`` is 1 to 6 for headings and the depth, from 0, for list items and quotes. ``marker`` is a list item's
    bullet or number. ``cells`` are a table row's texts; rows with the same ``table`` share their columns.
    """

    kind: BlockKind
    text: str = ""
    level: int = 0
    marker: str = ""
    cells: tuple[str, ...] = ()
    table: int = 0
    is_header: bool = False
