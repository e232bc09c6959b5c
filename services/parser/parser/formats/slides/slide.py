"""What a slide shows, in the order in which it is read, and the notes of its speaker."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from atoll.domain.block import BlockKind
from parser.charts import chart_rows
from parser.flow import BULLET, Element
from parser.formats.slides.places import P, Placed, Places, in_reading_order
from parser.formats.slides.sight import is_beside, slide_size, unseen_text
from parser.formats.slides.tables import rows_of
from parser.formats.slides.text import paragraphs
from parser.opc import MC, A, R
from parser.text import on_one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from parser.opc import Package

_CHART = "{http://schemas.openxmlformats.org/drawingml/2006/chart}chart"
_DIAGRAM = "{http://schemas.openxmlformats.org/drawingml/2006/diagram}"
_DEEPEST = 20
_TITLES = frozenset({"title", "ctrTitle"})
_LISTS = frozenset({"body", "obj", ""})
#: What the page itself shows on every slide.
_FURNITURE = frozenset({"dt", "sldNum", "hdr"})
#: An image's name, which programs give as its description.
_FILE_NAME = re.compile(r"\S+\.(?:png|jpe?g|gif|bmp|tiff?|emf|wmf|svg|webp)", re.IGNORECASE)


class Slides:
    """Reads one slide after the other; tables are numbered through the whole presentation."""

    def __init__(self, package: Package) -> None:
        self._package = package
        self._places = Places(package)
        self._size = slide_size(package)
        self._table = 0
        self._hidden: list[str] = []

    def taken_hidden(self) -> str:
        """The hidden text since the last call."""
        hidden, self._hidden = on_one_line(" ".join(self._hidden)), []
        return hidden

    def elements(self, root: Any, part: str) -> Iterator[Element]:
        """The elements of a slide, then of its notes."""
        tree = root.find(f"{P}cSld/{P}spTree")
        if tree is not None:
            yield from self._shapes(tree, part, 0)
        for notes in self._package.related(part, "notesSlide"):
            tree = self._package.xml(notes).find(f"{P}cSld/{P}spTree")
            for shape in tree.iterchildren(f"{P}sp") if tree is not None else ():
                if _placeholder(shape) == "body":
                    for each in paragraphs(shape, is_list=False):
                        yield Element(BlockKind.NOTE, each.text)

    def _shapes(self, tree: Any, part: str, depth: int) -> Iterator[Element]:
        shapes = [self._places.of(shape, part) for shape in _children(tree)]
        titles = [shape for shape in shapes if _placeholder(shape.element) in _TITLES]
        others = [shape for shape in shapes if shape not in titles]
        for shape in (*titles, *in_reading_order(others)):
            yield from self._shape(shape, part, depth)

    def _shape(self, placed: Placed, part: str, depth: int) -> Iterator[Element]:
        shape, kind = placed.element, _placeholder(placed.element)
        properties = next(shape.iter(f"{P}cNvPr"), None)
        if kind in _FURNITURE:
            return
        is_hidden = properties is not None and properties.get("hidden") in {"1", "true"}
        if is_hidden or (depth == 0 and is_beside(placed, self._size)):
            self._hidden.append(" ".join(text.text or "" for text in shape.iter(f"{A}t")))
            return
        if shape.tag != f"{P}grpSp":
            self._hidden.append(unseen_text(shape))
        if shape.tag == f"{P}grpSp" and depth < _DEEPEST:
            yield from self._shapes(shape, part, depth + 1)
        elif shape.tag == f"{P}graphicFrame":
            yield from self._frame(shape, part)
        elif shape.tag == f"{P}pic":
            yield from _picture(properties)
        elif kind in _TITLES:
            if text := on_one_line(" ".join(each.text for each in paragraphs(shape, is_list=False))):
                yield Element(BlockKind.HEADING, text, level=1)
        elif kind == "ftr":
            for each in paragraphs(shape, is_list=False):
                yield Element(BlockKind.PAGE_FOOTER, each.text)
        else:
            yield from paragraphs(shape, is_list=kind is not None and kind in _LISTS)

    def _frame(self, frame: Any, part: str) -> Iterator[Element]:
        """A table, a chart or a diagram."""
        for table in frame.iter(f"{A}tbl"):
            self._table += 1
            yield from rows_of(table, self._table)
        relations = self._package.relations(part)
        for chart in frame.iter(_CHART):
            relation = relations.get(chart.get(f"{R}id", ""))
            if relation is not None and not relation.is_external and self._package.has(relation.target):
                self._table += 1
                yield from chart_rows(self._package.xml(relation.target), self._table)
        for diagram in frame.iter(f"{_DIAGRAM}relIds"):
            relation = relations.get(diagram.get(f"{R}dm", ""))
            if relation is not None and not relation.is_external and self._package.has(relation.target):
                for point in self._package.xml(relation.target).iter(f"{_DIAGRAM}pt"):
                    texts = ("".join(run.text or "" for run in each.iter(f"{A}t")) for each in point.iter(f"{A}p"))
                    if point.get("type", "node") in {"node", "asst"} and (text := on_one_line(" ".join(texts))):
                        yield Element(BlockKind.LIST_ITEM, text, marker=BULLET)


def _children(tree: Any) -> Iterator[Any]:
    """The shapes of a tree; of several ways to show one, the first."""
    for child in tree.iterchildren():
        if child.tag == f"{MC}AlternateContent":
            chosen = next(child.iterchildren(f"{MC}Choice", f"{MC}Fallback"), None)
            yield from _children(chosen) if chosen is not None else ()
        elif child.tag in {f"{P}sp", f"{P}grpSp", f"{P}graphicFrame", f"{P}pic", f"{P}cxnSp"}:
            yield child


def _placeholder(shape: Any) -> str | None:
    """The type of the place in the layout that a shape fills; empty where the layout says nothing of it."""
    if shape.tag == f"{P}grpSp":
        return None
    found = next(shape.iter(f"{P}ph"), None)
    return None if found is None else str(found.get("type", ""))


def _picture(properties: Any) -> Iterator[Element]:
    alt = on_one_line(properties.get("descr", "")) if properties is not None else ""
    if alt and not _FILE_NAME.fullmatch(alt):
        yield Element(BlockKind.FIGURE, alt)
