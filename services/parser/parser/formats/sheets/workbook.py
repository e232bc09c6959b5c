"""Workbooks (Office Open XML): sheets with and without macros, templates, transitional and Strict."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from atoll.domain.block import BlockKind
from atoll.errors import DocumentUnreadable
from parser.charts import chart_rows
from parser.flow import Element
from parser.formats.sheets.cells import Looks, Marks, SheetReader, Told, is_true, place_of, whole
from parser.formats.sheets.styles import S, looks_of, strings_of
from parser.formats.sheets.tables import Tables
from parser.opc import A, Package, R
from parser.text import flowing, on_one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from parser.collector import Collector

_WHAT, _OLD = "a workbook", "the old Excel format: save it as .xlsx"
_MOST_SHEETS = 1000
_SHOWN_HIDDEN = 2000
_LABEL_CHARACTERS = 40
_DRAWING = "{http://schemas.openxmlformats.org/drawingml/2006/spreadsheetDrawing}"
_CHART = "{http://schemas.openxmlformats.org/drawingml/2006/chart}chart"
#: Names that programs give to sheets that nobody has named.
_UNNAMED = re.compile(
    r"(?:Sheet|Tabelle|Feuil|Feuille|Hoja|Foglio|Planilha|Blad|Arkusz|List|Лист)\s?\d{0,3}", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class _Sheet:
    name: str
    part: str
    is_hidden: bool


def elements(data: bytes, collector: Collector) -> Iterator[Element]:
    """The tables of each sheet that is shown, then its charts and text boxes; what is hidden is only told.

    Raises:
        DocumentUnreadable: the bytes are no workbook.
        DocumentTooLarge: it inflates to too much, or holds too much text.
    """
    package = Package(data, collector.limits, what=_WHAT, old=_OLD)
    main = package.main
    if main is None or b"spreadsheetml" not in package.read(main)[:65536]:
        raise DocumentUnreadable("the file is no readable workbook: open it in Excel and save it again")
    collector.title = package.title
    root = package.xml(main)
    properties = root.find(f"{S}workbookPr")
    from_1904 = properties is not None and is_true(properties.get("date1904"))
    book = _Book(package, collector, strings_of(package, main, collector.limits))
    book.looks = looks_of(package, main, from_1904=from_1904)
    sheets = _sheets(package, main, root)
    shown = [sheet.name for sheet in sheets if not sheet.is_hidden]
    are_named = len(shown) > 1 or not all(map(_UNNAMED.fullmatch, shown))
    for sheet in sheets:
        if sheet.is_hidden:
            book.hide(sheet)
        else:
            yield from book.elements(sheet, is_named=are_named)


def _sheets(package: Package, main: str, root: Any) -> list[_Sheet]:
    relations = package.relations(main)
    found = []
    for each in list(root.iterfind(f"{S}sheets/{S}sheet"))[:_MOST_SHEETS]:
        relation = relations.get(each.get(f"{R}id", ""))
        if relation is not None and not relation.is_external and package.has(relation.target):
            is_hidden = each.get("state", "visible") != "visible"
            found.append(_Sheet(on_one_line(each.get("name", "")), relation.target, is_hidden))
    return found


class _Book:
    def __init__(self, package: Package, collector: Collector, strings: list[str]) -> None:
        self.looks = Looks()
        self._package = package
        self._collector = collector
        self._strings = strings
        self._table = 0

    def elements(self, sheet: _Sheet, *, is_named: bool) -> Iterator[Element]:
        """What a sheet shows."""
        if is_named:
            yield Element(BlockKind.HEADING, sheet.name, level=1, page_label=sheet.name[:_LABEL_CHARACTERS])
        reader = self._reader(sheet)
        tables = Tables(sheet.name, self._table)
        with self._package.open(sheet.part) as file:
            for element in tables.elements(reader.rows(file)):
                for cell in element.cells:
                    self._collector.look_for_hiding(cell.text)
                yield element
        self._table = tables.count
        yield from self._drawn(sheet.part)
        self._tell(sheet.name, reader.told)
        if self._package.related(sheet.part, "comments", "threadedComment"):
            self._collector.warn("part_not_read", f"the sheet {sheet.name} has comments, which are not read")

    def hide(self, sheet: _Sheet) -> None:
        """Leave a hidden sheet's beginning among what is skipped, and tell of it."""
        reader = self._reader(sheet)
        texts: list[str] = []
        with self._package.open(sheet.part) as file:
            for row in reader.rows(file):
                texts += (cell.text for cell in row.cells)
                if sum(map(len, texts)) > _SHOWN_HIDDEN:
                    break
        self._collector.skip("hidden", None, None, on_one_line(" ".join(texts))[:_SHOWN_HIDDEN])
        self._collector.warn("hidden_sheet", f"the sheet {sheet.name} is hidden; it is left out of searches")

    def _reader(self, sheet: _Sheet) -> SheetReader:
        with self._package.open(sheet.part) as file:
            marks = Marks.scanned(file)
        for name in self._package.related(sheet.part, "table"):
            table = self._package.xml(name)
            place = place_of(table.get("ref", "").partition(":")[0])
            if place:
                count = whole(table.get("headerRowCount", "1")) or 0
                marks.header_rows.update(range(place[0], place[0] + min(count, 10)))
        return SheetReader(self._strings, self.looks, marks)

    def _drawn(self, part: str) -> Iterator[Element]:
        """Charts, as tables of their values, and text boxes."""
        for name in self._package.related(part, "drawing"):
            root, relations = self._package.xml(name), self._package.relations(name)
            for shape in root.iter(f"{_DRAWING}sp", f"{_DRAWING}graphicFrame", f"{_DRAWING}pic"):
                for chart in shape.iter(_CHART):
                    relation = relations.get(chart.get(f"{R}id", ""))
                    if relation and not relation.is_external and self._package.has(relation.target):
                        self._table += 1
                        yield from chart_rows(self._package.xml(relation.target), self._table)
                texts = ("".join(run.text or "" for run in each.iter(f"{A}t")) for each in shape.iter(f"{A}p"))
                if text := flowing("\n".join(texts)):
                    yield Element(BlockKind.PARAGRAPH, text)
                elif shape.tag == f"{_DRAWING}pic":
                    described = [each.get("descr", "") for each in shape.iter(f"{_DRAWING}cNvPr")]
                    if alt := on_one_line(" ".join(described)):
                        yield Element(BlockKind.FIGURE, alt)

    def _tell(self, name: str, told: Told) -> None:
        hidden = on_one_line(" ".join(told.hidden))
        if hidden:
            what = f"{told.hidden_rows} hidden rows" if told.hidden_rows else "hidden columns"
            what += " and hidden columns" if told.hidden_rows and told.hidden_columns else ""
            self._collector.skip("hidden", None, None, hidden[:_SHOWN_HIDDEN])
            self._collector.warn("hidden_text", f"the sheet {name} has {what}; they are left out of searches")
        if told.never_calculated:
            self._collector.warn(
                "never_calculated",
                f"{told.never_calculated} formulas of the sheet {name} were never calculated: open it in a "
                "spreadsheet program, save it and upload it again",
            )
