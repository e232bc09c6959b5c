"""Display order against cases worked out by hand from UAX #9; capitals stand for Hebrew letters."""

from __future__ import annotations

import pytest

from parser.typeset import bidi
from parser.typeset.faces import Style
from tests.unit.parser.reading import fonts

_HEBREW = {chr(ord("A") + index): chr(0x05D0 + index) for index in range(26)}
_LATIN = {hebrew: latin for latin, hebrew in _HEBREW.items()}


def shown(text: str) -> str:
    """The characters whose glyphs stand on the page, from left to right."""
    logical = "".join(_HEBREW.get(c, c) for c in text)
    levels = bidi.embedding_levels(logical, bidi.base_level(logical))
    runs = fonts().runs(logical, Style.TEXT, levels)
    return "".join(_LATIN.get(c, c) for run in runs for c in str(run.text))


@pytest.mark.parametrize(
    ("logical", "display"),
    [
        ("hello", "hello"),
        ("ABC", "CBA"),
        ("car is THE CAR in arabic", "car is RAC EHT in arabic"),
        ("THE car IS red", "red SI car EHT"),
        ("A 123 B", "B 123 A"),
        ("A 1,234.5 B", "B 1,234.5 A"),
        ("A 1-2 B", "B 1-2 A"),
        ("A (B) C", "C (B) A"),
        ("a (B) c", "a (B) c"),
        ("A (b c) D", "D (b c) A"),
        ("a AB. c", "a BA. c"),
        ("AB!", "!BA"),
        ("A $5 B", "B $5 A"),
        ("he said THE VALUES ARE 123, 456 ok", "he said 456 ,123 ERA SEULAV EHT ok"),
        ("A [b] <C>", "<C> [b] A"),
    ],
)
def test_display_order(logical: str, display: str) -> None:
    assert shown(logical) == display


def test_every_order_is_a_permutation() -> None:
    text = "".join(chr(0x05D0 + i % 20) if i % 3 else chr(97 + i % 26) for i in range(60)) + " 12 (x) \u0627\u0628"
    for base in (0, 1):
        assert sorted(bidi.display_order(bidi.embedding_levels(text, base))) == list(range(len(text)))
