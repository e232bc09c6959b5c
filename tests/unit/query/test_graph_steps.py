"""Bridge and spread, by hand-computed examples; every division that could be by nothing."""

from __future__ import annotations

import math

import numpy as np
import pytest

from atoll.adapters.bm25 import Bm25Encoder
from atoll.domain.entity import EntityName
from atoll.domain.ids import DocumentUid, EntityId, PassageId
from atoll.ports.graph import Incidence, Neighbourhood
from atoll.query.retrieve.bridge import bridge, title_keys
from atoll.query.retrieve.names import named, word_groups
from atoll.query.retrieve.spread import SHARPNESS, idf, sources, spread
from atoll.query.text.terms import Terms

QUESTION = np.array([1, 0, 0], np.float32)
UP = (0.0, 1.0, 0.0)


def near(seeds, mentions, *, df=None, vectors=None, passages=None, headings=None):
    """Return a neighbourhood: ``mentions`` is {passage: {key: tf}}, ``vectors`` and ``passages`` are {name: vector}."""
    keys = sorted({key for names in mentions.values() for key in names})
    counted = {key: sum(key in names for names in mentions.values()) for key in keys} | (df or {})
    followed = [1 <= counted[key] <= 50 for key in keys]
    around = sorted(at for at, names in mentions.items() if any(followed[keys.index(key)] for key in names))

    def incidence(rows, *, all_of_them):
        found = [
            (rows.index(at), keys.index(key), tf)
            for at in rows
            for key, tf in mentions.get(at, {}).items()
            if all_of_them or followed[keys.index(key)]
        ]
        columns = np.array(found, np.int64).reshape(-1, 3).T
        return Incidence(*columns)

    return Neighbourhood(
        seeds=tuple(map(PassageId, seeds)),
        headings=tuple((headings or {}).get(seed, ()) for seed in seeds),
        seed_mentions=incidence(seeds, all_of_them=True),
        entities=tuple(EntityName(EntityId(key), key) for key in keys),
        df=np.array([counted[key] for key in keys], np.int64),
        followed=np.array(followed, np.bool_),
        entity_vectors=None
        if vectors is None
        else np.array([vectors.get(key, (0, 0, 0)) for key in keys], np.float16).reshape(len(keys), -1),
        passages=tuple(map(PassageId, around)),
        documents=tuple(DocumentUid(f"doc {at}") for at in around),
        names={DocumentUid(f"doc {at}"): at for at in around},
        passage_vectors=None if passages is None else np.array([passages[at] for at in around], np.float16),
        mentions=incidence(around, all_of_them=False),
    )


# Bridge


def test_a_bridged_passage_stands_at_point_eight_of_the_best_and_says_how_it_was_found():
    direct = {"a": 1.0, "c": 0.1}
    graph = near(
        ["a"], {"a": {"lindvik": 1}, "b": {"lindvik": 1}}, vectors={"lindvik": UP}, passages={"a": (1, 0, 0), "b": UP}
    )
    result = bridge(direct, graph, QUESTION)
    assert result.scores == {"a": 1.0, "b": pytest.approx(0.8), "c": 0.1}
    assert result.steps == {"b": ("a", "lindvik")}


def test_the_value_of_a_way_is_the_seed_times_the_cosine_over_the_floor():
    # unit((1,0,0) + (0,1,0)) . (0,1,0) = .7071, and . (1,0,0) the same; the second seed counts half
    direct = {"a": 1.0, "s": 0.5}
    mentions = {"a": {"one": 1}, "s": {"two": 1}, "b": {"one": 1}, "d": {"two": 1}}
    vectors = {"a": (1, 0, 0), "s": (1, 0, 0), "b": UP, "d": UP}
    result = bridge(direct, near(["a", "s"], mentions, vectors={"one": UP, "two": UP}, passages=vectors), QUESTION)
    assert result.scores["b"] == pytest.approx(0.8)
    assert result.scores["d"] == pytest.approx(0.4, abs=1e-4)


def test_an_own_title_rare_and_common_entities_and_far_passages_are_no_bridges():
    mentions = {
        "a": {"harbour": 1, "hub": 1, "once": 1, "far": 1},
        "b": {"harbour": 1},
        "c": {"hub": 1},
        "d": {"far": 1},
    }
    graph = near(
        ["a"],
        mentions,
        df={"hub": 51},
        vectors={"harbour": UP, "hub": UP, "far": UP},
        passages={"a": (1, 0, 0), "b": UP, "c": UP, "d": (0, 0, 1)},
        headings={"a": ("The Harbour (Lindvik)",)},
    )
    assert bridge({"a": 1.0}, graph, QUESTION).scores == {"a": 1.0}
    assert title_keys(("The Harbour (Lindvik)",)) == {"harbour", "harbour lindvik"}


@pytest.mark.parametrize(
    ("vectors", "passages"),
    [
        (None, None),
        ({}, {"a": (1, 0, 0), "b": UP}),  # no entity has a vector: rows of zeros
        ({"lindvik": (-1, 0, 0)}, {"a": (1, 0, 0), "b": UP}),  # q + v_e is zero
        ({"lindvik": UP}, {"a": (0, 0, 0), "b": (0, 0, 0)}),  # zero passages: the best way is worth nothing
    ],
)
def test_without_vectors_or_ways_scores_stay(vectors, passages):
    graph = near(["a"], {"a": {"lindvik": 1}, "b": {"lindvik": 1}}, vectors=vectors, passages=passages)
    assert bridge({"a": 1.0}, graph, QUESTION).scores == {"a": 1.0}


def test_vectors_of_another_embedding_are_not_compared():
    graph = near(
        ["a"], {"a": {"lindvik": 1}, "b": {"lindvik": 1}}, vectors={"lindvik": UP}, passages={"a": UP, "b": UP}
    )
    assert bridge({"a": 1.0}, graph, np.ones(7, np.float32)).steps == {}


# Spread


def test_one_spread_by_hand():
    # P = 2, one source a with x (df 2) and y (df 1): idf(x) = ln 2 / ln 3, idf(y) = 1; y's part is lost
    rarity = math.log(2) / math.log(3)
    graph = near(["a"], {"a": {"x": 1, "y": 1}, "b": {"x": 1}})
    carried = 0.5 * rarity / (1 + rarity)
    flow = 0.5 * carried / 2
    result = spread({"a": 1.0}, graph, [], corpus_passages=2)
    assert result.flow == {"a": pytest.approx(flow), "b": pytest.approx(flow)}
    assert result.scores["a"] == pytest.approx(1.001)
    assert result.scores["b"] == pytest.approx(flow / (0.5 + flow))
    assert result.steps == {"b": ("a", "x")}


def test_a_name_of_the_question_takes_its_share():
    graph = near(["a"], {"a": {"y": 1}, "b": {"asked": 1}})
    result = spread({"a": 1.0}, graph, ["asked"], corpus_passages=10)
    # v(a) = .5 * .7, v(b) = .5 * (.5 * .3 * 1)
    assert result.scores["b"] == pytest.approx(0.075 / 0.35)
    assert result.scores["a"] == pytest.approx(1.001)


def test_more_occurrences_weigh_by_their_logarithm():
    graph = near(["a"], {"a": {"x": 1}, "b": {"x": 3}, "c": {"x": 1}})
    result = spread({"a": 1.0}, graph, [], corpus_passages=3)
    assert result.flow["b"] / result.flow["c"] == pytest.approx(1 + math.log(3))


def test_what_the_spread_does_not_reach_keeps_its_order():
    scores = {"a": 1.0, "c": 0.5, "d": 0.4}
    graph = near(["a"], {"a": {"x": 1}, "b": {"x": 1}})
    result = spread(scores, graph, [], corpus_passages=4)
    assert sorted(result.scores, key=lambda at: -result.scores[at]) == ["a", "b", "c", "d"]


def test_sources_with_nothing_in_common_and_no_graph_at_all():
    assert spread({"a": 1.0}, near(["a"], {}), [], corpus_passages=1) is None
    assert spread({}, near([], {}), ["x"], corpus_passages=0) is None
    lonely = spread({"a": 1.0, "b": 0.9}, near(["a", "b"], {"a": {"x": 1}, "b": {}}), [], corpus_passages=0)
    assert all(math.isfinite(score) for score in lonely.scores.values())
    assert lonely.flow == {}


def test_sharpness_sets_how_far_the_best_source_stands_out():
    graph = near(["a", "b"], {"a": {"x": 1}, "b": {"y": 1}, "c": {"x": 1}, "d": {"y": 1}})
    mild = spread({"a": 1.0, "b": 0.5}, graph, [], corpus_passages=4, sharpness=SHARPNESS)
    assert mild.flow["c"] / mild.flow["d"] == pytest.approx(math.exp(SHARPNESS * 0.5))


def test_idf_is_one_for_what_one_passage_mentions_and_never_divides_by_nothing():
    assert idf(np.array([1, 10, 0]), 10).tolist() == pytest.approx([1.0, math.log(2) / math.log(11), 0.0])
    assert idf(np.array([1]), 0).tolist() == [0.0]


def test_the_ten_best_are_sources_and_ties_come_by_id():
    assert sources({f"p{n:02}": 0.5 for n in range(20)} | {"z": 1.0}) == ["z", *(f"p{n:02}" for n in range(9))]


# Names of the question


def test_the_longest_name_wins_and_function_words_name_nothing():
    groups = word_groups("Who was the mayor of New York City when Will moved?", Terms(Bm25Encoder(), "en"))
    keys = {group.key for group in groups}
    assert {"new york city", "new york", "mayor", "york"} <= keys
    assert not {"who", "was", "will", "of"} & keys
    assert named(groups, {"new york city", "new york", "york", "mayor"}) == ("new york city", "mayor")


def test_names_are_normalised_like_those_of_documents():
    groups = word_groups("What is Lindvik's “Crab Rock”?", Terms(Bm25Encoder(), "en"))
    assert named(groups, {"lindvik", "crab rock"}) == ("crab rock", "lindvik")
