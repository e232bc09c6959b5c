"""Each kind of question over the papers of an orchestra that does not exist: what is shown, and what is refused."""

from __future__ import annotations

import pytest

from atoll.domain.answer import AnsweredBy, RefusalReason
from atoll.domain.embedding import TokenSpans
from atoll.query.service import AnswerMode, Turn
from tests.unit.query.twins import Library

TICKETS = (
    "Tickets\n"
    "Table 1. Prices in crowns\n"
    "Ticket | Town hall | Old mill | Church\n"
    "Adult | 120 | 95 | none\n"
    "Pupil | 60 | 45 | none\n"
    "Group, each person | 80.50 | 70 | 30\n"
)
YEAR = (
    "The year in figures\n"
    "Table 2. Concerts and listeners\n"
    "Hall | Concerts 2021 | Concerts 2022 | Listeners 2022\n"
    "Town hall | 14 | 19 | 8,450\n"
    "Old mill | 9 | 11 | 2,310\n"
)
MINUTES = (
    "Minutes of the committee\n"
    "The committee met on 4 March 2023 in the rehearsal room. Ada Brekke was in the chair. "
    "The harp lift is broken; Corvin Lifts will mend it by Friday. "
    "Lars Ødegård leaves as treasurer at the end of May. "
    "The new shed will cost 3,200 crowns. "
    "Coffee after concerts is no longer free, because the sponsor has withdrawn. "
    "The next meeting is on 1 April 2023."
)
RULES = (
    "Rules for the rehearsal room\n"
    "The room may be used from 8 to 22 o'clock. Eating is forbidden, and drums are not allowed after 20 o'clock. "
    "Keys hang behind the door of the office. Whoever loses a key pays 150 crowns.\n"
    "Instruments that may stay in the room:\n"
    "- the grand piano\n"
    "- the two double basses\n"
    "- the set of timpani\n"
)
HISTORY = (
    "How the orchestra began\n"
    "The orchestra was founded in 1931 by the organist Mikkel Thorsen. "
    'He conducted it for twenty years and wrote in his diary: "The second horn came late again. I said nothing." '
    "The first concert was given in the old mill, which burned down in 1958."
)
LOG = (
    "2023-01-17 Tuning\nGrand piano tuned by Jiří Novák. One hammer renewed.\n"
    "2023-02-08 Flood in the cellar\nMusic stands 4 to 9 wet, dried in the hall. Nobody was hurt.\n"
)
PAPERS = {
    "tickets.md": (TICKETS, ("Prices and discounts", "Tickets")),
    "year.md": (YEAR, ("Annual report 2022", "The year in figures")),
    "minutes.txt": (MINUTES, ("Minutes of the committee",)),
    "rules.md": (RULES, ("Rules for the rehearsal room",)),
    "history.md": (HISTORY, ("How the orchestra began",)),
    "log.txt": (LOG, ()),
}


class Readers(Library):
    """A library whose embedder knows only the words of its papers as words."""

    async def open(self) -> Readers:
        for name, (text, headings) in PAPERS.items():
            await self.add(name, text, headings=headings)
        for number in range(30):
            await self.add(
                f"note {number}", f"Week {number}: cables, chairs, weather and other small things were seen to."
            )
        return self

    async def asked(self, question: str, *history: str):
        roles = ("user", "assistant")
        turns = tuple(Turn(roles[at % 2], text) for at, text in enumerate(history))
        return await self.service.query(self.asking(question, AnswerMode.EXTRACT, history=turns))

    async def said(self, question: str, *history: str) -> list[str]:
        outcome = await self.asked(question, *history)
        return [sentence.text for sentence in outcome.answer.sentences]


@pytest.fixture
async def readers() -> Readers:
    return await Readers().open()


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("How much is a pupil ticket in the old mill?", "Pupil, Old mill: 45 (Table 1. Prices in crowns)"),
        (
            "What does each person of a group pay in the church?",
            "Group, each person, Church: 30 (Table 1. Prices in crowns)",
        ),
        (
            "How many concerts were there in the town hall in 2021?",
            "Town hall, Concerts 2021: 14 (Table 2. Concerts and listeners)",
        ),
        (
            "How many listeners came to the old mill in 2022?",
            "Old mill, Listeners 2022: 2,310 (Table 2. Concerts and listeners)",
        ),
    ],
)
async def test_a_cell_is_shown_with_the_names_of_its_row_and_column(readers, question, answer):
    outcome = await readers.asked(question)
    assert [sentence.text for sentence in outcome.answer.sentences] == [answer]
    table = outcome.answer.sentences[0].table
    assert answer.startswith(table.row[0])
    assert len(table.header) == len(table.row)
    spans = [place.span for place in outcome.answer.sentences[0].places]
    assert len(spans) == 2, "the row's name and the cell"


@pytest.mark.parametrize(
    ("question", "part"),
    [
        ("Who leaves as treasurer?", "Lars Ødegård leaves as treasurer at the end of May."),
        ("Which lift is broken?", "The harp lift is broken; Corvin Lifts will mend it by Friday."),
        ("What will the shed cost?", "The new shed will cost 3,200 crowns."),
        ("Who was in the chair?", "Ada Brekke was in the chair."),
        ("When is the next meeting after 4 March?", "The next meeting is on 1 April 2023."),
        (
            "Why is coffee no longer free?",
            "Coffee after concerts is no longer free, because the sponsor has withdrawn.",
        ),
        ("Where do the keys hang?", "Keys hang behind the door of the office."),
        ("Who founded the orchestra?", "The orchestra was founded in 1931 by the organist Mikkel Thorsen."),
        ("Are drums allowed after 20 o'clock?", "Eating is forbidden, and drums are not allowed after 20 o'clock."),
        ("What does a lost key cost?", "Whoever loses a key pays 150 crowns."),
    ],
)
async def test_a_passage_on_many_subjects_answers_each_of_them(readers, question, part):
    assert (await readers.said(question))[0] == part


@pytest.mark.parametrize("date", ["8 February 2023", "2023-02-08", "08.02.2023", "February 8th, 2023", "8/2/2023"])
async def test_an_entry_is_found_by_its_date_in_every_spelling(readers, date):
    said = await readers.said(f"What happened on {date}?")
    assert "Music stands 4 to 9 wet, dried in the hall." in said


async def test_a_list_is_shown_whole(readers):
    said = await readers.said("Which instruments may stay in the room?")
    assert said == ["- the grand piano", "- the two double basses", "- the set of timpani"]


async def test_who_said_it_is_shown_with_what_was_said(readers):
    said = await readers.said('Who wrote "The second horn came late again"?')
    assert any("Mikkel Thorsen" in sentence for sentence in said)
    assert any("second horn" in sentence for sentence in said)


async def test_both_sides_of_a_comparison_are_shown(readers):
    (sentence,) = await readers.said("Which is dearer for an adult, the town hall or the old mill?")
    assert sentence == "Adult, Town hall: 120; Old mill: 95 (Table 1. Prices in crowns)"


@pytest.mark.parametrize(
    ("question", "name"),
    [("Who is Jiri Novak?", "Jiří Novák"), ("What does Lars Odegard leave as?", "Lars Ødegård")],
)
async def test_names_are_found_without_their_accents(readers, question, name):
    assert any(name in sentence for sentence in await readers.said(question))


@pytest.mark.parametrize(
    ("question", "missing"),
    [
        ("What is the salary of Ada Brekke?", "salary"),
        ("When was Mikkel Thorsen born?", "born"),
        ("How many concerts were there in the town hall in 2015?", "2015"),
        ("What does a pupil ticket for the boat house cost?", "boat"),
        ("What is rule 7 of the rehearsal room?", "rule 7"),
        ("Which bank insures the orchestra?", "bank"),
        ("What is the capital of Mongolia?", "Mongolia"),
    ],
)
async def test_a_refusal_names_what_was_not_found_and_shows_the_nearest_passages(readers, question, missing):
    outcome = await readers.asked(question)
    answer = outcome.answer
    assert answer.answered_by is AnsweredBy.NONE, answer.text
    assert answer.refusal.reason is RefusalReason.NOT_FOUND
    assert missing in answer.refusal.missing
    assert answer.sentences == answer.citations == ()
    assert answer.text == answer.refusal.message
    assert len(outcome.evidence) >= 3


async def test_a_follow_up_is_about_the_names_of_the_last_turn(readers):
    said = await readers.said("When did he found it?", "Who was the organist?", "Mikkel Thorsen was the organist. [1]")
    assert any("1931" in sentence for sentence in said)


async def test_a_follow_up_without_a_verb_keeps_what_it_does_not_replace(readers):
    history = ("How much is an adult ticket in the old mill?", "95 crowns. [1]")
    assert await readers.said("And for a pupil?", *history) == ["Pupil, Old mill: 45 (Table 1. Prices in crowns)"]
    history = ("How many concerts were there in the town hall in 2021?", "14. [1]")
    assert await readers.said("And in 2022?", *history) == [
        "Town hall, Concerts 2022: 19 (Table 2. Concerts and listeners)"
    ]
    outcome = await readers.asked("And in 2022?", *history)
    assert outcome.understood.startswith("And in 2022? ")
    assert "concerts" in outcome.understood


async def test_misspelt_words_are_put_right_by_the_words_of_the_passages(readers):
    known = {"cost", "shed", "treasurer", "what", "will", "the", "who", "leaves", "as"}

    async def tokenize(texts):
        return [TokenSpans((len(text),)) if text in known else TokenSpans((1, len(text))) for text in texts]

    readers.embedder.tokenize = tokenize
    outcome = await readers.asked("Who leaves as tresurer?")
    assert outcome.understood == "Who leaves as treasurer?"
    assert "Lars Ødegård" in outcome.answer.text


async def test_a_real_word_is_never_corrected_into_another(readers):
    outcome = await readers.asked("Who leaves as measurer?")
    assert outcome.understood == "Who leaves as measurer?"


async def test_a_question_in_a_language_that_the_model_does_not_join_is_refused_for_that(readers):
    outcome = await readers.asked("Wie viel kostet der neue Schuppen und wer bezahlt ihn?")
    assert outcome.answer.refusal.reason is RefusalReason.LANGUAGE
    assert "German" in outcome.answer.text


async def test_an_empty_knowledge_base_says_so():
    outcome = await Readers().asked("Who founded the orchestra?")
    assert outcome.answer.refusal.reason is RefusalReason.NOTHING_INDEXED
    assert outcome.answer.refusal.missing == ()


async def test_documents_that_contradict_each_other_are_both_shown():
    library = Readers()
    await library.add("east.md", "In the east wing the use of the kiln is permitted at night.", headings=("East wing",))
    await library.add(
        "west.md", "In the west wing the use of the kiln is not permitted at night.", headings=("West wing",)
    )
    outcome = await library.asked("In which documents is the use of the kiln at night mentioned?")
    assert {citation.evidence.document for citation in outcome.answer.citations} == {"east.md", "west.md"}
