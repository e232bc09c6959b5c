"""Questions in a language whose words of asking are not known: what stands first may only ask."""

from __future__ import annotations

import pytest

from tests.unit.query.twins import Library


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("המעבורת יוצאת מן הנמל בשעה תשע ורבע בבוקר.", "מתי יוצאת המעבורת מן הנמל?"),
        ("Prom odpływa z portu o godzinie dziewiątej.", "Kiedy prom odpływa z portu?"),
    ],
)
async def test_a_word_of_asking_that_is_not_known_is_no_part_of_what_is_asked_about(text, question):
    library = Library(language="und")
    await library.add("paper.txt", text)
    outcome = await library.service.query(library.asking(question))
    assert [sentence.text for sentence in outcome.answer.sentences] == [text]
