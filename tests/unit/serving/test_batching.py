from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from atoll.serving.batching import MOST_PADDING_TOKENS, form_batch


@dataclass(frozen=True)
class Input:
    tokens: int
    name: str = ""


lengths = st.integers(min_value=1, max_value=512)


@given(lengths, st.lists(lengths, max_size=60), st.integers(min_value=1, max_value=4096))
def test_a_batch_holds_its_anchor_stays_in_budget_and_is_sorted(anchor, others, budget):
    batch = form_batch(Input(anchor, "anchor"), [Input(tokens) for tokens in others], budget_tokens=budget)
    sizes = [entry.tokens for entry in batch]
    assert Input(anchor, "anchor") in batch
    assert len(batch) == 1 or sizes[0] * len(sizes) <= budget
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] - sizes[-1] <= MOST_PADDING_TOKENS
    remaining = [anchor, *others]
    for size in sizes:
        remaining.remove(size)


def test_neighbours_in_length_are_preferred():
    others = [Input(tokens) for tokens in (10, 55, 58, 61, 90, 200)]
    batch = form_batch(Input(60), others, budget_tokens=4 * 61)
    assert [entry.tokens for entry in batch] == [61, 60, 58, 55]


def test_short_texts_go_together_and_a_long_one_is_not_padded_to_a_longer():
    """Half of the tokens of the second batch would be padding."""
    assert len(form_batch(Input(8), [Input(tokens) for tokens in (16, 24, 40, 56)], budget_tokens=4096)) == 5
    assert form_batch(Input(256), [Input(136)], budget_tokens=4096) == [Input(256)]


def test_an_input_over_the_budget_goes_alone():
    assert form_batch(Input(900), [Input(900), Input(880)], budget_tokens=512) == [Input(900)]


def test_equal_lengths_all_fit():
    batch = form_batch(Input(10), [Input(10)] * 9, budget_tokens=100)
    assert len(batch) == 10
