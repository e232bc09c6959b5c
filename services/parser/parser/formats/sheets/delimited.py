"""Files of delimited text: fields between commas, semicolons, tabs or bars."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

from atoll.errors import DocumentUnreadable
from parser.decoding import text_of
from parser.formats.sheets.tables import SheetCell, SheetRow, Tables
from parser.text import flowing

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from parser.collector import Collector
    from parser.flow import Element

_DELIMITERS = "\t;,|"
_SAMPLED_CHARACTERS = 64 * 1024
_SAMPLED_ROWS = 200
_LONGEST_FIELD = 1_000_000
_SAID = "sep="


def elements(data: bytes, collector: Collector) -> Iterator[Element]:
    """The rows as tables; the first names the columns if it can.

    Raises:
        DocumentUnreadable: a field is longer than any field is.
        DocumentTooLarge: it holds too much text.
    """
    text = text_of(data, collector)
    collector.limits.check_characters(len(text))
    collector.look_for_hiding(text)
    lines = text.splitlines(keepends=True)
    delimiter = _delimiter(lines)
    if lines and lines[0].lower().startswith(_SAID):
        del lines[0]
    yield from Tables("", names_first=True).elements(_rows(lines, delimiter, collector))


def _rows(lines: Iterable[str], delimiter: str, collector: Collector) -> Iterator[SheetRow]:
    longest, uneven = 0, 0
    for number, fields in enumerate(_fields(lines, delimiter)):
        cells = [
            SheetCell(text, column, column, number) for column, field in enumerate(fields) if (text := flowing(field))
        ]
        if longest and len(fields) > 1 and len(fields) != longest:
            uneven += 1
        longest = longest or (len(fields) if len(fields) > 1 else 0)
        if cells:
            yield SheetRow(number, number, cells)
    if uneven:
        collector.warn(
            "uneven_rows", f"{uneven} rows have more or fewer fields than the first; check how they are quoted"
        )


def _fields(lines: Iterable[str], delimiter: str) -> Iterator[list[str]]:
    csv.field_size_limit(_LONGEST_FIELD)
    try:
        yield from csv.reader(lines, delimiter=delimiter, skipinitialspace=delimiter != "\t")
    except csv.Error as err:
        raise DocumentUnreadable(
            "the file is no delimited text: a field is longer than a million characters; is a quotation mark missing?"
        ) from err


def _delimiter(lines: list[str]) -> str:
    """What parts the fields: what the file says, or what gives the same number of fields in most rows."""
    if lines and lines[0].lower().startswith(_SAID) and len(lines[0].rstrip("\r\n")) == len(_SAID) + 1:
        return lines[0][len(_SAID)]
    sample, size = [], 0
    for line in lines[:_SAMPLED_ROWS]:
        sample.append(line)
        size += len(line)
        if size > _SAMPLED_CHARACTERS:
            break
    return max(_DELIMITERS, key=lambda delimiter: _fits(sample, delimiter))


def _fits(sample: list[str], delimiter: str) -> tuple[float, int]:
    """How well a delimiter explains the rows: part of rows with the usual number of fields, and that number."""
    try:
        counts = [len(fields) for fields in csv.reader(sample, delimiter=delimiter, skipinitialspace=True) if fields]
    except csv.Error:
        return 0.0, 0
    if not counts:
        return 0.0, 0
    usual = max(set(counts), key=lambda count: (counts.count(count), count))
    if usual == 1:
        return 0.0, 0
    return round(counts.count(usual) / len(counts), 1), usual
