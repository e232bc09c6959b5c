"""Entities and relations as evidence: what the best passages mention and state, each shown where it stands.

Their text is a passage's own: the sentence with the name, or with both names, or what an extractor read there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import nsmallest
from itertools import combinations
from typing import TypeVar

from atoll.domain.entity import Mention
from atoll.domain.evidence import Evidence, EvidenceEntity, EvidenceKind, EvidenceRelation
from atoll.domain.ids import EntityId, RelationId
from atoll.domain.passage import Passage
from atoll.domain.text.sentences import sentences
from atoll.ports.graph import Annotations
from atoll.query.answer.budget import estimate_tokens

#: What the company of relevant entities counts in comparison to being relevant.
COMPANY = 0.5
_Id = TypeVar("_Id", EntityId, RelationId)
#: Digits of a score that do not depend on the order in which passages were added up.
_STEADY = 9


@dataclass(frozen=True, slots=True)
class GraphLimits:
    """How many entities and relations are looked at, and tokens of each kind in the evidence."""

    considered: int
    entity_tokens: int
    relation_tokens: int


@dataclass(frozen=True, slots=True)
class Shown:
    """A passage that is evidence, and how good it is, 0 to 1."""

    passage: Passage
    document: str
    score: float


@dataclass(frozen=True, slots=True)
class _Entry:
    score: float
    order: str
    shown: Shown
    text: str
    entity: EvidenceEntity | None = None
    relation: EvidenceRelation | None = None


def entity_evidence(
    shown: Sequence[Shown], found: Annotations, relevance: Mapping[EntityId, float], *, most: int, tokens: int
) -> list[Evidence]:
    """Return the ``most`` best entities of the shown passages, as far as their texts take ``tokens`` together.

    An entity counts by how near it is to the question, and by the passages that mention it.
    """
    company: dict[EntityId, float] = {}
    first: dict[EntityId, tuple[Shown, Mention]] = {}
    for each in shown:
        for mention in found.mentions.get(each.passage.id, ()):
            company[mention.entity] = company.get(mention.entity, 0.0) + each.score
            known = first.get(mention.entity)
            if known is None or (known[1].span == (0, 0) and mention.span != (0, 0)):
                first[mention.entity] = (each, mention)
    most_company = max(company.values(), default=0.0) or 1.0
    scores = {
        entity: relevance.get(entity, 0.0) + COMPANY * together / most_company for entity, together in company.items()
    }
    entries = [
        _Entry(
            score=scores[entity],
            order=entity,
            shown=each,
            text=_sentence_at(each.passage, mention.span),
            entity=EvidenceEntity(entity, mention.surface, mention.type),
        )
        for entity in _best(scores, most)
        for each, mention in [first[entity]]
    ]
    return _evidence(EvidenceKind.ENTITY, entries, most, tokens)


def relation_evidence(
    shown: Sequence[Shown],
    found: Annotations,
    entities: Mapping[EntityId, float],
    relations: Mapping[RelationId, float],
    *,
    most: int,
    tokens: int,
) -> list[Evidence]:
    """Return the ``most`` best assertions of the shown passages, or co-occurrences where nothing was asserted."""
    by_id = {each.passage.id: each for each in shown}
    asserted = {stated.id: stated for stated in found.stated if stated.assertion.passage in by_id}
    scores = {
        stated.id: relations.get(stated.id, 0.0)
        + COMPANY * (entities.get(stated.head.id, 0.0) + entities.get(stated.tail.id, 0.0))
        for stated in asserted.values()
    }
    entries = [
        _Entry(
            score=scores[stated.id],
            order=stated.id,
            shown=by_id[stated.assertion.passage],
            text=stated.assertion.description,
            relation=EvidenceRelation(
                stated.id, stated.head.key, stated.tail.key, stated.assertion.keywords, stated.assertion.weight
            ),
        )
        for stated in (asserted[at] for at in _best(scores, most))
    ]
    return _evidence(EvidenceKind.RELATION, entries or _together(shown, found, entities), most, tokens)


def _together(shown: Sequence[Shown], found: Annotations, entities: Mapping[EntityId, float]) -> list[_Entry]:
    """Return pairs of entities that stand in one sentence, one of them near the question; the best sentence of each."""
    pairs: dict[tuple[EntityId, EntityId], list[_Entry]] = {}
    for each in shown:
        mentions = [mention for mention in found.mentions.get(each.passage.id, ()) if mention.span != (0, 0)]
        for text, members in _by_sentence(each.passage, mentions):
            for one, other in combinations(sorted(members, key=lambda mention: mention.entity), 2):
                near = entities.get(one.entity, 0.0) + entities.get(other.entity, 0.0)
                if near > 0:
                    relation = EvidenceRelation(None, one.surface, other.surface, (), 1.0)
                    order = f"{one.entity} {other.entity}"
                    entry = _Entry(near * each.score, order, each, text, relation=relation)
                    pairs.setdefault((one.entity, other.entity), []).append(entry)
    return [
        _Entry(sum(entry.score for entry in entries), best.order, best.shown, best.text, relation=best.relation)
        for entries in pairs.values()
        for best in [max(entries, key=lambda entry: entry.score)]
    ]


def _best(scores: Mapping[_Id, float], most: int) -> list[_Id]:
    """Return the ``most`` ids of the highest scores, ties by id: the rest needs no text."""
    return nsmallest(most, scores, key=lambda at: (-round(scores[at], _STEADY), at))


def _evidence(kind: EvidenceKind, entries: Sequence[_Entry], most: int, tokens: int) -> list[Evidence]:
    """Return the best entries, ties by id; the first that does not fit ends the list. Ranks are given later."""
    evidence: list[Evidence] = []
    ordered = sorted(entries, key=lambda entry: (-round(entry.score, _STEADY), entry.order))
    top = ordered[0].score if ordered and ordered[0].score > 0 else 1.0
    for entry in ordered[:most]:
        tokens -= estimate_tokens(entry.text)
        if tokens < 0:
            break
        passage = entry.shown.passage
        evidence.append(
            Evidence(
                kind=kind,
                rank=0,
                score=round(entry.score / top, 5),
                document_id=passage.document,
                document=entry.shown.document,
                page=passage.page,
                boxes=passage.boxes,
                text=entry.text,
                passage_id=passage.id,
                signals={},
                entity=entry.entity,
                relation=entry.relation,
            )
        )
    return evidence


def _by_sentence(passage: Passage, mentions: Sequence[Mention]) -> Iterator[tuple[str, list[Mention]]]:
    for start, end in sentences(passage.text):
        yield passage.text[start:end].strip(), [m for m in mentions if start <= m.span[0] < end]


def _sentence_at(passage: Passage, span: tuple[int, int]) -> str:
    for start, end in sentences(passage.text):
        if start <= span[0] < end:
            return passage.text[start:end].strip()
    return passage.text
