"""Sets nested values as tables: records of a kind become rows, the fields of one record name and value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from atoll.domain.block import BlockKind
from parser.flow import CellElement, Element
from parser.text import flowing, on_one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

#: Deeper values are written as one text.
_DEEPEST = 30
_ROWS_AT_ONCE = 2000
_MOST_COLUMNS = 200
_PARTED = " \u203a "


class Values:
    """Tables of one file, numbered through it."""

    def __init__(self) -> None:
        self._table = 0

    def elements(self, value: Any, name: str = "", depth: int = 0) -> Iterator[Element]:
        """A value and what it holds; ``name`` is the way to it."""
        if isinstance(value, dict):
            yield from self._record(value, name, depth)
        elif isinstance(value, list) and value and all(isinstance(each, dict) for each in value):
            yield from self._records(value, name, depth)
        elif isinstance(value, list) and any(isinstance(each, dict | list) for each in value) and depth < _DEEPEST:
            for number, each in enumerate(value, start=1):
                yield from self.elements(each, f"{name} {number}".strip(), depth + 1)
        elif text := shown(value):
            yield Element(BlockKind.PARAGRAPH, f"{name}: {text}" if name else text)

    def _record(self, record: dict[str, Any], name: str, depth: int) -> Iterator[Element]:
        plain = {key: shown(value) for key, value in record.items() if is_plain(value) or depth >= _DEEPEST}
        if any(plain.values()):
            self._table += 1
            yield from self._caption(name)
            for key, text in plain.items():
                if text:
                    cells = (CellElement(on_one_line(str(key)), 0, is_header=True), CellElement(text, 1))
                    yield Element(BlockKind.TABLE, cells=cells, table=self._table)
        for key, value in record.items():
            if key not in plain:
                yield from self.elements(value, _PARTED.join(filter(None, (name, on_one_line(str(key))))), depth + 1)

    def _records(self, records: Sequence[dict[str, Any]], name: str, depth: int) -> Iterator[Element]:
        """Records as rows if each field of them is plain, else one after the other."""
        columns = list(dict.fromkeys(key for record in records for key in record))
        if len(columns) > _MOST_COLUMNS or not all(is_plain(value) for each in records for value in each.values()):
            for number, record in enumerate(records, start=1):
                yield from self.elements(record, f"{name} {number}".strip(), depth + 1)
            return
        for start in range(0, len(records), _ROWS_AT_ONCE):
            self._table += 1
            yield from self._caption(name)
            header = tuple(CellElement(on_one_line(str(key)), at) for at, key in enumerate(columns))
            yield Element(BlockKind.TABLE, cells=header, table=self._table, is_header=True)
            for record in records[start : start + _ROWS_AT_ONCE]:
                cells = tuple(
                    CellElement(text, at) for at, key in enumerate(columns) if (text := shown(record.get(key)))
                )
                if cells:
                    yield Element(BlockKind.TABLE, cells=cells, table=self._table)

    def _caption(self, name: str) -> Iterator[Element]:
        if name:
            yield Element(BlockKind.CAPTION, name, table=self._table)


def is_plain(value: Any) -> bool:
    """Whether a value is a text, a number or a short list of them, rather than a record."""
    return not isinstance(value, dict) and not (
        isinstance(value, list) and any(isinstance(each, dict | list) for each in value)
    )


def shown(value: Any) -> str:
    """A value as text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ", ".join(filter(None, map(shown, value)))
    if isinstance(value, dict):
        return ", ".join(f"{key}: {text}" for key, each in value.items() if (text := shown(each)))
    return flowing(str(value))
