"""Opaque numbers: the same again and again, readable for the gateway alone, and only where they belong."""

from __future__ import annotations

import string

import pytest

from atoll.access.opaque import OPAQUE_CHARACTERS, Opaque

OPAQUE = Opaque(b"p" * 32)


@pytest.mark.parametrize("number", [0, 1, 255, 2**40, 2**63 - 1])
def test_an_opaque_number_comes_back(number: int) -> None:
    text = OPAQUE.text("audit", "acme", number)
    assert OPAQUE.text("audit", "acme", number) == text, "an event keeps its id"
    assert len(text) == OPAQUE_CHARACTERS
    assert set(text) <= set(string.ascii_letters + string.digits + "-_")
    assert OPAQUE.number("audit", "acme", text) == number


def test_an_opaque_number_holds_for_its_purpose_place_and_pepper_alone() -> None:
    text = OPAQUE.text("document", "kb", 7)
    assert OPAQUE.number("change", "kb", text) is None
    assert OPAQUE.number("document", "other", text) is None
    assert Opaque(b"q" * 32).number("document", "kb", text) is None


def test_neighbours_have_nothing_in_common() -> None:
    texts = [OPAQUE.text("change", "kb", number) for number in range(500)]
    assert len({text[:4] for text in texts}) > 490
    assert len({text[-4:] for text in texts}) > 490
    assert sorted(texts) != texts


@pytest.mark.parametrize("text", ["", "7", "zzz", "é", "\ud800", "A" * 31, "A" * 32, "A" * 36, "+" * 32, "A" * 5000])
def test_a_foreign_text_is_none(text: str) -> None:
    assert OPAQUE.number("document", "kb", text) is None


def test_a_changed_text_is_none() -> None:
    text = OPAQUE.text("document", "kb", 7)
    for at, letter in enumerate(text):
        changed = text[:at] + ("B" if letter != "B" else "C") + text[at + 1 :]
        assert OPAQUE.number("document", "kb", changed) is None
