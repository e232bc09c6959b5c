"""JSON and lines of JSON. Numbers are kept as they are written."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from atoll.errors import DocumentUnreadable
from parser.decoding import text_of
from parser.formats.structured.values import Values

if TYPE_CHECKING:
    from collections.abc import Iterator

    from parser.collector import Collector
    from parser.flow import Element


def elements(data: bytes, collector: Collector) -> Iterator[Element]:
    """The values of a file; one that is no JSON as a whole may be JSON line by line.

    Raises:
        DocumentUnreadable: it is neither.
        DocumentTooLarge: it holds too much text.
    """
    text = text_of(data, collector).lstrip("\ufeff")
    collector.limits.check_characters(len(text))
    collector.look_for_hiding(text)
    yield from Values().elements(_parsed(text))


def _parsed(text: str) -> Any:
    try:
        return _loaded(text)
    except ValueError as err:
        lines = [line for line in text.splitlines() if line.strip()]
        if len(lines) <= 1:
            raise DocumentUnreadable(f"the file is no JSON: {_place(err)}") from err
    values = []
    for number, line in enumerate(lines, start=1):
        try:
            values.append(_loaded(line))
        except ValueError as err:
            raise DocumentUnreadable(f"the file is no JSON, and line {number} is none for itself") from err
    return values


def _loaded(text: str) -> Any:
    try:
        return json.loads(text, parse_float=str, parse_int=str, parse_constant=str)
    except RecursionError as err:
        raise DocumentUnreadable("the file nests its values too deeply") from err


def _place(err: ValueError) -> str:
    return f"look at line {err.lineno}" if isinstance(err, json.JSONDecodeError) else "its values cannot be read"
