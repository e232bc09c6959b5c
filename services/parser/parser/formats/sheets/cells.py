"""Reads the cells of a worksheet as they stream by: memory follows the longest row, not the sheet."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any

from lxml import etree

from atoll.errors import DocumentUnreadable
from parser.formats.sheets.dates import iso
from parser.formats.sheets.number_formats import is_date, plain_number, shown_number, shown_text
from parser.formats.sheets.tables import SheetCell, SheetRow
from parser.raised import lowered, raised
from parser.text import flowing

if TYPE_CHECKING:
    from collections.abc import Iterator

_REFERENCE = re.compile(r"\$?([A-Za-z]{1,3})\$?(\d{1,7})$")
_MERGED = re.compile(rb"""<(?:\w+:)?mergeCell\s[^>]*?\bref\s*=\s*["']([A-Z]{1,3}\d{1,7}:[A-Z]{1,3}\d{1,7})["']""")
_FILTER = re.compile(rb"""<(?:\w+:)?autoFilter\s[^>]*?\bref\s*=\s*["']([A-Z]{1,3}\d{1,7})\b""")
_SCANNED_BYTES = 1024 * 1024
_OVERLAP_BYTES = 512
_MOST_MERGED = 200_000
_MOST_FORMULAS = 50_000
_MOST_HIDDEN_CHARACTERS = 4000
_FROZEN_ROWS = 4
_ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")


@dataclass(frozen=True, slots=True)
class Looks:
    """What the workbook's styles say of a cell by its number: its format, and whether it is bold or struck out."""

    formats: tuple[str, ...] = ()
    bold: tuple[bool, ...] = ()
    from_1904: bool = False
    struck: tuple[bool, ...] = ()

    def format_of(self, style: int) -> str:
        """The number format of a style."""
        return self.formats[style] if 0 <= style < len(self.formats) else "General"

    def is_bold(self, style: int) -> bool:
        """Whether a style is bold."""
        return 0 <= style < len(self.bold) and self.bold[style]

    def is_struck(self, style: int) -> bool:
        """Whether what a style shows is struck out."""
        return 0 <= style < len(self.struck) and self.struck[style]


@dataclass(slots=True)
class Marks:
    """What stands after a sheet's cells but must be known before: merged ranges by their first cell, header rows."""

    merged: dict[tuple[int, int], tuple[int, int]] = field(default_factory=dict)
    header_rows: set[int] = field(default_factory=set)

    @classmethod
    def scanned(cls, file: IO[bytes]) -> Marks:
        """The marks of a worksheet's XML, found without building it."""
        marks, rest = cls(), b""
        while piece := file.read(_SCANNED_BYTES):
            text = rest + piece
            for found in _MERGED.finditer(text):
                first, _, last = found[1].decode("ascii").partition(":")
                start, end = place_of(first), place_of(last)
                if start and end and len(marks.merged) < _MOST_MERGED:
                    marks.merged[start] = end
            for found in _FILTER.finditer(text):
                if start := place_of(found[1].decode("ascii")):
                    marks.header_rows.add(start[0])
            rest = text[-_OVERLAP_BYTES:]
        return marks


@dataclass(slots=True)
class Told:
    """What a sheet's reader is told beside its tables."""

    hidden_rows: int = 0
    hidden_columns: int = 0
    hidden: list[str] = field(default_factory=list)
    hidden_characters: int = 0
    never_calculated: int = 0

    def hide(self, text: str) -> None:
        """Keep the beginning of what is hidden."""
        if text and self.hidden_characters < _MOST_HIDDEN_CHARACTERS:
            self.hidden.append(text)
            self.hidden_characters += len(text)


class SheetReader:
    """The rows of one worksheet. ``told`` is complete when they are."""

    def __init__(self, strings: list[str], looks: Looks, marks: Marks) -> None:
        self.told = Told()
        self._strings = strings
        self._looks = looks
        self._marks = marks
        self._hidden: list[tuple[int, int]] = []
        self._frozen = 0
        self._formulas: dict[str, str] = {}
        self._row = -1
        self._hidden_rows = 0

    def rows(self, file: IO[bytes]) -> Iterator[SheetRow]:
        """The rows that are shown and hold something.

        Raises:
            DocumentUnreadable: the part is no XML.
        """
        tags = ("{*}row", "{*}col", "{*}pane")
        try:
            for _, element in etree.iterparse(file, tag=tags, resolve_entities=False, no_network=True):
                match etree.QName(element).localname:
                    case "row":
                        if row := self._shown(element):
                            yield row
                        element.clear()
                        while element.getprevious() is not None:
                            del element.getparent()[0]
                    case "col":
                        self._take_column(element)
                    case _:
                        self._take_pane(element)
        except etree.XMLSyntaxError as err:
            raise DocumentUnreadable("the workbook is damaged: a sheet of it is no XML") from err

    def _take_column(self, element: Any) -> None:
        first, last = whole(element.get("min")), whole(element.get("max"))
        if is_true(element.get("hidden")) and first and last:
            self._hidden.append((first - 1, last - 1))

    def _take_pane(self, element: Any) -> None:
        rows = whole((element.get("ySplit") or "").partition(".")[0]) or 0
        if element.get("state", "").startswith("frozen") and rows <= _FROZEN_ROWS:
            self._frozen = rows

    def _shown(self, element: Any) -> SheetRow | None:
        number = whole(element.get("r"))
        self._row = number - 1 if number else self._row + 1
        is_hidden = is_true(element.get("hidden"))
        self._hidden_rows += is_hidden
        cells: list[SheetCell] = []
        bold = True
        column = -1
        for child in element:
            place = place_of(child.get("r") or "")
            column = place[1] if place else column + 1
            cell = self._cell(child, column)
            if cell is None:
                continue
            if is_hidden or self._is_in_hidden_column(column):
                self.told.hide(cell.text)
                self.told.hidden_columns += not is_hidden
                continue
            bold = bold and self._looks.is_bold(whole(child.get("s")) or 0)
            cells.append(cell)
        if is_hidden:
            self.told.hidden_rows += 1
        if not cells:
            return None
        is_header = self._row in self._marks.header_rows
        return SheetRow(self._row, self._row - self._hidden_rows, cells, is_header, bold or self._row < self._frozen)

    def _is_in_hidden_column(self, column: int) -> bool:
        return any(first <= column <= last for first, last in self._hidden)

    def _cell(self, element: Any, column: int) -> SheetCell | None:
        if self._looks.is_struck(whole(element.get("s")) or 0):
            return None
        content = formula = ""
        inline: Any = None
        has_formula = False
        for child in element:
            match etree.QName(child).localname:
                case "v":
                    content = child.text or ""
                case "f":
                    has_formula, formula = True, self._formula(child)
                case "is":
                    inline = child
        text, value = self._text(element, content, inline)
        if not text and has_formula and not content:
            # What a formula gives was never stored: the formula is what is known of the cell.
            self.told.never_calculated += 1
            text = f"={formula}"
        if not text:
            return None
        last_row, last_column = self._marks.merged.get((self._row, column), (self._row, column))
        address = f"{column_name(column)}{self._row + 1}"
        return SheetCell(text, column, last_column, last_row, address, value, f"={formula}" if formula else "")

    def _formula(self, element: Any) -> str:
        """A formula; one that is shared with other cells stands in the first of them only."""
        text, group = element.text or "", element.get("si")
        if group is not None and text and len(self._formulas) < _MOST_FORMULAS:
            self._formulas[group] = text
        return text or self._formulas.get(group or "", "")

    def _text(self, element: Any, content: str, inline: Any) -> tuple[str, str]:
        """The text that a cell shows, and the value that it stores where that is another."""
        code = self._looks.format_of(whole(element.get("s")) or 0)
        match element.get("t", "n"):
            case "s":
                at = whole(content)
                found = self._strings[at] if at is not None and at < len(self._strings) else ""
                return shown_text(found, code), ""
            case "inlineStr":
                return shown_text(rich_text(inline), code) if inline is not None else "", ""
            case "str":
                return shown_text(flowing(unescaped(content)), code), ""
            case "b":
                return ("TRUE" if content.strip() == "1" else "FALSE") if content.strip() else "", content
            case "e" | "d":
                return content.strip(), ""
            case _:
                return self._number(content, code)

    def _number(self, content: str, code: str) -> tuple[str, str]:
        try:
            number = float(content)
        except ValueError:
            return content.strip(), ""
        text = shown_number(number, code, from_1904=self._looks.from_1904)
        stored = iso(number, from_1904=self._looks.from_1904) if is_date(code) else plain_number(number)
        if not text and code.strip(";") and stored:
            text = "" if ";" in code else stored
        return text, "" if stored == text else stored


def rich_text(element: Any) -> str:
    """The text of a string with runs, without what is struck out and readings that are printed above words."""
    parts: list[str] = []
    for child in element:
        name = etree.QName(child).localname
        if name == "t":
            parts.append(child.text or "")
        elif name == "r":
            text = "".join(each.text or "" for each in child.iterfind("{*}t"))
            if is_set(child.find("{*}rPr/{*}strike")):
                continue
            shift = child.find("{*}rPr/{*}vertAlign")
            match shift.get("val") if shift is not None and text.strip() else "":
                case "superscript":
                    text = raised(text, "".join(parts))
                case "subscript":
                    text = lowered(text, "".join(parts))
            parts.append(text)
    return flowing(unescaped("".join(parts)))


def is_set(element: Any) -> bool:
    """Whether a font's element is there and does not say off."""
    return element is not None and (element.get("val") is None or is_true(element.get("val")))


def unescaped(text: str) -> str:
    """Text with characters that XML cannot hold, which workbooks write as _x000D_."""
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text) if "_x" in text else text


def place_of(reference: str) -> tuple[int, int] | None:
    """Row and column, from 0, of an address such as "B7"."""
    found = _REFERENCE.match(reference)
    if not found:
        return None
    column = 0
    for letter in found[1].upper():
        column = column * 26 + ord(letter) - ord("A") + 1
    return int(found[2]) - 1, column - 1


def column_name(column: int) -> str:
    """The letters of a column that counts from 0."""
    name, column = "", column + 1
    while column > 0:
        column, digit = divmod(column - 1, 26)
        name = chr(ord("A") + digit) + name
    return name


def whole(text: str | None) -> int | None:
    """A whole number that is not absurd, else None."""
    return int(text) if text and text.isdecimal() and len(text) <= 9 else None  # noqa: PLR2004


def is_true(text: str | None) -> bool:
    """Whether an attribute is on."""
    return text in {"1", "true"}
