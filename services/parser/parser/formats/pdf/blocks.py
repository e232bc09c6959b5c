"""From rows to blocks: headings by size, list items by their marker, paragraphs by distance, indent and last lines."""

from __future__ import annotations

import re
from collections import Counter
from functools import cached_property
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING

from atoll.domain.block import BlockKind
from parser.text import BROKEN_ANYWHERE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from parser.formats.pdf.layout import Row

#: A heading is set so much larger than the text around it, and is short.
_HEADING_RATIO = 1.15
_HEADING_CHARACTERS = 200
_HEADING_ROWS = 3
_MOST_LEVELS = 6
_SAME_SIZE = 0.08
_WIDE_PITCH = 1.3
_INDENT = 0.8
_SHORT_LINE = 0.8
_LIST_MARKER = re.compile(
    r"(?:[\u2022\u25e6\u25aa\u2023\u25cf\u25cb\u25a0\u2013\u2014*-]|\(?(?:\d{1,3}|[a-zA-Z]|[ivx]{1,5})[.)])\s+\S"
)
_SENTENCE_END = re.compile(r"[.!?:\u3002\uff01\uff1f\u061f]['\"\u201d\u2019)\]]*$")
_CLAUSE_END = re.compile(r"[.,;:]$")
_WORD = re.compile(rf"[^\W\d_]{{2}}|{BROKEN_ANYWHERE.pattern}")
#: A note at the foot is set so much smaller than the text, and begins with its mark.
_NOTE_RATIO = 0.93
_NOTE = re.compile(r"(?:\d{1,3}|[*\u2020\u2021\u00a7]+|[\u00b9\u00b2\u00b3\u2070-\u2079]+)[.)]?\s*\S")
_CAPTION = re.compile(r"(?:Figure|Fig\.|Table|Abbildung|Tabelle|Tableau|Figura|Tabla)\s+[\dA-Z][\d.\-]*\b")


class Looks:
    """How this document sets its text and its headings, once all rows were seen."""

    def __init__(self) -> None:
        self._weights: Counter[float] = Counter()
        self._fonts: Counter[str] = Counter()

    def see(self, rows: list[Row]) -> None:
        """Take a page's rows into account."""
        for row in rows:
            self._weights[_size(row)] += len(row.text)
            self._fonts[row.font] += len(row.text) if row.font else 0

    @cached_property
    def _body(self) -> float:
        return self._weights.most_common(1)[0][0] if self._weights else 0.0

    @cached_property
    def _font(self) -> str:
        return self._fonts.most_common(1)[0][0] if self._fonts else ""

    @cached_property
    def _levels(self) -> dict[float, int]:
        larger = sorted((size for size in self._weights if size >= self._body * _HEADING_RATIO), reverse=True)
        return {size: min(rank, _MOST_LEVELS) for rank, size in enumerate(larger, start=1)}

    def heading_level(self, group: list[Row]) -> int:
        """The level of a heading: by size, the largest first; below those what is set in a font of its own. Else 0."""
        text = " ".join(row.text for row in group)
        if len(group) > _HEADING_ROWS or len(text) > _HEADING_CHARACTERS or not _WORD.search(text):
            return 0
        size, font = _size(group[0]), group[0].font
        if size in self._levels:
            return self._levels[size]
        is_apart = font and font != self._font and all(row.font == font for row in group)
        if is_apart and size >= self._body and not _CLAUSE_END.search(text):
            return min(len(self._levels) + 1, _MOST_LEVELS)
        return 0

    def foot_of(self, rows: list[Row]) -> float:
        """Where the notes at a column's foot begin: below all that is set in the text's own size."""
        usual = [row.box.y1 for row in rows if _size(row) > self._body * _NOTE_RATIO]
        return max(usual, default=float("inf")) - 1


def blocks_of(rows: list[Row], looks: Looks) -> Iterator[tuple[BlockKind, int, list[Row]]]:
    """The blocks of a column: kind, level of a heading, and rows."""
    foot = looks.foot_of(rows)
    for group in _paragraphs(rows):
        first = group[0].text
        if group[0].table:
            yield BlockKind.TABLE, 0, group
        elif _CAPTION.match(first):
            yield BlockKind.CAPTION, 0, group
        elif group[0].box.y0 >= foot and _NOTE.match(first):
            yield BlockKind.FOOTNOTE, 0, group
        elif level := looks.heading_level(group):
            yield BlockKind.HEADING, level, group
        elif _LIST_MARKER.match(first):
            yield BlockKind.LIST_ITEM, 0, group
        else:
            yield BlockKind.PARAGRAPH, 0, group


def label_of(kind: BlockKind, rows: list[Row]) -> str:
    """The number of a list item, with which its text begins."""
    if kind is not BlockKind.LIST_ITEM:
        return ""
    label = rows[0].text.split(" ", 1)[0]
    return label if any(map(str.isalnum, label)) else ""


def _size(row: Row) -> float:
    return round(row.height * 2) / 2


def _paragraphs(rows: list[Row]) -> Iterator[list[Row]]:
    pitches = [below.box.y1 - above.box.y1 for above, below in pairwise(rows)]
    usual = median(pitches) if pitches else 0.0
    left, right = min(row.box.x0 for row in rows), max(row.box.x1 for row in rows)
    group: list[Row] = []
    for row in rows:
        if group and _parts(group, row, usual, left, right):
            yield group
            group = []
        group.append(row)
    if group:
        yield group


def _parts(group: list[Row], row: Row, usual_pitch: float, left: float, right: float) -> bool:
    """Whether a new block begins at ``row``."""
    before = group[-1]
    if row.table or before.table:
        return row.table != before.table
    if _LIST_MARKER.match(row.text):
        return True
    other_size = abs(row.height - before.height) > _SAME_SIZE * max(row.height, before.height)
    if other_size or (row.font and before.font and row.font != before.font):
        return True
    pitch = row.box.y1 - before.box.y1
    allowed = max(usual_pitch, row.height) * _WIDE_PITCH
    if not 0 < pitch <= allowed:
        return True
    is_indented = row.box.x0 - before.box.x0 > _INDENT * row.height
    follows_list_marker = len(group) == 1 and _LIST_MARKER.match(before.text) is not None
    beside_cap = any(each.cap_bottom > row.box.y0 for each in group)
    if is_indented and not follows_list_marker and not beside_cap:
        return True
    ended_short = before.box.x1 < left + (right - left) * _SHORT_LINE
    return ended_short and _SENTENCE_END.search(before.text) is not None
