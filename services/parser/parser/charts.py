"""Charts of Office files, read as the table of the values that they hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from atoll.domain.block import BlockKind
from parser.flow import CellElement, Element
from parser.opc import A
from parser.text import on_one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

_C = "{http://schemas.openxmlformats.org/drawingml/2006/chart}"
_MOST_POINTS = 10_000
_MOST_SERIES = 100


def chart_rows(root: Any, table: int) -> Iterator[Element]:
    """The chart's title as the caption, its series as columns, its categories as rows."""
    title = root.find(f".//{_C}title")
    caption = on_one_line(" ".join(text.text or "" for text in title.iter(f"{A}t"))) if title is not None else ""
    series = list(root.iter(f"{_C}ser"))[:_MOST_SERIES]
    names, categories, columns = [], dict[int, str](), []
    for number, each in enumerate(series, start=1):
        names.append(_points(each.find(f"{_C}tx")).get(0, f"Series {number}"))
        if not categories:
            categories = _points(_first(each, "cat", "xVal"))
        columns.append(_points(_first(each, "val", "yVal")))
    if caption:
        yield Element(BlockKind.CAPTION, caption, table=table)
    if any(columns):
        header = (
            CellElement("", 0),
            *(CellElement(name, at, is_header=True) for at, name in enumerate(names, start=1)),
        )
        yield Element(BlockKind.TABLE, cells=header, table=table, is_header=True)
    for at in sorted({*categories, *(at for column in columns for at in column)}):
        cells = [CellElement(categories.get(at, ""), 0, is_header=True)]
        cells += [CellElement(column.get(at, ""), number) for number, column in enumerate(columns, start=1)]
        yield Element(BlockKind.TABLE, cells=tuple(cells), table=table)


def _first(element: Any, *names: str) -> Any:
    found = (element.find(f"{_C}{name}") for name in names)
    return next((each for each in found if each is not None), None)


def _points(element: Any) -> dict[int, str]:
    """The cached values of a reference, by their place."""
    if element is None:
        return {}
    points: dict[int, str] = {}
    for point in element.iter(f"{_C}pt"):
        place, value = point.get("idx", ""), point.find(f"{_C}v")
        if place.isdecimal() and value is not None and len(points) < _MOST_POINTS:
            points[int(place)] = _number(on_one_line(value.text or ""))
    if not points:
        words = " ".join(value.text or "" for value in element.iter(f"{_C}v"))
        return {0: on_one_line(words)} if words.strip() else {}
    return points


def _number(text: str) -> str:
    """A number without the digits that binary fractions leave ("0.30000000000000004")."""
    try:
        value = float(text)
    except ValueError:
        return text
    return f"{value:.12g}" if "." in text or "e" in text.lower() else text
