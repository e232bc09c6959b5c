"""Rows of tables as text: the row's name, the column's name, the value; not cells that nobody can place."""

from __future__ import annotations

from collections.abc import Sequence

from atoll.query.answer.units import TableRow, Unit

_LONGEST_CAPTION = 120


def rendered(unit: Unit, columns: Sequence[int] = ()) -> str:
    """Return a unit as it is shown; of a row only the ``columns``, if any are named, under the row's name."""
    if unit.row is None:
        return unit.text
    return _row(unit.row, columns)


def _row(row: TableRow, columns: Sequence[int]) -> str:
    label_at = next((at for at, cell in enumerate(row.cells) if cell), 0)
    wanted = [at for at in columns if at != label_at and row.cells[at]]
    if wanted:
        values = "; ".join(_named(row, at) for at in wanted)
        label = _label(row, label_at)
        text = f"{label}, {values}" if label else values
    elif any(row.header):
        text = "; ".join(_named(row, at) for at, cell in enumerate(row.cells) if cell)
    else:
        text = ", ".join(cell for cell in row.cells if cell)
    if row.caption and any(row.header) and len(row.caption) <= _LONGEST_CAPTION:
        text += f" ({row.caption.rstrip(':')})"
    return text


def _label(row: TableRow, at: int) -> str:
    """Return what the row is about; a bare number says nothing without the name of its column: "Unit 12"."""
    label, name = row.cells[at], row.header[at].rstrip(":")
    return f"{name} {label}" if name and not any(map(str.isalpha, label)) else label


def _named(row: TableRow, at: int) -> str:
    name = row.header[at].rstrip(":")
    return f"{name}: {row.cells[at]}" if name and name != row.cells[at] else row.cells[at]
