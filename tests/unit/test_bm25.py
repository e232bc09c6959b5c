from __future__ import annotations

import threading
import unicodedata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from atoll.adapters.bm25 import AVERAGE_WORDS, K1, STEMMERS, Bm25Encoder

encoder = Bm25Encoder()


def terms(text: str, language: str = "en") -> set[int]:
    return set(encoder.encode_passage(text, language).indices.tolist())


@pytest.mark.parametrize(
    ("whole", "parts"),
    [
        ("KRT-9/12.b", ["krt", "9", "12", "b"]),
        ("max_total_tokens", ["max", "total", "tokens"]),
        ("ABC123x", ["abc", "123", "x"]),
        ("src/atoll/app.py", ["src", "atoll", "app", "py"]),
        ("anna@example.org", ["anna", "example", "org"]),
    ],
)
def test_identifiers_are_kept_whole_and_in_parts(whole, parts):
    assert len(terms(whole, "und")) == len(parts) + 1
    for part in parts:
        assert terms(part, "und") < terms(whole, "und")
    assert terms(whole.lower(), "und") == terms(whole, "und") == terms(f"({whole}).", "und")


def test_a_query_for_an_identifier_wants_the_whole_most():
    vector = encoder.encode_query("SK-4471/3", "en")
    weights = dict(zip(vector.indices.tolist(), vector.values.tolist(), strict=True))
    (whole,) = terms("SK-4471/3") - terms("SK 4471 3")
    assert all(weights[whole] > 4 * weight for term, weight in weights.items() if term != whole)


@pytest.mark.parametrize(
    ("language", "one", "other"),
    [
        ("en", "inspected pumps", "inspects pump"),
        ("en-GB", "running", "runs"),
        ("de", "Leitungen", "Leitung"),
        ("ru", "насосы", "насос"),
    ],
)
def test_words_are_stemmed_by_language(language, one, other):
    assert terms(one, language) == terms(other, language)
    assert terms(one, "und") != terms(other, "und")
    assert terms(one, "xx") != terms(other, "xx")


@pytest.mark.parametrize("language", sorted(STEMMERS))
def test_every_language_has_its_stemmer(language):
    assert terms("abcdefghing", language)


def test_scripts_without_spaces_give_pairs_of_characters():
    assert terms("東京都", "ja") == terms("東京", "ja") | terms("京都", "ja")
    assert len(terms("水", "zh")) == 1
    assert terms("水", "zh") <= terms("水 and", "zh")
    assert terms("ポンプ", "ja") & terms("新しいポンプの説明", "ja") == terms("ポンプ", "ja")


def test_combining_marks_do_not_end_words():
    assert len(terms("हिन्दी", "und")) == 1
    assert terms(unicodedata.normalize("NFD", "Häuser"), "und") == terms("Häuser", "und")


def test_width_case_and_thousands_are_alike():
    assert terms("ＫＲＴ－９", "und") == terms("krt-9", "und")
    assert terms("STRASSE", "und") == terms("straße", "und")
    assert terms("1,234,567") == terms("1'234'567") == terms("1’234’567") == terms("1234567")
    assert terms("1,23") != terms("123")


@pytest.mark.parametrize(
    ("asked", "written"),
    [
        ("1234567", "It cost 1 234 567 in all."),
        ("1234567", "It cost 1\u202f234\u202f567 in all."),
        ("7654321", "Parts 7.654.321 of the list."),
        ("3456789", "CHF 3'456'789.00"),
        ("12149", "Spending: 12 149"),
        ("Jose Nunez", "Dr José Núñez"),
        ("Francois Leveque", "François Lévêque"),
        ("Lukasz Zak", "Łukasz Żak"),
        ("Moller", "Søren Møller"),
        ("Moeller", "Søren Møller"),
        ("Mueller", "Herr Müller"),
        ("Muller", "Herr Müller"),
        ("José", "Jose signed"),
        ("cardiomyopathy", "a cardiomyo-pathy was found"),
        ("moved", "they mo-\nved the pump"),
        ("email", "by e-mail"),
    ],
)
def test_another_spelling_finds_the_same_word_or_number(asked, written):
    found = set(encoder.encode_query(asked, "en").indices.tolist())
    assert len(found & terms(written)) >= len(asked.split())


@pytest.mark.parametrize(
    "spelling",
    ["25 May 2024", "25th of May, 2024", "May 25, 2024", "25.05.2024", "25/05/2024", "25. Mai 2024", "25 mai 2024"],
)
def test_a_date_is_one_term_in_every_spelling(spelling):
    of_the_day = terms("2024-05-25") - terms("2024-05-24") - terms("25, 2023-05-25")
    assert of_the_day & terms(spelling)
    assert not of_the_day & terms("26 May 2024, 25 May 2023")


def test_what_is_only_another_spelling_weighs_less():
    vector = encoder.encode_passage("José", "en")
    weights = dict(zip(vector.indices.tolist(), vector.values.tolist(), strict=True))
    (written,) = terms("José") - terms("Jose")
    (folded,) = terms("Jose")
    assert weights[folded] < weights[written]
    assert terms("input- and output") >= terms("input and output")
    assert not terms("inputand") & terms("input- and output")


@pytest.mark.parametrize("language", ["en", "de", "zh", "und"])
def test_terms_are_those_of_the_passage_s_vector(language):
    for text in ("", "The pumps are running at 1,234 kW, see KRT-9/12.b.", "Straße 東京タワー ＫＲＴ－９", "a a a"):
        assert encoder.terms(text, language) == terms(text, language)


def test_passage_weights_are_bm25_without_idf():
    vector = encoder.encode_passage("alpha alpha beta " + "filler " * (AVERAGE_WORDS - 3), "und")
    weights = dict(zip(vector.indices.tolist(), vector.values.tolist(), strict=True))
    (alpha,), (beta,) = terms("alpha", "und"), terms("beta", "und")
    assert weights[beta] == pytest.approx(1.0)  # tf 1 at the average length
    assert weights[alpha] == pytest.approx(2 * (K1 + 1) / (2 + K1))


def test_questions_lose_stop_words_unless_there_is_nothing_else():
    assert encoder.encode_query("What is the weight of the pump?", "en").indices.size == 2
    assert encoder.encode_query("to be or not to be", "en").indices.size == 4
    assert encoder.encode_query("Was wiegt die Pumpe?", "de").indices.size == 2


def test_the_same_text_gives_the_same_vector_in_every_thread():
    results: list[bytes] = []
    text = " ".join(f"word{number} running houses {number}" for number in range(500))

    def encode() -> None:
        for _ in range(5):
            vector = Bm25Encoder().encode_passage(text, "en")
            results.append(vector.indices.tobytes() + vector.values.tobytes())

    threads = [threading.Thread(target=encode) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert len(results) == 20
    assert len(set(results)) == 1


def test_stored_indices_never_change():
    # vectors on disk hold these numbers: another hash needs another fingerprint
    assert encoder.encode_passage("pump", "en").indices.tolist() == [746596696]
    assert encoder.fingerprint.startswith("bm25-2-")


@given(st.text(max_size=500), st.sampled_from(["en", "de", "ja", "und"]))
def test_any_text_gives_a_valid_vector(text, language):
    for vector in (encoder.encode_passage(text, language), encoder.encode_query(text, language)):
        assert vector.indices.dtype == np.uint32
        assert vector.values.dtype == np.float32
        assert len(vector.indices) == len(vector.values)
        assert np.all(np.diff(vector.indices.astype(np.int64)) > 0)
        assert np.all(vector.values > 0)
        assert np.all(vector.values <= K1 + 1)
