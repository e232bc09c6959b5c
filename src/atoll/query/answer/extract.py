"""Answers without a model that writes: the sentences and rows of the documents that answer, or why none does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from atoll.domain.answer import Answer, Caution, Refusal
from atoll.ports.embedder import Embedder
from atoll.query.answer.chosen import Chosen
from atoll.query.answer.compose import compose
from atoll.query.answer.gate import likelihood, missing, signs_of
from atoll.query.answer.judge import judge
from atoll.query.answer.present import presented
from atoll.query.answer.refuse import by_words_alone, not_found, not_searched, nothing_indexed, of_language, refused
from atoll.query.answer.rivals import Rival, differing, rivals
from atoll.query.answer.scale import CosineScale
from atoll.query.question.language import is_foreign, language_of, name_of
from atoll.query.search.results import SearchResult


@dataclass(frozen=True, slots=True)
class Extracted:
    """An answer in the documents' words, or a refusal; ``chosen`` are the units that came nearest in either case.

    ``cautions`` say where documents contradict each other, ``sides`` are the passages that do.
    """

    answer: Answer
    chosen: tuple[Chosen, ...] = ()
    cautions: tuple[Caution, ...] = ()
    sides: frozenset[str] = frozenset()


async def extract(found: SearchResult, embedder: Embedder, scale: CosineScale, *, certainty: float) -> Extracted:
    """Return the best answer of the evidence; a refusal if it is less likely than ``certainty`` that it is one.

    Raises:
        DependencyDown: the embedder is away.
    """
    if not found.indexed:
        return Extracted(refused(nothing_indexed()))
    judged = await judge(found, embedder, scale) if found.evidence else None
    chosen = compose(judged) if judged else []
    if judged is None or not chosen:
        return Extracted(refused(_refusal(found, scale, (), 0.0)))
    likely = likelihood(signs_of(judged, chosen, found.rarity))
    if likely < certainty:
        return Extracted(refused(_refusal(found, scale, missing(judged, chosen), likely)), tuple(chosen))
    against = rivals(judged, chosen)
    shown = {id(each.unit) for each in chosen}
    chosen += [rival.chosen for rival in against if id(rival.chosen.unit) not in shown]
    foreign = _foreign(found, scale)
    cautions = differing(against)
    if foreign is not None and not any(name_of(language_of(each.unit.text) or "") == foreign for each in chosen):
        cautions = (*cautions, by_words_alone(foreign))
    return Extracted(presented(chosen, found), tuple(chosen), cautions, _sides(against))


def _sides(against: Sequence[Rival]) -> frozenset[str]:
    passages = (each.unit.evidence.passage_id for rival in against for each in (rival.chosen, rival.against))
    return frozenset(passage for passage in passages if passage is not None)


def _refusal(found: SearchResult, scale: CosineScale, absent: tuple[str, ...], likely: float) -> Refusal:
    if not found.evidence and found.warnings:
        return not_searched(found.warnings)
    foreign = _foreign(found, scale)
    if foreign is not None:
        return of_language(foreign, round(likely, 4))
    return not_found(absent, round(likely, 4), nearest=bool(found.evidence))


def _foreign(found: SearchResult, scale: CosineScale) -> str | None:
    """Return the name of a question's language if the embedder does not bring it near that of the documents."""
    foreign = is_foreign(found.question, found.terms.primary)
    return None if foreign is None or scale.joins(foreign, found.terms.primary) else name_of(foreign)
