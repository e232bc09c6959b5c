"""Sentences, dates and numbers as documents and questions spell them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atoll.domain.text.dates import dates
from atoll.domain.text.folding import folded, spellings
from atoll.domain.text.numbers import value_of, values_of, word_values
from atoll.domain.text.sentences import sentences


def cut(text: str) -> list[str]:
    return [text[start:end] for start, end in sentences(text)]


@pytest.mark.parametrize(
    "text",
    [
        "Der Termin ist am 3. Mai 2026 um 14 Uhr in Raum 5.|Danach ist frei.",
        "Die Frist endet am 31. Dezember.|Danach gilt die 2. Fassung.",
        "Zuständig ist die 12. Kammer.|Sie tagt am 1. und 15. Juli.",
        "Die Prüfung erfolgt gem. § 5 Abs. 2 der Ordnung.|Sie ist öffentlich.",
        "Die Fa. Huber liefert den Sand.|Er ist nass.",
        "Marrick Bros. Ltd. built the quay.|It is old.",
        "The works of Ft. Worth and St. Ives closed.|Nobody came.",
        "They sell to Brown Inc.|The price is fixed.",
        "He was born in 1978.|The town was small.",
        "The first has 3.|The other has 4.",
        "1. Open the valve.|2. Close it.",
        'On 28 January he wrote: "It blew. The mast moved. I moved also."|Then he slept.',
        "La réunion est le 2 mai.|Tout le monde vient.",
        "2020.3.30. 0시 기준 확진자는 9,661명이다.|지난 2020. 3. 11. 세계적 유행을 선언하였다.",
        "これは文です。|次の文です。",
        "هل وصل القارب؟|نعم وصل.",
        "यह वाक्य है।|यह दूसरा है।",
        "Kokous on 3. toukokuuta.|Se on auki.",
        "Schůze je 3. května v sále.|Vstup je volný.",
        "A reunião é às 10 h.|O Dr. Sousa preside.",
        "La Sra. Pérez llegó.|Vive en la Av. Colón.",
        "Il sig. Rossi parte.|Torna domani.",
        "De heer dr. Jansen komt.|Hij is laat.",
        "Mötet är den 3. maj.|Alla kommer.",
        "Møtet er 3. mai.|Alle kommer.",
        "Pan dr. Nowak odpowiada.|Jest lekarzem.",
        "Совещание 3. мая.|Все придут.",
        "Η συνάντηση είναι τη Δευτέρα.|Έλα νωρίς.",
        "Toplantı yarın.|Herkes gelsin.",
        "Lihat hlm. 5 dulu.|Lalu kerjakan.",
        "Der Satz hat XX.2025.2. als Nummer?|Nein.",
    ],
)
def test_sentences_end_where_people_end_them(text):
    assert cut(text.replace("|", " ")) == text.split("|")


def test_a_number_at_a_lines_start_is_no_sentence():
    assert cut("XX.2025.2. The rule holds.") == ["XX.2025.2. The rule holds."]


@given(st.text(max_size=300))
def test_sentences_leave_only_white_space_between_them(text):
    at = 0
    for start, end in sentences(text):
        assert at <= start < end
        assert not text[at:start].strip()
        at = end
    assert not text[at:].strip()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("on 2024-05-25 at noon", [(2024, 5, 25)]),
        ("am 25.05.2024", [(2024, 5, 25)]),
        ("31/10/2024", [(2024, 10, 31)]),
        ("12/31/2024", [(2024, 12, 31)]),
        ("the 25th of May 2024", [(2024, 5, 25)]),
        ("January 9th, 2024", [(2024, 1, 9)]),
        ("Sept. 3, 2020", [(2020, 9, 3)]),
        ("am 3. März", [(None, 3, 3)]),
        ("le 1er août 2024", [(2024, 8, 1)]),
        ("3 de mayo de 2026", [(2026, 5, 3)]),
        ("2024년 5월 25일", [(2024, 5, 25)]),
        ("2024年5月25日", [(2024, 5, 25)]),
        ("8 to 26 April 2024", [(2024, 4, 8), (2024, 4, 26)]),
        ("from 4 November to 13 December 2024", [(2024, 11, 4), (2024, 12, 13)]),
        ("in April 2029", [(2029, 4, None)]),
        ("10 people may enter in march", []),
        ("31.02.2024 and 2024-13-01", []),
        ("version 1.2.2024x 192.168.1.1", []),
    ],
)
def test_dates_of_every_spelling(text, found):
    assert [(date.year, date.month, date.day) for date in dates(text)] == found


def test_dates_agree_when_what_is_known_of_both_is_the_same():
    def only(text):
        (date,) = dates(text)
        return date

    assert only("25 May 2024").agrees(only("2024-05-25"))
    assert only("25 May").agrees(only("2024-05-25"))
    assert only("May 2024").agrees(only("2024-05-25"))
    assert not only("25 May 2023").agrees(only("2024-05-25"))
    assert not only("26 May").agrees(only("2024-05-25"))
    assert not only("May 2023").agrees(only("25 May"))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("twelve members", "12"),
        ("twenty-one", "21"),
        ("1.5 million euros", "1500000"),
        ("two hundred", "200"),
        ("zwölf", "12"),
        ("2 ½ cups", "2.5"),
        ("2:30 pm", "14:30"),
        ("7 a.m.", "7:00"),
        ("第三条", "3"),
        ("十五日", "15"),
        ("3 Mio. Euro", "3000000"),
    ],
)
def test_numbers_in_words_have_their_value(text, value):
    assert value in {number.value for number in word_values(text)}


def test_figures_mean_what_either_convention_makes_of_them():
    assert value_of("1,234.50") == value_of("1.234,5") == "1234.5"
    assert values_of("1.500") == {"1500", "1.5"}
    assert values_of("12,5") == {"12.5"}


@given(st.text(max_size=30))
def test_folding_twice_changes_nothing(word):
    word = word.casefold()
    assert folded(folded(word)) == folded(word)
    assert all(other != word for other in spellings(word))
