"""Saying that the documents do not answer, by two calibrated signs: meaning and words.

Neither sign is enough: a foreign question can be near in meaning to some passage, and a good question can use other
words than the documents. `scripts/calibrate_refusal.py` prints what each pair of thresholds costs.
"""

from __future__ import annotations

from dataclasses import dataclass

from atoll.domain.answer import Answer, AnsweredBy, Refusal
from atoll.query.search.results import SearchResult
from atoll.query.text.keywords import name_terms
from atoll.query.text.terms import covered_share, rarity

#: What names, codes and numbers of a question count in comparison to its other words.
NAME_WEIGHT = 3.0

REFUSAL_TEXT = "The documents do not answer this question."


@dataclass(frozen=True, slots=True)
class RefusalThresholds:
    """``cosine`` is of the best passage in meaning, ``terms`` the share of question terms in the best passage.

    Terms weigh by their rarity among the passages found, names more.
    """

    cosine: float
    terms: float

    def admit(self, cosine: float, terms: float) -> bool:
        """Return whether both signs together are good enough to answer.

        Each is measured in units of its threshold, so that much of one makes up for a little less of the other.
        """
        meaning = cosine / self.cosine if self.cosine > 0 else 1.0
        words = terms / self.terms if self.terms > 0 else 1.0
        return meaning + words >= 2  # noqa: PLR2004 - both at their thresholds


def term_share(found: SearchResult) -> float:
    """Return the weighted share of the question's terms in the best passage, its headings and its name, 0 to 1."""
    wanted = found.terms.of_question(found.question)
    names = name_terms(found.question, found.terms)
    texts = [
        found.terms.of_passage("\n".join((entry.document, *found.headings_of(entry), entry.text)))
        for entry in found.evidence
    ]
    weights = {term: weight * (NAME_WEIGHT if term in names else 1.0) for term, weight in rarity(wanted, texts).items()}
    return covered_share(weights, texts[0]) if texts else 0.0


def refusal(found: SearchResult, thresholds: RefusalThresholds) -> Refusal | None:
    """Return why the question is not answered, or None when the evidence is good enough to answer from."""
    if not found.evidence:
        return Refusal("nothing in the documents matches", found.best_cosine)
    if thresholds.admit(found.best_cosine, term_share(found)):
        return None
    return Refusal("no passage is near enough to the question", found.best_cosine)


def refused(reason: Refusal) -> Answer:
    """Return the answer that says so."""
    return Answer(REFUSAL_TEXT, AnsweredBy.NONE, reason, (), ())
