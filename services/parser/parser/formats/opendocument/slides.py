"""Slides of an OpenDocument presentation, each on a page of its own."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from atoll.domain.block import BlockKind
from atoll.domain.page import Box
from parser.flow import Element
from parser.formats.opendocument.names import DRAW, PRESENTATION, SVG
from parser.formats.slides.places import EMU_PER_INCH, Placed, in_reading_order
from parser.text import on_one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from parser.collector import Collector
    from parser.formats.opendocument.body import Body

_LENGTH = re.compile(r"(-?\d{1,6}(?:\.\d{1,9})?)(cm|mm|in|pt|px|pc)?")
_PER_INCH = {"cm": 2.54, "mm": 25.4, "in": 1.0, "pt": 72.0, "px": 96.0, "pc": 6.0}
_FURNITURE = frozenset({"page-number", "date-time", "header"})
_SHOWN_HIDDEN = 2000


def elements(deck: Any, body: Body, collector: Collector) -> Iterator[Element]:
    """The slides in their order: title, content, notes; hidden slides are only told."""
    for number, page in enumerate(deck.iterchildren(f"{DRAW}page"), start=1):
        style = page.get(f"{DRAW}style-name")
        if body.styles.property("drawing-page", style, f"{PRESENTATION}visibility") == "hidden":
            words = on_one_line(" ".join(page.itertext()))
            collector.skip("hidden", None, None, words[:_SHOWN_HIDDEN])
            collector.warn("hidden_slide", f"slide {number} is hidden; it is left out of searches")
            continue
        yield Element(BlockKind.PAGE_HEADER, page_label=f"Slide {number}")
        yield from _slide(page, body)


def _slide(page: Any, body: Body) -> Iterator[Element]:
    shapes = [each for each in page.iterchildren() if str(each.tag).startswith(DRAW)]
    titles = [each for each in shapes if each.get(f"{PRESENTATION}class") == "title"]
    others = [Placed(each, _box(each)) for each in shapes if each not in titles]
    for title in titles:
        if text := on_one_line(" ".join(title.itertext())):
            yield Element(BlockKind.HEADING, text, level=1)
    for placed in in_reading_order(others):
        kind = placed.element.get(f"{PRESENTATION}class", "")
        if kind in _FURNITURE:
            continue
        for element in body.shape(placed.element):
            yield Element(BlockKind.PAGE_FOOTER, element.text) if kind == "footer" else element
    for notes in page.iterchildren(f"{PRESENTATION}notes"):
        for frame in notes.iterchildren(f"{DRAW}frame"):
            if frame.get(f"{PRESENTATION}class") == "notes":
                for element in body.shape(frame):
                    yield Element(BlockKind.NOTE, element.text)


def _box(shape: Any) -> Box | None:
    values = [_length(shape.get(f"{SVG}{name}")) for name in ("x", "y", "width", "height")]
    x, y, width, height = values
    if x is None or y is None or width is None or height is None:
        return None
    return Box(x, y, x + width, y + height)


def _length(text: str | None) -> float | None:
    found = _LENGTH.fullmatch(text or "")
    return float(found[1]) * EMU_PER_INCH / _PER_INCH[found[2] or "in"] if found else None
