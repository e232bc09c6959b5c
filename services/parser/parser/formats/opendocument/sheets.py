"""Sheets of an OpenDocument spreadsheet; what their cells show stands in the file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from atoll.domain.block import BlockKind
from parser.flow import Element
from parser.formats.opendocument.names import OFFICE, TABLE, whole
from parser.formats.sheets.cells import column_name
from parser.formats.sheets.tables import SheetCell, SheetRow, Tables
from parser.text import on_one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from parser.collector import Collector
    from parser.formats.opendocument.body import Body

#: Rows and cells that a file says are repeated are counted, and read at most so often.
_MOST_REPEATED = 1000
_MOST_SHEETS = 1000
_SHOWN_HIDDEN = 2000
_LABEL_CHARACTERS = 40
_GROUPS = frozenset(f"{TABLE}{name}" for name in ("table-rows", "table-row-group", "table-header-rows"))
_VALUES = ("value", "date-value", "time-value", "boolean-value")


def elements(book: Any, body: Body, collector: Collector) -> Iterator[Element]:
    """The tables of each sheet that is shown."""
    sheets = list(book.iterchildren(f"{TABLE}table"))[:_MOST_SHEETS]
    are_named = len(sheets) > 1
    for sheet in sheets:
        name = on_one_line(sheet.get(f"{TABLE}name", ""))
        reader = _Reader(body)
        if body.styles.property("table", sheet.get(f"{TABLE}style-name"), f"{TABLE}display") == "false":
            words = " ".join(cell.text for row in reader.rows(sheet) for cell in row.cells)
            collector.skip("hidden", None, None, on_one_line(words)[:_SHOWN_HIDDEN])
            collector.warn("hidden_sheet", f"the sheet {name} is hidden; it is left out of searches")
            continue
        if are_named:
            yield Element(BlockKind.HEADING, name, level=1, page_label=name[:_LABEL_CHARACTERS])
        tables = Tables(name, body.last_table)
        for element in tables.elements(reader.rows(sheet)):
            for cell in element.cells:
                collector.look_for_hiding(cell.text)
            yield element
        body.last_table = tables.count
        for shapes in sheet.iterchildren(f"{TABLE}shapes"):
            yield from body.blocks(shapes)
        if hidden := on_one_line(" ".join(reader.hidden)):
            collector.skip("hidden", None, None, hidden[:_SHOWN_HIDDEN])
            collector.warn("hidden_text", f"the sheet {name} has hidden rows or columns; they are left out of searches")


class _Reader:
    """The rows of one sheet that are shown and hold something."""

    def __init__(self, body: Body) -> None:
        self.hidden: list[str] = []
        self._body = body
        self._row = 0
        self._shown = 0
        self._hidden_columns: set[int] = set()

    def rows(self, sheet: Any) -> Iterator[SheetRow]:
        self._take_columns(sheet)
        yield from self._rows(sheet, is_header=False)

    def _rows(self, parent: Any, *, is_header: bool) -> Iterator[SheetRow]:
        for child in parent.iterchildren():
            if child.tag in _GROUPS:
                yield from self._rows(child, is_header=is_header or child.tag == f"{TABLE}table-header-rows")
            elif child.tag == f"{TABLE}table-row":
                repeated = max(1, whole(child.get(f"{TABLE}number-rows-repeated"), 1))
                is_shown = child.get(f"{TABLE}visibility", "visible") == "visible"
                for number in range(min(repeated, _MOST_REPEATED)):
                    cells = self._cells(child, self._row + number)
                    if not cells:
                        break
                    if is_shown:
                        yield SheetRow(
                            self._row + number, self._shown + number, cells, is_header, _is_bold(self._body, child)
                        )
                    else:
                        self.hidden += (cell.text for cell in cells)
                self._row += repeated
                self._shown += repeated if is_shown else 0

    def _cells(self, row: Any, number: int) -> list[SheetCell]:
        cells: list[SheetCell] = []
        column = 0
        for cell in row.iterchildren(f"{TABLE}table-cell", f"{TABLE}covered-table-cell"):
            repeated = max(1, whole(cell.get(f"{TABLE}number-columns-repeated"), 1))
            text = "" if "covered" in cell.tag else self._body.plain(cell)
            for at in range(column, column + min(repeated, _MOST_REPEATED) if text else column):
                if at in self._hidden_columns:
                    self.hidden.append(text)
                    continue
                last_column = at + max(1, whole(cell.get(f"{TABLE}number-columns-spanned"), 1)) - 1
                last_row = number + max(1, whole(cell.get(f"{TABLE}number-rows-spanned"), 1)) - 1
                value = next((found for name in _VALUES if (found := cell.get(f"{OFFICE}{name}"))), "")
                formula = cell.get(f"{TABLE}formula", "").removeprefix("of:")
                cells.append(
                    SheetCell(
                        text, at, last_column, last_row, f"{column_name(at)}{number + 1}",
                        "" if value == text else value, formula,
                    )
                )  # fmt: skip
            column += repeated
        return cells

    def _take_columns(self, sheet: Any) -> None:
        column = 0
        for each in sheet.iter(f"{TABLE}table-column"):
            repeated = max(1, whole(each.get(f"{TABLE}number-columns-repeated"), 1))
            if each.get(f"{TABLE}visibility", "visible") != "visible":
                self._hidden_columns.update(range(column, column + min(repeated, _MOST_REPEATED)))
            column += repeated


def _is_bold(body: Body, row: Any) -> bool:
    cells = [cell for cell in row.iterchildren(f"{TABLE}table-cell") if len(cell)]
    looks = [body.styles.look("table-cell", cell.get(f"{TABLE}style-name")) for cell in cells]
    return bool(looks) and all(look.is_bold for look in looks)
