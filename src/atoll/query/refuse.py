"""Saying that the documents do not answer, by two calibrated signs: meaning and words.

Neither sign is enough: a foreign question can be near in meaning to some passage, and a good question can use other
words than the documents. `scripts/calibrate_refusal.py` prints what each pair of thresholds costs.
"""

from __future__ import annotations

from dataclasses import dataclass

from atoll.domain.answer import Answer, AnsweredBy, Refusal
from atoll.query.pipeline import Found
from atoll.query.terms import covered_share, rarity

#: Passages in which the question's words are looked for.
PASSAGES = 5

REFUSAL_TEXT = "The documents do not answer this question."


@dataclass(frozen=True, slots=True)
class RefusalThresholds:
    """``cosine`` is of the best passage, ``terms`` the rarity-weighted share of question terms in the top passages."""

    cosine: float
    terms: float


def term_share(found: Found) -> float:
    """Return the rarity-weighted share of the question's terms that the top passages or their headings have, 0 to 1."""
    wanted = found.terms.of_question(found.question)
    texts = [
        found.terms.of_passage("\n".join((entry.document, *found.headings.get(entry.passage_id, ()), entry.text)))
        for entry in found.evidence
    ]
    return covered_share(rarity(wanted, texts), frozenset().union(*texts[:PASSAGES]))


def refusal(found: Found, thresholds: RefusalThresholds) -> Refusal | None:
    """Return why the question is not answered, or None when the evidence is good enough to answer from."""
    if not found.evidence:
        return Refusal("nothing in the documents matches", found.best_cosine)
    # each sign is measured in units of its threshold, so that much of one makes up for a little less of the other
    meaning = found.best_cosine / thresholds.cosine if thresholds.cosine > 0 else 1.0
    words = term_share(found) / thresholds.terms if thresholds.terms > 0 else 1.0
    if meaning + words >= 2:  # noqa: PLR2004 - both at their thresholds
        return None
    return Refusal("no passage is near enough to the question", found.best_cosine)


def refused(reason: Refusal) -> Answer:
    """Return the answer that says so."""
    return Answer(REFUSAL_TEXT, AnsweredBy.NONE, reason, (), ())
