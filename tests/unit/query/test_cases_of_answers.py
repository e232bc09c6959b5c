"""The shared cases of answers that went wrong, over the query side alone: what is said now, and what must not be."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from atoll.domain.answer import AnsweredBy
from atoll.query.service import AnswerMode, Turn
from tests.unit.query.twins import Library

CASES = Path(__file__).parents[4] / "shared" / "cases"
pytestmark = pytest.mark.skipif(not CASES.is_dir(), reason="the shared cases are not there")


def case(name: str) -> str:
    return (CASES / name).read_text()


async def asked(library: Library, question: str, *history: str):
    turns = tuple(Turn("assistant" if at % 2 else "user", text) for at, text in enumerate(history))
    return await library.service.query(library.asking(question, AnswerMode.EXTRACT, history=turns))


async def test_rules_that_differ_in_one_word_are_both_found_and_both_shown():
    library = Library()
    for name in ("rules-house-east.txt", "rules-house-west.txt"):
        await library.add(name, case(name))
    found = await library.search("gas supply in the evening")
    assert {entry.document: entry.also_in for entry in found.evidence} == {
        "rules-house-east.txt": (), "rules-house-west.txt": (),
    }  # fmt: skip
    outcome = await asked(library, "Is the gas supply permitted after eight in the evening?")
    said = [sentence.text for sentence in outcome.answer.sentences]
    assert len(said) == 2
    assert sum("not permitted" in text for text in said) == 1
    assert [caution.type for caution in outcome.warnings] == ["documents_differ"]
    (named,) = (await asked(library, "rules-house-west gas supply")).answer.sentences
    assert "not permitted" in named.text


@pytest.mark.parametrize(
    ("question", "part"),
    [
        ("Who leaves as treasurer?", "Otto"),
        ("Which lift is broken?", "hall 4"),
        ("Who chaired?", "Ida opened"),
        ("What will the shed cost?", "6,400"),
        ("When can I take the lift again?", "30 May"),
        ("Is there vegetarian food?", "vegetarian dish"),
        ("Who attended?", "Ida Berg, Karl Nyman"),
    ],
)
async def test_minutes_in_one_passage_answer_each_of_their_subjects(question, part):
    library = Library()
    await library.add("minutes-may.txt", case("minutes-may.txt"))
    outcome = await asked(library, question)
    assert outcome.answer.answered_by is AnsweredBy.EXTRACT, outcome.answer.text
    assert part in outcome.answer.text


async def test_a_conversation_stays_with_the_thing_it_is_about():
    library = Library()
    for name, text in json.loads(case("cars.json")).items():
        title, *paragraphs = text.removeprefix("# ").split("\n\n")
        await library.add(name, "\n".join((title, *paragraphs)), headings=(title,))
    history = [
        "How much is a tyre change for the Model Brisk?",
        "A tyre change for the Model Brisk costs 355 euros. [1]",
    ]
    service = await asked(library, "What about a service?", *history)
    assert [sentence.text for sentence in service.answer.sentences] == [
        "A service for the Model Brisk costs 540 euros."
    ]
    assert "Brisk" in service.understood
    history += ["What about a service?", service.answer.text]
    glass = await asked(library, "And how much would I have to pay for a new windscreen then?", *history)
    assert [sentence.text for sentence in glass.answer.sentences] == [
        "A new windscreen for the Model Brisk costs 760 euros."
    ]
    assert "Brisk" in glass.understood


@pytest.mark.parametrize("name", ["Francois Leveque", "Jose Nunez", "Lukasz Zak", "Moller"])
async def test_names_are_found_as_they_are_typed_without_accents(name):
    library = Library()
    await library.add("people.txt", case("people.txt"))
    for other in json.loads(case("people-others.json"))["documents"]:
        await library.add(other["name"], other["text"])
    found = await library.search(name)
    assert found.evidence[0].document == "people.txt"
    outcome = await asked(library, f"Who is {name}?")
    assert outcome.answer.citations, outcome.answer.text
    assert {citation.evidence.document for citation in outcome.answer.citations} == {"people.txt"}


@pytest.mark.parametrize("language", ["de", "en"])
@pytest.mark.parametrize(
    ("question", "sentence"),
    [
        ("Wann ist der Termin?", "Der Termin ist am 3. Mai 2026 um 14 Uhr in Raum 5."),
        ("Wann endet die Frist?", "Die Frist endet am 31. Dezember 2026."),
        ("Welche Kammer ist zuständig?", "Zuständig ist die 12. Kammer."),
        ("Wie erfolgt die Prüfung?", "Die Prüfung erfolgt gem. § 5 Abs. 2 Nr. 3 der Ordnung."),
        ("Wann tagt der Aufsichtsrat?", "Der Aufsichtsrat tagt am 1. und 15. Juli."),
    ],
)
async def test_sentences_end_at_no_ordinal_and_no_abbreviation(language, question, sentence):
    library = Library(language=language)
    await library.add("termine-de.txt", *case("termine-de.txt").split("\n\n"))
    outcome = await asked(library, question)
    if language == "de":
        assert [said.text for said in outcome.answer.sentences] == [sentence]
    else:
        assert outcome.answer.answered_by is AnsweredBy.NONE or sentence in outcome.answer.text
    assert outcome.warnings == (), "the sentence is in the language of the question"
