"""Blocks -> passages and chunks: nothing lost, windows kept, boxes true."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from atoll.adapters.memory.embedder import MemoryEmbedder
from atoll.domain.ids import DocumentUid
from atoll.domain.page import Block, BlockKind, Box, Line
from atoll.ingest.cutting import HEADING_TOKENS, MAX_BLOCK_CHARACTERS, bounded_blocks, chunk, embedding_text, merge
from atoll.ingest.sentences import cut

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
    ends = [EMBEDDER.spans(each.text).ends for each in blocks]
    return chunk(DOCUMENT, blocks, ends, window_tokens=window, chunk_tokens=chunk_tokens, overlap_tokens=overlap)


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


def test_a_passage_is_on_one_page_with_the_boxes_of_its_own_lines():
    first, second = block("one two three four", page=1), block("five six seven eight", page=2)
    result = chunked([first, second])
    assert [(p.page, p.text) for p in result.passages] == [(1, "one two three four"), (2, "five six seven eight")]
    assert result.passages[0].boxes == (first.lines[0].box,)


def test_a_block_over_two_pages_is_cut_at_the_page():
    lines = (Line("the end of a page", 1, Box(50, 800, 500, 812)), Line("goes on here", 2, Box(50, 50, 500, 62)))
    result = chunked([Block(BlockKind.PARAGRAPH, lines)])
    assert [(p.page, p.text) for p in result.passages] == [(1, "the end of a page"), (2, "goes on here")]


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
    assert merge([*left, *right]) == (Box(50, 100, 250, 126), Box(300, 100, 500, 112))


def test_huge_blocks_are_bounded_between_lines():
    huge = Block(BlockKind.PARAGRAPH, tuple(Line("word " * 20, 1, Box(0, 0, 1, 1)) for _ in range(1000)))
    parts = bounded_blocks([huge])
    assert all(len(part.text) <= MAX_BLOCK_CHARACTERS * 1.1 for part in parts)
    assert sum(len(part.lines) for part in parts) == 1000


@given(st.text(alphabet="ab .\n!?", max_size=300), st.integers(1, 20))
def test_cuts_cover_the_text_but_for_white_space(text, max_tokens):
    ends = EMBEDDER.spans(text).ends
    spans = cut(text, ends, max_tokens)
    assert all(start < end or not text for start, end in spans)
    assert "".join("".join(text[start:end].split()) for start, end in spans) == "".join(text.split())
    for start, end in spans:
        assert sum(start < token <= end for token in ends) <= max_tokens
