"""Names in a passage become mentions: counted once a place, headings among them, never too many."""

from __future__ import annotations

import pytest

from atoll.adapters.bm25 import identifiers
from atoll.adapters.mentions import MAX_ENTITIES, Occurrence, left_out_warning, mentions
from atoll.domain.ids import DocumentUid, KbUid, chunk_id, entity_id, passage_id
from atoll.domain.passage import Passage

KB = KbUid("kb")


def passage(text: str, *headings: str) -> Passage:
    uid = DocumentUid("d")
    return Passage(passage_id(uid, 0), uid, 0, chunk_id(uid, 0), 3, (), 0, len(text), text, headings)


def found(text: str, *names: tuple[str, str], headings: tuple[str, ...] = ()) -> dict[str, tuple]:
    """Return key -> (surface, type, tf, span) with every occurrence of the names marked."""
    occurrences = []
    for name, kind in names:
        at = text.find(name)
        while at >= 0:
            occurrences.append(Occurrence(at, at + len(name), kind))
            at = text.find(name, at + 1)
    result = mentions(passage(text, *headings), KB, occurrences)
    assert all(m.entity == entity_id(KB, m.key) for m in result.mentions)
    return {m.key: (m.surface, m.type, m.tf, m.span) for m in result.mentions}


def test_occurrences_are_counted_and_the_first_is_the_span():
    names = found("Ada met Bob. the Ada wrote.", ("Ada", "person"), ("Bob", "person"))
    assert names == {"ada": ("Ada", "person", 2, (0, 3)), "bob": ("Bob", "person", 1, (8, 11))}


def test_a_heading_alone_has_no_span_and_counts_one():
    assert found("It was cold.", headings=("Osk Head",)) == {"osk head": ("Osk Head", "heading", 1, (0, 0))}


def test_a_heading_counts_one_more_and_leaves_the_type_to_the_text():
    names = found("In winter Osk Head is cold.", ("Osk Head", "location"), headings=("Osk Head",))
    assert names["osk head"] == ("Osk Head", "location", 2, (10, 18))


def test_a_heading_that_the_passage_holds_stands_where_it_is():
    names = found("Osk Head\nOsk Head is cold.", headings=("Manual", "Osk Head"))
    assert names == {"manual": ("Manual", "heading", 1, (0, 0)), "osk head": ("Osk Head", "heading", 1, (0, 8))}


def test_a_remark_in_parentheses_and_a_number_make_no_other_name():
    keys = found("words", headings=("2.3 Titanic (1997 film)",)).keys()
    assert keys == {"titanic 1997 film", "titanic"}


def test_overlapping_names_of_one_key_count_once():
    text = "The KRT-9 and the KRT-9."
    names = found(text, ("The KRT-9", "product"), ("the KRT-9", "product"))
    assert names == {"krt 9": ("The KRT-9", "product", 2, (0, 9))}


def test_the_majority_of_types_wins_and_the_first_among_equals():
    text = "Helix Helix Helix Apex Apex"
    helix = [Occurrence(0, 5, "group"), Occurrence(6, 11, "person"), Occurrence(12, 17, "person")]
    apex = [Occurrence(18, 22, "group"), Occurrence(23, 27, "person")]
    kinds = {m.key: m.type for m in mentions(passage(text), KB, helix + apex).mentions}
    assert kinds == {"helix": "person", "apex": "group"}


def test_too_many_names_are_left_out_from_the_least_and_said():
    words = [f"Name{chr(65 + i // 26)}{chr(97 + i % 26)}" for i in range(MAX_ENTITIES + 5)]
    text = " ".join([*words, words[-1]])
    at = [Occurrence(text.index(word), text.index(word) + len(word), "person") for word in words]
    last = text.rindex(words[-1])
    result = mentions(passage(text), KB, [*at, Occurrence(last, last + len(words[-1]), "person")])
    assert len(result.mentions) == MAX_ENTITIES
    assert result.left_out == 5
    kept = {m.surface for m in result.mentions}
    assert words[-1] in kept, "mentioned twice"
    assert words[0] in kept
    assert words[-2] not in kept
    (warning,) = left_out_warning([(passage(text), result.left_out)])
    assert (warning.type, warning.page) == ("EntitiesLeftOut", 3)
    assert warning.message.startswith("5 names")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Valve SK-4471/3 and the KRT-9 of A380", ["SK-4471/3", "KRT-9", "A380"]),
        ("10kW at 3-5GHz, 1990s, 2nd, km2, 3-year-old, 3.14, 2024-05-01, x9@b.org", []),
        ("泵КР-12型", ["泵КР-12型"]),
    ],
)
def test_identifiers_are_digits_with_capitals(text, expected):
    assert [text[start:end] for start, end in identifiers(text)] == expected
