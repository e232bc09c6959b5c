"""Pages out of the lines of passages: which lines, where, and what page their vectors make."""

from __future__ import annotations

import numpy as np
import pytest

from atoll.domain.block import Block, BlockKind, Cell, Line, Row
from atoll.domain.ids import DocumentUid
from atoll.domain.page import Box, Page
from atoll.domain.passage import Passage
from atoll.ingest.cutting import chunk
from atoll.ingest.page_lines import lines_of, pages_of_lines
from atoll.ingest.strands import strands

A4 = Page(1, 595, 842)


def line(text: str, at: float, page: int = 1, left: float = 72) -> Line:
    return Line(text, page, Box(left, at, left + 5 * len(text), at + 10))


def passages(*blocks: Block, window: int = 100) -> list[Passage]:
    found = strands(blocks)
    ends = [[at + 1 for at, character in enumerate(each.text) if character == " "] + [len(each.text)] for each in found]
    cut = chunk(DocumentUid("d"), found, ends, window_tokens=window + 48, chunk_tokens=1000, overlap_tokens=0)
    return list(cut.passages)


def shown(passage: Passage) -> list[tuple[int, str]]:
    return [(each.page, passage.text[slice(*each.span)]) for each in lines_of(passage)]


def table(rows: int) -> Block:
    def row(number: int) -> Row:
        return Row(
            tuple(
                Cell((line(f"r{number}c{column}", 100 + 20 * number, left=72 + 60 * column),), column)
                for column in (0, 1)
            ),
            is_header=number == 0,
        )

    return Block(BlockKind.TABLE, (), rows=tuple(map(row, range(rows))))


def test_every_line_is_found_where_it_stands() -> None:
    (passage,) = passages(
        Block(BlockKind.PARAGRAPH, (line("the safety valve", 100), line("is tested", 112), line("---", 124)))
    )
    assert shown(passage) == [(1, "the safety valve"), (1, "is tested")]
    assert [each.box.y0 for each in lines_of(passage)] == [100, 112]


def test_a_row_of_a_table_is_one_line_and_a_header_counts_where_it_stands() -> None:
    whole = passages(table(12), window=8)
    assert len(whole) > 1, "the table is parted, and each part repeats the header in its text"
    rows = [text for passage in whole for _, text in shown(passage)]
    assert len(rows) == 12
    assert all("c0" in row and "c1" in row for row in rows)
    first = lines_of(whole[0])[0]
    assert (first.box.x0, first.box.x1) == (72, 152)


def test_a_sentence_that_goes_on_over_the_pages_end_has_its_lines_on_both() -> None:
    (passage,) = passages(
        Block(BlockKind.PARAGRAPH, (line("the valve that was", 800), line("tested in May", 50, page=2)))
    )
    assert shown(passage) == [(1, "the valve that was"), (2, "tested in May")]


def vectors(*directions: int) -> np.ndarray:
    rows = np.zeros((len(directions), 8), dtype=np.float16)
    rows[np.arange(len(directions)), directions] = 1
    return rows


def test_a_page_has_its_lines_and_their_means_by_where_they_stand() -> None:
    found = passages(
        Block(BlockKind.PARAGRAPH, (line("top", 40), line("also", 45))),
        Block(BlockKind.PARAGRAPH, (line("bottom", 830), line("next", 50, page=2))),
    )
    pages = pages_of_lines([A4, Page(2, 595, 842), Page(3, 595, 842)], [(found, vectors(0, 1, 2, 3))], 8)
    first, second, third = (pages[number] for number in (1, 2, 3))
    assert first.vectors.tolist() == vectors(0, 1, 2).tolist()
    assert [box.y0 for box in first.regions or ()] == [40, 45, 830]
    np.testing.assert_allclose(first.rows, [[0.7071, 0.7071, 0, 0, 0, 0, 0, 0], vectors(2)[0]], atol=1e-3)
    assert len(first.cols) == 1
    assert second.vectors.tolist() == vectors(3).tolist()
    assert (third.vectors.shape, third.rows.shape, third.regions) == ((0, 8), (0, 8), ())
    for page in (first, second):
        np.testing.assert_allclose(np.linalg.norm(np.concatenate([page.rows, page.cols]), axis=1), 1, atol=2e-3)


def test_lines_beyond_the_page_fall_into_its_last_bands_and_what_cancels_out_has_a_direction() -> None:
    found = passages(Block(BlockKind.PARAGRAPH, (line("one", -50, left=-900), line("two", 9000, left=900))))
    opposite = np.array([[1, 0], [-1, 0]], dtype=np.float16)
    page = pages_of_lines([Page(1, 100, 100)], [(found, opposite)], 2)[1]
    assert (len(page.rows), len(page.cols)) == (2, 2)
    beside = passages(Block(BlockKind.PARAGRAPH, (line("one", 50), line("two", 51))))
    page = pages_of_lines([Page(1, 1000, 1000)], [(beside, opposite)], 2)[1]
    assert page.rows.tolist() == [[1, 0]]


def test_vectors_of_other_lines_are_an_error_of_ours() -> None:
    found = passages(Block(BlockKind.PARAGRAPH, (line("top", 40),)))
    with pytest.raises(ValueError, match="zip"):
        pages_of_lines([A4], [(found, vectors(0, 1))], 8)
