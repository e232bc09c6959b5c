"""Looking at the graph: what is counted, who sees it, and the whole of it in batches."""

from __future__ import annotations

import pytest

from atoll.adapters.memory.graph_index import MemoryGraphIndex
from atoll.domain.ids import EntityId, KbUid, entity_id, new_uid
from atoll.errors import NotFound
from atoll.ports import atlas as port
from atoll.query.neighbourhood import neighbourhood
from tests.support.house import ACTOR, House
from tests.support.readers import reader_of
from tests.support.records import STORES, open_either
from tests.support.written import Line, write

LINES = [
    Line("Ada met Bob.", ["ada:person", "bob:person"], [("ada", "bob", "Ada met Bob.")]),
    Line("Ada sailed on the Merle.", ["ada:person", "merle:ship"]),
    Line("Ada is a language too.", ["ada:language"]),
]


@pytest.fixture(params=STORES)
async def house(request, tmp_path):
    records = open_either(request, request.param, tmp_path / "house")
    opened = House(tmp_path / "house", vectors=MemoryGraphIndex(), records=records)
    opened.kb, opened.other = await opened.open("main", "other")
    yield opened
    await opened.close_stores()


def cards(found):
    return [(card.key, card.type, card.passages) for card in found.entities]


async def test_entities_are_listed_by_passages_with_the_type_of_most_mentions(house):
    await write(house, house.kb.uid, "a", LINES)
    find = house.atlas.entities
    assert cards(await find(reader_of(house.kb), text=None, type_=None, limit=10)) == [
        ("ada", "person", 3), ("bob", "person", 1), ("merle", "ship", 1),
    ]  # fmt: skip
    assert cards(await find(reader_of(house.kb), text="ER", type_=None, limit=10)) == [("merle", "ship", 1)]
    assert cards(await find(reader_of(house.kb), text=None, type_="ship", limit=10)) == [("merle", "ship", 1)]
    assert cards(await find(reader_of(house.kb), text=None, type_="language", limit=10)) == []
    cut = await find(reader_of(house.kb), text=None, type_="person", limit=1)
    assert (cards(cut), cut.truncated) == ([("ada", "person", 3)], True)
    whole = await find(reader_of(house.kb), text=None, type_="person", limit=2)
    assert (len(whole.entities), whole.truncated) == (2, False)


async def test_a_type_is_found_behind_many_entities_of_another(house):
    for number in range(3):
        await write(
            house, house.kb.uid, f"many {number}", [Line(f"{number}", [f"thing {n}:thing" for n in range(300)])]
        )
    await write(house, house.kb.uid, "rare", [Line("rare", ["pearl:gem"])])
    found = await house.atlas.entities(reader_of(house.kb), text=None, type_="gem", limit=5)
    assert (cards(found), found.truncated) == ([("pearl", "gem", 1)], False)


async def test_an_entity_tells_where_it_stands(house):
    document = await write(house, house.kb.uid, "a", LINES)
    detail = await house.atlas.entity(reader_of(house.kb), entity_id(house.kb.uid, "ada"))
    assert detail.card.passages == 3
    assert dict(detail.types) == {"person": 2, "language": 1}
    assert dict(detail.surfaces) == {"Ada": 3}
    assert (detail.document_count, dict(detail.documents)) == (1, {document.uid: 3})
    assert {passage.text for passage in detail.sample} == {line.text for line in LINES}
    assert not detail.truncated


async def test_a_reader_without_the_label_sees_and_counts_nothing_of_a_document(house):
    await write(house, house.kb.uid, "open", [Line("Ada met Bob.", ["ada:person", "bob:person"])])
    await write(
        house, house.kb.uid, "secret",
        [Line("Ada met Carl.", ["ada:spy", "carl:spy"], [("ada", "carl", "Ada met Carl.")]), Line("Ada", ["ada:spy"])],
        labels=["secret"],
    )  # fmt: skip
    kb, ada, carl = house.kb.uid, entity_id(house.kb.uid, "ada"), entity_id(house.kb.uid, "carl")
    public = frozenset({"public"})
    listed = cards(await house.atlas.entities(reader_of(kb, public), text=None, type_=None, limit=9))
    assert listed == [("ada", "person", 1), ("bob", "person", 1)]
    assert cards(await house.atlas.entities(reader_of(kb, frozenset({"secret"})), text="a", type_=None, limit=9)) == [
        ("ada", "spy", 3), ("carl", "spy", 1),
    ]  # fmt: skip
    assert (await house.atlas.entity(reader_of(kb, public), ada)).card.type == "person"
    with pytest.raises(NotFound):
        await house.atlas.entity(reader_of(kb, public), carl)
    assert cards(await house.atlas.around(reader_of(kb, public), [ada], limit=9)) == [("bob", "person", 1)]
    assert (await house.atlas.between(reader_of(kb, public), [ada, carl], limit=9)) == port.Links(
        (), (), truncated=False
    )
    census = await house.atlas.census(reader_of(kb, public))
    assert (census.documents, census.passages, census.entities, census.mentions, census.assertions) == (1, 1, 2, 2, 0)
    assert dict(census.types) == {"person": 2}
    export = house.atlas_export
    assert [
        c.key for c in (await export.nodes(reader_of(kb, public), after=None, limit=9)).entities if c.key == "carl"
    ] == []
    assert len((await export.together(reader_of(kb, public), after=None, limit=9)).together) == 1
    assert (await export.assertions(reader_of(kb, public), after=None, limit=9)).assertions == ()


async def test_a_deleted_document_is_nowhere_in_the_graph(house):
    document = await write(house, house.kb.uid, "a", LINES)
    await house.lifecycle.delete(reader_of(house.kb), document.uid, dry_run=False, actor=ACTOR)
    assert (await house.atlas.entities(reader_of(house.kb), text=None, type_=None, limit=9)).entities == ()
    with pytest.raises(NotFound):
        await house.atlas.entity(reader_of(house.kb), entity_id(house.kb.uid, "ada"))
    census = await house.atlas.census(reader_of(house.kb))
    assert (census.documents, census.entities, census.mentions, census.assertions) == (0, 0, 0, 0)
    assert (await house.atlas_export.nodes(reader_of(house.kb), after=None, limit=9)).entities == ()


async def test_an_entity_of_another_knowledge_base_is_not_found(house):
    await write(house, house.kb.uid, "a", LINES)
    ada = entity_id(house.kb.uid, "ada")
    with pytest.raises(NotFound):
        await house.atlas.entity(reader_of(house.other), ada)
    assert cards(await house.atlas.around(reader_of(house.other), [ada], limit=9)) == []
    assert (await house.atlas.between(reader_of(house.other), [ada], limit=9)).together == ()
    with pytest.raises(NotFound):
        await house.atlas.census(reader_of(KbUid(new_uid())))


async def test_a_neighbourhood_goes_step_by_step_and_says_when_it_was_cut(house):
    kb = house.kb.uid
    chain = [Line(f"{a}{b}", [a, b]) for a, b in ("ab", "bc", "cd", "de")]
    await write(house, kb, "chain", [*chain, Line("ab again", ["a", "b"], [("a", "b", "a leads to b")])])
    start = entity_id(kb, "a")

    async def go(hops, limit=50):
        found = await neighbourhood(house.atlas, reader_of(kb), start, hops=hops, limit=limit)
        return [(card.key, hop) for card, hop in found.around], found

    assert (await go(1))[0] == [("b", 1)]
    assert (await go(2))[0] == [("b", 1), ("c", 2)]
    around, found = await go(3)
    assert around == [("b", 1), ("c", 2), ("d", 3)]
    assert [link.passages for link in found.links.together] == [2, 1, 1]
    assert [each.description for each in found.links.assertions] == ["a leads to b"]
    assert not found.truncated
    around, found = await go(3, limit=1)
    assert around == [("b", 1)]


async def test_a_neighbourhood_that_lacks_a_neighbour_is_truncated(house):
    await write(house, house.kb.uid, "hub", [Line("x", ["hub", "b", "c", "d"])])
    found = await neighbourhood(house.atlas, reader_of(house.kb), entity_id(house.kb.uid, "hub"), hops=1, limit=2)
    assert ([card.key for card, _ in found.around], found.truncated) == (["b", "c"], True)


@pytest.mark.parametrize("limit", [1, 2, 7, 1000])
async def test_batches_of_any_size_give_the_whole_graph_once(house, limit):
    kb = house.kb.uid
    names = [f"n{number}" for number in range(9)]
    await write(house, kb, "a", [Line("all", names, [("n0", "n1", "x"), ("n2", "n3", "y")]), Line("b", names[:3])])
    await write(house, kb, "b", [Line("b", names[:2], [("n0", "n1", "z")])])
    nodes, pairs, stated = [], [], []
    after: EntityId | None = None
    while batch := (await house.atlas_export.nodes(reader_of(kb), after=after, limit=limit)).entities:
        nodes += batch
        after = batch[-1].id
    pair = None
    while batch := (await house.atlas_export.together(reader_of(kb), after=pair, limit=limit)).together:
        pairs += batch
        pair = (batch[-1].head, batch[-1].tail)
    place = None
    while batch := (await house.atlas_export.assertions(reader_of(kb), after=place, limit=limit)).assertions:
        stated += batch
        place = (batch[-1].passage, batch[-1].ordinal)
    assert sorted((card.key, card.passages) for card in nodes) == sorted(
        (name, 3 if name in names[:2] else 2 if name == "n2" else 1) for name in names
    )
    assert [card.id for card in nodes] == sorted(card.id for card in nodes)
    assert len(pairs) == len({(each.head, each.tail) for each in pairs}) == 36
    first = sorted([entity_id(kb, "n0"), entity_id(kb, "n1")])
    assert [each.passages for each in pairs if [each.head, each.tail] == first] == [3]
    assert sorted(each.description for each in stated) == ["x", "y", "z"]
