from __future__ import annotations

import pytest

from atoll.domain.evidence import Filters, Mode
from atoll.domain.ids import KbUid
from atoll.errors import BadInput, NotAvailable, NotFound
from atoll.query.search.read_budget import MAX_READS
from atoll.query.service import SearchRequest
from tests.support.readers import reader_of
from tests.unit.query.twins import Library

PUMPS = (
    "The KRT-9/12.b pump moves 40 litres of water a minute.",
    "The older KRT-8 pump moves 25 litres of water a minute.",
    "Filters are cleaned on the first Monday of the month.",
)


def documents(outcome) -> list[str]:
    return [evidence.document for evidence in outcome.evidence]


async def test_evidence_is_ranked_explained_and_placed():
    library = Library()
    uid = await library.add("pumps.md", *PUMPS)
    outcome = await library.search("How much water does the KRT-9/12.b move?")
    best = outcome.evidence[0]
    assert best.text == PUMPS[0]
    assert (best.rank, best.score, best.document, best.document_id, best.page) == (1, 1.0, "pumps.md", uid, 1)
    assert best.boxes == ((10.0, 20.0, 300.0, 40.0),)
    assert best.signals["dense"].rank == best.signals["sparse"].rank == 1
    assert [evidence.rank for evidence in outcome.evidence] == [1, 2, 3]
    assert outcome.keywords == ("water", "KRT-9/12.b", "move")
    assert outcome.revision == library.records.revision
    assert {"scope", "embed", "search", "visible", "fuse", "hydrate", "total"} <= outcome.timings_ms.keys()
    assert library.records.reads == ["scope", "visible", "hydrate"]
    assert "graph" not in best.signals


async def test_what_is_hidden_or_out_of_label_scope_is_not_found():
    library = Library()
    await library.add("open.md", "The water tower holds 900 tonnes.")
    await library.add("secret.md", "The water tower is guarded at night.", labels=("security",))
    await library.add("gone.md", "The water tower was built in 1911.", visible=False)
    assert set(documents(await library.search("water tower"))) == {"open.md", "secret.md"}
    assert documents(await library.search("water tower", labels=frozenset())) == ["open.md"]
    assert "secret.md" in documents(await library.search("water tower", labels=frozenset({"security"})))


@pytest.mark.parametrize("per_document", [1, 500])
async def test_500_hidden_points_that_match_best_never_shorten_a_result(per_document):
    library = Library()
    for number in range(500 // per_document):
        await library.add(f"old {number}", *["the exact question about cranes"] * per_document, visible=False)
    for number in range(110):
        await library.add(f"crane {number}", f"A paragraph about cranes, number {number}, with other words in it.")
    outcome = await library.search("the exact question about cranes", top_k=100)
    assert len(outcome.evidence) == 100
    assert all(name.startswith("crane") for name in documents(outcome))
    assert len(library.records.reads) <= MAX_READS


async def test_a_replacement_during_the_search_shows_the_new_document():
    library = Library()
    await library.add("manual old", "The valve opens at 3 bar.")
    await library.add("other", "Valves are painted red.")

    async def replace() -> None:
        await library.add("manual fresh", "The valve opens at 4 bar.")
        library.records.set_visible("manual old", visible=False)

    searched = library.index.search

    async def search_then_replace(searches):
        hits = await searched(searches)
        library.index.search = searched
        await replace()
        return hits

    library.index.search = search_then_replace
    outcome = await library.search("At what pressure does the valve open?")
    assert documents(outcome)[0] == "manual fresh"
    assert "manual old" not in documents(outcome)
    assert outcome.revision == library.records.revision
    assert library.records.reads.count("visible") == 2


async def test_what_is_deleted_before_its_text_is_read_is_not_shown():
    library = Library()
    await library.add("a", "The valve opens at 3 bar.")
    await library.add("b", "The valve is painted red.")
    library.records.before_hydrate.append(lambda: library.records.set_visible("a", visible=False))
    outcome = await library.search("valve")
    assert documents(outcome) == ["b"]


async def test_round_trips_are_bounded_however_the_ground_moves():
    library = Library()
    for number in range(12):
        await library.add(f"valve {number}", f"The valve number {number} opens at {number} bar.")
    hide = [lambda n=n: library.records.set_visible(f"valve {n}", visible=False) for n in range(12)]
    library.records.before_visible += hide[:6]
    library.records.before_hydrate += hide[6:]
    outcome = await library.search("valve")
    assert len(library.records.reads) <= MAX_READS
    shown = {evidence.document_id for evidence in outcome.evidence}
    assert shown <= {uid for uid, document in library.records.documents.items() if document.visible}


async def test_a_quoted_phrase_must_stand_in_the_passage():
    library = Library()
    await library.add("terms.md", "Payment is due\nwithin  THIRTY days.", "Days of thirty within payment due.")
    for number in range(150):
        await library.add(f"noise {number}", f"payment payment due due thirty thirty days days {number}")
    outcome = await library.search('What about "payment is due within thirty days"?')
    assert [evidence.text for evidence in outcome.evidence] == ["Payment is due\nwithin  THIRTY days."]
    assert (await library.search('"no such phrase anywhere"')).evidence == ()


async def test_a_quoted_name_in_a_long_question_filters_nothing():
    library = Library()
    await library.add("film.md", "They Flew Alone is a film about the life of Amy Johnson.")
    await library.add("life.md", "Amy Johnson was a pioneering aviator by profession.")
    question = 'What was the profession of Amy Johnson, whose life was featured in "They Flew Alone"?'
    assert set(documents(await library.search(question))) == {"film.md", "life.md"}
    assert documents(await library.search('Amy Johnson "they flew alone"')) == ["film.md"]


async def test_equal_texts_of_different_documents_are_one_piece_of_evidence():
    library = Library()
    text = "Safety notice: wear gloves, goggles and a helmet whenever the crusher is opened for cleaning or repair."
    first = await library.add("a.md", text)
    second = await library.add("b.md", text.upper())
    third = await library.add("c.md", text.replace("Safety notice:", "Safety notice"))
    numbered = await library.add("d.md", text + " Rule 7.")
    outcome = await library.search("gloves and goggles for the crusher")
    assert len(outcome.evidence) == 2
    groups = [{evidence.document_id, *evidence.also_in} for evidence in outcome.evidence]
    assert {first, second, third} in groups
    assert {numbered} in groups


HOUSE = (
    "Rules of the workshop. Every visitor signs the book at the gate and wears a badge that can be seen. Coats are left "
    "in the hall. The exits are kept free and the doors stay closed. After nine at night the use of the kiln is permitted "
    "for members of the guild. Ash is put into the bins in the yard. The warden answers questions about these rules."
)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (HOUSE, HOUSE.replace("permitted", "not permitted")),
        (HOUSE, HOUSE.replace("The warden", "The porter")),
        (HOUSE + " The kiln stands at -5 degrees.", HOUSE + " The kiln stands at 5 degrees."),
        (HOUSE + " Tolerance < 5 mm.", HOUSE + " Tolerance > 5 mm."),
        (HOUSE + " Fee: 1.5 euros.", HOUSE + " Fee: 15 euros."),
    ],
)
async def test_texts_that_differ_in_a_word_a_sign_or_a_number_are_evidence_of_their_own(one, other):
    library = Library()
    await library.add("east.txt", one)
    await library.add("west.txt", other)
    outcome = await library.search("use of the kiln at night")
    assert {evidence.text for evidence in outcome.evidence} == {one, other}
    assert all(evidence.also_in == () for evidence in outcome.evidence)


async def test_copies_do_not_crowd_out_other_evidence():
    library = Library()
    for number in range(40):
        await library.add(f"copy {number}", "The boiler is inspected every spring by two engineers of the town.")
    for number in range(10):
        await library.add(f"other {number}", f"Boiler room {number} belongs to building {number}.")
    outcome = await library.search("When is the boiler inspected?", top_k=5)
    assert len(outcome.evidence) == 5
    assert len(outcome.evidence[0].also_in) == 39


async def test_filters_narrow_and_may_leave_nothing():
    library = Library()
    await library.add("a.md", "The lamp is green.")
    await library.add("b.md", "The lamp is blue.")
    assert documents(await library.search("lamp", filters=Filters(names=("b.md",)))) == ["b.md"]
    assert documents(await library.search("lamp", filters=Filters(names=("c.md",)))) == []


async def test_questions_that_cannot_be_searched_are_refused_with_a_reason():
    library = Library()
    await library.add("a.md", "The lamp is green.")
    with pytest.raises(BadInput, match="empty"):
        await library.search("  ")
    with pytest.raises(BadInput, match="characters"):
        await library.search("x" * 10_000)
    with pytest.raises(BadInput, match="top_k"):
        await library.search("lamp", top_k=101)
    with pytest.raises(NotAvailable, match="ATOLL_PAGES__URL"):
        await library.search("lamp", mode=Mode.VISUAL)
    with pytest.raises(NotFound):
        await library.service.search(SearchRequest(reader_of(KbUid("no")), "lamp", Mode.MIX, 5, Filters()))


async def test_punctuation_alone_is_a_question_like_any_other():
    library = Library()
    await library.add("a.md", "The lamp is green.")
    assert len((await library.search("???")).evidence) == 1


async def test_an_empty_knowledge_base_answers_without_a_model():
    library = Library()
    outcome = await library.search("anything")
    assert outcome.evidence == ()
    assert "embed" not in outcome.timings_ms
