"""From a question to ranked evidence: scope, lists, visibility, fusion, graph, text, reranking, pages."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from atoll.domain.embedding import InputType
from atoll.domain.evidence import Filters, Mode
from atoll.domain.ids import DocumentUid, KbUid, PassageId
from atoll.domain.page_vectors import PageHit, PageQuery
from atoll.domain.reader import Reader
from atoll.errors import IndexMissing, NotAvailable, ungrouped
from atoll.ports.embedder import Embedder
from atoll.ports.graph import Graph
from atoll.ports.graph_index import GraphIndex
from atoll.ports.passages import Passages, SearchScope
from atoll.ports.sparse import SparseEncoder
from atoll.ports.vectors import VectorIndex
from atoll.query.question.asked import Asked
from atoll.query.question.history import Turn
from atoll.query.rank.fuse import DEPTH, Ranked, fuse
from atoll.query.rank.fuse_pages import RankedPage, fuse_pages, pages_alone
from atoll.query.rank.graph_evidence import GraphLimits
from atoll.query.rank.page_evidence import PageReader, speaks
from atoll.query.rank.passage_evidence import described, passage_evidence
from atoll.query.rank.rerank import Reranking, rerank
from atoll.query.retrieve.graph import through_graph
from atoll.query.retrieve.names import word_groups
from atoll.query.retrieve.pages import LINES_DOCUMENTS, PAGE_DEPTH, PageRetriever
from atoll.query.retrieve.rarity import counted, rarity, rarity_search
from atoll.query.retrieve.sparse import PHRASE_DEPTH
from atoll.query.search.graph_search import GraphSearch
from atoll.query.search.hydrate import COLLAPSE_ROOM, Texts, read_texts
from atoll.query.search.lists import PHRASE, searches_of
from atoll.query.search.missing import noted, pages_of, without_passages
from atoll.query.search.modes import RETRIEVERS, Retriever
from atoll.query.search.read_budget import ReadBudget
from atoll.query.search.results import Question, SearchResult
from atoll.query.search.timings import Timings
from atoll.query.search.visibility import Seen, see
from atoll.query.search.window import Window
from atoll.query.text.keywords import keywords
from atoll.query.text.phrases import verbatim_phrases
from atoll.query.text.terms import Terms

_WORD = "word"


@dataclass(frozen=True, slots=True)
class _Ranking:
    """What is to be read and shown: passages, pages that stand for themselves, and the names of their documents."""

    passages: list[Ranked]
    pages: list[RankedPage]
    names: Mapping[DocumentUid, str]
    openings: Sequence[PassageId] = ()


class SearchPipeline:
    """Runs searches; holds nothing between them. Without ``pages`` or ``reranking`` it ranks by what there is."""

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
        pages: PageRetriever | None = None,
        reranking: Reranking | None = None,
    ) -> None:
        self._passages = passages
        self._graph = graph
        self._graph_search = GraphSearch(graph_index, graph_limits)
        self._vectors = vectors
        self._embedder = embedder
        self._sparse = sparse
        self._pages = pages
        self._reranking = reranking

    async def find(
        self,
        reader: Reader,
        text: str,
        *,
        mode: Mode,
        filters: Filters,
        top_k: int,
        timings: Timings,
        history: Sequence[Turn] = (),
        count_words: bool = False,
    ) -> SearchResult:
        """Return the ``top_k`` best pieces of evidence for a question that stands for itself.

        When something was published or deleted meanwhile and a candidate fell out, or hidden points shortened a
        list, the search is made again, at most twice; text is only of passages that were visible when it was read.
        What it goes without, and why, stands in ``warnings``.

        Raises:
            NotAvailable: mode ``visual`` without a page-image server.
            NotFound, BadInput: as `Passages.scope`.
            DependencyDown: the vector index is away, or the page-image server in mode ``visual``.
        """
        wanted = RETRIEVERS[mode]
        if mode is Mode.VISUAL and self._pages is None:
            raise NotAvailable("mode visual needs a page-image server: set ATOLL_PAGES__URL")
        reads = ReadBudget(self._passages, self._graph, reader, filters)
        with timings.step("scope"):
            scope = await reads.scope()
        terms = Terms(self._sparse, scope.language)
        found = SearchResult(text, scope.revision, terms, keywords(text, terms))
        can_find = scope.passages > 0 or (Retriever.PAGES in wanted and self._pages is not None)
        if not wanted or not can_find or scope.include == ():
            return replace(found, indexed=can_find)
        asked = Asked.of(text, terms, history)
        found = replace(found, asked=asked, question=asked.search)
        question = await self._prepare(asked, terms, mode, timings)
        question.shortfalls.note_gaps(scope, wanted)
        if count_words:
            question = replace(question, counted=counted(asked.parts))
        if Retriever.AROUND in wanted:
            return await self._graph_search.find(found, question, scope, top_k, reads, timings)
        try:
            return await self._by_lists(found, question, reader, scope, top_k, reads, timings)
        except IndexMissing as error:
            around = without_passages(question, error)
            return await self._graph_search.find(found, around, scope, top_k, reads, timings)

    async def _by_lists(
        self,
        found: SearchResult,
        question: Question,
        reader: Reader,
        scope: SearchScope,
        top_k: int,
        reads: ReadBudget,
        timings: Timings,
    ) -> SearchResult:
        """Search lists of passages and pages, again while the ground moves. Raises IndexMissing without passages."""
        window = Window.first(reader, scope)
        while True:
            seen = await self._look(question, window, scope.passages, reads, timings)
            moved = seen.revision != scope.revision and bool(seen.hidden)
            if not (moved or seen.short) or not reads.take_retry():
                ranking = await self._ranked(question, seen, window, scope, top_k, reads, timings)
                texts = await self._read(ranking, question, top_k, reads, timings)
                if texts.complete or not reads.take_retry():
                    found = replace(found, revision=seen.revision, rarity=seen.rarity)
                    return await self._shown(found, question, ranking, texts, reader.kb, top_k, timings)
            with timings.step("scope"):
                scope = await reads.scope()
            # what was hidden in another revision may be visible by now
            hidden = seen.hidden if scope.revision == seen.revision else frozenset()
            window = Window.wider(reader, scope, hidden)

    async def _prepare(self, asked: Asked, terms: Terms, mode: Mode, timings: Timings) -> Question:
        """Embed the question for passages and for pages at the same time."""
        text = asked.search

        async def for_passages() -> NDArray[np.float32]:
            with timings.step("embed"):
                rows = await self._embedder.embed([text], input_type=InputType.QUERY)
            vector: NDArray[np.float32] = rows[0]
            return vector

        lines = None
        if mode is Mode.MIX and self._pages is not None:
            lines = await self._pages.lines_fingerprint()

        async def for_pages() -> PageQuery | None:
            if self._pages is None or Retriever.PAGES not in RETRIEVERS[mode] or lines is not None:
                return None
            return await self._pages.ask(text, timings, needed=mode is Mode.VISUAL)

        with ungrouped():
            async with asyncio.TaskGroup() as group:
                embedding, asking = group.create_task(for_passages()), group.create_task(for_pages())
        vector, pages = embedding.result(), asking.result()
        if lines is not None and vector.any():
            pages = PageQuery(lines, vector[np.newaxis], sees=False)
        question = Question(text, mode, terms, verbatim_phrases(text, terms), vector, pages, asked)
        return noted(question, has_pages=self._pages is not None)

    async def _look(
        self, question: Question, window: Window, passages: int, reads: ReadBudget, timings: Timings
    ) -> Seen:
        """Search all lists at once and keep what the reader may see."""
        searches = searches_of(question, window, self._sparse)
        words = {f"{_WORD} {at}": rarity_search(window, question.asked.parts[at]) for at in question.counted}
        everything = [*searches.values(), *words.values()]
        pages: list[PageHit] = []
        pages_limit = 0
        with timings.step("search"):
            if question.pages is None or self._pages is None or _knows_only_text(question):
                lists = await self._vectors.search(everything)
            else:
                pages_limit = PAGE_DEPTH + window.room
                finding = self._pages.search(window, question.pages)
                lists, pages = await asyncio.gather(self._vectors.search(everything), pages_of(question, finding))
        with timings.step("visible"):
            found = dict(zip((*searches, *words), lists, strict=True))
            seen = await see(reads, searches, found, pages, pages_limit)
        rare = {
            at: rarity(found[name], len(seen.lists[name]), passages)
            for at, name in zip(question.counted, words, strict=True)
        }
        return replace(seen, rarity=rare)

    async def _ranked(
        self,
        question: Question,
        seen: Seen,
        window: Window,
        scope: SearchScope,
        top_k: int,
        reads: ReadBudget,
        timings: Timings,
    ) -> _Ranking:
        """Rank what is visible: lists, then pages, then what the graph knows of the best."""
        pages_found = seen.pages[:PAGE_DEPTH]
        if question.mode is Mode.VISUAL:
            return _Ranking([], pages_alone(pages_found)[:top_k], seen.names)
        with timings.step("fuse"):
            ranking = fuse(
                seen.lists.get(Retriever.DENSE, [])[:DEPTH],
                seen.lists.get(Retriever.SPARSE, [])[:DEPTH],
                [hits[:PHRASE_DEPTH] for name, hits in seen.lists.items() if name.startswith(PHRASE)],
            )
        openings = seen.openings_of(ranking, top_k) if question.counted else ()
        if self._pages is not None and question.pages is not None and _knows_only_text(question):
            with timings.step("search_pages"):
                documents = seen.documents_of(ranking, LINES_DOCUMENTS)
                pages_found = await pages_of(question, self._pages.among(window, question.pages, documents))
        sees = question.pages is not None and question.pages.sees
        ranking, pages = fuse_pages(ranking, pages_found, sees=sees)
        names = dict(seen.names)
        if Retriever.GRAPH in RETRIEVERS[question.mode] and ranking:
            with timings.step("graph"):
                ranking, more = await through_graph(
                    ranking,
                    reads,
                    question=question.vector,
                    groups=word_groups(question.text, question.terms),
                    corpus_passages=scope.passages,
                )
            names |= more
        # `COLLAPSE_ROOM` passages ahead of a page may turn out to be one text.
        reachable = [page for page in pages[:top_k] if page.ahead < top_k + COLLAPSE_ROOM]
        return _Ranking(ranking, reachable, names, openings)

    async def _read(
        self, ranking: _Ranking, question: Question, top_k: int, reads: ReadBudget, timings: Timings
    ) -> Texts:
        """Read what will be shown, and what a reranker is to read beyond that."""
        depth = top_k if self._reranking is None else max(top_k, self._reranking.depth - COLLAPSE_ROOM)
        on_pages = [passage for page in ranking.pages for passage in page.passages]
        with timings.step("hydrate"):
            return await read_texts(ranking.passages, question.phrases, depth, reads, on_pages, ranking.openings)

    async def _shown(
        self,
        found: SearchResult,
        question: Question,
        ranking: _Ranking,
        texts: Texts,
        kb: KbUid,
        top_k: int,
        timings: Timings,
    ) -> SearchResult:
        shared, passages = texts.shared, ranking.passages
        if self._reranking is not None and shared:
            with timings.step("rerank"):
                shared, passages, cautions = await rerank(self._reranking, question.text, shared, passages)
            question.shortfalls.add(*cautions)
        evidence = tuple(passage_evidence(passages, ranking.names, shared[:top_k]))
        pages = [page for page in ranking.pages if speaks(page, texts.passages, question.phrases)]
        if pages and self._pages is not None and question.pages is not None:
            with timings.step("pages"):
                reader = PageReader(self._pages, kb, question.pages)
                evidence = await reader.joined(evidence, pages, ranking.names, texts.passages, top_k)
        evidence = described(evidence, texts.passages.values())
        warnings = question.shortfalls.all()
        read = [texts.passages[entry.passage_id] for entry in evidence if entry.passage_id is not None]
        by_id = {passage.id: passage for passage in (*read, *texts.these(ranking.openings))}
        return replace(found, vector=question.vector, evidence=evidence, passages=by_id, warnings=warnings)


def _knows_only_text(question: Question) -> bool:
    """Whether pages are to add to a ranking of texts and are read by lines: they know nothing that texts do not."""
    return question.mode is Mode.MIX and question.pages is not None and not question.pages.sees
