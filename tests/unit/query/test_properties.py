from __future__ import annotations

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from atoll.adapters.bm25 import Bm25Encoder
from atoll.domain.evidence import Evidence, EvidenceKind
from atoll.domain.ids import DocumentUid, PassageId
from atoll.domain.text.sentences import sentences
from atoll.domain.vectors import Hit
from atoll.query.answer.budget import PrefillSpeed, PromptLimits, cut_to, estimate_tokens, fitting, prompt_tokens
from atoll.query.answer.check import UNTRACED, AnswerCheck
from atoll.query.answer.traced import Numbers, untraced
from atoll.query.rank.fuse import DEPTH, fuse
from atoll.query.rank.near_duplicates import wording
from atoll.query.text.phrases import contains_all, normalise, quoted_phrases
from atoll.query.text.terms import Terms

ids = st.integers(0, 400).map(lambda number: PassageId(f"{number:04}"))
cosines = st.floats(-1, 1).map(lambda score: round(score, 5))
weights = st.floats(0, 50).map(lambda score: round(score, 5))


def hits(scores):
    return st.dictionaries(ids, scores, max_size=150).map(
        lambda found: [Hit(at, DocumentUid("d"), found[at]) for at in sorted(found, key=lambda at: (-found[at], at))][
            :DEPTH
        ]
    )


def evidence(text: str) -> Evidence:
    return Evidence(EvidenceKind.PASSAGE, 1, 1.0, DocumentUid("d"), "d.md", 1, (), text, PassageId("p"), {})


@given(hits(cosines), hits(weights), st.lists(hits(weights), max_size=2))
def test_fused_scores_are_bounded_ordered_and_complete(dense, sparse, phrases):
    ranking = fuse(dense, sparse, phrases)
    assert {ranked.id for ranked in ranking} == {
        hit.id for hit in (*dense, *sparse, *(hit for hits_of in phrases for hit in hits_of))
    }
    assert all(0 <= ranked.score <= 1 and ranked.score == round(ranked.score, 5) for ranked in ranking)
    assert ranking == sorted(ranking, key=lambda ranked: (-ranked.score, ranked.id))
    assert not ranking or ranking[0].score in (0.0, 1.0)
    for ranked in ranking:
        for name, hits_of in (("dense", dense), ("sparse", sparse)):
            if name in ranked.signals:
                signal = ranked.signals[name]
                assert (hits_of[signal.rank - 1].id, hits_of[signal.rank - 1].score) == (ranked.id, signal.score)


@given(hits(cosines), hits(weights))
def test_fusing_is_the_recipe(dense, sparse):
    expected: dict[str, float] = {}
    for hit in dense:
        low, high = dense[-1].score, dense[0].score
        expected[hit.id] = 0.5 * ((hit.score - low) / (high - low) if high > low else 1.0)
    for hit in sparse:
        expected[hit.id] = expected.get(hit.id, 0) + 0.5 * (hit.score / sparse[0].score if sparse[0].score else 0.0)
    top = max(expected.values(), default=0)
    for ranked in fuse(dense, sparse):
        assert abs(ranked.score - (expected[ranked.id] / top if top else 0)) < 1e-5


@given(st.lists(st.text(max_size=400), max_size=30), st.integers(-10, 2000), st.integers(0, 60), st.integers(1, 25))
def test_a_prompt_never_takes_more_than_its_budget(texts, tokens, each, passages):
    kept = fitting([evidence(text) for text in texts], tokens=tokens, each=each, passages=passages)
    assert len(kept) <= passages
    assert sum(estimate_tokens(text) + each for text in kept) <= max(0, tokens)
    assert all(text == whole for text, whole in zip(kept[1:], texts[1:], strict=False))
    assert not kept or texts[0].startswith(kept[0])


@given(st.text(max_size=300), st.integers(-5, 200))
def test_a_cut_text_is_the_longest_prefix_that_fits(text, tokens):
    cut = cut_to(text, tokens)
    assert text.startswith(cut)
    assert estimate_tokens(cut) <= max(tokens, 0)
    assert cut == text or tokens <= 0 or estimate_tokens(text[: len(cut) + 1]) > tokens


@given(
    st.integers(1, 50_000),
    st.integers(1, 100_000),
    st.integers(1, 4000),
    st.lists(st.tuples(st.integers(1, 9000), st.floats(0.001, 60))),
)
def test_prompts_fit_the_window_and_the_time(total, context, answer, measured):
    speed = PrefillSpeed()
    for tokens, seconds in measured:
        speed.measured(tokens, seconds)
    budget = prompt_tokens(PromptLimits(20, total, context, answer, 20.0), speed)
    assert 0 <= budget <= total
    assert budget == 0 or budget + answer < context
    rates = [tokens / seconds for tokens, seconds in measured if tokens >= 64]
    assert not rates or budget <= max(rates) * 20 + 1


@given(st.text(max_size=300), st.booleans())
def test_sentences_cover_a_text_in_order(text, marks):
    at = 0
    for start, end in sentences(text, marks=marks):
        assert at <= start < end <= len(text)
        assert not text[at:start].strip()
        assert text[start:end] == text[start:end].strip()
        at = end
    assert not text[at:].strip()


@given(st.text(max_size=60), st.text(min_size=1, max_size=20), st.text(max_size=60))
def test_a_phrase_is_found_where_it_stands_between_spaces(before, phrase, after):
    wanted = normalise(phrase)
    assert not wanted or contains_all(f"{before} {phrase} {after}", (wanted,))


@given(st.text(alphabet=st.characters(exclude_characters='"“”„«»'), min_size=1, max_size=50))
def test_what_stands_in_quotes_is_what_is_looked_for(phrase):
    expected = () if not any(map(str.isalnum, normalise(phrase))) else (normalise(phrase),)
    assert quoted_phrases(f'where is "{phrase}" said?') == expected


@given(st.lists(st.integers(0, 99_999), min_size=1, max_size=5), st.lists(st.integers(0, 99_999), max_size=5))
def test_numbers_that_the_evidence_does_not_have_stay_and_are_marked(written, shown):
    check = AnswerCheck([evidence("")], [" and ".join(map(str, shown))], [None], Terms(Bm25Encoder(), "en"))
    said = "We counted " + " then ".join(map(str, written))
    checked = check.check(f"{said} [1].")
    assert checked.sentence.text.replace(UNTRACED, "") == f"{said}."
    told = checked.sentence.text.removeprefix("We counted ").removesuffix(".").split(" then ")
    marked = {int(each.removesuffix(UNTRACED)) for each in told if each.endswith(UNTRACED)}
    known = set(shown) | _computed([value for value in written if value in shown])
    assert marked == set(written) - known
    if not set(written) <= known:
        assert not checked.sentence.supported


def _computed(said: list[int]) -> set[int]:
    """Sums and differences of two numbers that a sentence says; nothing is made of zero."""
    pairs = list(combinations(filter(None, said), 2))
    return {first + second for first, second in pairs} | {abs(first - second) for first, second in pairs}


@given(st.text(max_size=200))
def test_the_numbers_of_a_text_follow_from_it(text):
    terms = Terms(Bm25Encoder(), "en")
    assert not untraced(text, [Numbers.of(text, terms)], terms)


@given(st.text(max_size=200), st.text(max_size=200))
def test_checking_any_text_against_any_evidence_ends(written, shown):
    check = AnswerCheck([evidence(shown)], [shown], [None], Terms(Bm25Encoder(), "en"))
    checked = check.check(written)
    assert set(checked.sentence.citations) <= {citation.n for citation in check.citations}


@given(st.text(st.characters(codec="ascii"), max_size=200))  # not every letter comes back from its capital
def test_wording_knows_neither_case_nor_white_space(text):
    assert wording(text.upper().lower()) == wording(text.lower())
    assert wording(f"  {text}\n") == wording(text) or not any(map(str.isalnum, text))
