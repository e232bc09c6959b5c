"""From a question to ranked evidence: scope, lists, visibility, fusion, text, collapse."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from atoll.domain.embedding import InputType
from atoll.domain.evidence import Evidence, EvidenceKind, Filters, Mode
from atoll.domain.ids import KbUid, PassageId
from atoll.domain.page_vectors import PageHit, PageQuery
from atoll.domain.passage import Passage
from atoll.domain.vectors import VectorSearch
from atoll.errors import AtollError, NotAvailable, NotFound, first_of
from atoll.ports.catalogue import Labels
from atoll.ports.embedder import Embedder
from atoll.ports.passages import Passages
from atoll.ports.sparse import SparseEncoder
from atoll.ports.vectors import VectorIndex
from atoll.query.collapse import Shared, collapse
from atoll.query.fuse import Ranked, best, fuse
from atoll.query.fuse_pages import RankedPage, fuse_pages, pages_alone
from atoll.query.keywords import keywords
from atoll.query.modes import Retriever, retrievers
from atoll.query.page_evidence import merged, page_evidence, speaks, stands_on, with_view, worth_reading
from atoll.query.phrases import contains_all, verbatim_phrases
from atoll.query.reads import SearchReads
from atoll.query.retrieve.dense import dense_search
from atoll.query.retrieve.pages import PAGE_DEPTH, PageRetriever
from atoll.query.retrieve.sparse import PHRASE_DEPTH, phrase_search, sparse_search
from atoll.query.retrieve.window import Window
from atoll.query.terms import Terms
from atoll.query.timings import Timings
from atoll.query.visibility import Seen, see

#: Passages read beyond the number wanted, because some may turn out to be the same text.
COLLAPSE_ROOM = 10
_PHRASE = "phrase"


@dataclass(frozen=True, slots=True)
class Found:
    """What retrieval hands to answering.

    ``vector`` is the question's, (dimensions,), or None when nothing was searched. ``best_cosine`` is the best raw
    dense score among visible passages, 0 without any.
    """

    question: str
    revision: int
    terms: Terms
    keywords: tuple[str, ...]
    vector: NDArray[np.float32] | None = None
    evidence: tuple[Evidence, ...] = ()
    headings: Mapping[PassageId, tuple[str, ...]] = field(default_factory=dict)
    best_cosine: float = 0.0

    def headings_of(self, entry: Evidence) -> tuple[str, ...]:
        """Return the headings that a piece of evidence stands under."""
        return () if entry.passage_id is None else self.headings.get(entry.passage_id, ())


@dataclass(frozen=True, slots=True)
class _Question:
    """A question in the forms that the index understands."""

    text: str
    terms: Terms
    phrases: tuple[str, ...]
    vector: NDArray[np.float32]
    mode: Mode
    pages: PageQuery | None


class SearchPipeline:
    """Runs searches; holds nothing between them."""

    def __init__(
        self,
        *,
        passages: Passages,
        vectors: VectorIndex,
        embedder: Embedder,
        sparse: SparseEncoder,
        pages: PageRetriever | None = None,
    ) -> None:
        self._passages = passages
        self._vectors = vectors
        self._embedder = embedder
        self._sparse = sparse
        self._pages = pages

    async def find(
        self, kb: KbUid, labels: Labels, text: str, *, mode: Mode, filters: Filters, top_k: int, timings: Timings
    ) -> Found:
        """Return the ``top_k`` best pieces of evidence for a question that stands for itself.

        When something was published or deleted meanwhile and a candidate fell out, or hidden points shortened a
        list, the search is made again, at most twice; text is only of passages that were visible when it was read.

        Raises:
            NotAvailable: for a mode that is not offered.
            NotFound, BadInput: as `Passages.scope`.
            DependencyDown: the vector index or the embedder is away, or the page-image server in mode ``visual``.
        """
        wanted = retrievers(mode)
        if mode is Mode.VISUAL and self._pages is None:
            raise NotAvailable("mode visual needs a page-image server: set ATOLL_PAGES__URL")
        reads = SearchReads(self._passages, kb, labels, filters)
        with timings.step("scope"):
            scope = await reads.scope()
        terms = Terms(self._sparse, scope.language)
        found = Found(text, scope.revision, terms, keywords(text, terms))
        can_find = scope.passages > 0 or (Retriever.PAGES in wanted and self._pages is not None)
        if not wanted or not can_find or scope.include == ():
            return found
        question = await self._prepare(text, terms, mode, wanted, timings)
        window = Window.first(kb, labels, scope)
        while True:
            seen = await self._look(self._searches(question, window, wanted), window, question.pages, reads, timings)
            moved = seen.revision != scope.revision and bool(seen.hidden)
            if not (moved or seen.short) or not reads.take_retry():
                ranking, pages = _ranked(seen, mode, timings)
                pages = worth_reading(pages, ranking, top_k, COLLAPSE_ROOM)
                shared, texts, complete = await _read(ranking, pages, question.phrases, top_k, reads, timings)
                if complete or not reads.take_retry():
                    result = _with_evidence(found, question, seen, ranking, shared[:top_k])
                    with timings.step("pages"):
                        return await self._with_pages(result, question, seen, pages, texts, kb, top_k)
            with timings.step("scope"):
                scope = await reads.scope()
            # what was hidden in another revision may be visible by now
            hidden = seen.hidden if scope.revision == seen.revision else frozenset()
            window = Window.wider(kb, labels, scope, hidden)

    async def _prepare(
        self, text: str, terms: Terms, mode: Mode, wanted: frozenset[Retriever], timings: Timings
    ) -> _Question:
        """Embed the question for passages and for pages at the same time."""

        async def for_passages() -> NDArray[np.float32]:
            with timings.step("embed"):
                rows = await self._embedder.embed([text], input_type=InputType.QUERY)
            vector: NDArray[np.float32] = rows[0]
            return vector

        async def for_pages() -> PageQuery | None:
            if self._pages is None or Retriever.PAGES not in wanted:
                return None
            return await self._pages.ask(text, timings, needed=mode is Mode.VISUAL)

        try:
            async with asyncio.TaskGroup() as group:
                vector, pages = group.create_task(for_passages()), group.create_task(for_pages())
        except* AtollError as failed:
            raise first_of(failed) from failed
        return _Question(text, terms, verbatim_phrases(text, terms), vector.result(), mode, pages.result())

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

    async def _look(
        self,
        searches: Mapping[str, VectorSearch],
        window: Window,
        query: PageQuery | None,
        reads: SearchReads,
        timings: Timings,
    ) -> Seen:
        pages: list[PageHit] = []
        with timings.step("search"):
            if query is None or self._pages is None:
                lists = await self._vectors.search(list(searches.values()))
            else:
                lists, pages = await asyncio.gather(
                    self._vectors.search(list(searches.values())), self._pages.search(window, query)
                )
        limit = 0 if query is None else PAGE_DEPTH + window.room
        with timings.step("visible"):
            return await see(reads, searches, dict(zip(searches, lists, strict=True)), pages, limit)

    async def _with_pages(
        self,
        found: Found,
        question: _Question,
        seen: Seen,
        pages: Sequence[RankedPage],
        texts: Mapping[PassageId, Passage],
        kb: KbUid,
        top_k: int,
    ) -> Found:
        """Add the pages that stand for themselves, and look at those of them that are among the ``top_k`` best."""
        if self._pages is None or question.pages is None or not pages:
            return found
        fitting = [page for page in pages if speaks(page, texts, question.phrases)]
        placed = merged(found.evidence, [page_evidence(page, seen.names, texts) for page in fitting])[:top_k]
        asked, retriever = question.pages, self._pages

        async def looked_at(entry: Evidence) -> Evidence:
            if entry.kind is not EvidenceKind.PAGE:
                return entry
            try:
                view = await retriever.look(kb, entry.document_id, entry.page, asked)
            except (NotFound, NotAvailable):  # removed or ingested anew meanwhile: the page itself was visible
                return entry
            return with_view(entry, view, [text for text in texts.values() if stands_on(text, entry)])

        evidence = [await looked_at(entry) for entry in placed]
        shown = [
            texts[entry.passage_id] for entry in evidence if entry.passage_id is not None and entry.passage_id in texts
        ]
        headings = {**found.headings, **{passage.id: passage.headings for passage in shown}}
        return replace(found, evidence=tuple(evidence), headings=headings)


def _ranked(seen: Seen, mode: Mode, timings: Timings) -> tuple[list[Ranked], list[RankedPage]]:
    """Fuse what is visible. The graph steps join between: they turn a ranking into a ranking."""
    with timings.step("fuse"):
        if mode is Mode.VISUAL:
            return [], pages_alone(seen.pages[:PAGE_DEPTH])
        ranking = fuse(
            best(seen.lists.get(Retriever.DENSE, [])),
            best(seen.lists.get(Retriever.SPARSE, [])),
            [best(hits, PHRASE_DEPTH) for name, hits in seen.lists.items() if name.startswith(_PHRASE)],
        )
        return fuse_pages(ranking, seen.pages[:PAGE_DEPTH])


async def _read(
    ranking: Sequence[Ranked],
    pages: Sequence[RankedPage],
    phrases: tuple[str, ...],
    top_k: int,
    reads: SearchReads,
    timings: Timings,
) -> tuple[list[Shared], Mapping[PassageId, Passage], bool]:
    """Read texts until ``top_k`` different ones with all phrases are there, and those that stand on ``pages``.

    Returns the different texts, all texts, and False when one was no longer visible.
    """
    first = len(ranking) if phrases else top_k + COLLAPSE_ROOM
    ids = [ranked.id for ranked in ranking]
    on_pages = [passage for page in pages for passage in page.passages]
    with timings.step("hydrate"):
        texts = await reads.hydrate([*ids[:first], *on_pages])
        complete = len(texts) == len(ids[:first]) + len(on_pages)
        shared = collapse([texts[at] for at in ids if at in texts and contains_all(texts[at].text, phrases)])
        if complete and len(shared) < top_k and len(ids) > first and reads.left:
            texts |= await reads.hydrate(ids[first:])
            complete = len(texts) == len(ids) + len(on_pages)
            shared = collapse([texts[at] for at in ids if at in texts])
    return shared, texts, complete


def _with_evidence(
    found: Found, question: _Question, seen: Seen, ranking: Sequence[Ranked], shared: Sequence[Shared]
) -> Found:
    by_id = {ranked.id: ranked for ranked in ranking}
    evidence = tuple(
        Evidence(
            kind=EvidenceKind.PASSAGE,
            rank=rank,
            score=by_id[entry.passage.id].score,
            document_id=entry.passage.document,
            document=seen.names[entry.passage.document],
            page=entry.passage.page,
            boxes=entry.passage.boxes,
            text=entry.passage.text,
            passage_id=entry.passage.id,
            signals=by_id[entry.passage.id].signals,
            also_in=entry.also_in,
        )
        for rank, entry in enumerate(shared, start=1)
    )
    return Found(
        question=found.question,
        revision=seen.revision,
        terms=found.terms,
        keywords=found.keywords,
        vector=question.vector,
        evidence=evidence,
        headings={entry.passage.id: entry.passage.headings for entry in shared},
        best_cosine=max((hit.score for hit in seen.lists.get(Retriever.DENSE, [])), default=0.0),
    )
