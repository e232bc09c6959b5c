"""What makes a row of a table or a sentence an answer."""

from __future__ import annotations

from tests.unit.query.twins import Library

TABLE = (
    "Boats\nDays | Leave Ellery | Leave Grimholm\nMonday | 07:15 | 08:25\nFriday | 18:15 | 19:25\nSunday | none | none"
)


async def answers(question, *texts, headings=()):
    library = Library()
    await library.add("paper.md", *texts, headings=headings)
    for number in range(12):
        await library.add(f"note {number}", f"Week {number}: coffee, travel and other small things were talked about.")
    outcome = await library.service.query(library.asking(question))
    return [sentence.text for sentence in outcome.answer.sentences]


async def test_a_tables_header_explains_its_rows_and_answers_nothing_itself():
    found = await answers("When do boats leave Grimholm on Friday?", TABLE, headings=("Boats",))
    assert found == ["Friday, Leave Grimholm: 19:25 (Boats)"]


async def test_a_row_that_is_called_by_a_bare_number_is_shown_with_the_name_of_that_column():
    units = "Rents\nUnit | Area m2 | Rent per year\n12 | 80 | 14,200\n14 | 104 | 18,400"
    assert await answers("What is the rent of unit 12?", units, headings=("Rents",)) == [
        "Unit 12, Rent per year: 14,200 (Rents)"
    ]


async def test_a_heading_is_no_answer():
    found = await answers(
        "How is the lamp of the light cleaned?",
        "Cleaning the lamp of the light\nUse vinegar and a soft cloth on the lamp, never soap.",
        headings=("Cleaning the lamp of the light",),
    )
    assert found == ["Use vinegar and a soft cloth on the lamp, never soap."]


async def test_words_of_one_family_meet_although_their_stems_differ():
    found = await answers(
        "Who of Dunmorrow weighs and audits?",
        "Finch of Dunmorrow does the baking. Larch of Dunmorrow has the weight and the auditor. It is late.",
    )
    assert "Larch of Dunmorrow has the weight and the auditor." in found
    assert "Finch of Dunmorrow does the baking." not in found
