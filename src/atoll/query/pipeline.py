"""From a question to ranked evidence: scope, lists, visibility, fusion, text, collapse."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from atoll.domain.embedding import InputType
from atoll.domain.evidence import Evidence, EvidenceKind, Filters, Mode
from atoll.domain.ids import DocumentUid, KbUid, PassageId
from atoll.domain.vectors import VectorSearch
from atoll.ports.catalogue import Labels
from atoll.ports.embedder import Embedder
from atoll.ports.graph import Graph
from atoll.ports.graph_index import GraphIndex
from atoll.ports.passages import Passages, SearchScope
from atoll.ports.sparse import SparseEncoder
from atoll.ports.vectors import VectorIndex
from atoll.query.collapse import Shared, collapse
from atoll.query.fuse import Ranked, best, fuse
from atoll.query.graph_evidence import GraphLimits, Shown, entity_evidence, relation_evidence
from atoll.query.keywords import keywords
from atoll.query.modes import Retriever, retrievers
from atoll.query.phrases import contains_all, verbatim_phrases
from atoll.query.reads import SearchReads
from atoll.query.rerank import Reranking, rerank
from atoll.query.retrieve.around import Around, around
from atoll.query.retrieve.dense import dense_search
from atoll.query.retrieve.graph import through_graph
from atoll.query.retrieve.names import word_groups
from atoll.query.retrieve.sparse import PHRASE_DEPTH, phrase_search, sparse_search
from atoll.query.retrieve.window import Window
from atoll.query.terms import Terms
from atoll.query.timings import Timings
from atoll.query.visibility import Seen, see

#: Passages read beyond the number wanted, because some may turn out to be the same text.
COLLAPSE_ROOM = 10
#: One result in so many is an entity, and another a relation, in the modes that start in the graph.
GRAPH_PART = 5
_PHRASE = "phrase"


@dataclass(frozen=True, slots=True)
class Found:
    """What retrieval hands to answering.

    ``vector`` is the question's, (dimensions,), or None when nothing was searched. ``best_cosine`` is the best raw
    dense score among visible passages, 0 without any. ``warnings`` tell the reader what the ranking went without.
    """

    question: str
    revision: int
    terms: Terms
    keywords: tuple[str, ...]
    vector: NDArray[np.float32] | None = None
    evidence: tuple[Evidence, ...] = ()
    headings: Mapping[PassageId, tuple[str, ...]] = field(default_factory=dict)
    best_cosine: float = 0.0
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Question:
    """A question in the forms that the index understands."""

    text: str
    terms: Terms
    phrases: tuple[str, ...]
    vector: NDArray[np.float32]


class SearchPipeline:
    """Runs searches; holds nothing between them."""

    def __init__(
        self,
        *,
        passages: Passages,
        graph: Graph,
        graph_index: GraphIndex,
        vectors: VectorIndex,
        embedder: Embedder,
        sparse: SparseEncoder,
        graph_limits: GraphLimits,
        reranking: Reranking | None = None,
    ) -> None:
        self._passages = passages
        self._graph = graph
        self._graph_index = graph_index
        self._graph_limits = graph_limits
        self._vectors = vectors
        self._embedder = embedder
        self._sparse = sparse
        self._reranking = reranking

    async def find(
        self, kb: KbUid, labels: Labels, text: str, *, mode: Mode, filters: Filters, top_k: int, timings: Timings
    ) -> Found:
        """Return the ``top_k`` best pieces of evidence for a question that stands for itself.

        When something was published or deleted meanwhile and a candidate fell out, or hidden points shortened a
        list, the search is made again, at most twice; text is only of passages that were visible when it was read.

        Raises:
            NotAvailable: for a mode that is not offered.
            NotFound, BadInput: as `Passages.scope`.
            DependencyDown: the vector index or the embedder is away.
        """
        wanted = retrievers(mode)
        reads = SearchReads(self._passages, self._graph, kb, labels, filters)
        with timings.step("scope"):
            scope = await reads.scope()
        terms = Terms(self._sparse, scope.language)
        found = Found(text, scope.revision, terms, keywords(text, terms))
        if not wanted or scope.passages == 0 or scope.include == ():
            return found
        question = await self._prepare(text, terms, timings)
        if Retriever.AROUND in wanted:
            return await self._find_around(found, question, mode, scope, top_k, reads, timings)
        window = Window.first(kb, labels, scope)
        while True:
            seen = await self._look(self._searches(question, window, wanted), reads, timings)
            moved = seen.revision != scope.revision and bool(seen.hidden)
            if not (moved or seen.short) or not reads.take_retry():
                ranking, names = _ranked(seen, timings), dict(seen.names)
                if Retriever.GRAPH in wanted and ranking:
                    ranking, more = await _through_graph(ranking, question, scope, reads, timings)
                    names |= more
                depth = max(top_k, self._reranking.depth - COLLAPSE_ROOM) if self._reranking is not None else top_k
                shared, complete = await _read(ranking, question.phrases, depth, reads, timings)
                if complete or not reads.take_retry():
                    shared, ranking, warnings = await self._reranked(question, shared, ranking, timings)
                    evidence = _with_evidence(found, question, seen, ranking, names, shared[:top_k])
                    return replace(evidence, warnings=warnings)
            with timings.step("scope"):
                scope = await reads.scope()
            # what was hidden in another revision may be visible by now
            hidden = seen.hidden if scope.revision == seen.revision else frozenset()
            window = Window.wider(kb, labels, scope, hidden)

    async def _reranked(
        self, question: _Question, shared: list[Shared], ranking: list[Ranked], timings: Timings
    ) -> tuple[list[Shared], list[Ranked], tuple[str, ...]]:
        if self._reranking is None:
            return shared, ranking, ()
        with timings.step("rerank"):
            return await rerank(self._reranking, question.text, shared, ranking)

    async def _find_around(
        self,
        found: Found,
        question: _Question,
        mode: Mode,
        scope: SearchScope,
        top_k: int,
        reads: SearchReads,
        timings: Timings,
    ) -> Found:
        """Start in the graph: passages first, then the entities and relations that they are about."""
        limits = self._graph_limits
        with timings.step("graph"):
            near = await around(
                mode,
                reads,
                self._graph_index,
                question=question.vector,
                groups=word_groups(question.text, question.terms),
                corpus_passages=scope.passages,
                limit=limits.considered,
            )
            annotations = await reads.annotations([ranked.id for ranked in near.ranking[: top_k + COLLAPSE_ROOM]])
        shared, _ = await _read(near.ranking, question.phrases, top_k, reads, timings)
        scores = {ranked.id: ranked.score for ranked in near.ranking}
        shown = [
            Shown(each.passage, near.names[each.passage.document], scores[each.passage.id]) for each in shared[:top_k]
        ]
        most = top_k // GRAPH_PART
        entities = entity_evidence(shown, annotations, near.entities, most=most, tokens=limits.entity_tokens)
        relations = relation_evidence(
            shown, annotations, near.entities, near.relations, most=most, tokens=limits.relation_tokens
        )
        passages = shared[: top_k - len(entities) - len(relations)]
        return _with_graph_evidence(found, question, near, passages, [*entities, *relations])

    async def _prepare(self, text: str, terms: Terms, timings: Timings) -> _Question:
        with timings.step("embed"):
            rows = await self._embedder.embed([text], input_type=InputType.QUERY)
        return _Question(text, terms, verbatim_phrases(text, terms), rows[0])

    def _searches(self, question: _Question, window: Window, wanted: frozenset[Retriever]) -> dict[str, VectorSearch]:
        searches: dict[str, VectorSearch] = {}
        if Retriever.DENSE in wanted:
            searches[Retriever.DENSE] = dense_search(window, question.vector)
        if Retriever.SPARSE in wanted:
            language = question.terms.language
            query = self._sparse.encode_query(question.text, language)
            if query.indices.size:
                searches[Retriever.SPARSE] = sparse_search(window, query)
            for phrase in question.phrases:
                searches[f"{_PHRASE} {phrase}"] = phrase_search(window, self._sparse.encode_query(phrase, language))
        return searches

    async def _look(self, searches: Mapping[str, VectorSearch], reads: SearchReads, timings: Timings) -> Seen:
        with timings.step("search"):
            lists = await self._vectors.search(list(searches.values()))
        with timings.step("visible"):
            return await see(reads, searches, dict(zip(searches, lists, strict=True)))


def _ranked(seen: Seen, timings: Timings) -> list[Ranked]:
    """Fuse what is visible."""
    with timings.step("fuse"):
        return fuse(
            best(seen.lists.get(Retriever.DENSE, [])),
            best(seen.lists.get(Retriever.SPARSE, [])),
            [best(hits, PHRASE_DEPTH) for name, hits in seen.lists.items() if name.startswith(_PHRASE)],
        )


async def _through_graph(
    ranking: Sequence[Ranked], question: _Question, scope: SearchScope, reads: SearchReads, timings: Timings
) -> tuple[list[Ranked], Mapping[DocumentUid, str]]:
    with timings.step("graph"):
        groups = word_groups(question.text, question.terms)
        return await through_graph(
            ranking, reads, question=question.vector, groups=groups, corpus_passages=scope.passages
        )


async def _read(
    ranking: Sequence[Ranked], phrases: tuple[str, ...], top_k: int, reads: SearchReads, timings: Timings
) -> tuple[list[Shared], bool]:
    """Read texts until ``top_k`` different ones with all phrases are there; False when one was no longer visible."""
    first = len(ranking) if phrases else top_k + COLLAPSE_ROOM
    ids = [ranked.id for ranked in ranking]
    with timings.step("hydrate"):
        texts = await reads.hydrate(ids[:first])
        complete = len(texts) == len(ids[:first])
        shared = collapse([texts[at] for at in ids if at in texts and contains_all(texts[at].text, phrases)])
        if complete and len(shared) < top_k and len(ids) > first and reads.left:
            texts |= await reads.hydrate(ids[first:])
            complete = len(texts) == len(ids)
            shared = collapse([texts[at] for at in ids if at in texts])
    return shared, complete


def _with_evidence(
    found: Found,
    question: _Question,
    seen: Seen,
    ranking: Sequence[Ranked],
    names: Mapping[DocumentUid, str],
    shared: Sequence[Shared],
) -> Found:
    return replace(
        found,
        revision=seen.revision,
        vector=question.vector,
        evidence=_passage_evidence(ranking, names, shared),
        headings={entry.passage.id: entry.passage.headings for entry in shared},
        best_cosine=max((hit.score for hit in seen.lists.get(Retriever.DENSE, [])), default=0.0),
    )


def _with_graph_evidence(
    found: Found, question: _Question, near: Around, shared: Sequence[Shared], more: Sequence[Evidence]
) -> Found:
    evidence = (*_passage_evidence(near.ranking, near.names, shared), *more)
    return replace(
        found,
        vector=question.vector,
        evidence=tuple(replace(each, rank=rank) for rank, each in enumerate(evidence, start=1)),
        headings={entry.passage.id: entry.passage.headings for entry in shared},
        best_cosine=near.best_cosine,
    )


def _passage_evidence(
    ranking: Sequence[Ranked], names: Mapping[DocumentUid, str], shared: Sequence[Shared]
) -> tuple[Evidence, ...]:
    by_id = {ranked.id: ranked for ranked in ranking}
    return tuple(
        Evidence(
            kind=EvidenceKind.PASSAGE,
            rank=rank,
            score=by_id[entry.passage.id].score,
            document_id=entry.passage.document,
            document=names[entry.passage.document],
            page=entry.passage.page,
            boxes=entry.passage.boxes,
            text=entry.passage.text,
            passage_id=entry.passage.id,
            signals=by_id[entry.passage.id].signals,
            path=by_id[entry.passage.id].path,
            also_in=entry.also_in,
        )
        for rank, entry in enumerate(shared, start=1)
    )
