"""Pages as their lines: which lines a passage brings to which page, and the page that their vectors make.

A line's vector comes from the pass of the passage that it stands in: it knows its context, and needs no pass of its
own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from atoll.domain.embedding import CharacterSpan
from atoll.domain.layout import PassageLayout, PlacedLine
from atoll.domain.page import Box, Page
from atoll.domain.page_vectors import PageVectors
from atoll.domain.passage import Passage

#: Share of the passage's mean that is taken from its lines' vectors, so that they are told apart. Of 30 questions with
#: a known page (tests/integration/test_page_ranking.py) 29 find theirs among the first three and 26 the line that
#: answers; with 0 they are 27 and 19. From 0.4 to 0.6 it makes no difference of more than one page or two lines.
CONTRAST = 0.5
#: Bands of a page, whose means are its coarse vectors. Lines are wide and low: where they stand matters more from top
#: to bottom.
ROW_BANDS, COLUMN_BANDS = 16, 4
_WORD = re.compile(r"\w")


class PageLine(NamedTuple):
    """A line or a table's row of a passage: where it stands, and its span in the passage's text."""

    page: int
    box: Box
    span: CharacterSpan


def lines_of(passage: Passage) -> list[PageLine]:
    """Return the lines that say something, in order: each row of a table as one, and nothing that is only repeated."""
    layout = passage.layout
    if layout is None:
        return []
    own = [line for line in layout.lines if not line.is_repeated]
    return [line for line in _by_row(layout, own) if _WORD.search(passage.text, *line.span)]


def _by_row(layout: PassageLayout, lines: Sequence[PlacedLine]) -> Iterator[PageLine]:
    rows = sorted((row.start, row.end) for table in layout.tables for row in table.rows)
    at, last = 0, None
    for line in lines:
        while at < len(rows) and rows[at][1] <= line.start:
            at += 1
        row = rows[at] if at < len(rows) and rows[at][0] <= line.start else None
        if last is not None and row == last.span and line.page == last.page:
            last = PageLine(last.page, last.box.union(line.box), last.span)
            continue
        if last is not None:
            yield last
        last = PageLine(line.page, line.box, row or (line.start, line.end))
    if last is not None:
        yield last


def pages_of_lines(
    pages: Sequence[Page], passages: Iterable[tuple[Sequence[Passage], NDArray[np.float16]]], dimensions: int
) -> dict[int, PageVectors]:
    """Return some pages, by number.

    Args:
        pages: which.
        passages: at least those that stand on them, in order; with each run of passages the vectors of its lines, in
            the order of ``lines_of``.
        dimensions: of the vectors.
    """
    rows: dict[int, list[NDArray[np.float16]]] = {page.number: [] for page in pages}
    boxes: dict[int, list[Box]] = {page.number: [] for page in pages}
    for run, vectors in passages:
        lines = (line for passage in run for line in lines_of(passage))
        for line, vector in zip(lines, vectors, strict=True):
            if line.page in rows:
                rows[line.page].append(vector)
                boxes[line.page].append(line.box)
    nothing = np.zeros((0, dimensions), dtype=np.float16)
    return {
        page.number: _page(np.stack(rows[page.number]) if rows[page.number] else nothing, boxes[page.number], page)
        for page in pages
    }


def _page(vectors: NDArray[np.float16], boxes: Sequence[Box], page: Page) -> PageVectors:
    """Return the page of one unit vector a box; rows and columns are means over the bands that hold a box's centre."""
    exact = vectors.astype(np.float32)
    down = _bands(boxes, lambda box: (box.y0 + box.y1) / 2 / page.height, ROW_BANDS)
    across = _bands(boxes, lambda box: (box.x0 + box.x1) / 2 / page.width, COLUMN_BANDS)
    return PageVectors(vectors, _means(exact, down), _means(exact, across), None, tuple(boxes))


def _bands(boxes: Sequence[Box], centre: Callable[[Box], float], count: int) -> list[list[int]]:
    """Return the boxes of each band that has any; ``centre`` is a share of the page's side."""
    members: list[list[int]] = [[] for _ in range(count)]
    for at, box in enumerate(boxes):
        members[min(count - 1, max(0, int(count * centre(box))))].append(at)
    return list(filter(None, members))


def _means(vectors: NDArray[np.float32], groups: Sequence[Sequence[int]]) -> NDArray[np.float16]:
    """Return the direction of each group's mean; vectors that cancel out leave the first of them."""
    means = np.zeros((len(groups), vectors.shape[1]), dtype=np.float32)
    for at, group in enumerate(groups):
        mean = vectors[group].mean(axis=0)
        norm = np.linalg.norm(mean)
        means[at] = mean / norm if norm > np.finfo(np.float32).eps else vectors[group[0]]
    return means.astype(np.float16)
