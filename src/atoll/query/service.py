"""Searching and answering: the one entrance to the query side.

An answer takes shape as a stream of events. ``auto`` shows sentences of the documents at once and lets the chat
model's answer replace them; when there is no model, or it fails or finds no answer, the sentences stay.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from atoll.domain.evidence import Mode
from atoll.errors import BadInput, NotAvailable
from atoll.ports.chat import Chat
from atoll.ports.embedder import Embedder
from atoll.ports.graph import Graph
from atoll.ports.graph_index import GraphIndex
from atoll.ports.passages import Passages
from atoll.ports.sparse import SparseEncoder
from atoll.ports.vectors import VectorIndex
from atoll.query.answer.budget import PromptLimits
from atoll.query.answer.refuse import nothing_indexed, refused
from atoll.query.answer.shorter import ShorterChat
from atoll.query.answer.standalone import standalone
from atoll.query.answering import Answering, Progress
from atoll.query.question.history import Turn, recent
from atoll.query.question.spelling import corrected, corrections, vocabulary
from atoll.query.rank.graph_evidence import GraphLimits
from atoll.query.rank.rerank import Reranking
from atoll.query.requests import (
    AnswerMode,
    Citations,
    Delta,
    Done,
    EvidenceFound,
    QueryOutcome,
    QueryRequest,
    Replace,
    SearchOutcome,
    SearchRequest,
    StreamEvent,
)
from atoll.query.retrieve.pages import PageRetriever
from atoll.query.search.pipeline import SearchPipeline
from atoll.query.search.results import SearchResult, withheld
from atoll.query.search.timings import Timings

__all__ = [
    "AnswerMode",
    "AskService",
    "Citations",
    "Delta",
    "Done",
    "EvidenceFound",
    "GraphLimits",
    "PromptLimits",
    "QueryOutcome",
    "QueryRequest",
    "Replace",
    "SearchOutcome",
    "SearchRequest",
    "StreamEvent",
    "Turn",
]

MAX_QUESTION_CHARACTERS = 8192
MAX_TOP_K = 100
#: Passages that answers are looked for in, however few are to be returned.
CONSIDERED = 20


class AskService:
    """Answers from one knowledge base at a time. Holds no state but what it has measured of its models."""

    def __init__(
        self,
        *,
        passages: Passages,
        graph: Graph,
        graph_index: GraphIndex,
        vectors: VectorIndex,
        embedder: Embedder,
        sparse: SparseEncoder,
        chat: Chat | None,
        limits: PromptLimits,
        graph_limits: GraphLimits,
        certainty: float,
        pages: PageRetriever | None = None,
        reranking: Reranking | None = None,
    ) -> None:
        self._pipeline = SearchPipeline(
            passages=passages,
            graph=graph,
            graph_index=graph_index,
            vectors=vectors,
            embedder=embedder,
            sparse=sparse,
            graph_limits=graph_limits,
            pages=pages,
            reranking=reranking,
        )
        self._embedder = embedder
        self._chat = chat
        self._answering = Answering(embedder, limits, certainty=certainty)

    async def search(self, request: SearchRequest) -> SearchOutcome:
        """Return ranked evidence.

        Raises:
            BadInput: the query is empty or too long, ``top_k`` is out of range, or the filters match too much.
            NotFound: the knowledge base is gone.
            NotAvailable: the mode is not offered.
            DependencyDown: the vector index or the embedder is away.
        """
        timings = Timings()
        found = await self._find(request, _checked_question(request), (), timings)
        return SearchOutcome(
            found.evidence, found.keywords, found.revision, timings.milliseconds(), warnings=found.warnings
        )

    async def query(self, request: QueryRequest) -> QueryOutcome:
        """Return the answer that ``stream`` ends with; raises what ``stream`` raises."""
        async with aclosing(self.stream(request)) as events:
            async for event in events:
                if isinstance(event, Done):
                    return event.outcome
        raise AssertionError("a stream of events ends with Done")

    async def stream(self, request: QueryRequest) -> AsyncGenerator[StreamEvent, None]:
        """Yield the evidence, then the answer as it takes shape, then `Done`.

        Raises:
            BadInput, NotFound, NotAvailable, DependencyDown: as ``search``.
            NotAvailable: ``generate`` or ``bypass`` without a chat model.
            DependencyDown, ModelReplyInvalid: the chat model failed and nothing can stand in for it.
        """
        timings = Timings()
        text = _checked_question(request)
        chat = self._model_for(request)
        history = recent(request.history)
        if request.mode is Mode.BYPASS:
            found = await self._find(request, text, (), timings)
            progress = Progress(refused(nothing_indexed()))
        else:
            found = await self._understood(request, text, history, chat, timings)
            with timings.step("extract"):
                progress = await self._answering.extracted(found)
        if chat is not None and request.answer_tokens is not None:
            chat = ShorterChat(chat, request.answer_tokens)
        evidence = found.evidence[: request.top_k]
        yield EvidenceFound(evidence, found.revision)
        if request.mode is Mode.BYPASS:
            assert chat is not None, "checked before anything was searched"
            events = self._answering.from_model_alone(request.query, history, progress, chat)
        else:
            events = self._answering.told(found, progress, request.answer, chat, timings)
        async with aclosing(events):
            async for event in events:
                yield event
        yield Done(
            QueryOutcome(
                progress.answer,
                evidence,
                progress.usage,
                timings.milliseconds(),
                found.revision,
                found.question,
                warnings=(*found.warnings, *progress.cautions),
            )
        )

    async def prepare(self) -> None:
        """Measure the embedder ahead of the first question.

        Raises:
            ModelReplyInvalid: the embedding server answers what is no vector.
        """
        await self._answering.prepare()

    def _model_for(self, request: QueryRequest) -> Chat | None:
        """Return the chat model if the request is to use it."""
        needed = request.answer is AnswerMode.GENERATE or request.mode is Mode.BYPASS
        if needed and (self._chat is None or request.answer is AnswerMode.EXTRACT):
            raise NotAvailable("this needs a chat model: set ATOLL_CHAT__URL, and answer=auto or generate")
        return None if request.answer is AnswerMode.EXTRACT else self._chat

    async def _understood(
        self, request: QueryRequest, text: str, history: Sequence[Turn], chat: Chat | None, timings: Timings
    ) -> SearchResult:
        """Search with what the conversation adds, and once more if words of the question turn out to be misspelt."""
        question, turns = text, history
        if chat is not None and history:
            with timings.step("standalone"):
                rewritten = await standalone(text, history, chat)
            if rewritten is not None:
                question, turns = rewritten, ()
        found = await self._find(request, question, turns, timings)
        if found.asked is None or not found.evidence:
            return found
        with timings.step("spelling"):
            words = vocabulary([text for entry in found.evidence for text in (entry.text, entry.document)])
            wrong = await corrections(found.asked.parts, found.rarity, words, self._embedder)
        return await self._find(request, corrected(question, wrong), turns, timings) if wrong else found

    async def _find(
        self, request: SearchRequest | QueryRequest, question: str, history: Sequence[Turn], timings: Timings
    ) -> SearchResult:
        answers = isinstance(request, QueryRequest)
        found = await self._pipeline.find(
            request.reader,
            question,
            mode=request.mode,
            filters=request.filters,
            top_k=max(request.top_k, CONSIDERED) if answers else request.top_k,
            timings=timings,
            history=history,
            count_words=answers,
        )
        return withheld(found) if request.reader.is_restricted else found


def _checked_question(request: SearchRequest | QueryRequest) -> str:
    question = request.query.strip()
    if not question:
        raise BadInput("the query is empty")
    if len(question) > MAX_QUESTION_CHARACTERS:
        raise BadInput(f"the query has more than {MAX_QUESTION_CHARACTERS} characters")
    if not 1 <= request.top_k <= MAX_TOP_K:
        raise BadInput(f"top_k must be between 1 and {MAX_TOP_K}")
    return question
