"""What retrieval reads of the graph: exact, in columns, and nothing of what the reader does not see."""

from __future__ import annotations

import numpy as np
import pytest

from atoll.domain.evidence import Mode
from atoll.domain.ids import PassageId, entity_id, passage_id, relation_id
from atoll.ports.graph import GraphScope, Reach
from tests.support.house import DIMENSIONS, House
from tests.support.placing import Said, place
from tests.support.readers import reader_of

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect:UserWarning")

FAR = Reach(max_df=50, max_passages=2000, vectors=True)


def unit(*components: float) -> np.ndarray:
    row = np.zeros(DIMENSIONS, np.float32)
    row[: len(components)] = components
    return row / np.linalg.norm(row)


class Town:
    """A house with documents that share names."""

    def __init__(self, house: House) -> None:
        self.house = house

    async def put(self, kb, name, said, **options):
        async def embed(names):
            return self.house.embedder.vectors(list(names))

        return await place(self.house, kb, name, said, embed, **options)


@pytest.fixture
async def town(tmp_path):
    house = House(tmp_path)
    yield Town(house)
    await house.close()


def first(document) -> PassageId:
    return passage_id(document.uid, 0)


def mentioned(near) -> set[tuple[str, str]]:
    return {
        (near.passages[passage], near.entities[entity].key)
        for passage, entity in zip(near.mentions.passage, near.mentions.entity, strict=True)
    }


async def test_seeds_lead_over_their_entities_to_other_passages(town):
    (kb,) = await town.house.open("one")
    a = await town.put(kb, "a", [Said("Ada met Ben.", unit(1), {"Ada": 2, "Ben": 1}, ("Town", "People"))])
    b = await town.put(kb, "b", [Said("Ben left.", unit(0, 1), {"Ben": 1, "Cleo": 1})])
    near = await town.house.graph.neighbourhood(
        GraphScope(reader_of(kb)), [first(a)], keys=["cleo", "nobody"], reach=FAR
    )
    assert near.seeds == (first(a),)
    assert near.headings == (("Town", "People"),)
    facts = dict(zip([each.key for each in near.entities], near.df.tolist(), strict=True))
    assert facts == {"ada": 1, "ben": 2, "cleo": 1}
    assert [each.id for each in near.entities] == sorted(entity_id(kb.uid, key) for key in facts)
    assert near.followed.all()
    assert mentioned(near) == {(first(a), "ada"), (first(a), "ben"), (first(b), "ben"), (first(b), "cleo")}
    counts = {near.entities[e].key: tf for e, tf in zip(near.seed_mentions.entity, near.seed_mentions.tf, strict=True)}
    assert counts == {"ada": 2, "ben": 1}
    assert near.passages == tuple(sorted([first(a), first(b)]))
    assert near.names == {a.uid: "a", b.uid: "b"}
    assert near.passage_vectors[near.passages.index(first(b))] == pytest.approx(unit(0, 1))
    for row, each in enumerate(near.entities):  # a vector exactly from df 2 on
        assert near.entity_vectors[row].any() == (each.key == "ben")


async def test_common_entities_are_not_followed_and_rare_ones_come_first(town):
    (kb,) = await town.house.open("one")
    for number in range(6):
        names = {"Hub": 1} | ({"Pair": 1} if number < 2 else {}) | ({"Trio": 1} if number < 3 else {})
        seed = await town.put(kb, f"d{number}", [Said(f"Text {number}", unit(1), names)]) if number else None
        seed = seed or await town.put(kb, "d0", [Said("Text 0", unit(1), names)])
        if number == 0:
            start = first(seed)
    scope = GraphScope(reader_of(kb))

    async def followed(max_df, max_passages):
        near = await town.house.graph.neighbourhood(scope, [start], reach=Reach(max_df, max_passages, vectors=False))
        assert near.entity_vectors is None
        assert near.passage_vectors is None
        return {near.entities[row].key for row in np.flatnonzero(near.followed)}

    assert await followed(50, 2000) == {"hub", "pair", "trio"}
    assert await followed(5, 2000) == {"pair", "trio"}
    assert await followed(50, 2) == {"pair"}
    assert await followed(50, 3) == {"pair", "trio"}
    assert await followed(50, 0) == set()


@pytest.mark.parametrize("how", ["hidden", "labels", "deleted", "filter"])
async def test_what_the_reader_does_not_see_is_no_passage_and_no_bridge(town, how):
    (kb,) = await town.house.open("one")
    a = await town.put(kb, "a", [Said("Ada met Ben.", unit(1), {"Ada": 1, "Ben": 1})])
    options = {"labels": ("secret",)} if how == "labels" else {"publish": how != "hidden"}
    said = [Said("Ben knows Cleo.", unit(0, 1), {"Ben": 1, "Cleo": 1}, states=(("Ben", "knows", "Cleo"),))]
    b = await town.put(kb, "b", said, **options)
    c = await town.put(kb, "c", [Said("Cleo sings.", unit(0, 0, 1), {"Cleo": 1})])
    if how == "deleted":
        await town.house.delete(kb, b.uid)
    scope = GraphScope(
        reader_of(kb, frozenset() if how == "labels" else None), (a.uid, c.uid) if how == "filter" else None
    )
    graph = town.house.graph
    near = await graph.neighbourhood(scope, [first(a), first(b)], keys=["ben", "cleo"], reach=FAR)
    assert near.seeds == (first(a),)
    assert mentioned(near) == {(first(a), "ada"), (first(a), "ben"), (first(c), "cleo")}
    assert b.uid not in near.names
    found = await graph.annotations(scope, [first(a), first(b)])
    assert set(found.mentions) == {first(a)}
    assert found.stated == ()
    assert (await graph.stated(scope, [relation_id(first(b), 0)])).stated == ()


async def test_two_knowledge_bases_never_meet(town):
    one, two = await town.house.open("one", "two")
    a = await town.put(one, "a", [Said("Ada met Ben.", unit(1), {"Ada": 1, "Ben": 1})])
    b = await town.put(two, "b", [Said("Ben met Ada.", unit(1), {"Ada": 1, "Ben": 1}, states=(("Ben", "met", "Ada"),))])
    near = await town.house.graph.neighbourhood(
        GraphScope(reader_of(one)), [first(a), first(b)], keys=["ben"], reach=FAR
    )
    assert near.passages == (first(a),)
    assert near.df.tolist() == [1, 1]
    assert not near.entity_vectors.any()
    scope = GraphScope(reader_of(one))
    foreign = [entity_id(two.uid, "ben")]
    assert (await town.house.graph.neighbourhood(scope, [], entities=foreign, reach=FAR)).entities == ()
    assert (await town.house.graph.stated(scope, [relation_id(first(b), 0)])).stated == ()
    assert (await town.house.graph.annotations(scope, [first(b)])).mentions == {}


async def test_annotations_tell_where_names_stand_and_what_is_stated(town):
    (kb,) = await town.house.open("one")
    said = Said("Ada met Ben.", unit(1), {"Ben": 1, "Ada": 1, "Title": 1}, ("Title",), (("Ada", "met", "Ben"),))
    a = await town.put(kb, "a", [said])
    found = await town.house.graph.annotations(GraphScope(reader_of(kb)), [first(a)])
    assert [(m.surface, m.type, m.span) for m in found.mentions[first(a)]] == [
        ("Title", "heading", (0, 0)), ("Ada", "thing", (0, 3)), ("Ben", "thing", (8, 11)),
    ]  # fmt: skip
    (stated,) = found.stated
    assert (stated.head.key, stated.assertion.keywords, stated.tail.key) == ("ada", ("met",), "ben")
    assert stated.id == relation_id(first(a), 0)
    assert (await town.house.graph.stated(GraphScope(reader_of(kb)), [stated.id])).stated == (stated,)


# The modes over it, with the real stages


PEOPLE = (
    "# Harbour\nThe pilot Anna Berg lives in Lindvik. She knows every reef.",
    "# Reefs\nIn Lindvik the reefs of Crab Rock were mapped by Olof Strand.",
    "# Bakery\nBread is baked at five in the morning.",
)


@pytest.mark.parametrize("mode", [Mode.LOCAL, Mode.GLOBAL, Mode.HYBRID])
async def test_modes_of_the_graph_give_passages_then_entities_and_relations(tmp_path, mode):
    house = House(tmp_path)
    (kb,) = await house.open("one")
    for number, text in enumerate(PEOPLE):
        await house.upload(kb, f"d{number}", text)
    await house.work()
    evidence = await house.search(kb, "Who is Anna Berg of Lindvik?", top_k=10, mode=mode)
    kinds = [each.kind for each in evidence]
    assert set(kinds) == {"passage", "entity", "relation"}
    assert kinds == sorted(kinds, key=["passage", "entity", "relation"].index)
    assert len(evidence) <= 10
    assert [each.rank for each in evidence] == list(range(1, len(evidence) + 1))
    assert "Anna Berg" in evidence[0].text
    assert "graph" in evidence[0].signals
    assert all(each.entity for each in evidence if each.kind == "entity")
    assert all(each.relation for each in evidence if each.kind == "relation")
    assert "Anna Berg" in {each.entity.name for each in evidence if each.entity}
    await house.close()


@pytest.mark.parametrize("mode", [Mode.MIX, Mode.LOCAL, Mode.GLOBAL, Mode.HYBRID])
async def test_no_mode_shows_anything_of_documents_out_of_sight(tmp_path, mode):
    house = House(tmp_path)
    (kb,) = await house.open("one")
    await house.upload(kb, "open", PEOPLE[0])
    await house.upload(kb, "closed", PEOPLE[1], labels=("secret",))
    deleted = await house.upload(kb, "gone", "# Gone\nAnna Berg of Lindvik owes Karl Gran a boat.")
    await house.work()
    await house.delete(kb, deleted.uid)  # hidden from now on; nothing is purged yet
    evidence = await house.search(kb, "Anna Berg of Lindvik", labels=frozenset(), mode=mode)
    assert evidence
    assert {each.document for each in evidence} == {"open"}
    shown = " ".join(f"{each.text} {each.path} {each.entity} {each.relation}" for each in evidence)
    assert not [name for name in ("Olof", "Karl", "Crab") if name.lower() in shown.lower()]
    await house.work()
    await house.close()


async def test_a_bridged_passage_says_how_it_was_found(tmp_path):
    house = House(tmp_path)
    (kb,) = await house.open("one")
    await house.upload(kb, "first", "# One\nThe keeper of the old lighthouse was Anna Berg.")
    await house.upload(kb, "second", "# Two\nAnna Berg was born at Crab Rock.")
    for number in range(120):
        await house.upload(kb, f"n{number}", f"# N{number}\nAn old lighthouse, number {number}.")
    await house.work()
    evidence = await house.search(kb, "keeper of the old lighthouse", top_k=100, mode=Mode.MIX)
    (found,) = [each for each in evidence if each.document == "second"]
    start = next(each for each in evidence if each.document == "first")
    assert found.path == ((start.passage_id, "anna berg"),)
    assert "graph" in found.signals
    assert start.path is None
    await house.close()
