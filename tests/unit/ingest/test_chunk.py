"""Blocks -> passages and chunks: nothing lost, windows kept, boxes true."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atoll.adapters.memory.embedder import MemoryEmbedder
from atoll.domain.block import BROKEN, JOINED, Block, BlockKind, Cell, Line, Row
from atoll.domain.ids import DocumentUid
from atoll.domain.layout import PassageLayout, merged
from atoll.domain.page import Box
from atoll.ingest.cutting import HEADING_TOKENS, chunk, embedding_text, indexing_text
from atoll.ingest.sentences import cut, sentence_ends
from atoll.ingest.strands import MAX_CHARACTERS, strands

DOCUMENT = DocumentUid("d" * 32)
EMBEDDER = MemoryEmbedder()


def block(text, *, page=1, top=100.0, kind=BlockKind.PARAGRAPH, level=0, per_line=8):
    words = text.split(" ")
    lines = [" ".join(words[i : i + per_line]) for i in range(0, len(words), per_line)]
    return Block(
        kind,
        tuple(Line(line, page, Box(50, top + 14 * n, 500, top + 14 * n + 12)) for n, line in enumerate(lines)),
        level,
    )


def heading(text, level=1, page=1, top=60.0):
    return block(text, page=page, top=top, kind=BlockKind.HEADING, level=level)


def chunked(blocks, window=HEADING_TOKENS + 40, chunk_tokens=100, overlap=30):
    found = strands(blocks)
    ends = [EMBEDDER.spans(each.text).ends for each in found]
    return chunk(DOCUMENT, found, ends, window_tokens=window, chunk_tokens=chunk_tokens, overlap_tokens=overlap)


def table(*rows, header=1, caption=None, page=1, tall=20.0):
    """A table of texts, None where a merged cell above or to the left reaches into the column."""
    made = []
    for n, row in enumerate(rows):
        top = 100 + tall * n
        cells = [
            Cell((Line(text, page, Box(50 + 90 * c, top, 130 + 90 * c, top + 12)),) if text else (), c)
            for c, text in enumerate(row)
            if text is not None
        ]
        made.append(Row(tuple(cells), is_header=n < header))
    above = (Line(caption, page, Box(50, 80, 300, 92)),) if caption else ()
    return Block(BlockKind.TABLE, (), rows=tuple(made), caption=above)


words = st.lists(
    st.sampled_from(["pump", "valve", "crane", "lamp", "keel", "rope", "12", "A-7", "stop.", "Go!"]),
    min_size=1,
    max_size=90,
)
blocks_strategy = st.lists(
    st.one_of(
        st.builds(lambda w, p: block(" ".join(w), page=p), words, st.integers(1, 3)),
        st.builds(lambda w, level, p: heading(" ".join(w[:5]), level, p), words, st.integers(1, 3), st.integers(1, 3)),
    ),
    max_size=12,
)


@given(blocks_strategy)
def test_every_word_is_in_a_passage_once_in_order_and_windows_hold(blocks):
    result = chunked(blocks)
    assert " ".join(p.text for p in result.passages).split() == " ".join(b.text for b in blocks).split()
    for ordinal, passage in enumerate(result.passages):
        assert passage.ordinal == ordinal
        assert len(EMBEDDER.spans(passage.text).ends) <= 40
        assert passage.char_end - passage.char_start == len(passage.text)
        assert passage.boxes
    assert len({p.id for p in result.passages}) == len(result.passages)


@given(blocks_strategy)
def test_chunks_cover_all_passages_and_keep_their_size(blocks):
    result = chunked(blocks)
    chunk_ids = [c.id for c in result.chunks]
    assert all(p.chunk in chunk_ids for p in result.passages)
    for each in result.chunks:
        inside = [p for p in result.passages if each.char_start <= p.char_start and p.char_end <= each.char_end]
        assert sum(len(EMBEDDER.spans(p.text).ends) for p in inside) <= 100
        assert each.char_end > each.char_start
    starts = [c.char_start for c in result.chunks]
    assert starts == sorted(set(starts))


def test_a_passage_begins_on_one_page_with_the_boxes_of_its_own_lines():
    first, second = block("one two three four", page=1), block("five six seven eight", page=2)
    result = chunked([first, second])
    assert [(p.page, p.text) for p in result.passages] == [(1, "one two three four"), (2, "five six seven eight")]
    assert result.passages[0].boxes == (first.lines[0].box,)


def test_a_sentence_over_two_pages_stays_whole_and_the_next_begins_a_passage():
    lines = (
        Line("It rained. The end of a page", 1, Box(50, 800, 500, 812)),
        Line("goes on there. The next one stands alone.", 2, Box(50, 50, 500, 62)),
    )
    first, second = chunked([Block(BlockKind.PARAGRAPH, lines)]).passages
    assert (first.page, first.text) == (1, "It rained. The end of a page goes on there.")
    assert (second.page, second.text) == (2, "The next one stands alone.")
    assert first.boxes == (Box(50, 800, 500, 812),)
    assert [(page, box.x0, box.y0) for page, box in first.places(11, len(first.text))] == [(1, 50, 800), (2, 50, 50)]
    assert first.boxes_on(2)
    assert first.boxes_on(3) == ()


def test_a_sentence_over_three_pages_is_cut_at_the_second_end():
    lines = tuple(Line("on and on", page, Box(50, 50, 500, 62)) for page in (1, 2, 3))
    assert [(p.page, p.text) for p in chunked([Block(BlockKind.PARAGRAPH, lines)]).passages] == [
        (1, "on and on on and on"),
        (3, "on and on"),
    ]


def test_a_long_block_is_cut_after_a_sentence_and_boxes_follow_the_cut():
    sentence = "The crane lifts the lamp over the keel and the rope holds it there."
    long = block(" ".join([sentence] * 6))
    result = chunked([long])
    assert len(result.passages) > 1
    assert all(p.text.endswith(".") for p in result.passages)
    heights = [p.boxes[0].y0 for p in result.passages]
    assert heights == sorted(set(heights))


def test_headings_begin_a_passage_and_are_known_below_it():
    result = chunked(
        [heading("Engine"), heading("Oil", 2), block("Check the level."), heading("Deck"), block("Sweep.")]
    )
    assert [(p.text, p.headings) for p in result.passages] == [
        ("Engine\nOil\nCheck the level.", ("Engine", "Oil")),
        ("Deck\nSweep.", ("Deck",)),
    ]
    assert embedding_text(result.passages[0]) == "Engine\nOil\nCheck the level."


def test_a_passage_far_below_its_heading_is_embedded_with_it():
    blocks = [heading("Engine"), *[block("one two three four five six seven eight nine ten") for _ in range(6)]]
    later = chunked(blocks).passages[-1]
    assert "Engine" not in later.text
    assert embedding_text(later).startswith("Engine\n")


def test_chunks_overlap_by_whole_passages_where_length_cut_them():
    blocks = [block("one two three four five six seven eight nine ten " * 2, page=n) for n in range(1, 9)]
    result = chunked([*blocks], chunk_tokens=60, overlap=25)
    assert len(result.chunks) > 1
    first, second = result.chunks[:2]
    assert second.char_start < first.char_end
    assert any(p.char_start == second.char_start for p in result.passages)


def test_boxes_of_lines_that_follow_each_other_are_joined_and_columns_are_not():
    left = [Box(50, 100, 250, 112), Box(50, 114, 240, 126)]
    right = [Box(300, 100, 500, 112)]
    assert merged([*left, *right]) == (Box(50, 100, 250, 126), Box(300, 100, 500, 112))


def test_huge_blocks_are_bounded():
    huge = Block(BlockKind.PARAGRAPH, tuple(Line("word " * 20, 1, Box(0, 0, 1, 1)) for _ in range(1000)))
    parts = strands([huge])
    assert all(len(part.text) <= MAX_CHARACTERS for part in parts)
    assert " ".join(part.text for part in parts).split() == ["word"] * 20_000
    assert sum(len(part.lines) for part in parts) <= 1000 + len(parts)


@given(st.text(alphabet="ab .\n!?", max_size=300), st.integers(1, 20))
def test_cuts_cover_the_text_but_for_white_space(text, max_tokens):
    ends = EMBEDDER.spans(text).ends
    spans = cut(text, ends, max_tokens)
    assert all(start < end or not text for start, end in spans)
    assert "".join("".join(text[start:end].split()) for start, end in spans) == "".join(text.split())
    for start, end in spans:
        assert sum(start < token <= end for token in ends) <= max_tokens


def test_a_part_of_a_table_begins_with_its_caption_and_header_and_no_row_is_cut():
    rows = [(f"part {n}", f"{n} pieces in stock", f"{n}.50") for n in range(12)]
    result = chunked([table(("Part", "Stock", "Price"), *rows, caption="Table 3 Prices")])
    assert len(result.passages) > 1
    for passage in result.passages:
        first, second, *body = passage.text.split("\n")
        assert (first, second) == ("Table 3 Prices", "Part | Stock | Price")
        assert all(tuple(row.split(" | ")) in rows for row in body)
    assert [row for p in result.passages for row in p.text.split("\n")[2:]] == [" | ".join(row) for row in rows]
    later = result.passages[1]
    # What is repeated stands where it stood, and the passage covers its own rows only.
    (repeated,) = later.places(0, 7)
    assert repeated.box.y0 == 80
    assert later.boxes[0].y0 > 100


def test_the_cells_of_a_row_are_known_with_their_columns_and_places():
    header = (("Fare", "Grimholm", None), (None, "summer", "winter"))
    block = table(*header, ("Adult", "8.90", "7.10"), ("Child", "", "3.50"), header=2)
    wide = replace(block.rows[0].cells[1], columns=2)
    tall = replace(block.rows[0].cells[0], rows=2)
    block = replace(block, rows=(Row((tall, wide), True), *block.rows[1:]))
    (passage,) = chunked([block], window=200).passages
    assert passage.text == "Fare | Grimholm | \nFare | summer | winter\nAdult | 8.90 | 7.10\nChild |  | 3.50"
    layout = passage.layout
    (found,) = layout.tables
    assert found.columns == ("Fare", "Grimholm summer", "Grimholm winter")
    _, row = layout.row_at(passage.text.index("3.50"))
    assert passage.text[row.start : row.end] == "Child |  | 3.50"
    assert [(passage.text[c.start : c.end], found.names_of(c)) for c in row.cells] == [
        ("Child", "Fare"),
        ("", "Grimholm summer"),
        ("3.50", "Grimholm winter"),
    ]
    (place,) = passage.places(row.cells[2].start, row.cells[2].end)
    assert place.box == Box(230, 160, 310, 172)
    assert PassageLayout.from_json(layout.to_json()) == layout


def test_a_row_that_is_longer_than_a_window_is_cut_and_keeps_its_columns():
    text = "The pump stands still and nobody knows why it does. " * 8
    result = chunked([table(("Unit", "Remark"), ("P-1", text.strip()))])
    parts = [p for p in result.passages if "pump" in p.text]
    assert len(parts) > 1
    for part in parts:
        assert len(EMBEDDER.spans(part.text).ends) <= 40
        (found,) = part.layout.tables
        assert found.columns == ("Unit", "Remark")
        assert all(cell.column == 1 for row in found.rows[1:] for cell in row.cells[-1:])


def test_a_heading_is_never_crossed_and_what_belongs_to_the_page_is_in_no_passage():
    furniture = replace(block("Confidential page 3"), kind=BlockKind.PAGE_HEADER)
    result = chunked([block("one two."), furniture, heading("Next"), block("three four.")])
    assert [p.text for p in result.passages] == ["one two.", "Next\nthree four."]


def test_line_ends_that_are_meant_stay_and_divided_words_are_indexed_in_both_spellings():
    lines = (
        Line("10:02 pump 3 trip", 1, Box(50, 50, 200, 62), BROKEN),
        Line("10:04 cardiomyo", 1, Box(50, 64, 200, 76), JOINED, spellings=("cardiomyo-pathy",)),
        Line("pathy", 1, Box(50, 78, 200, 90)),
    )
    (passage,) = chunked([Block(BlockKind.PARAGRAPH, lines)]).passages
    assert passage.text == "10:02 pump 3 trip\n10:04 cardiomyopathy"
    assert "cardiomyo-pathy" in indexing_text(passage)
    assert "cardiomyo-pathy" not in embedding_text(passage)


def test_a_span_within_a_line_has_the_place_of_its_words():
    forwards = Line("The crane lifts the lamp.", 1, Box(100, 50, 220, 62), starts=(0, 20, 50, 75, 90))
    backwards = Line("\u05d4\u05d9\u05dd \u05db\u05d7\u05d5\u05dc", 1, Box(100, 70, 180, 82), starts=(0, -40))
    (passage,) = chunked([Block(BlockKind.PARAGRAPH, (forwards, backwards))]).passages
    ((_, box),) = passage.places(passage.text.index("lifts"), passage.text.index("lamp"))
    assert (box.x0, box.y0, box.y1) == (150, 50, 62)
    assert 185 <= box.x1 <= 190
    ((_, box),) = passage.places(len(forwards.text) + 5, len(passage.text))
    assert (box.x0, box.x1) == (100, 140)


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("Der Termin ist am 3. Mai 2026. Danach ist Ruhe.", ["Der Termin ist am 3. Mai 2026.", "Danach ist Ruhe."]),
        ("Bros. Ltd. of Ft. Worth paid. Nobody else did.", ["Bros. Ltd. of Ft. Worth paid.", "Nobody else did."]),
        ("Is it open? Yes, said Mr. Vale.", ["Is it open?", "Yes, said Mr. Vale."]),
        (
            "\u6d77\u306f\u9752\u3044\u3002\u8239\u306f\u767d\u3044\u3002",
            ["\u6d77\u306f\u9752\u3044\u3002", "\u8239\u306f\u767d\u3044\u3002"],
        ),
    ],
)
def test_a_place_that_only_looks_like_the_end_of_a_sentence_is_none(text, sentences):
    ends = [0, *(end for end in sentence_ends(text) if end < len(text)), len(text)]
    assert [text[a:b].strip() for a, b in pairwise(ends)] == sentences


def test_a_sentence_at_the_edge_of_a_passage_stays_whole():
    sentences = [f"The tender number {n} lifts the buoys off Grimholm in autumn." for n in range(12)]
    result = chunked([block(" ".join(sentences))])
    assert len(result.passages) > 2
    assert [part for p in result.passages for part in p.text.replace(". ", ".\n").split("\n")] == sentences
