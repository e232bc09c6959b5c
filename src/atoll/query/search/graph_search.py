"""Searches that start in the graph: passages first, then the entities and relations that they are about."""

from __future__ import annotations

from dataclasses import dataclass, replace

from atoll.ports.graph_index import GraphIndex
from atoll.ports.passages import SearchScope
from atoll.query.rank.graph_evidence import GraphLimits, Shown, entity_evidence, relation_evidence
from atoll.query.rank.passage_evidence import described, passage_evidence
from atoll.query.retrieve.graph_seeds import around
from atoll.query.retrieve.names import word_groups
from atoll.query.search.hydrate import read_texts
from atoll.query.search.read_budget import ReadBudget
from atoll.query.search.results import Question, SearchResult
from atoll.query.search.timings import Timings

#: One result in so many is an entity, and another a relation.
PART = 5


@dataclass(frozen=True, slots=True)
class GraphSearch:
    """The modes ``local``, ``global`` and ``hybrid``."""

    index: GraphIndex
    limits: GraphLimits

    async def find(
        self,
        found: SearchResult,
        question: Question,
        scope: SearchScope,
        top_k: int,
        reads: ReadBudget,
        timings: Timings,
    ) -> SearchResult:
        """Return ``found`` with the ``top_k`` best of what lies around the question."""
        with timings.step("graph"):
            near = await around(
                question.mode,
                reads,
                self.index,
                question=question.vector,
                shortfalls=question.shortfalls,
                groups=word_groups(question.text, question.terms),
                corpus_passages=scope.passages,
                limit=self.limits.considered,
            )
        with timings.step("hydrate"):
            texts = await read_texts(near.ranking, question.phrases, top_k, reads)
            shared = texts.shared[:top_k]
            annotations = await reads.annotations([each.passage.id for each in shared])
        scores = {ranked.id: ranked.score for ranked in near.ranking}
        shown = [Shown(each.passage, near.names[each.passage.document], scores[each.passage.id]) for each in shared]
        most = top_k // PART
        entities = entity_evidence(shown, annotations, near.entities, most=most, tokens=self.limits.entity_tokens)
        relations = relation_evidence(
            shown, annotations, near.entities, near.relations, most=most, tokens=self.limits.relation_tokens
        )
        shared = shared[: top_k - len(entities) - len(relations)]
        pieces = [*passage_evidence(near.ranking, near.names, shared), *entities, *relations]
        evidence = described(pieces, texts.passages.values())
        return replace(
            found,
            vector=question.vector,
            evidence=tuple(replace(each, rank=rank) for rank, each in enumerate(evidence, start=1)),
            passages={entry.passage.id: entry.passage for entry in shared},
            warnings=question.shortfalls.all(),
        )
