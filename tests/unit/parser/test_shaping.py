"""Words as HarfBuzz sets them in the fonts that ship, against forms worked out by hand."""

from __future__ import annotations

from pathlib import Path

import pypdfium2
import pytest

from atoll.domain import media
from parser.typeset import bidi
from parser.typeset.faces import REPLACEMENT, Run, Style
from parser.typeset.lines import LineBreaker
from parser.typeset.shaping import may_part, needs_shaping
from tests.unit.parser.reading import fonts, read

HINDI, KSSA, MUHAMMAD, SALAM = (
    "\u0939\u093f\u0928\u094d\u0926\u0940",
    "\u0915\u094d\u0937",
    ("\u0645\u064f\u062d\u064e\u0645\u064e\u0651\u062f"),
    "\u0633\u0644\u0627\u0645",
)


def runs_of(text: str, style: Style = Style.TEXT) -> tuple[Run, ...]:
    levels = bidi.embedding_levels(text, bidi.base_level(text)) if bidi.has_right_to_left(text) else None
    return fonts().runs(text, style, levels)


def places_of(text: str) -> list[tuple[str, int, int]]:
    """Each glyph's character with how far it is moved, in thousandths: right and up."""
    (run,) = runs_of(text)
    return [
        (character, round(place.x_offset), round(place.y_offset))
        for character, place in zip(str(run.text), run.text.__shapeData__, strict=True)  # type: ignore[attr-defined]
    ]


@pytest.mark.parametrize(
    ("word", "forms"),
    [
        (SALAM, "\u0645\ufefc\ufeb3"),  # seen initial, lam-alef final, meem alone
        ("\u0628\u0628", "\ufe90\ufe91"),
        ("\u062f\u0627\u0631", "\u0631\u0627\u062f"),  # letters that join nothing after them
        ("\u067e\u06cc", "\ufbfd\ufb58"),  # Persian
    ],
)
def test_arabic_letters_take_their_joined_forms_from_right_to_left(word: str, forms: str) -> None:
    assert "".join(character for character, _, _ in places_of(word)) == forms


def test_arabic_marks_stand_on_their_letter_and_do_not_part_letters() -> None:
    last, mark, first = places_of("\u0628\u064e\u0628")
    assert (last[0], mark[0], first[0]) == ("\ufe90", "\u064e", "\ufe91")
    assert mark[1:] != (0, 0)


def test_hebrew_points_stand_in_their_letter() -> None:
    lamed, *points, shin = places_of("\u05e9\u05c1\u05b8\u05dc")
    assert (lamed[0], shin[0]) == ("\u05dc", "\u05e9")
    assert {point[0] for point in points} == {"\u05c1", "\u05b8"}
    assert any(point[1] < 0 for point in points)


def test_an_indic_vowel_sign_goes_before_its_letter_and_consonants_join() -> None:
    (run,) = runs_of("\u0939\u093f")  # ha + i: the sign is drawn first
    assert str(run.text)[-1] == "\u0939"
    conjunct, *rest = places_of(KSSA)  # ka + virama + ssa: one sign
    assert rest == []
    assert "\ue000" <= conjunct[0] <= "\uf8ff"  # a glyph without a character of its own


@pytest.mark.parametrize(
    "word",
    [
        HINDI, MUHAMMAD, "\u09ac\u09be\u0982\u09b2\u09be", "\u0ba4\u0bae\u0bbf\u0bb4\u0bcd",
        "\u0c24\u0c46\u0c32\u0c41\u0c17\u0c41", "\u0c95\u0ca8\u0ccd\u0ca8\u0ca1",
        "\u0d2e\u0d32\u0d2f\u0d3e\u0d33\u0d02", "\u0a97\u0ac1\u0a9c\u0ab0\u0abe\u0aa4\u0ac0",
        "\u0a2a\u0a70\u0a1c\u0a3e\u0a2c\u0a40", "\u0dc3\u0dd2\u0d82\u0dc4\u0dbd", "\u0e17\u0e35\u0e48", "e\u0304\u0301",
    ],
)  # fmt: skip
def test_words_of_many_scripts_are_one_run_without_a_missing_glyph(word: str) -> None:
    (run,) = runs_of(word)
    assert "\x00" not in run.text
    assert 0 < run.width < len(word)
    assert fonts().width(word, Style.TEXT) == pytest.approx(run.width)


def test_scripts_fonts_and_directions_part_runs_and_what_no_font_has_is_a_square() -> None:
    fonts().missing.clear()
    assert [run.font for run in runs_of("a \u0939\u093f")] == ["text", "world"]
    assert [str(run.text) for run in runs_of("\u0628\u05d0")] == ["\u05d0", "\u0628"]
    (square,) = runs_of("\u1780\u17c1")  # Khmer
    assert set(square.text) == {REPLACEMENT}
    assert "\u1780" in fonts().missing
    # A private character of a text is not taken for a glyph that was lent its code.
    ((lent, _, _),) = places_of(KSSA)
    assert {*runs_of(f"{lent}\u0301")[0].text} == {REPLACEMENT}
    fonts().missing.clear()


def test_plain_text_is_not_shaped_and_lines_do_not_end_before_a_mark() -> None:
    plain = ("plain", "\u00fcber \u0433\u043e\u0440\u043e\u0434", "\u6f22\u5b57 \ud55c\uad6d")
    assert not any(map(needs_shaping, plain))
    assert [may_part(f"{KSSA}\u093f", position) for position in range(4)] == [True, False, False, False]
    assert may_part("ab", 1)


def test_lines_of_shaped_text_stay_within_the_width_they_are_set_for() -> None:
    breaker = LineBreaker(fonts(), Style.TEXT, 10, 200)
    for word in (HINDI, MUHAMMAD, SALAM, "e\u0304\u0301a"):
        lines = list(breaker.lines(f"{word} " * 40))
        assert len(lines) > 2
        assert max(line.width for line in lines) <= 200
        assert " ".join(line.text for line in lines).split() == [word] * 40
        words = len(lines[0].starts)  # the last one ends where the line does
        end = abs(lines[0].starts[-1]) + fonts().width(word, Style.TEXT) * 10
        assert words == len(lines[0].text.split())
        assert end == pytest.approx(lines[0].width, abs=1.0)


def test_a_page_of_shaped_text_is_drawn_with_ink_where_its_lines_are(tmp_path: Path) -> None:
    paragraphs = [f"{HINDI} {KSSA}\u0947\u0924\u094d\u0930", f"{MUHAMMAD} {SALAM}"]
    reading = read(tmp_path, "\n\n".join(paragraphs).encode(), media.TEXT)
    assert reading.texts == paragraphs
    assert reading.warned == []
    pdf = pypdfium2.PdfDocument(reading.pdf)
    image = pdf[0].render(scale=2).to_pil().convert("L")
    for block in reading.document.blocks:
        box = block.lines[0].box
        inked = image.crop((int(box.x0 * 2), int(box.y0 * 2), int(box.x1 * 2) + 1, int(box.y1 * 2) + 1))
        columns = [min(inked.crop((x, 0, x + 1, inked.height)).get_flattened_data()) < 128 for x in range(inked.width)]
        assert columns.index(True) < 8  # ink from one end of the box
        assert columns[::-1].index(True) < 8  # to the other
    pdf.close()
