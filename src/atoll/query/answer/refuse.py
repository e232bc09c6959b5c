"""Saying that the documents do not answer, and what of the question they do not hold."""

from __future__ import annotations

from collections.abc import Sequence

from atoll.domain.answer import Answer, AnsweredBy, Caution, Refusal, RefusalReason

#: Parts of a question that a refusal names.
MAX_NAMED = 4

NOTHING_INDEXED = "There is nothing in this knowledge base yet that could answer."
NOT_FOUND = "The documents do not answer this question."


def not_found(missing: Sequence[str], best_score: float, *, nearest: bool) -> Refusal:
    """Return the refusal of a question of which these parts were not found together.

    ``nearest`` says that passages are shown beside it.
    """
    named = tuple(dict.fromkeys(missing))[:MAX_NAMED]
    said = f"The documents say nothing that answers this about {_listed(named)}" if named else NOT_FOUND[:-1]
    return Refusal(
        RefusalReason.NOT_FOUND, named, f"{said}{'; the nearest passages are shown' if nearest else ''}.", best_score
    )


def of_language(language: str, best_score: float) -> Refusal:
    """Return the refusal of a question in a language that the embedding model does not bring near the documents'."""
    message = (
        f"The question seems to be in {language}, which the embedding model does not compare with the language of the "
        "documents; ask in that language, or have a multilingual model installed."
    )
    return Refusal(RefusalReason.LANGUAGE, (), message, best_score)


def by_words_alone(language: str) -> Caution:
    """Return what is said beside an answer to a question in such a language."""
    return Caution(
        "question_language",
        f"The question seems to be in {language}, which the embedding model does not compare with the language of the "
        "documents: the answer was found by names, numbers and words that both have, and may miss what was meant.",
    )


def not_searched(why: Sequence[Caution]) -> Refusal:
    """Return the refusal of a question for which nothing was found where not everything could be searched."""
    message = (
        f"Nothing was found, and that says nothing about the documents: {'; '.join(each.message for each in why)}."
    )
    return Refusal(RefusalReason.NOT_FOUND, (), message, 0.0)


def nothing_indexed() -> Refusal:
    """Return the refusal of an empty knowledge base."""
    return Refusal(RefusalReason.NOTHING_INDEXED, (), NOTHING_INDEXED, 0.0)


def refused(refusal: Refusal) -> Answer:
    """Return the answer that says so."""
    return Answer(refusal.message, AnsweredBy.NONE, refusal, (), ())


def _listed(named: Sequence[str]) -> str:
    quoted = [f"“{each}”" for each in named]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} and {quoted[-1]} together"
