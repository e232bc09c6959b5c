"""The key of a name: what is the same entity, and what names nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atoll.domain.names import MAX_KEY_CHARACTERS, entity_key


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("The Beatles", "beatles"),
        ("the Beatles' drummer", "beatles drummer"),
        ("Shirley Temple's", "shirley temple"),
        ("Shirley Temple\u2019s", "shirley temple"),
        ("their Osk Head station", "osk head station"),
        ("Titanic (1997 film)", "titanic 1997 film"),
        ("SK-4471/3", "sk 4471 3"),
        ("  A  Space\tOdyssey ", "space odyssey"),
        ("Ａtoll", "atoll"),
        ("Straße", "strasse"),
        ("Ōsaka", "ōsaka"),
        ("東京", "東京"),
        ("नई दिल्ली", "नई दिल्ली"),
    ],
)
def test_spellings_of_one_name_have_one_key(name, key):
    assert entity_key(name) == key


@pytest.mark.parametrize("name", ["", "  ", "--", "an UN", "EU", "東", "word " * 40])
def test_what_names_nothing_has_no_key(name):
    assert entity_key(name) is None


@given(st.text(max_size=200))
def test_a_key_is_clean_and_short_and_lower_case(name):
    key = entity_key(name)
    if key is not None:
        assert key == " ".join(key.split()) == key.casefold()
        assert 2 <= len(key) <= MAX_KEY_CHARACTERS
